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
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from studio.parent import end_with_parent

KEEP_SECONDS: Final = 24 * 3600
LIMITS: Final = {"width": 3840, "height": 3840, "seconds": 16}
LENGTHS: Final = {"reference": 200, "prompt": 10_000}
LIVE: Final = ("queued", "running")


@dataclass(slots=True)
class Job:
    """One clip to draw; `spec` is what was asked, as kept in its folder."""

    id: str
    folder: Path
    spec: dict[str, Any]
    status: str = "queued"
    progress: float = 0.0
    error: str = ""
    process: asyncio.subprocess.Process | None = field(default=None, repr=False)

    def end(self, status: str, error: str = "") -> None:
        """Come to an end without a clip, also for the next start of the studio."""
        self.status, self.error = status, error
        (self.folder / "ended.json").write_text(json.dumps({"status": status, "error": error}))


class Studio:
    """Jobs in a folder, and the processes that draw them."""

    def __init__(self, folder: Path, *, renders: int) -> None:
        self._folder = folder
        self.jobs: dict[str, Job] = {}
        self.by_reference: dict[str, Job] = {}
        self._places = asyncio.Semaphore(renders)
        self._tasks: set[asyncio.Task[None]] = set()

    def load(self) -> None:
        """Take up what lies in the folder; unfinished jobs are drawn again."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(self._folder.glob("*/job.json"), key=lambda found: found.stat().st_mtime):
            job = Job(path.parent.name, path.parent, json.loads(path.read_text()))
            if (job.folder / "video.mp4").exists():
                job.status, job.progress = "succeeded", 1.0
            elif (job.folder / "ended.json").exists():
                ended = json.loads((job.folder / "ended.json").read_text())
                job.status, job.error = ended["status"], ended["error"]
            self._add(job)

    def accept(self, spec: dict[str, Any], images: dict[str, bytes]) -> Job:
        """Write a job down and begin it; the same reference again gives the job there is."""
        known = self.by_reference.get(spec["reference"])
        if known is not None:
            return known
        self._forget_old()
        name = uuid.uuid4().hex
        draft = self._folder / f".{name}"
        draft.mkdir()
        for image, data in images.items():
            (draft / image).write_bytes(data)
        (draft / "job.json").write_text(json.dumps(spec))
        job = Job(name, draft.rename(self._folder / name), spec)
        self._add(job)
        return job

    async def cancel(self, job: Job) -> None:
        """Stop a job that is not finished; a finished one stays as it is."""
        if job.status not in LIVE:
            return
        job.end("cancelled")
        if process := job.process:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def close(self) -> None:
        """Stop drawing; unfinished jobs stay in their folders for the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _add(self, job: Job) -> None:
        self.jobs[job.id] = self.by_reference[job.spec["reference"]] = job
        if job.status == "queued":
            task = asyncio.get_running_loop().create_task(self._draw(job))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _draw(self, job: Job) -> None:
        async with self._places:
            if job.status != "queued":
                return
            job.status = "running"
            command = [sys.executable, "-m", "studio.render", str(job.folder), "--end-with-parent"]
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
            job.process = process
            try:
                assert process.stdout is not None  # noqa: S101 -- it was asked for
                assert process.stderr is not None  # noqa: S101 -- same
                async for line in process.stdout:
                    with suppress(ValueError):
                        job.progress = max(job.progress, min(1.0, float(line)))
                complaint = (await process.stderr.read()).decode(errors="replace").strip()
                await process.wait()
            except asyncio.CancelledError:
                process.kill()
                await process.wait()
                raise
            finally:
                job.process = None
            if process.returncode == 0 and job.status == "running" and (job.folder / "video.mp4").exists():
                job.status, job.progress = "succeeded", 1.0
            elif job.status == "running":
                job.end("failed", complaint[-500:] or f"The renderer ended with {process.returncode}.")

    def _forget_old(self) -> None:
        """Finished jobs are kept a day, as a real vendor's links live."""
        for job in list(self.jobs.values()):
            if job.status not in LIVE and time.time() - job.folder.stat().st_mtime > KEEP_SECONDS:
                shutil.rmtree(job.folder, ignore_errors=True)
                del self.jobs[job.id]
                self.by_reference.pop(job.spec["reference"], None)


