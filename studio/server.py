"""The HTTP service: takes jobs, draws each in a process of its own, a few at a time, and serves the files.

A job lies in a folder from before its acceptance is answered, and drawing is deterministic, so a studio that was
killed goes on where it was: what is unfinished is drawn again. Nothing that draws is imported here: an idle studio
is small.
"""

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from studio.parent import end_with_parent

KEEP_SECONDS: Final = 24 * 3600
CLIPS_AT_ONCE: Final = 1
FIELDS: Final = {
    "reference": (str, 1, 200), "prompt": (str, 0, 10_000),
    "width": (int, 64, 3840), "height": (int, 64, 3840), "seconds": (int, 1, 16),
}  # fmt: skip
"""Type, least and most of each; of a text, its length in characters."""


class Studio:
    """Jobs in a folder, and the processes that draw them; these end with the studio, whose pipes they watch."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._drawing: dict[str, asyncio.Task[None]] = {}
        self._progress: dict[str, float] = {}
        self._places = asyncio.Semaphore(CLIPS_AT_ONCE)

    def load(self) -> None:
        """Take up what lies in the folder; unfinished jobs are drawn again."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(self._folder.glob("*/job.json"), key=lambda found: found.stat().st_mtime):
            self._begin(path.parent.name)

    def accept(self, spec: dict[str, Any], images: dict[str, bytes]) -> str:
        """Write a job down, begin it, and give its id; the same reference again gives the job there is."""
        job_id = id_of(spec["reference"])
        if job_id not in self._drawing:
            self._forget_old()
            folder = self._folder / job_id
            folder.mkdir(exist_ok=True)
            for name, data in images.items():
                (folder / name).write_bytes(data)
            (folder / "job.part").write_text(json.dumps(spec))
            (folder / "job.part").rename(folder / "job.json")  # before this, a studio that starts finds no job
            self._begin(job_id)
        return job_id

    def shown(self, job_id: str, address: str) -> dict[str, Any]:
        """A job as a client of the studio at this address sees it. Raises Refused."""
        clip, progress = self.clip(job_id), self._progress.get(job_id)
        job = {"id": job_id, "reference": json.loads(clip.with_name("job.json").read_text())["reference"]}
        job |= {"status": "queued" if progress is None else "running", "progress": progress or 0.0}
        if (end := clip.with_name("ended.json")).exists():
            job |= json.loads(end.read_text())
        return {"error": None, "video_url": f"{address}v1/files/{job_id}.mp4" if clip.exists() else None} | job

    def clip(self, job_id: str) -> Path:
        """Where the finished clip of a job lies. Raises Refused."""
        if job_id not in self._drawing:
            raise Refused(404, "unknown_job")
        return self._folder / job_id / "video.mp4"

    async def cancel(self, job_id: str) -> None:
        """Stop a job that is not finished; a finished one stays as it is. Raises Refused."""
        if not self.clip(job_id).with_name("ended.json").exists():
            self._end(job_id, "cancelled")
            self._drawing[job_id].cancel()
            await asyncio.wait([self._drawing[job_id]])

    def _begin(self, job_id: str) -> None:
        self._drawing[job_id] = asyncio.get_running_loop().create_task(self._draw(job_id))

    def _end(self, job_id: str, status: str, **facts: object) -> None:
        """Write down how a job ended, also for the next start of the studio."""
        (self._folder / job_id / "ended.json").write_text(json.dumps({"status": status, **facts}))

    async def _draw(self, job_id: str) -> None:
        folder = self._folder / job_id
        if (folder / "ended.json").exists():
            return
        async with self._places:
            self._progress[job_id] = 0.0
            command, pipe = [sys.executable, "-m", "studio.render", str(folder)], asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(
                *command, "--end-with-parent", stdin=pipe, stdout=pipe, stderr=pipe
            )
            try:
                assert process.stdout and process.stderr  # noqa: S101, PT018 -- they were asked for
                async for line in process.stdout:
                    with suppress(ValueError):
                        self._progress[job_id] = float(line)
                complaint = (await process.stderr.read()).decode(errors="replace").strip()
                await process.wait()
            finally:  # also when it is cancelled
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        if process.returncode == 0:
            self._end(job_id, "succeeded", progress=1.0)
        else:
            message = complaint[-500:] or f"The renderer ended with {process.returncode}."
            self._end(job_id, "failed", error={"code": "render_failed", "message": message})

    def _forget_old(self) -> None:
        """Finished jobs are kept a day, as a real vendor's links live."""
        for end in self._folder.glob("*/ended.json"):
            if time.time() - end.stat().st_mtime > KEEP_SECONDS:
                shutil.rmtree(end.parent, ignore_errors=True)
                self._drawing.pop(end.parent.name, None)


class Refused(Exception):
    """A request that gets an error: its code, and the field that is wrong or a word about what is."""

    def __init__(self, status: int, code: str, field_name: str = "", message: str = "") -> None:
        super().__init__(message)
        self.status, self.error = status, {"code": code, "field": field_name, "message": message}


def id_of(reference: str) -> str:
    """The id of the job with this reference."""
    return hashlib.sha256(reference.encode("utf-8", "surrogatepass")).hexdigest()[:32]


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


def application(folder: Path, *, key: str) -> Starlette:
    """The ASGI app over one folder of jobs."""
    studio = Studio(folder)

    def check(request: Request) -> None:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {key}".encode()):
            raise Refused(401, "bad_key")

    def shown(request: Request, job_id: str) -> dict[str, Any]:
        return studio.shown(job_id, str(request.base_url))

    async def submit(request: Request) -> Response:
        check(request)
        try:
            body = await request.json()
        except ValueError:
            body = None
        return JSONResponse(shown(request, studio.accept(*read_job(body))), 201)

    async def search(request: Request) -> Response:
        check(request)
        with suppress(Refused):
            return JSONResponse({"jobs": [shown(request, id_of(request.query_params.get("reference", "")))]})
        return JSONResponse({"jobs": []})

    async def status(request: Request) -> Response:
        check(request)
        return JSONResponse(shown(request, request.path_params["id"]))

    async def cancel(request: Request) -> Response:
        check(request)
        await studio.cancel(request.path_params["id"])
        return await status(request)

    async def file(request: Request) -> Response:
        check(request)
        clip = studio.clip(request.path_params["id"])
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


def main() -> int:
    """Serve until told to stop. The key is read from DEMO_API_KEY."""
    parser = argparse.ArgumentParser(prog="python -m studio", description="The demo's vendor.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--end-with-parent", action="store_true", help="stop when standard input is closed")
    options = parser.parse_args()
    key = os.environ.get("DEMO_API_KEY", "")
    if not key:
        sys.stderr.write("DEMO_API_KEY is not set; the studio takes jobs only with a key.\n")
        return 2
    if options.end_with_parent:
        end_with_parent()
    app = application(options.folder, key=key)
    # The plain event loop and no WebSockets: an idle studio stays 4 MB smaller.
    uvicorn.run(
        app, host=options.host, port=options.port, log_level="warning", timeout_graceful_shutdown=2, loop="asyncio",
        ws="none",
    )  # fmt: skip
    return 0
