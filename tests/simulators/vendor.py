"""What the simulated vendors share: jobs, faults, the record of calls, and the host of the finished files."""

import asyncio
import gzip
import json
import re
import time
import urllib.parse
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.fixtures import clips

LOST_KINDS = frozenset({"hang", "reset", "502html", "500bare", "garbage", "noid", "echo502"})
"""Kinds where the job is begun and no readable answer says so."""

_REFUSED_KINDS = {"429", "429header", "429text", "500", "500verdict", "badkey", "nocredit"}
_REFUSED_KINDS |= {"200error", "nsfwsubmit", "messege", "gone", "badinput", "echorefuse"}
_JOB_KINDS = {"ok", "slow", "late", "nsfw", "fail", "never", "oddword", "early", "nojob", "echo", "echofail"}
_JOB_KINDS |= {"idtext", "jobid", "costnumber", "bigvideo", "upstreamfail", "aborted", "removed", "doneerror"}
_JOB_KINDS |= {"held", "costnull", "costtext", "nsfwdone", "expires", "filegone", "inline", "latefile", "toobusy"}
_LOOK_KINDS = {"look429", "look500", "lookhtml", "lookreset"}
_FILE_KINDS = {"drop", "truncate", "expired", "lost", "htmlfile", "wrongtype", "gzip", "redirect", "redirectplain"}
_FILE_KINDS |= {"empty", "hugelen", "notvideo", "hevc", "drip", "silent", "babble"}
KINDS = LOST_KINDS | _REFUSED_KINDS | _JOB_KINDS | _LOOK_KINDS | _FILE_KINDS
_MARK = re.compile(r"\[sim:(\w+)\]")
GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass
class Job:
    """One accepted submit; its state is a matter of the clock alone."""

    id: str
    kind: str
    submitted: dict[str, Any]
    seconds: float
    started: float = field(default_factory=time.monotonic)
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    looks: int = 0
    links_given: int = 0
    file_calls: int = 0
    cancelled: bool = False

    @property
    def state(self) -> str:
        """running, done, failed, refused or cancelled."""
        if self.cancelled:
            return "cancelled"
        takes_seconds = self.seconds * {"slow": 5, "late": 20}.get(self.kind, 1)
        if self.kind == "never" or time.monotonic() - self.started < takes_seconds:
            return "running"
        return {"fail": "failed", "echofail": "failed", "nsfw": "refused"}.get(self.kind, "done")

    def first_end(self) -> bool:
        """Whether it is over and this is the first look that finds it so; true once."""
        first = self.state != "running" and self.looks == 0
        self.looks += first
        return first

    def cancel(self) -> None:
        """Stop it; what is over stays as it is."""
        self.cancelled = self.state in ("running", "cancelled")


