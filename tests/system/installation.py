"""A whole installation for a test: its own folder, Redis and worker processes, all real."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import MappingProxyType

import httpx
import psutil
from redis import Redis
from sqlalchemy import select

from core import storage_settings
from core.audit import runs
from core.db import Database
from core.db.enums import ENDED_STATUSES, Stage, Status
from core.db.tables import Generation, Project
from core.files import storage as storages
from core.generations.submit import submit
from core.providers import registry
from core.redis import connection as redis_connection
from core.storage_settings import StoreAccess
from core.worker import endings, local_stack
from core.workspaces.access import Member
from tests.factories.generations import CONFIGURED, QUOTA_BYTES, build_order, load_generation
from tests.factories.projects import create_project
from tests.factories.users import create_member

ROOT = Path(__file__).parents[2]


class Installation:
    """Processes and database of one installation against one stand-in vendor, and more that `environ` names."""

    def __init__(self, folder: Path, vendor_url: str, database_url: str, environ: Mapping[str, str]) -> None:
        self.socket = folder / "r.sock"
        self.vendor_url = vendor_url
        self.environ = os.environ | {
            "DATA_DIR": str(folder),
            "DATABASE_URL": database_url,
            "REDIS_URL": f"unix://{self.socket}",
            "MODELSLAB_BASE_URL": vendor_url,
            "MODELSLAB_API_KEY": "key-for-tests",
            "DEMO_BASE_URL": "http://127.0.0.1:9",
            "POLL_SECONDS": "1",
            "PYTHONPATH": str(ROOT),
        }
        self.environ |= environ
        self.database = Database(database_url)
        self.database.migrate()
        self.redis: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []
        self.user: Member = create_member(self.database, credits=1_000_000)
        self.project: Project = create_project(self.database, self.user)

    def start_redis(self) -> None:
        """Start an empty Redis and wait for its answer."""
        self.redis = subprocess.Popen(local_stack.redis_command(self.socket))
        self.until(self._redis_answers, "Redis answers")

    def _redis_answers(self) -> bool:
        with redis_connection.connect(self.environ["REDIS_URL"]) as connection:
            return redis_connection.ping(connection)

    def flush_redis(self) -> None:
        """Lose all that Redis knows."""
        with Redis(unix_socket_path=str(self.socket)) as client:
            client.flushall()

    def kill_redis(self) -> None:
        """Kill Redis; nothing listens afterwards."""
        assert self.redis is not None
        self.redis.kill()
        self.redis.wait()
        self.socket.unlink(missing_ok=True)

    def start_worker(self, *arguments: str, log: Path | None = None) -> "subprocess.Popen[bytes]":
        """Start `python worker.py`; what it and its parts say goes to the file `log`, if one is given."""
        command = [sys.executable, str(ROOT / "worker.py"), *arguments]
        with log.open("ab") if log else nullcontext() as output:
            process = subprocess.Popen(command, env=self.environ, cwd=ROOT, stdout=output, stderr=output)
        self.workers.append(process)
        return process

    def run_job(self, job: str, generation_id: str) -> None:
        """Run a job of core/worker/tasks.py in a process of its own, to its end."""
        code = f"""
import sys
from core import installation
from core.worker import tasks
from core.workspaces.access import Member
with installation.opened():
    tasks.{job}(sys.argv[1])
