"""What the API's busiest calls cost beside bare routes of the same framework, and what they do to pages meanwhile.

Run: python -m benchmarks.api [seconds a figure]. Everything is on loopback and ends by itself. A bare route is a plain
`def` of FastAPI behind uvicorn that answers a constant; "bare + query" also reads one row by its key with the same
engine, which is the least that anything behind a token must do; "bare, in the API" stands behind all that stands before
a route of the API. Shares are of the server's CPU time a request, which depends less on what else the machine does
meanwhile; calls take turns, and the middle of their rounds counts. Pages are rerun as a browser sees it, in the app
with the API beside them, alone and while callers ask for lists as fast as they are answered.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
from fastapi import FastAPI
from sqlalchemy import text

from benchmarks import dashboard
from core import config, installation
from core.api import api
from core.api.http import routing
from core.api.schemas import responses
from core.db import Database
from core.db.enums import Scope
from core.files import signed_urls
from core.generations.submit import submit
from core.identity import api_tokens
from core.projects import projects
from tests import postgres
from tests.factories import generations
from tests.factories.users import ensure_member
from tests.system.app import ROOT, free_port

Call = tuple[str, str, bytes]
"""Method, path and body."""

CALLERS = 8
ROUNDS = 5
CLIPS = 1000
PAGE = 20


@asynccontextmanager
async def _lifespan(_bare: FastAPI) -> AsyncIterator[None]:
    with installation.opened():
        yield


def server() -> FastAPI:
    """The bare routes, with the API beside them; uvicorn's factory."""
    bare = FastAPI(lifespan=_lifespan)

    @bare.get("/bare")
    def constant() -> dict[str, bool]:
        return {"success": True}

    @bare.get("/bare-query")
    def query() -> dict[str, str]:
        with installation.current().database.engine.connect() as connection:
            return {"email": str(connection.scalar(text("SELECT email FROM users LIMIT 1")))}

    inside = routing.router("benchmark")

    @inside.get("/bare")
    def behind_all() -> responses.Response:
        return responses.Response()

    api.router.routes[:0] = inside.routes
    bare.mount("/api", api)
    return bare


