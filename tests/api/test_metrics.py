from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from core import db
from core.audit import runs
from core.clock import utc_now
from core.db.enums import Role, Scope
from core.db.tables import BackfillProgress, User
from core.installation import Installation, using
from core.redis import job_queue
from tests import redis
from tests.api.conftest import Client, arrive, refusal

KINDS = {
    "process_cpu_seconds": "counter",
    "process_open_fds": "gauge",
    "process_peak_memory_bytes": "gauge",
    "process_threads": "gauge",
    "video_audit_broken_rules": "gauge",
    "video_audit_timestamp_seconds": "gauge",
    "video_backfill_rows": "gauge",
    "video_build_info": "gauge",
    "video_collect_seconds": "histogram",
    "video_database_up": "gauge",
    "video_db_pool_checkedout": "gauge",
    "video_flights": "gauge",
    "video_http_seconds": "histogram",
    "video_ledger_credits": "counter",
    "video_look_lag_seconds": "histogram",
    "video_looks": "counter",
    "video_preview_seconds": "histogram",
    "video_queue_wait_seconds": "histogram",
    "video_sessions": "gauge",
    "video_storage_errors": "counter",
    "video_storage_seconds": "histogram",
    "video_submit_seconds": "histogram",
    "video_generations_in_flight": "gauge",
    "video_ledger_available_credits": "gauge",
    "video_ledger_held_credits": "gauge",
    "video_oldest_due_seconds": "gauge",
    "video_oldest_snapshot_seconds": "gauge",
    "video_oldest_snapshot_transactions": "gauge",
    "video_provider_configured": "gauge",
    "video_provider_failures": "gauge",
    "video_provider_up": "gauge",
    "video_queue_length": "gauge",
    "video_queue_up": "gauge",
    "video_replication_slot_bytes": "gauge",
}
"""Every figure; dashboards and alerts know them by these names."""

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def operator() -> Client:
    """An administrator whose token only reads."""
    client = arrive("ops@example.org", scope=Scope.READ)
    with db.write_session() as session:
        session.execute(update(User).where(User.email == "ops@example.org").values(role=Role.ADMIN))
    return client


def samples(text: str) -> Samples:
    """What Prometheus takes from the text: name and labels -> value."""
    families = list(text_string_to_metric_families(text))
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def sample(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    """A name and its labels."""
    return name, frozenset(labels.items())


def test_figures_are_what_there_is(ana: Client) -> None:
    """What is under way, what is reserved and what the last audit found, in a form that Prometheus reads."""
    ana.generate()
    with db.write_session() as session:
        runs.record(session, runs.run_incremental(session))

    answer = operator().get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert {family.name: family.type for family in text_string_to_metric_families(answer.text)} == KINDS
    found = samples(answer.text)
    assert found[sample("video_generations_in_flight", provider="demo", status="pending")] == 1
    assert found[sample("video_flights", stage="queued")] == 1
    assert found[sample("video_ledger_held_credits")] == 50
    assert found[sample("video_audit_broken_rules")] == 0
    assert found[sample("video_provider_up", provider="demo")] == 1
    assert found[sample("video_provider_configured", provider="modelslab")] == 0
    assert found[sample("video_queue_up")] == 0
    assert found[sample("process_cpu_seconds_total")] > 0


def test_figures_of_an_empty_installation(installation: Installation) -> None:
    """Nothing under way and no audit yet is no error."""
    found = samples(operator().get("/metrics").text)

    assert found[sample("video_oldest_due_seconds")] == 0
    assert sample("video_audit_broken_rules") not in found


def test_figures_of_the_queue(installation: Installation) -> None:
    """With a Redis its queues are counted."""
    with redis.server() as url:
        with_redis = replace(installation, redis_url=url)
        job_queue.enqueue(with_redis.redis, job_queue.SUBMIT, "some-generation", 1)
        with using(with_redis):
            found = samples(operator().get("/metrics").text)
        with_redis.redis.close()

    assert found[sample("video_queue_length", queue="video-submit")] == 1
    assert found[sample("video_queue_up")] == 1


def test_figures_of_what_is_filled_in(installation: Installation) -> None:
    """What a migration has left open is told while it goes on, and no more when it is done."""
    now = utc_now()
    with db.write_session() as session:
        session.add(BackfillProgress(name="of one", began_at=now, row_count=3000))
        session.add(BackfillProgress(name="of another", began_at=now, row_count=3000, done_at=now))
    found = samples(operator().get("/metrics").text)

    told = {key: value for key, value in found.items() if key[0] == "video_backfill_rows"}
    assert told == {sample("video_backfill_rows", backfill="of one"): 3000}


def test_figures_are_for_administrators(ana: Client, nobody: Client) -> None:
    """They tell of everybody, so an ordinary person's token does not open them, whatever its scope."""
    assert refusal(ana.get("/metrics"))[:2] == (403, "forbidden")
    assert refusal(nobody.get("/metrics"))[:2] == (401, "unauthorized")
