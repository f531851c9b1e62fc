"""Whoever can write to Redis can disturb, but makes no worker run anything."""

import json
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import psutil
import pytest
from redis import Redis
from rq import Callback, Queue
from rq.command import send_shutdown_command
from rq.job import Job
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer
from rq.suspension import suspend

from core.db.enums import Status
from core.redis import job_queue
from tests import simulators
from tests.system.installation import Installation, installed

pytestmark = pytest.mark.process

QUEUES = (job_queue.SUBMIT, job_queue.DOWNLOAD)


@pytest.fixture
def site() -> Iterator[Installation]:
    """An installation with Redis, and no worker yet."""
    with simulators.running("modelslab", seconds=1, limit=1000) as url, installed(url) as found:
        found.start_redis()
        yield found


@pytest.fixture
def redis(site: Installation) -> Iterator[Redis]:
    """What somebody has who reaches its Redis."""
    with Redis(unix_socket_path=str(site.socket)) as client:
        yield client


class Touch:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self._path}",)


def plant(redis: Redis, canary: Path, generation_id: str) -> None:
    """Jobs that RQ's own worker would run, or stumble over, in both queues."""
    touch = f"touch {canary}"
    for name in QUEUES:
        queue, as_json = Queue(name, connection=redis), Queue(name, connection=redis, serializer=JSONSerializer)
        for found in (queue, as_json):
            found.enqueue("os.system", touch)
            found.enqueue("no.such.function", touch)
            found.enqueue("core.worker.tasks.submit", touch, "too", "many")
            for version in range(4):  # as if it were the next order's
                found.enqueue("os.system", touch, job_id=f"{name}-{generation_id}-{10 + version}")
            called = Callback("os.system")
            found.enqueue("time.sleep", 0, on_success=called, on_failure=called, on_stopped=called, meta={"a": "b"})
        for key in ("pickled", f"{name}-{generation_id}-20"):
            data = pickle.dumps(Touch(canary))
            redis.hset(
                f"rq:job:{key}",
                mapping={"data": data, "meta": data, "result": data, "origin": name, "status": "queued"},
            )
            redis.rpush(queue.key, key)
        giant = json.dumps(["os.system", None, [touch + " " * 30_000_000], {}])
        redis.hset("rq:job:giant", mapping={"data": giant, "origin": name, "status": "queued"})
        redis.rpush(queue.key, "giant", b"\xff\xfe", b"", b"\x00" * 1000, f"{name}-", f"{name}-x-{'9' * 500}")
        redis.rpush(queue.key, f"{name}-no-such-generation-1", f"{name}-{generation_id}-999")
        redis.rpush(queue.intermediate_queue_key, "pickled", b"\xff")
        abandoned = Job.create("os.system", (touch,), connection=redis, on_failure=Callback("os.system"), origin=name)
        abandoned.save()
        redis.zadd(StartedJobRegistry(name, connection=redis).key, {f"{abandoned.id}:1": 1})
        redis.zadd(f"rq:scheduled:{name}", {abandoned.id: 1})
    redis.set("rq:workers", "no set at all")
    redis.delete("rq:queues")
    redis.set("rq:queues", "no set at all")


def test_jobs_that_are_not_ours(site: Installation, redis: Redis, tmp_path: Path) -> None:
    """Neither code nor pickles in Redis are run, whatever they are dressed as; true orders go on beside them."""
    canary = tmp_path / "canary"
    before = site.order("before")
    plant(redis, canary, before)
    worker = site.start_worker()
    site.until(lambda: site.row(before).status is Status.COMPLETED, "the order is done")
    parts = psutil.Process(worker.pid).children()
    plant(redis, canary, before)
    after = site.order("after")
    site.until(lambda: site.row(after).status is Status.COMPLETED, "the next one is done, too")
    site.until(lambda: not any(redis.llen(f"rq:queue:{name}") for name in QUEUES), "nothing is left over")

    assert not canary.exists()
    assert psutil.Process(worker.pid).children() == parts, "no part was started again"
    assert all(part.is_running() for part in parts)
    assert site.submits() == {before: 1, after: 1}
    site.check_books()


def test_commands_and_rubbish_while_at_work(site: Installation, redis: Redis) -> None:
    """No worker takes orders from Redis, and one whose queue was made something else makes a queue of it again."""
    worker = site.start_worker()
    site.until(lambda: redis.scard("rq:workers") == 2, "both workers are listed by RQ")
    parts = psutil.Process(worker.pid).children()
    for key in cast("set[bytes]", redis.smembers("rq:workers")):
        send_shutdown_command(redis, key.decode().removeprefix("rq:worker:"))
    suspend(redis)
    for name in QUEUES:
        redis.set(f"rq:queue:{name}", "no list at all")
    redis.delete("rq:workers")
    redis.set("rq:workers", "no set at all")
    generation_id = site.order()
    site.until(lambda: site.row(generation_id).status is Status.COMPLETED, "the order is done")

    assert psutil.Process(worker.pid).children() == parts
    assert site.submits() == {generation_id: 1}