def main() -> None:
    """Both databases, one table each; then the pages."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 4.0
    for name, place in (("SQLite", sqlite), ("PostgreSQL", postgresql)):
        with place() as environ:
            figures = asyncio.run(measure(environ, seconds))
        base, with_query = figures["bare"][1], figures["bare + query"][1]
        print(f"\n{name}: {CALLERS} callers, one process, {CLIPS} clips in the table")
        print(f"{'call':<22}{'requests/s':>12}{'CPU ms':>10}{'a core/s':>10}{'of bare':>10}{'of bare + query':>18}")
        for call, (rate, cpu) in figures.items():
            shares = f"{base / cpu:>10.2f}{with_query / cpu:>18.2f}"
            print(f"{call:<22}{rate:>12.0f}{cpu * 1000:>10.2f}{1 / cpu:>10.0f}{shares}")
    with sqlite() as environ:
        times = asyncio.run(reruns(environ, seconds))
    print(f"\nReruns of the history page, {CLIPS} clips, the API in the same process")
    for name, found in times.items():
        print(
            f"{name:<22}p50 {statistics.median(found):.1f} ms, p95 {dashboard.p95(found):.1f} ms, {len(found)} reruns"
        )


async def measure(environ: dict[str, str], seconds: float) -> dict[str, tuple[float, float]]:
    """Requests a second, and CPU seconds of the server a request, by call."""
    with served(environ) as (address, process):
        with installation.opened() as opened:
            known = seed(opened.database, "ana@example.org")
        headers = asking(known)
        estimate = {"modelId": "demo-film", "resolution": "720p", "duration": 5}
        order = estimate | {"projectId": known["project"], "prompt": "A lake", "aspectRatio": "16:9"}
        calls: dict[str, Call] = {
            "bare": ("GET", "/bare", b""),
            "bare + query": ("GET", "/bare-query", b""),
            "bare, in the API": ("GET", "/api/bare", b""),
            "models": ("GET", "/api/models", b""),
            "status": ("GET", f"/api/generations/{known['clip']}/status", b""),
            f"list of {PAGE}": ("GET", f"/api/generations?limit={PAGE}", b""),
            "estimate": ("POST", "/api/estimate-credits", json.dumps(estimate).encode()),
            "generate": ("POST", "/api/generate", json.dumps(order).encode()),
        }
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
        for _round in range(ROUNDS):
            for name, call in calls.items():
                found[name].append(await rate(address, process, call, headers=headers, seconds=seconds / ROUNDS))
        return {name: tuple(map(statistics.median, zip(*rounds, strict=True))) for name, rounds in found.items()}


async def reruns(environ: dict[str, str], seconds: float) -> dict[str, list[float]]:
    """Milliseconds of each rerun of the history page, without and with callers of the API."""
    # A Redis that is not there: no worker is brought along, and nobody is counted.
    environ = environ | {"REDIS_URL": "redis://127.0.0.1:9/0", "PYTHONPATH": str(ROOT)}
    os.environ.update(environ)
    with installation.opened() as opened:
        known = seed(opened.database, config.LOCAL_PERSON)
    call = ("GET", f"{signed_urls.MEDIA_PATH.removesuffix('/media')}/generations?limit={PAGE}", b"")
    found: dict[str, list[float]] = {"alone": [], f"beside {CALLERS} callers": []}
    with dashboard.serving(["app.py"], environ) as (port, process):
        async with dashboard.session(port) as socket:
            tab = dashboard.Session(socket)
            await tab.rerun("history")
            address, headers = f"http://127.0.0.1:{port}", asking(known)
            meanwhile = (asyncio.sleep(seconds), rate(address, process, call, headers=headers, seconds=seconds))
            for times, load in zip(found.values(), map(asyncio.ensure_future, meanwhile), strict=True):
                while not load.done():
                    times.append((await tab.rerun())[0])
                await load
    return found


def asking(known: dict[str, str]) -> dict[str, str]:
    """The headers of a caller."""
    return {"Authorization": f"Bearer {known['token']}", "Content-Type": "application/json"}


async def rate(
    address: str, process: psutil.Process, call: Call, *, headers: dict[str, str], seconds: float
) -> tuple[float, float]:
    """Both figures of one call, asked by several callers at once over connections that stay open."""
    method, path, body = call
    host, port = address.removeprefix("http://").split(":")
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}:{port}", *(f"{k}: {v}" for k, v in headers.items())]
    request = ("\r\n".join([*lines, f"Content-Length: {len(body)}"]) + "\r\n\r\n").encode() + body
    done = 0
    end = 0.0

    async def caller() -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection(host, int(port))
        while time.monotonic() < end:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(head.partition("content-length:")[2].partition("\r\n")[0])
            answer = await reader.readexactly(length)
            if head.split()[1] not in ("200", "202"):
                raise SystemExit(f"{method} {path}: {head.splitlines()[0]} {answer[:300]!r}")
            done += 1
        writer.close()

    for length in (seconds / 4, seconds):  # the first one warms up and does not count
        done, begun, used = 0, time.monotonic(), sum(process.cpu_times()[:2])
        end = begun + length
        await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return done / (time.monotonic() - begun), (sum(process.cpu_times()[:2]) - used) / done


def seed(database: Database, email: str) -> dict[str, str]:
    """A person with a token, a project and clips."""
    with database.write_session() as session:
        person = ensure_member(session, email, signup_credits=10**12)
        token = api_tokens.create(session, person.user, name="benchmark", scope=Scope.ADMIN)
        project = projects.create(session, person, name="Lakes").id
    clip = generations.create_completed(database, person).id
    with database.write_session() as session:
        for _ in range(CLIPS):
            submit(
                session,
                person,
                generations.build_order(project),
                configured=generations.CONFIGURED,
                quota_bytes=10**12,
            )
    return {"token": token, "project": project, "clip": clip}


@contextmanager
def served(environ: dict[str, str]) -> Iterator[tuple[str, psutil.Process]]:
    """A server process with these settings, which count in this process as well."""
    os.environ.update(environ)
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "benchmarks.api:server", "--port", str(port)]
    process = subprocess.Popen([*command, "--log-level", "error", "--no-access-log"], env=os.environ)  # noqa: S603 -- our own server
    address = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                httpx.get(f"{address}/bare", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield address, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def sqlite() -> Iterator[dict[str, str]]:
    """Settings of an installation on SQLite."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield settings(folder, f"sqlite:///{Path(folder) / 'studio.db'}")


@contextmanager
def postgresql() -> Iterator[dict[str, str]]:
    """Settings of an installation on PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, postgres.migrated() as address:
        yield settings(folder, address)


def settings(folder: str, database_url: str) -> dict[str, Any]:
    """The environment of an installation in a folder."""
    return {"DATA_DIR": folder, "DATABASE_URL": database_url, "STORAGE_QUOTA_BYTES": str(10**15)}


if __name__ == "__main__":
    main()
