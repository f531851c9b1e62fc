from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core import db
from core.clock import utc_now
from core.db import Database
from core.db.tables import Generation
from core.insights import health, workers
from core.installation import Installation, using
from core.redis import presence
from core.version import VERSION
from tests import redis as redis_server
from tests.api.conftest import Client
from tests.factories import installations
from tests.factories.generations import rewrite


def test_healthy(nobody: Client) -> None:
    """A working demo is ok; its queue is nobody's business but its own."""
    answer = nobody.get("/health")

    assert answer.status_code == 200
    body = answer.json()
    assert body.pop("freeBytes") > 0
    assert body == {
        "success": True,
        "status": "ok",
        "database": True,
        "queue": None,
        "oldestPendingSeconds": 0.0,
        "inFlight": 0,
        "lastDeliveryAt": None,
        "version": VERSION,
    }


def test_last_delivery(ana: Client, nobody: Client) -> None:
    """When the last clip was delivered; what ended otherwise is no delivery."""
    row = ana.finished()
    ana.post(f"/generations/{ana.generate()}/cancel")

    assert row.ended_at is not None
    assert datetime.fromisoformat(nobody.get("/health").json()["lastDeliveryAt"]) == row.ended_at


@pytest.mark.parametrize(("free_bytes", "nearly_full"), [(None, False), (0, True), (2**29 - 1, True), (2**29, False)])
def test_room_for_clips(free_bytes: int | None, nearly_full: bool) -> None:
    """A disk with too little room is said to be nearly full; one that cannot be looked at is not."""
    found = health.Health(in_flight=0, oldest_pending_seconds=0, free_bytes=free_bytes, last_delivery_at=None)

    assert found.is_disk_nearly_full is nearly_full


def test_backlog(ana: Client, nobody: Client) -> None:
    """How many are under way, and how long the oldest has waited to be sent."""
    generation_id = ana.generate()
    with db.write_session() as session:
        earlier = utc_now() - timedelta(minutes=2)
        rewrite(session, Generation.id == generation_id, created_at=earlier)

    body = nobody.get("/health").json()

    assert body["inFlight"] == 1
    assert 120 <= body["oldestPendingSeconds"] < 240


def test_queue_away(nobody: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the queue orders are still taken, so it is degraded and not down."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    installations.reopen()

    answer = nobody.get("/health")

    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["queue"]) == ("degraded", False)


def test_workers_away(nobody: Client, installation: Installation) -> None:
    """Without workers orders are taken and wait: degraded, and since when nobody gave a sign of life."""
    with redis_server.server() as url:
        running = replace(installation, redis_url=url)
        running.watch._began -= workers.START_SECONDS
        with using(running):
            answer = nobody.get("/health").json()
            assert (answer["status"], answer["worker"], answer["workerSince"]) == ("degraded", False, None)
            with db.write_session() as session:
                workers.note(session, list(workers.Part))
            running.recent_health.forget()
            answer = nobody.get("/health").json()
            assert answer["workerSince"].startswith(f"{utc_now():%Y-%m-%dT}")
            for role in presence.Role:
                presence.announce(running.redis, role)
            running.watch._looked_at = 0.0
            running.recent_health.forget()
            answer = nobody.get("/health").json()
            assert (answer["status"], answer["worker"], "workerSince" in answer) == ("ok", True, False)
        running.redis.close()


def test_database_away(nobody: Client, installation: Installation, tmp_path: Path) -> None:
    """Without the database nothing works: 503, for a load balancer to see."""
    away = Database(f"sqlite:///{tmp_path / 'nowhere' / 'studio.db'}")
    with using(replace(installation, database=away)):
        answer = nobody.get("/health")

    assert answer.status_code == 503
    assert (answer.json()["success"], answer.json()["database"], answer.json()["version"]) == (False, False, VERSION)
    assert int(answer.headers["retry-after"]) > 0
    assert "nowhere" not in answer.text


def test_many_probes_are_one_look(ana: Client, nobody: Client, installation: Installation) -> None:
    """What a probe was told it is told again for a moment; then it is looked at anew."""
    assert nobody.get("/health").json()["inFlight"] == 0
    ana.generate()
    assert nobody.get("/health").json()["inFlight"] == 0
    installation.recent_health.forget()
    assert nobody.get("/health").json()["inFlight"] == 1


def test_a_look_is_as_old_as_said() -> None:
    """A look counts for two seconds and no longer; one that broke counts for nobody."""
    now, looks = [0.0], iter([1, 2])
    recent = health.Recently[int](2.0, monotonic=lambda: now[0])

    def broken() -> int:
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 -- the very one
        recent.get(broken)
    assert recent.get(lambda: next(looks)) == 1
    now[0] = 1.9
    assert recent.get(lambda: next(looks)) == 1
    now[0] = 2.1
    assert recent.get(lambda: next(looks)) == 2
