"""The HTTP service: takes jobs, has each drawn by a process of its own, and serves the files; it draws nothing."""

import asyncio
import base64
import hashlib
import hmac
import json
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

KEEP_SECONDS: Final = 24 * 3600
CLIPS_AT_ONCE: Final = 1
FIELDS: Final = {
    "reference": (str, 1, 200), "prompt": (str, 0, 10_000),
    "width": (int, 64, 3840), "height": (int, 64, 3840), "seconds": (int, 1, 16),
}  # fmt: skip
"""Type, least and most of each; of a text, its length in characters."""


class Studio:
    """Jobs in a folder, from before they are accepted, and the processes that draw them, which end with the studio.

    Drawing is deterministic, so a studio that was killed draws again what is unfinished.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._drawing: dict[str, asyncio.Task[None]] = {}
        self._progress: dict[str, float] = {}
        self._places = asyncio.Semaphore(CLIPS_AT_ONCE)

    def load(self) -> None:
        """Take up what lies in the folder, apart from jobs as old as a real vendor's links may be."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(self._folder.glob("*/job.json"), key=lambda found: found.stat().st_mtime):
            if time.time() - path.stat().st_mtime > KEEP_SECONDS:
                shutil.rmtree(path.parent, ignore_errors=True)
            else:
                self._begin(path.parent.name)

    def accept(self, spec: dict[str, Any], images: dict[str, bytes]) -> str:
        """Write a job down, begin it, and give its id; the same reference again gives the job there is."""
        job_id = id_of(spec["reference"])
        if job_id not in self._drawing:
            folder = self._folder / job_id
            folder.mkdir(exist_ok=True)
            for name, data in images.items():
                (folder / name).write_bytes(data)
            (folder / "job.part").write_text(json.dumps(spec))
            (folder / "job.part").rename(folder / "job.json")  # before this, a studio that starts finds no job
            self._begin(job_id)
        return job_id

    def shown(self, request: Request, job_id: str) -> dict[str, Any]:
        """A job as a client sees it. Raises HTTPException."""
        clip, progress = self.clip(job_id), self._progress.get(job_id)
        job = {"id": job_id, "reference": json.loads(clip.with_name("job.json").read_text())["reference"]}
        job |= {"status": "queued" if progress is None else "running", "progress": progress or 0.0}
        if (end := clip.with_name("ended.json")).exists():
            job |= json.loads(end.read_text())
        return {"error": None, "video_url": f"{request.base_url}v1/files/{job_id}.mp4" if clip.exists() else None} | job

    def clip(self, job_id: str) -> Path:
        """Where the finished clip of a job lies. Raises HTTPException."""
        if job_id not in self._drawing:
            raise HTTPException(404, "unknown_job")
        return self._folder / job_id / "video.mp4"

    async def cancel(self, job_id: str) -> None:
        """Stop a job that is not finished; a finished one stays as it is. Raises HTTPException."""
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


def id_of(reference: str) -> str:
    """The id of the job with this reference."""
    return hashlib.sha256(reference.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def read_job(body: object) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The job spec and the images of a request body. Raises HTTPException with the name of a field that is wrong."""
    spec: dict[str, Any] = {"audio": False} | (body if isinstance(body, dict) else {})
    spec = {name: spec.get(name) for name in ("audio", "start_image", "end_image", *FIELDS)}
    for name, (kind, least, most) in FIELDS.items():
        size: Any = len(spec[name]) if isinstance(spec[name], str) else spec[name]
        if type(spec[name]) is not kind or not least <= size <= most or (name in {"width", "height"} and size % 2):
            raise HTTPException(422, name)
    images: dict[str, bytes] = {}
    for name in ("start_image", "end_image"):
        if spec[name] is not None:
            try:
                images[f"{name}.jpg"] = base64.b64decode(spec[name], validate=True)
            except (TypeError, ValueError):
                raise HTTPException(422, name) from None
            spec[name] = f"{name}.jpg"
    return spec, images


def application(folder: Path, *, key: str) -> Starlette:
    """The ASGI app over one folder of jobs."""
    studio = Studio(folder)

    def check(request: Request) -> None:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {key}".encode()):
            raise HTTPException(401, "bad_key")

    async def submit(request: Request) -> Response:
        check(request)
        try:
            job_id = studio.accept(*read_job(await request.json()))
        except json.JSONDecodeError:
            raise HTTPException(422, "body") from None
        return JSONResponse(studio.shown(request, job_id), 201)

    async def search(request: Request) -> Response:
        check(request)
        with suppress(HTTPException):
            return JSONResponse({"jobs": [studio.shown(request, id_of(request.query_params.get("reference", "")))]})
        return JSONResponse({"jobs": []})

    async def status(request: Request) -> Response:
        check(request)
        return JSONResponse(studio.shown(request, request.path_params["id"]))

    async def cancel(request: Request) -> Response:
        check(request)
        await studio.cancel(request.path_params["id"])
        return await status(request)

    async def file(request: Request) -> Response:
        check(request)
        clip = studio.clip(request.path_params["id"])
        return FileResponse(clip, media_type="video/mp4") if clip.exists() else Response(status_code=404)

    async def refuse(_request: Request, refused: Exception) -> Response:
        assert isinstance(refused, HTTPException)  # noqa: S101 -- it is registered for this class only
        wrong = {"code": "invalid_input", "field": refused.detail}
        error = wrong if refused.status_code == 422 else {"code": refused.detail}
        return JSONResponse({"error": error}, refused.status_code)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        studio.load()
        yield

    routes = [
        Route("/v1/jobs", submit, methods=["POST"]),
        Route("/v1/jobs", search),
        Route("/v1/jobs/{id}", status),
        Route("/v1/jobs/{id}/cancel", cancel, methods=["POST"]),
        Route("/v1/files/{id}.mp4", file),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: refuse}, lifespan=lifespan)
