"""The demo's vendor: an HTTP service on loopback that takes jobs, draws each in a process of its own, serves files.

It shares nothing with the product but the wire. A job lies in a folder from before its acceptance is answered,
and drawing is deterministic, so a studio that was killed goes on where it was: what is unfinished is drawn again.
"""

import argparse
import asyncio
import base64
import binascii
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

from core.studio.parent import end_with_parent

KEEP_SECONDS: Final = 24 * 3600
LONGEST_SECONDS: Final = 16
LONGEST_EDGE: Final = 3840
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


class Studio:
    """Jobs in a folder, and the processes that draw them, a few at a time."""

    def __init__(self, folder: Path, *, renders: int) -> None:
        self._folder = folder
        self._jobs: dict[str, Job] = {}
        self._by_reference: dict[str, Job] = {}
        self._places = asyncio.Semaphore(renders)
        self._tasks: set[asyncio.Task[None]] = set()

    def load(self) -> None:
        """Take up what lies in the folder; unfinished jobs are drawn again."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(self._folder.glob("*/job.json"), key=lambda found: found.stat().st_mtime):
            job = Job(path.parent.name, path.parent, json.loads(path.read_text()))
            self._know(job)
            if (job.folder / "video.mp4").exists():
                job.status, job.progress = "succeeded", 1.0
            elif (job.folder / "ended.json").exists():
                ended = json.loads((job.folder / "ended.json").read_text())
                job.status, job.error = ended["status"], ended["error"]
            else:
                self._begin(job)

    def accept(self, spec: dict[str, Any], images: dict[str, bytes]) -> Job:
        """Write a job down and begin it; the same reference again gives the job there is."""
        known = self._by_reference.get(spec["reference"])
        if known is not None:
            return known
        self._forget_old()
        job = Job(uuid.uuid4().hex, Path(), spec)
        draft = self._folder / f".{job.id}"
        draft.mkdir()
        for name, data in images.items():
            (draft / name).write_bytes(data)
        (draft / "job.json").write_text(json.dumps(spec))
        job.folder = draft.rename(self._folder / job.id)
        self._know(job)
        self._begin(job)
        return job

    def get(self, job_id: str) -> Job | None:
        """A job by its id."""
        return self._jobs.get(job_id)

    def of_reference(self, reference: str) -> Job | None:
        """A job by the client's reference."""
        return self._by_reference.get(reference)

    async def cancel(self, job: Job) -> None:
        """Stop a job that is not finished; a finished one stays as it is."""
        if job.status not in LIVE:
            return
        self._end(job, "cancelled", "")
        process = job.process
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def close(self) -> None:
        """Stop drawing; unfinished jobs stay in their folders for the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _know(self, job: Job) -> None:
        self._jobs[job.id] = job
        self._by_reference[job.spec["reference"]] = job

    def _begin(self, job: Job) -> None:
        task = asyncio.get_running_loop().create_task(self._draw(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _draw(self, job: Job) -> None:
        async with self._places:
            if job.status != "queued":
                return
            job.status = "running"
            command = [sys.executable, "-m", "core.studio.render", str(job.folder), "--end-with-parent"]
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
            if job.status == "cancelled":
                return
            if process.returncode == 0 and (job.folder / "video.mp4").exists():
                job.status, job.progress = "succeeded", 1.0
            else:
                self._end(job, "failed", complaint[-500:] or f"The renderer ended with {process.returncode}.")

    def _end(self, job: Job, status: str, error: str) -> None:
        job.status, job.error = status, error
        (job.folder / "ended.json").write_text(json.dumps({"status": status, "error": error}))

    def _forget_old(self) -> None:
        """Finished jobs are kept a day, as a real vendor's links live."""
        for job in list(self._jobs.values()):
            if job.status not in LIVE and time.time() - job.folder.stat().st_mtime > KEEP_SECONDS:
                shutil.rmtree(job.folder, ignore_errors=True)
                del self._jobs[job.id]
                self._by_reference.pop(job.spec["reference"], None)


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
    for name, limit in (("reference", 200), ("prompt", 10_000)):
        value = body.get(name)
        if not isinstance(value, str) or len(value) > limit or (name == "reference" and not value):
            raise Refused(name, f"{name} must be text of at most {limit} characters.")
        spec[name] = value
    for name, largest in (("width", LONGEST_EDGE), ("height", LONGEST_EDGE), ("seconds", LONGEST_SECONDS)):
        value = body.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= largest:
            raise Refused(name, f"{name} must be a whole number from 1 to {largest}.")
        spec[name] = value
    if spec["width"] % 2 or spec["height"] % 2:
        raise Refused("width", "width and height must be even.")
    images: dict[str, bytes] = {}
    for name in ("start_image", "end_image"):
        spec[name] = None
        if body.get(name) is not None:
            try:
                images[f"{name}.jpg"] = base64.b64decode(body[name], validate=True)
            except (binascii.Error, TypeError, ValueError):
                raise Refused(name, f"{name} must be a JPEG in base64.") from None
            spec[name] = f"{name}.jpg"
    return spec, images


def application(folder: Path, *, key: str, renders: int) -> Starlette:
    """The ASGI app over one folder of jobs."""
    studio = Studio(folder, renders=renders)

    def check(request: Request) -> None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), key.encode()):
            raise HTTPException(401)

    def found(request: Request) -> Job:
        job = studio.get(request.path_params["id"])
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
        check(request)
        return JSONResponse(shown(request, found(request)))

    async def search(request: Request) -> Response:
        check(request)
        job = studio.of_reference(request.query_params.get("reference", ""))
        return JSONResponse({"jobs": [shown(request, job)] if job else []})

    async def cancel(request: Request) -> Response:
        check(request)
        job = found(request)
        await studio.cancel(job)
        return JSONResponse(shown(request, job))

    async def file(request: Request) -> Response:
        check(request)
        path = found(request).folder / "video.mp4"
        return FileResponse(path, media_type="video/mp4") if path.exists() else Response(status_code=404)

    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        studio.load()
        yield
        await studio.close()

    return Starlette(
        routes=[
            Route("/health", health),
            Route("/v1/jobs", submit, methods=["POST"]),
            Route("/v1/jobs", search),
            Route("/v1/jobs/{id}", status),
            Route("/v1/jobs/{id}/cancel", cancel, methods=["POST"]),
            Route("/v1/files/{id}.mp4", file),
        ],
        exception_handlers={HTTPException: plain_error},
        lifespan=lifespan,
    )


def shown(request: Request, job: Job) -> dict[str, Any]:
    """A job as a client sees it."""
    done = job.status == "succeeded"
    return {
        "id": job.id,
        "reference": job.spec["reference"],
        "status": job.status,
        "progress": round(job.progress, 4),
        "video_url": f"{request.base_url}v1/files/{job.id}.mp4" if done else None,
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
    parser = argparse.ArgumentParser(prog="python -m core.studio.server", description="The demo's vendor.")
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
    uvicorn.run(app, host=options.host, port=options.port, log_level="warning", timeout_graceful_shutdown=2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
