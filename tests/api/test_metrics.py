import re
from dataclasses import replace

from sqlalchemy import update

from core import db
from core.audit import runs
from core.db.enums import Role, Scope
from core.db.tables import User
from core.installation import Installation, using
from core.redis import job_queue
from tests import redis
from tests.api.conftest import Client, arrive, refusal

LINE = re.compile(r'(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? -?[0-9.e+]+)')


def operator() -> Client:
    """An administrator whose token only reads."""
    client = arrive("ops@example.org", scope=Scope.READ)
    with db.write_session() as session:
        session.execute(update(User).where(User.email == "ops@example.org").values(role=Role.ADMIN))
    return client


def test_figures_are_what_there_is(ana: Client) -> None:
    """What is under way, what is reserved and what the last audit found, in a form that Prometheus reads."""
    ana.generate()
    with db.write_session() as session:
        runs.record(session, runs.run_incremental(session))

    answer = operator().get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert all(LINE.fullmatch(line) for line in lines), [line for line in lines if not LINE.fullmatch(line)]
    assert 'video_generations_in_flight{provider="demo",status="pending"} 1' in lines
    assert "video_ledger_held_credits 50" in lines
    assert "video_audit_broken_rules 0" in lines
    assert 'video_provider_up{provider="demo"} 1' in lines
    assert 'video_provider_configured{provider="modelslab"} 0' in lines
    assert "video_queue_up 0" in lines


def test_figures_of_an_empty_installation(installation: Installation) -> None:
    """Nothing under way and no audit yet is no error."""
    text = operator().get("/metrics").text

    assert "video_oldest_due_seconds 0" in text.splitlines()
    assert "\nvideo_audit_broken_rules " not in text


def test_figures_of_the_queue(installation: Installation) -> None:
    """With a Redis its queues are counted."""
    with redis.server() as url:
        with_redis = replace(installation, redis_url=url)
        job_queue.enqueue(with_redis.redis, job_queue.SUBMIT, "some-generation", 1)
        with using(with_redis):
            lines = operator().get("/metrics").text.splitlines()
        with_redis.redis.close()

    assert 'video_queue_length{queue="video-submit"} 1' in lines
    assert "video_queue_up 1" in lines


def test_figures_are_for_administrators(ana: Client, nobody: Client) -> None:
    """They tell of everybody, so an ordinary person's token does not open them, whatever its scope."""
    assert refusal(ana.get("/metrics"))[:2] == (403, "forbidden")
    assert refusal(nobody.get("/metrics"))[:2] == (401, "unauthorized")
