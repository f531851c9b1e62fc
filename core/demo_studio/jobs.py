"""The jobs of the studio: one folder each on disk, drawn one after another by child processes.

What a folder holds is the truth: `job.json` (the order) is there before the customer is answered, `state.json` when
the job is at its end. A job with an order and no end is drawn when the studio starts again.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.demo_studio.order import Order

log = logging.getLogger(__name__)

KEPT_SECONDS = 24 * 3600
STOP_SECONDS = 3.0
LAST_WORDS_BYTES = 4000
ENDS = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(slots=True)
class Job:
    """One order and how it stands."""

    id: str
    folder: Path
    order: Order
    created_at: float
    status: str = "queued"
    progress: float = 0.0
    error: dict[str, str] | None = None
    ended_at: float | None = None
    process: asyncio.subprocess.Process | None = None

    @property
    def video(self) -> Path:
        """Where the finished clip lies."""
        return self.folder / "video.mp4"


class Jobs:
    """All jobs of one folder. Lives in one event loop; `start` before use, `stop` after."""

    def __init__(self, folder: Path, *, renders: int) -> None:
        self._folder = folder
        self._renders = renders
        self._jobs: dict[str, Job] = {}
        self._waiting: asyncio.Queue[Job] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Read the folder, take up what is unfinished, begin to draw."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for litter in self._folder.glob("*.new"):
            shutil.rmtree(litter)
        found = [job for path in self._folder.iterdir() if (job := _read(path)) is not None]
        for job in sorted(found, key=lambda job: job.created_at):
            self._jobs[job.id] = job
            if job.status == "queued":
                self._waiting.put_nowait(job)
        self.forget_old()
        self._tasks = [asyncio.create_task(self._draw_waiting()) for _ in range(self._renders)]

    async def stop(self) -> None:
        """End the children; their jobs are taken up at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.kill_children()

    def kill_children(self) -> None:
        """End every child at once."""
        for job in list(self._jobs.values()):
            if job.process is not None:
                with contextlib.suppress(ProcessLookupError):
                    job.process.kill()

    def find(self, reference: str) -> Job | None:
        """The job of a reference."""
        return self._jobs.get(job_id(reference))

    def get(self, id_: str) -> Job | None:
        """The job with this id."""
        return self._jobs.get(id_)

    def submit(self, order: Order, images: dict[str, bytes]) -> Job:
        """Take an order; the same reference again gives the job there is. OSError when it cannot be written."""
        self.forget_old()
        if existing := self.find(order.reference):
            return existing
        id_ = job_id(order.reference)
        job = Job(id=id_, folder=self._folder / id_, order=order, created_at=time.time())
        unfinished = self._folder / f"{id_}.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        for name, data in images.items():
            (unfinished / f"{name}.jpg").write_bytes(data)
        _write(unfinished / "job.json", {"order": order.as_json(), "created_at": job.created_at})
        unfinished.rename(job.folder)
        self._jobs[id_] = job
        self._waiting.put_nowait(job)
        return job

    async def cancel(self, job: Job) -> None:
        """End a job that is not at its end, and wait until its child is gone."""
        if job.status in ENDS:
            return
        _end(job, "cancelled")
        if job.process is not None:
            await _stop(job.process)

    def forget_old(self) -> None:
        """Remove what ended longer ago than a customer may count on."""
        oldest = time.time() - KEPT_SECONDS
        for job in [job for job in self._jobs.values() if job.ended_at is not None and job.ended_at < oldest]:
            shutil.rmtree(job.folder, ignore_errors=True)
            del self._jobs[job.id]

    async def _draw_waiting(self) -> None:
        while True:
            job = await self._waiting.get()
            if job.status != "queued":
                continue
            try:
                await _draw(job)
            except OSError as failure:
                log.exception("job %s could not be drawn", job.id)
                _end(job, "failed", {"code": "render_failed", "message": str(failure)})


def job_id(reference: str) -> str:
    """The id follows from the reference, so a repeated order can only ever meet the same folder."""
    return hashlib.sha256(reference.encode()).hexdigest()[:24]


async def _draw(job: Job) -> None:
    """Draw in a child process, follow its progress, book how it ended."""
    job.status = "running"
    command = [sys.executable, "-m", "core.demo_studio.render", str(job.folder)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    job.process = process
    if job.status in ENDS:  # cancelled while the child was being started
        process.kill()
    try:
        last_words = asyncio.create_task(_last_words(process))
        await _follow(job, process)
        code = await process.wait()
        said = await last_words
    finally:
        if process.returncode is None:
            await _stop(process)
        job.process = None
    if job.status in ENDS:
        job.video.with_suffix(".part").unlink(missing_ok=True)
        return
    if code == 0 and job.video.is_file():
        job.progress = 1.0
        _end(job, "succeeded")
        return
    log.error("job %s: the render ended with %s: %s", job.id, code, said)
    _end(job, "failed", _reason(said) or {"code": "render_failed", "message": "The clip could not be drawn."})


async def _follow(job: Job, process: asyncio.subprocess.Process) -> None:
    if process.stdout is None:
        raise RuntimeError("the render has no output to follow")
    while line := await process.stdout.readline():
        with contextlib.suppress(ValueError):
            job.progress = max(job.progress, min(1.0, float(line)))


async def _last_words(process: asyncio.subprocess.Process) -> str:
    """The end of what it wrote to stderr; all of it is read so that it never waits for us."""
    if process.stderr is None:
        return ""
    kept = b""
    while part := await process.stderr.read(4096):
        kept = (kept + part)[-LAST_WORDS_BYTES:]
    return kept.decode("utf-8", "replace")


async def _stop(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _reason(said: str) -> dict[str, str] | None:
    """The verdict a render gives as its last line, where it gives one."""
    try:
        last = json.loads(said.strip().rsplit("\n", 1)[-1])
    except ValueError:
        return None
    known = isinstance(last, dict) and {"code", "message"} <= last.keys()
    return {"code": str(last["code"]), "message": str(last["message"])} if known else None


def _end(job: Job, status: str, error: dict[str, str] | None = None) -> None:
    job.status, job.error, job.ended_at = status, error, time.time()
    _write(job.folder / "state.json", {"status": status, "error": error, "ended_at": job.ended_at})


def _write(path: Path, content: dict[str, Any]) -> None:
    """Whole or not at all, also after a power cut."""
    unfinished = path.with_suffix(".part")
    with unfinished.open("w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _read(folder: Path) -> Job | None:
    """The job in a folder; None (and a line in the log) when it is none."""
    try:
        spec = json.loads((folder / "job.json").read_text())
        job = Job(id=folder.name, folder=folder, order=Order(**spec["order"]), created_at=float(spec["created_at"]))
        if (folder / "state.json").exists():
            state = json.loads((folder / "state.json").read_text())
            job.status, job.error, job.ended_at = state["status"], state["error"], float(state["ended_at"])
            job.progress = 1.0 if job.status == "succeeded" else 0.0
    except (OSError, ValueError, KeyError, TypeError):
        log.exception("%s holds no job and is left alone", folder)
        return None
    return job