@dataclass
class Vendor:
    """The state of one simulator."""

    clip: Path
    seconds: float
    limit: int
    jobs: dict[str, Job] = field(default_factory=dict)
    submits: list[dict[str, Any]] = field(default_factory=list)
    looks: int = 0
    uploads: set[str] = field(default_factory=set)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    """What answers to those submits that are held."""
    _armed: list[str] = field(default_factory=list)
    _turned_away: set[str] = field(default_factory=set)

    def kind_of(self, prompt: str, reference: str) -> str:
        """How this submit is to go: by its mark, else by what was armed. A 429 by mark happens once a reference."""
        marked = _MARK.search(prompt)
        kind = marked[1] if marked and marked[1] in KINDS else (self._armed.pop(0) if self._armed else "ok")
        if marked and kind.startswith("429"):
            if reference in self._turned_away:
                return "ok"
            self._turned_away.add(reference)
        return kind

    def record(self, *, kind: str, prompt: str, reference: str, body: dict[str, Any], job: Job | None) -> None:
        """Note a submit for `GET /_sim/calls`; `body` comes without the key."""
        job_id = job.id if job else None
        entry = {"kind": kind, "prompt": prompt, "reference": reference, "job_id": job_id, "body": body}
        self.submits.append(entry)

    def accept(self, job_id: str, kind: str, submitted: dict[str, Any]) -> Job:
        """Begin a job."""
        self.jobs[job_id] = Job(job_id, kind, submitted, self.seconds)
        return self.jobs[job_id]

    def link(self, request: Request, job: Job) -> str:
        """A fresh signed-looking link to a job's file."""
        job.links_given += 1
        return f"{request.base_url}files/{job.id}.mp4?signature={job.links_given}"

    def routes(self) -> list[Route]:
        """Control and file routes, the same for every vendor."""
        return [
            Route("/files/{name}.mp4", self._file),
            Route("/_sim/faults", self._arm, methods=["POST"]),
            Route("/_sim/calls", self._calls),
            Route("/_sim/let-go", self._let_go, methods=["POST"]),
        ]

    async def held(self, answer: dict[str, Any]) -> AsyncIterator[bytes]:
        """An answer whose end comes when it is let go, and until then a blank now and then, so that nobody gives up."""
        while not self.let_go.is_set():
            yield b" "
            await asyncio.wait([asyncio.create_task(self.let_go.wait())], timeout=1)
        yield json.dumps(answer).encode()

    async def _let_go(self, _request: Request) -> Response:
        self.let_go.set()
        return Response(status_code=204)

    async def look_fault(self, request: Request, job: Job | None) -> Response | None:
        """What goes wrong with the first look at a job of a look kind; None when nothing does."""
        if job is None or job.kind not in _LOOK_KINDS or job.looks:
            return None
        job.looks += 1
        if job.kind == "look429":
            return JSONResponse({"detail": "Too many requests"}, status_code=429, headers={"Retry-After": "1"})
        if job.kind == "look500":
            return JSONResponse({"detail": "Internal Server Error"}, status_code=500)
        return await no_answer({"lookhtml": "502html", "lookreset": "reset"}[job.kind], request)

    async def _file(self, request: Request) -> Response:
        job = self.jobs.get(request.path_params["name"])
        return await self.send_file(request, job, first_link=request.query_params.get("signature") == "1")

    async def send_file(self, request: Request, job: Job | None, *, first_link: bool) -> Response:
        """The clip of a job that is done, as its kind has it; `first_link`: asked for at the first address given."""
        if job is None or job.state != "done":
            return Response(status_code=404)
        job.file_calls += 1
        whole = self.clip.read_bytes()
        if job.kind == "lost" or (job.kind == "expired" and first_link):
            return Response("<Error><Code>AccessDenied</Code></Error>", status_code=403, media_type="application/xml")
        if job.kind in ("silent", "babble"):
            return await _no_http(job.kind, request)
        if job.kind == "drip":
            headers = {"content-length": str(len(whole))}
            return StreamingResponse(_dripped(whole), media_type="video/mp4", headers=headers)
        if job.kind == "truncate":
            return Response(whole[: len(whole) // 2], media_type="video/mp4")
        if broken := _broken_file(job.kind, whole):
            return broken
        if job.kind == "hevc":
            return FileResponse(_hevc(self.clip.with_name("hevc.mp4")), media_type="video/mp4")
        if job.kind == "drop" and "range" not in request.headers:
            return _Dropped(self.clip, whole)
        return FileResponse(self.clip, media_type="video/mp4")

    async def _arm(self, request: Request) -> Response:
        wanted = await request.json()
        if wanted["kind"] not in KINDS:
            return JSONResponse({"known": sorted(KINDS)}, status_code=422)
        self._armed += [wanted["kind"]] * int(wanted.get("times", 1))
        return JSONResponse({"armed": self._armed})

    async def _calls(self, request: Request) -> Response:
        return JSONResponse({"submits": self.submits, "looks": self.looks, "uploads": len(self.uploads)})


async def _dripped(whole: bytes) -> AsyncIterator[bytes]:
    """One byte a second."""
    for place in range(len(whole)):
        yield whole[place : place + 1]
        await asyncio.sleep(1)


async def _no_http(kind: str, request: Request) -> Response:
    """A file host that takes a call and says nothing, or something that no HTTP client can read."""
    if kind == "silent":
        return await no_answer("hang", request)
    request.scope["sim.transport"].write(b"\x16\x03\x01 220 ready when you are\r\n" * 100)
    hang_up(request.scope)
    return Response(status_code=500)


class _Dropped(FileResponse):
    """The true headers and half of the file; then the connection is gone."""

    def __init__(self, clip: Path, whole: bytes) -> None:
        super().__init__(clip, media_type="video/mp4", stat_result=clip.stat())
        self._half = whole[: len(whole) // 2]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self._half, "more_body": True})
        await asyncio.sleep(0.2)  # so that the half is on its way
        hang_up(scope)


def _broken_file(kind: str, whole: bytes) -> Response | None:
    """A file host's answer that holds no whole clip as one should be sent; None for other kinds."""
    answers: dict[str, tuple[int, bytes, dict[str, str]]] = {
        "htmlfile": (
            200,
            b"<!DOCTYPE html><html><body>Sign in to see this file</body></html>",
            {"content-type": "text/html"},
        ),
        "wrongtype": (200, whole, {"content-type": "application/json"}),
        "gzip": (200, gzip.compress(whole, 1), {"content-type": "video/mp4", "content-encoding": "gzip"}),
        "redirect": (302, b"", {"location": "https://127.0.0.1/latest/meta-data/clip.mp4"}),
        "redirectplain": (302, b"", {"location": "http://127.0.0.1:1/clip.mp4"}),
        "empty": (200, b"", {"content-type": "video/mp4"}),
        "notvideo": (200, bytes(range(256)) * 400, {"content-type": "video/mp4"}),
        "hugelen": (200, whole, {"content-type": "video/mp4", "content-length": str(9 * 1024**3)}),
    }
    if kind not in answers:
        return None
    status, content, headers = answers[kind]
    return Response(content, status_code=status, headers=headers)


def _hevc(path: Path) -> Path:
    """A clip no browser plays, made when first asked for."""
    return path if path.exists() else clips.make_clip(path, clips.ClipSpec(codec="libx265", seconds=1))


async def no_answer(kind: str, request: Request) -> Response:
    """For `LOST_KINDS`: the work was done, and the answer does not say so."""
    if kind == "hang":
        while (await request.receive())["type"] != "http.disconnect":
            continue
    if kind == "reset":
        hang_up(request.scope)
    if kind == "500bare":
        return JSONResponse({"exception": "Server Error"}, status_code=500)
    if kind == "garbage":
        return Response(b"\x00\xff{not json", media_type="application/json")
    if kind == "noid":
        return JSONResponse({"message": "ok"})
    if kind == "echo502":
        return HTMLResponse(f"{GATEWAY_PAGE}{await echoed(request)}", status_code=502)
    return HTMLResponse(GATEWAY_PAGE, status_code=502)


def key_is_good(request: Request, scheme: str = "Bearer") -> bool:
    """Whether a call carries a key in its Authorization; one that begins with "bad" is none."""
    found, _, key = request.headers.get("authorization", "").partition(" ")
    return found == scheme and bool(key) and not key.startswith("bad")


async def echoed(request: Request) -> dict[str, Any]:
    """Everything careless vendors say of a request again: the key as it is, in an address, as a name, in text."""
    sent = request.headers.get("x-goog-api-key") or request.headers.get("authorization", "").rpartition(" ")[2]
    key = sent or str((await request.json()).get("key", ""))
    address = f"https://vendor.invalid/look?key={urllib.parse.quote(key, safe='')}"
    return {"message": f"key {key} at {address}", "debug": {"headers": [f"Bearer {key}"], key: {"url": address}}}


def hang_up(scope: Scope) -> None:
    """Close the connection as a dying server would."""
    scope["sim.transport"].abort()


def serve(routes: list[Route]) -> ASGIApp:
    """An app whose requests know their own connection, as hanging up needs it."""
    inner = Starlette(routes=routes)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # uvicorn hands over a bound method of the object that owns the connection.
        scope["sim.transport"] = getattr(getattr(send, "__self__", None), "transport", None)
        await inner(scope, receive, send)

    return app


def make_clip(path: Path) -> None:
    """Two seconds of 1280x720 H.264, yuv420p, with the index in front."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=24, options={"preset": "ultrafast", "crf": "30"})
        stream.width, stream.height, stream.pix_fmt, stream.time_base = 1280, 720, "yuv420p", Fraction(1, 24)
        across = np.linspace(0, 255, 1280, dtype=np.uint8)
        for index in range(48):
            picture = np.empty((720, 1280, 3), np.uint8)
            picture[:] = np.roll(across, index * 16)[None, :, None]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
