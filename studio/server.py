"""The HTTP service: takes jobs, draws each in a process of its own, a few at a time, and serves the files.

A job lies in a folder from before its acceptance is answered, and drawing is deterministic, so a studio that was
killed goes on where it was: what is unfinished is drawn again. Nothing that draws is imported here: an idle studio
is small.
"""

import argparse
import asyncio
import base64
import hmac
import json
import os
import shutil
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from studio.parent import end_with_parent

KEEP_SECONDS: Final = 24 * 3600
FIELDS: Final = {
    "reference": (str, 1, 200), "prompt": (str, 0, 10_000),
    "width": (int, 64, 3840), "height": (int, 64, 3840), "seconds": (int, 1, 16),
}  # fmt: skip
"""Type, least and most of each; of a text, its length in characters."""


@dataclass(slots=True)
class Job:
    """One clip to draw; `spec` is what was asked, as kept in its folder, whose name is the job's id."""

    folder: Path
    spec: dict[str, Any]
    status: str = "queued"
    progress: float = 0.0
    error: str = ""
    drawing: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def clip(self) -> Path:
        """Where the finished clip lies."""
        return self.folder / "video.mp4"

    def end(self, status: str, error: str = "") -> None:
        """Come to an end without a clip, also for the next start of the studio."""
        self.status, self.error = status, error
        (self.folder / "ended.json").write_text(json.dumps({"status": status, "error": error}))


class Studio:
    """Jobs in a folder, and the processes that draw them; these end with the studio, whose pipes they watch."""

    def __init__(self, folder: Path, *, renders: int) -> None:
        self._folder = folder
        self.jobs: dict[str, Job] = {}
        self.by_reference: dict[str, Job] = {}
        self._places = asyncio.Semaphore(renders)

    def load(self) -> None:
        """Take up what lies in the folder; unfinished jobs are drawn again."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(self._folder.glob("*/job.json"), key=lambda found: found.stat().st_mtime):
            job = Job(path.parent, json.loads(path.read_text()))
            if job.clip.exists():
                job.status, job.progress = "succeeded", 1.0
            elif (ended := job.folder / "ended.json").exists():
                job.end(**json.loads(ended.read_text()))
            self._add(job)

    def accept(self, spec: dict[str, Any], images: dict[str, bytes]) -> Job:
        """Write a job down and begin it; the same reference again gives the job there is."""
        if known := self.by_reference.get(spec["reference"]):
            return known
        self._forget_old()
        folder = self._folder / uuid.uuid4().hex
        folder.mkdir()
        for name, data in images.items():
            (folder / name).write_bytes(data)
        (folder / "job.part").write_text(json.dumps(spec))
        (folder / "job.part").rename(folder / "job.json")  # before this, a studio that starts finds no job
        job = Job(folder, spec)
        self._add(job)
        return job

    async def cancel(self, job: Job) -> None:
        """Stop a job that is not finished; a finished one stays as it is."""
        if job.drawing and not job.drawing.done():
            job.end("cancelled")
            job.drawing.cancel()
            await asyncio.wait([job.drawing])

    def _add(self, job: Job) -> None:
        self.jobs[job.folder.name] = self.by_reference[job.spec["reference"]] = job
        if job.status == "queued":
            job.drawing = asyncio.get_running_loop().create_task(self._draw(job))

    async def _draw(self, job: Job) -> None:
        async with self._places:
            job.status = "running"
            command = [sys.executable, "-m", "studio.render", str(job.folder), "--end-with-parent"]
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
            try:
                assert process.stdout and process.stderr  # noqa: S101, PT018 -- they were asked for
                async for line in process.stdout:
                    with suppress(ValueError):
                        job.progress = max(job.progress, min(1.0, float(line)))
                complaint = (await process.stderr.read()).decode(errors="replace").strip()
                await process.wait()
            finally:  # also when it is cancelled
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        if process.returncode == 0 and job.clip.exists():
            job.status, job.progress = "succeeded", 1.0
        else:
            job.end("failed", complaint[-500:] or f"The renderer ended with {process.returncode}.")

    def _forget_old(self) -> None:
        """Finished jobs are kept a day, as a real vendor's links live."""
        for name, job in list(self.jobs.items()):
            finished = not job.drawing or job.drawing.done()
            if finished and time.time() - job.folder.stat().st_mtime > KEEP_SECONDS:
                shutil.rmtree(job.folder, ignore_errors=True)
                del self.jobs[name], self.by_reference[job.spec["reference"]]