"""
        subprocess.run([sys.executable, "-c", code, generation_id], env=self.environ, cwd=ROOT, check=True, timeout=60)

    def run_job_killed_at(self, job: str, generation_id: str, when: str, nth: int) -> None:
        """Run a job in a process that is killed at its nth commit."""
        command = [sys.executable, "-m", "tests.system.killed_at", job, generation_id, when, str(nth)]
        ended = subprocess.run(command, env=self.environ, cwd=ROOT, check=False, timeout=60)
        assert ended.returncode == -signal.SIGKILL, "the job was not killed where it should be"

    def admin(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run `python -m core.admin` to its end."""
        command = [sys.executable, "-m", "core.admin", *arguments]
        return subprocess.run(
            command, env=self.environ, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
        )

    def order(self, prompt: str = "a lake at dusk", *, model_id: str = "seedance-t2v") -> str:
        """Order one clip of the model's own length, in 720p where it makes that; its id."""
        model = registry.model(model_id)
        size = "720p" if "720p" in model.resolutions else model.resolutions[0]
        settings = {"resolution": size, "duration_seconds": model.default_seconds}
        with self.database.write_session() as session:
            wanted = build_order(self.project.id, model_id=model_id, prompt=prompt, **settings)
            usable = CONFIGURED | {model.provider}
            return submit(session, self.user, wanted, configured=usable, quota_bytes=QUOTA_BYTES).id

    def rows(self) -> Sequence[Generation]:
        """All generations as they are now."""
        with self.database.read_session() as session:
            return session.scalars(select(Generation).order_by(Generation.id)).all()

    def row(self, generation_id: str) -> Generation:
        """One generation as it is now."""
        return load_generation(generation_id, self.database)

    def settled(self) -> bool:
        """Whether every generation is at an end, or waits for a person to decide."""
        return all(row.status in (*ENDED_STATUSES, Status.UNCERTAIN) for row in self.rows())

    def submits(self) -> dict[str, int]:
        """How many jobs the vendor has begun for each generation."""
        counts: dict[str, int] = {}
        begun = [call for call in httpx.get(f"{self.vendor_url}/_sim/calls").json()["submits"] if call["job_id"]]
        for call in begun:
            counts[call["reference"]] = counts.get(call["reference"], 0) + 1
        return counts

    def until(self, holds: Callable[[], bool], what: str, *, seconds: float = 90) -> None:
        """Wait until something holds; fail with its name and the rows when it does not in time."""
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                places = [f"{row.status}/{row.stage}" for row in self.rows()]
                raise AssertionError(f"not within {seconds} s: {what}; {places}")
            time.sleep(0.1)

    def until_stage(self, generation_id: str, *stages: Stage) -> None:
        """Wait until a generation is at one of these stages."""
        self.until(lambda: self.row(generation_id).stage in stages, f"{generation_id} at {stages}")

    def storage(self) -> storages.Storage:
        """Where the worker keeps its files."""
        url = self.environ.get("STORAGE_URL") or (Path(self.environ["DATA_DIR"]) / "media").as_uri()
        return storages.open_storage(url, StoreAccess(tuple(sorted(storage_settings.given(self.environ).items()))))

    def check_books(self) -> None:
        """All rules of the audit hold, also that the files are there."""
        with self.database.read_session() as session:
            results = runs.run(session, storage=self.storage())
        assert [(result.code, result.offenders) for result in results if not result.holds] == []

    def stop(self) -> None:
        """End every process and close the database."""
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.wait(endings.WHOLE_SECONDS)
        if self.redis is not None and self.redis.poll() is None:
            self.redis.terminate()
            self.redis.wait(10)
        self.database.dispose()


@contextmanager
def installed(
    vendor_url: str, database_url: str | None = None, environ: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Installation]:
    """An installation in a short-named folder (socket paths are short), ended and removed afterwards.

    `vendor_url` is ModelsLab's; `environ` holds further variables, of other vendors for example.
    """
    with tempfile.TemporaryDirectory(prefix="inst-", dir="/tmp") as name:
        folder = Path(name)
        found = Installation(folder, vendor_url, database_url or f"sqlite:///{folder / 'studio.db'}", environ)
        try:
            yield found
        finally:
            found.stop()


def kill_tree(process: "subprocess.Popen[bytes]") -> None:
    """SIGKILL a process and everything it started, at once."""
    parent = psutil.Process(process.pid)
    family = [*parent.children(recursive=True), parent]
    for member in family:
        member.kill()
    psutil.wait_procs(family, timeout=10)
    process.wait()
