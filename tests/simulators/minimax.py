"""A stand-in for api.minimax.io, version 2 of its video API; the shapes are those of its API reference."""

import itertools
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.simulators.vendor import LOST_KINDS, Job, Vendor, echoed, key_is_good, no_answer, serve

_REFUSALS = {
    "429": (429, "rate_limit_error", "rate limit, please retry later (1002)"),
    "429header": (429, "rate_limit_error", "rate limit, please retry later (1002)"),
    "500": (500, "server_error", "internal error (1000)"),
    "badkey": (401, "authorized_error", "login fail: Please carry the API secret key (1004)"),
    "nocredit": (402, "insufficient_balance_error", "insufficient balance (1008)"),
    "200error": (200, "insufficient_balance_error", "insufficient balance (1008)"),
    "nsfwsubmit": (422, "unprocessable_entity_error", "input new_sensitive (1026)"),
    "gone": (400, "bad_request_error", "model MiniMax-H3 is not available (2013)"),
    "badinput": (400, "bad_request_error", "invalid params, duration must be 4 to 15 (2013)"),
}
_FAILURES = {
    "failed": {"code": "1000", "message": "internal error"},
    "refused": {"code": "1027", "message": "video contains sensitive content"},
}
_RATIOS = ("21:9", "16:9", "4:3", "1:1", "3:4", "9:16")
_NUMBERS = itertools.count(424_010_985_738_629)


def app(vendor: Vendor) -> ASGIApp:
    """The simulated vendor as an ASGI app. It lists its tasks without what was asked of them but the settings."""

    async def submit(request: Request) -> Response:
        body = await request.json()
        prompt = " ".join(each.get("text", "") for each in body.get("content", []) if each.get("type") == "text")
        kind = vendor.kind_of(prompt, prompt)
        refusal = _refusal("badkey" if not key_is_good(request) else kind) or _invalid(body)
        if kind == "echorefuse":
            refusal = _error(400, "bad_request_error", str(await echoed(request)))
        job = None if refusal else vendor.accept(str(next(_NUMBERS)), kind, body)
        vendor.record(kind=kind, prompt=prompt, reference="", body=body, job=job)
        if refusal or job is None:
            return refusal or Response(status_code=500)
        if kind in LOST_KINDS:
            return await no_answer(kind, request)
        said = await echoed(request) if kind == "echo" else {}
        return JSONResponse({"task_id": job.id} | said)

    async def look(request: Request) -> Response:
        vendor.looks += 1
        job = vendor.jobs.get(request.path_params["job_id"])
        if not key_is_good(request):
            return _error(*_REFUSALS["badkey"])
        if job is None or job.kind == "nojob":
            return _error(400, "bad_request_error", "invalid params, invalid task_id (2013)")
        if fault := await vendor.look_fault(request, job):
            return fault
        if job.state in ("running", "cancelled"):
            return _task(job, _word(job))
        if job.kind == "oddword" and job.first_end():
            return _task(job, "upscaling")
        if job.kind == "early" and job.first_end():
            return _task(job, "succeeded")
        if job.kind == "expires":
            return _task(job, "expired")
        if job.kind == "nsfwdone":
            return _task(job, "failed", error=_FAILURES["refused"])
        if job.state in _FAILURES:
            error = _FAILURES[job.state] if job.kind != "echofail" else {"code": "1000"} | await echoed(request)
            return _task(job, "failed", error=error, usage={"output_seconds": 0, "input_seconds": 0})
        done = {"content": {"url": vendor.link(request, job)}} | _usage(job)
        return _task(job, "succeeded", **done, **(await echoed(request) if job.kind == "echo" else {}))

    async def listed(request: Request) -> Response:
        if not key_is_good(request):
            return _error(*_REFUSALS["badkey"])
        newest = sorted(vendor.jobs.values(), key=lambda job: job.created, reverse=True)
        shown = newest[: int(request.query_params.get("page_size", 20))]
        return JSONResponse({"items": [_fields(job, _word(job)) for job in shown], "total": len(newest)})

    async def remove(request: Request) -> Response:
        job = vendor.jobs.get(request.path_params["job_id"])
        if job is None or not key_is_good(request) or job.state == "cancelled" or _word(job) == "running":
            return _error(400, "bad_request_error", "invalid params, it is not possible now (2013)")
        action = "cancelled" if job.state == "running" else "deleted"
        job.cancel()
        if action == "deleted":
            del vendor.jobs[job.id]
        return JSONResponse({"task_id": job.id, "action": action, "status": action})

    return serve(
        [
            Route("/v2/video_generation", submit, methods=["POST"]),
            Route("/v2/video_generation/{job_id}", remove, methods=["DELETE"]),
            Route("/v2/query/video_generation", listed),
            Route("/v2/query/video_generation/{job_id}", look),
            *vendor.routes(),
        ]
    )


def _refusal(kind: str) -> Response | None:
    if kind not in _REFUSALS:
        return None
    return _error(*_REFUSALS[kind], headers={"Retry-After": "2"} if kind == "429header" else None)


def _invalid(body: dict[str, Any]) -> Response | None:
    """What is wrong with an order that the vendor would refuse."""
    content = body.get("content", [])
    roles = {each.get("role") for each in content if each.get("type") == "image_url"}
    texts = [each for each in content if each.get("type") == "text" and each.get("text")]
    said = ""
    if len(texts) != 1:
        said = "content must include one non-empty text item"
    elif body.get("resolution") not in ("768P", "2K"):
        said = "resolution"
    elif not isinstance(body.get("duration"), int) or not 4 <= body["duration"] <= 15:
        said = "duration must be 4 to 15"
    elif not roles and body.get("ratio") not in _RATIOS:
        said = "ratio"
    elif "reference_image" in roles and roles & {"first_frame", "last_frame"}:
        said = "first_frame and reference_image exclude each other"
    elif not all(each["image_url"]["url"].startswith("data:image/") for each in content if "image_url" in each):
        said = "image_url"
    return _error(400, "bad_request_error", f"invalid params, {said} (2013)") if said else None


def _error(status: int, kind: str, message: str, *, headers: dict[str, str] | None = None) -> Response:
    error = {"type": kind, "message": message, "http_code": str(status)}
    said = {"type": "error", "error": error, "request_id": "021785229015510a"}
    return JSONResponse(said, status_code=status, headers=headers)


def _word(job: Job) -> str:
    """A job of the slow kind waits in the queue as long as it is not made."""
    if job.state == "running":
        return "queued" if job.kind == "slow" else "running"
    return {"done": "succeeded", "cancelled": "cancelled"}.get(job.state, "failed")


def _task(job: Job, status: str, **more: Any) -> Response:
    return JSONResponse({"task": _fields(job, status) | more})


def _fields(job: Job, status: str) -> dict[str, Any]:
    asked, made = job.submitted, int(job.created.timestamp())
    found = {"id": job.id, "model": asked["model"], "status": status, "created_at": made, "updated_at": made + 1}
    found |= {"resolution": asked["resolution"], "duration": asked["duration"], "task_type": "generation"}
    return found | {"ratio": asked.get("ratio", "adaptive"), "modality": "video"}


def _usage(job: Job) -> dict[str, Any]:
    if job.kind in ("costnull", "costnumber"):
        return {"usage": None} if job.kind == "costnull" else {}
    seconds = job.submitted["duration"]
    made: Any = str(seconds) if job.kind == "costtext" else seconds
    images = sum(each.get("type") == "image_url" for each in job.submitted["content"])
    usage = {"total_seconds": seconds, "input_seconds": 0, "output_seconds": made, "input_image_count": images}
    return {"usage": usage}