class Refused(Exception):
    """A request that gets an error: its code, and the field that is wrong or a word about what is."""

    def __init__(self, status: int, code: str, field_name: str = "", message: str = "") -> None:
        super().__init__(message)
        self.status, self.error = status, {"code": code, "field": field_name, "message": message}


def read_job(body: object) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The job spec and the images of a request body. Raises Refused."""
    if not isinstance(body, dict):
        raise Refused(422, "invalid_input", "body", "Send a JSON object.")
    spec: dict[str, Any] = {"audio": bool(body.get("audio"))}
    for name, (kind, least, most) in FIELDS.items():
        value = spec[name] = body.get(name)
        size: Any = len(value) if isinstance(value, str) else value
        if type(value) is not kind or not least <= size <= most:
            raise Refused(422, "invalid_input", name, f"{name} must be {kind.__name__}, from {least} to {most}.")
    if spec["width"] % 2 or spec["height"] % 2:
        raise Refused(422, "invalid_input", "width", "width and height must be even.")
    images: dict[str, bytes] = {}
    for name in ("start_image", "end_image"):
        if (given := body.get(name)) is not None:
            spec[name] = f"{name}.jpg"
            try:
                images[spec[name]] = base64.b64decode(given, validate=True)
            except (TypeError, ValueError):
                raise Refused(422, "invalid_input", name, f"{name} must be a JPEG in base64.") from None
    return spec, images


def application(folder: Path, *, key: str, renders: int) -> Starlette:
    """The ASGI app over one folder of jobs."""
    studio = Studio(folder, renders=renders)

    def check(request: Request) -> None:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {key}".encode()):
            raise Refused(401, "bad_key")

    def found(request: Request) -> Job:
        check(request)
        job = studio.jobs.get(request.path_params["id"])
        if job is None:
            raise Refused(404, "unknown_job")
        return job

    async def submit(request: Request) -> Response:
        check(request)
        try:
            body = await request.json()
        except ValueError:
            body = None
        return JSONResponse(shown(request, studio.accept(*read_job(body))), 201)

    async def status(request: Request) -> Response:
        return JSONResponse(shown(request, found(request)))

    async def search(request: Request) -> Response:
        check(request)
        job = studio.by_reference.get(request.query_params.get("reference", ""))
        return JSONResponse({"jobs": [shown(request, job)] if job else []})

    async def cancel(request: Request) -> Response:
        job = found(request)
        await studio.cancel(job)
        return JSONResponse(shown(request, job))

    async def file(request: Request) -> Response:
        clip = found(request).clip
        return FileResponse(clip, media_type="video/mp4") if clip.exists() else Response(status_code=404)

    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def refuse(_request: Request, refused: Exception) -> Response:
        assert isinstance(refused, Refused)  # noqa: S101 -- it is registered for this class only
        return JSONResponse({"error": refused.error}, refused.status)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        studio.load()
        yield

    routes = [
        Route("/health", health),
        Route("/v1/jobs", submit, methods=["POST"]),
        Route("/v1/jobs", search),
        Route("/v1/jobs/{id}", status),
        Route("/v1/jobs/{id}/cancel", cancel, methods=["POST"]),
        Route("/v1/files/{id}.mp4", file),
    ]
    return Starlette(routes=routes, exception_handlers={Refused: refuse}, lifespan=lifespan)


def shown(request: Request, job: Job) -> dict[str, Any]:
    """A job as a client sees it."""
    name = job.folder.name
    return {
        "id": name,
        "reference": job.spec["reference"],
        "status": job.status,
        "progress": job.progress,
        "video_url": f"{request.base_url}v1/files/{name}.mp4" if job.status == "succeeded" else None,
        "error": {"code": "render_failed", "message": job.error} if job.status == "failed" else None,
    }


def main() -> int:
    """Serve until told to stop. The key is read from DEMO_API_KEY."""
    parser = argparse.ArgumentParser(prog="python -m studio", description="The demo's vendor.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--renders", type=int, default=1, help="clips drawn at once")
    parser.add_argument("--end-with-parent", action="store_true", help="stop when standard input is closed")
    options = parser.parse_args()
    key = os.environ.get("DEMO_API_KEY", "")
    if not key:
        sys.stderr.write("DEMO_API_KEY is not set; the studio takes jobs only with a key.\n")
        return 2
    if options.end_with_parent:
        end_with_parent()
    app = application(options.folder, key=key, renders=options.renders)
    # The plain event loop and no WebSockets: an idle studio stays 4 MB smaller.
    uvicorn.run(
        app, host=options.host, port=options.port, log_level="warning", timeout_graceful_shutdown=2, loop="asyncio",
        ws="none",
    )  # fmt: skip
    return 0
