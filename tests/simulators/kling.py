"""A stand-in for klingai.com's video tasks; the shapes are those of its guide as SDKs of others have it."""

import base64
import binascii
import itertools
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.simulators.vendor import LOST_KINDS, Job, Vendor, echoed, key_is_good, no_answer, serve

_REFUSALS = {
    "429": (429, 1302, "Your request frequency is too high"),
    "429header": (429, 1303, "Parallel tasks over the resource pack limit"),
    "429text": (200, 1303, "Parallel tasks over the resource pack limit"),
    "500": (500, 5000, "Server internal error"),
    "badkey": (401, 1002, "Authorization is invalid"),
    "nocredit": (429, 1102, "Account balance not enough"),
    "nsfwsubmit": (400, 1301, "The content triggers the policy"),
    "gone": (400, 1201, "model kling-v3 is not supported"),
    "badinput": (400, 1201, "duration value is invalid"),
}
_FAILURES = {"failed": "Internal error", "refused": "Failure to pass the risk control system"}
_MODES = {"std", "pro", "4k"}


def app(vendor: Vendor) -> ASGIApp:
    """The simulated vendor as an ASGI app. A task is found by its id and by ours."""
    numbers = itertools.count(867432101)

    async def tasks(request: Request) -> Response:
        if not key_is_good(request):
            return _error(*_REFUSALS["badkey"])
        if request.method == "GET":
            size = int(request.query_params.get("pageSize", 30))
            begin = (int(request.query_params.get("pageNum", 1)) - 1) * size
            listed = [_task(job, "processing") for job in reversed(vendor.jobs.values())]
            return _said(
                [each for each in listed if _place(each) == request.path_params["place"]][begin : begin + size]
            )
        body = await request.json()
        prompt, reference = str(body.get("prompt", "")), str(body.get("external_task_id", ""))
        kind = vendor.kind_of(prompt, reference)
        refusal = _refusal(kind) or _invalid(request.path_params["place"], body)
        if kind == "echorefuse":
            refusal = _error(400, 1201, str(await echoed(request)))
        body["place"] = request.path_params["place"]
        job = None if refusal else vendor.accept(str(next(numbers)), kind, body)
        vendor.record(kind=kind, prompt=prompt, reference=reference, body=body, job=job)
        if refusal or job is None:
            return refusal or Response(status_code=500)
        if kind in LOST_KINDS:
            return await no_answer(kind, request)
        said = await echoed(request) if kind == "echo" else {}
        return _said(_task(job, "submitted") | said)

    async def look(request: Request) -> Response:
        vendor.looks += 1
        if not key_is_good(request):
            return _error(*_REFUSALS["badkey"])
        asked, place = request.path_params["task"], request.path_params["place"]
        ours = (job for job in vendor.jobs.values() if job.submitted["external_task_id"] == asked)
        job = vendor.jobs.get(asked) or next(ours, None)
        if job is None or job.kind == "nojob" or job.submitted["place"] != place:
            return _error(404, 1203, "Task not found")
        if fault := await vendor.look_fault(request, job):
            return fault
        if job.state == "running":
            return _said(_task(job, "processing"))
        if job.kind == "oddword" and job.first_end():
            return _said(_task(job, "upscaling"))
        if job.kind == "expires":
            return _error(404, 1203, "Task not found")
        if job.kind == "nsfwdone":
            refused = {"task_status_msg": _FAILURES["refused"], "task_result": {"videos": []}}
            return _said(_task(job, "succeed") | refused)
        if job.kind == "early" and job.first_end():
            return _said(_task(job, "succeed") | {"task_result": {"videos": []}})
        if job.state in _FAILURES:
            said = _FAILURES[job.state] if job.kind != "echofail" else str(await echoed(request))
            return _said(_task(job, "failed") | {"task_status_msg": said})
        clip = {"id": f"v-{job.id}", "url": vendor.link(request, job), "watermark_url": "", "duration": "5.1"}
        done = _task(job, "succeed") | {"task_result": {"videos": [clip]}, "final_unit_deduction": "3"}
        return _said(done | (await echoed(request) if job.kind == "echo" else {}))

    async def costs(request: Request) -> Response:
        if not key_is_good(request):
            return _error(*_REFUSALS["badkey"])
        return _said({"code": 0, "msg": "success", "resource_pack_subscribe_infos": []})

    return serve(
        [
            Route("/v1/videos/{place}", tasks, methods=["GET", "POST"]),
            Route("/v1/videos/{place}/{task}", look),
            Route("/account/costs", costs),
            *vendor.routes(),
        ]
    )


def _refusal(kind: str) -> Response | None:
    if kind not in _REFUSALS:
        return None
    return _error(*_REFUSALS[kind], headers={"Retry-After": "2"} if kind == "429header" else None)


def _invalid(place: str, body: dict[str, Any]) -> Response | None:
    """What is wrong with an order that the vendor would refuse."""
    if not body.get("prompt"):
        return _error(400, 1201, "prompt is required")
    if not isinstance(body.get("duration"), str) or body.get("mode") not in _MODES:
        return _error(400, 1201, "duration or mode is invalid")
    if place == "text2video" and ("image" in body or "aspect_ratio" not in body):
        return _error(400, 1201, "aspect_ratio is required")
    if place == "image2video" and not _is_base64(body.get("image")):
        return _error(400, 1201, "image: File format is not supported")
    if "image_tail" in body and not _is_base64(body["image_tail"]):
        return _error(400, 1201, "image_tail: File format is not supported")
    return None


def _is_base64(value: Any) -> bool:
    try:
        return bool(base64.b64decode(value or "", validate=True))
    except (binascii.Error, TypeError):
        return False


def _said(data: Any) -> Response:
    return JSONResponse({"code": 0, "message": "SUCCEED", "request_id": "r-1", "data": data})


def _error(status: int, code: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"code": code, "message": message, "request_id": "r-1"}, status_code=status, headers=headers)


def _place(task: dict[str, Any]) -> str:
    return str(task["place"])


def _task(job: Job, word: str) -> dict[str, Any]:
    return {
        "task_id": job.id,
        "task_status": word,
        "task_status_msg": "",
        "task_info": {"external_task_id": job.submitted["external_task_id"]},
        "created_at": int((time.time() - (time.monotonic() - job.started)) * 1000),
        "place": job.submitted["place"],
    }
