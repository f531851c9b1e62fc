"""The studio's HTTP face: take orders, tell how they stand, hand out the files.

Imports nothing heavy, so that it is up in a moment.

Run: `DEMO_API_KEY=... python -m core.demo_studio.server --port 8710 --folder DIR`.
"""

import argparse
import contextlib
import hmac
import ipaddress
import json
import os
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from core.demo_studio import order
from core.demo_studio.jobs import Job, Jobs

LARGEST_BODY_BYTES = 64 * 1024 * 1024
SHUTDOWN_SECONDS = 5


class KeyRequired:
    """Lets nothing through without the key, except the question whether the studio is up."""

    def __init__(self, app: ASGIApp, *, key: str) -> None:
        self._app = app
        self._expected = f"Bearer {key}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, or pass on."""
        if scope["type"] != "http" or scope["path"] == "/health":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        if hmac.compare_digest(given, self._expected):
            await self._app(scope, receive, send)
            return
        refused = _error(401, "unauthorized", "Send the studio's key: Authorization: Bearer <key>.")
        await refused(scope, receive, send)


def create_app(jobs: Jobs, *, key: str) -> ASGIApp:
    """The service over these jobs."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await jobs.start()
        yield
        await jobs.stop()

    app = Starlette(
        routes=[
            Route("/health", _health),
            Route("/v1/jobs", _submit, methods=["POST"]),
            Route("/v1/jobs", _list),
            Route("/v1/jobs/{id}", _look),
            Route("/v1/jobs/{id}/cancel", _cancel, methods=["POST"]),
            Route("/v1/files/{id}.mp4", _file),
        ],
        lifespan=lifespan,
    )
    app.state.jobs = jobs
    return KeyRequired(app, key=key)


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _submit(request: Request) -> Response:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY_BYTES:
            return _error(413, "too_large", f"The body may have {LARGEST_BODY_BYTES} bytes.")
    try:
        wanted, images = order.parse(json.loads(body))
    except order.BadOrder as bad:
        return _error(422, "invalid_order", str(bad), field=bad.field)
    except (ValueError, RecursionError):
        return _error(422, "invalid_order", "The body must be a JSON object.", field="body")
    try:
        job = _jobs(request).submit(wanted, images)
    except OSError as failure:
        return _error(503, "cannot_store", f"The order could not be stored: {failure.strerror}.")
    return JSONResponse(_as_json(job, request), status_code=201)


async def _list(request: Request) -> Response:
    job = _jobs(request).find(request.query_params.get("reference", ""))
    return JSONResponse({"jobs": [_as_json(job, request)] if job else []})


async def _look(request: Request) -> Response:
    job = _jobs(request).get(request.path_params["id"])
    return JSONResponse(_as_json(job, request)) if job else _unknown()


async def _cancel(request: Request) -> Response:
    job = _jobs(request).get(request.path_params["id"])
    if job is None:
        return _unknown()
    await _jobs(request).cancel(job)
    return JSONResponse(_as_json(job, request))


async def _file(request: Request) -> Response:
    job = _jobs(request).get(request.path_params["id"])
    if job is None or job.status != "succeeded":
        return _unknown()
    return FileResponse(job.video, media_type="video/mp4")


def _jobs(request: Request) -> Jobs:
    found: Jobs = request.app.state.jobs
    return found


def _as_json(job: Job, request: Request) -> dict[str, Any]:
    done = job.status == "succeeded"
    return {
        "id": job.id,
        "reference": job.order.reference,
        "status": job.status,
        "progress": round(job.progress, 3),
        "video_url": f"{str(request.base_url).rstrip('/')}/v1/files/{job.id}.mp4" if done else None,
        "error": job.error,
    }


def _unknown() -> Response:
    return _error(404, "unknown_job", "There is no such job, or its clip was kept long enough and is gone.")


def _error(status: int, code: str, message: str, **more: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message, **more}}, status_code=status)


def _die_with_parent(jobs: Jobs) -> None:
    """End at once when the pipe on standard input closes: whoever started us is gone."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        jobs.kill_children()
        os._exit(0)

    threading.Thread(target=watch, name="die-with-parent", daemon=True).start()


def main(arguments: list[str]) -> int:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="demo studio", description="Draws demo clips behind an HTTP service.")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=8710)
    parser.add_argument("--folder", type=Path, required=True, help="where jobs and clips are kept")
    parser.add_argument("--renders", type=int, default=1, help="how many clips are drawn at once")
    parser.add_argument("--die-with-parent", action="store_true", help="end when standard input closes")
    options = parser.parse_args(arguments)
    key = os.environ.get("DEMO_API_KEY", "")
    if not key:
        parser.error("set DEMO_API_KEY: the studio serves nobody without a key")
    if options.renders < 1:
        parser.error("--renders must be at least 1")
    if options.host != "localhost" and not _is_loopback(options.host):
        parser.error(f"--host {options.host} is not this computer: the studio serves loopback only")
    jobs = Jobs(options.folder, renders=options.renders)
    if options.die_with_parent:
        _die_with_parent(jobs)
    uvicorn.run(
        create_app(jobs, key=key),
        host=options.host,
        port=options.port,
        log_level="warning",
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    return 0


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