class Refused(Exception):
    """A request that cannot be a job; `field` names what is wrong."""

    def __init__(self, field_name: str, message: str) -> None:
        super().__init__(message)
        self.field = field_name


def read_job(body: object) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The job spec and the images of a request body. Raises Refused."""
    if not isinstance(body, dict):
        raise Refused("body", "Send a JSON object.")
    spec: dict[str, Any] = {"audio": bool(body.get("audio"))}
    for name, most in LENGTHS.items():
        value = spec[name] = body.get(name)
        if not isinstance(value, str) or len(value) > most or (name == "reference" and not value):
            raise Refused(name, f"{name} must be text of at most {most} characters.")
    for name, most in LIMITS.items():
        value = spec[name] = body.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise Refused(name, f"{name} must be a whole number from 1 to {most}.")
    if spec["width"] % 2 or spec["height"] % 2:
        raise Refused("width", "width and height must be even.")
    images: dict[str, bytes] = {}
    for name in ("start_image", "end_image"):
        given = body.get(name)
        spec[name] = None if given is None else f"{name}.jpg"
        if given is not None:
            try:
                images[f"{name}.jpg"] = base64.b64decode(given, validate=True)
            except (TypeError, ValueError):
                raise Refused(name, f"{name} must be a JPEG in base64.") from None
    return spec, images


def application(folder: Path, *, key: str, renders: int) -> Starlette:
    """The ASGI app over one folder of jobs."""
    studio = Studio(folder, renders=renders)

    def check(request: Request) -> None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), key.encode()):
            raise HTTPException(401)

    def found(request: Request) -> Job:
        check(request)
        job = studio.jobs.get(request.path_params["id"])
        if job is None:
            raise HTTPException(404)
        return job

    async def submit(request: Request) -> Response:
        check(request)
        try:
            job = studio.accept(*read_job(await request.json()))
        except json.JSONDecodeError:
            return refusal("body", "This is not JSON.")
        except Refused as refused:
            return refusal(refused.field, str(refused))
        return JSONResponse(shown(request, job), 201)

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
        path = found(request).folder / "video.mp4"
        return FileResponse(path, media_type="video/mp4") if path.exists() else Response(status_code=404)

    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        studio.load()
        yield
        await studio.close()

    routes = [
        Route("/health", health),
        Route("/v1/jobs", submit, methods=["POST"]),
        Route("/v1/jobs", search),
        Route("/v1/jobs/{id}", status),
        Route("/v1/jobs/{id}/cancel", cancel, methods=["POST"]),
        Route("/v1/files/{id}.mp4", file),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: plain_error}, lifespan=lifespan)


def shown(request: Request, job: Job) -> dict[str, Any]:
    """A job as a client sees it."""
    return {
        "id": job.id,
        "reference": job.spec["reference"],
        "status": job.status,
        "progress": round(job.progress, 4),
        "video_url": f"{request.base_url}v1/files/{job.id}.mp4" if job.status == "succeeded" else None,
        "error": {"code": "render_failed", "message": job.error} if job.status == "failed" else None,
    }


def refusal(field_name: str, message: str) -> Response:
    """A 422 that names the field."""
    return JSONResponse({"error": {"code": "invalid_input", "field": field_name, "message": message}}, 422)


async def plain_error(_request: Request, error: Exception) -> Response:
    """HTTP errors in the shape of all errors here."""
    code = error.status_code if isinstance(error, HTTPException) else 500
    words = {401: "bad_key", 404: "unknown_job"}.get(code, "error")
    return JSONResponse({"error": {"code": words, "message": words.replace("_", " ")}}, code)


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
