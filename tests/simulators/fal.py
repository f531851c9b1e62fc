"""A stand-in for queue.fal.run; the shapes are those of its queue, cancel and model errors pages."""

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.simulators.vendor import LOST_KINDS, Job, Vendor, echoed, key_is_good, no_answer, serve

_REFUSALS: dict[str, tuple[int, dict[str, Any]]] = {
    "429": (429, {"detail": "Too many requests"}),
    "500": (500, {"detail": "Internal Server Error"}),
    "badkey": (401, {"detail": "Invalid Key"}),
    "nocredit": (403, {"detail": "User is locked. Reason: Exhausted balance. Top up your balance."}),
    "gone": (404, {"detail": "Application 'hailuo' not found"}),
}
_MISTAKES = {"nsfwsubmit": ("content_policy_violation", "prompt"), "badinput": ("one_of", "duration")}
_FAILURES = {"failed": (504, "generation_timeout"), "refused": (422, "content_policy_violation")}


def app(vendor: Vendor) -> ASGIApp:
    """The simulated vendor as an ASGI app. It keeps no client reference; the prompt stands in for one in the record."""

    async def submit(request: Request) -> Response:
        body = await request.json()
        prompt = str(body.get("prompt", ""))
        kind = vendor.kind_of(prompt, prompt)
        refusal = _refusal("badkey" if not key_is_good(request, "Key") else kind)
        if refusal is None and not prompt:
            refusal = _mistake(422, "missing", "prompt")
        if kind in _MISTAKES:
            refusal = _mistake(422, *_MISTAKES[kind])
        if kind == "echorefuse":
            refusal = JSONResponse({"detail": str(await echoed(request))}, status_code=400)
        for name in ("image_url", "tail_image_url"):
            if refusal is None and name in body and not str(body[name]).startswith("data:image/"):
                refusal = _mistake(422, "image_load_error", name)
        path = request.path_params
        submitted = {"app": f"{path['owner']}/{path['app']}", "path": path.get("rest", ""), "input": body}
        job = None if refusal else vendor.accept(str(uuid.uuid4()), kind, submitted)
        vendor.record(kind=kind, prompt=prompt, reference="", body=submitted, job=job)
        if refusal or job is None:
            return refusal or Response(status_code=500)
        if kind in LOST_KINDS:
            return await no_answer(kind, request)
        # As at the vendor, the addresses name its own host, whatever host was asked.
        own = f"https://queue.fal.run/{submitted['app']}/requests/{job.id}"
        urls = {"response_url": own, "status_url": f"{own}/status", "cancel_url": f"{own}/cancel"}
        said = await echoed(request) if kind == "echo" else {}
        return JSONResponse({"status": "IN_QUEUE", "request_id": job.id, "queue_position": 0, **urls, **said})

    async def status(request: Request) -> Response:
        vendor.looks += 1
        job = _job(request)
        if isinstance(job, Response):
            return job
        if fault := await vendor.look_fault(request, job):
            return fault
        if job.state == "running":
            return JSONResponse({"status": "IN_PROGRESS", "request_id": job.id, "logs": []}, status_code=202)
        if job.kind == "oddword" and job.first_end():
            return JSONResponse({"status": "FINALIZING", "request_id": job.id})
        if job.kind == "echo" and job.first_end():
            said = await echoed(request)
            return JSONResponse({"request_id": job.id, **said, "status": said["message"]})
        done = {"status": "COMPLETED", "request_id": job.id, "metrics": {"inference_time": job.seconds}}
        if job.state == "cancelled":
            done |= {"error": "Request was cancelled", "error_type": "client_cancelled"}
        if job.kind == "doneerror":
            done |= {"error": "The runner was lost", "error_type": "runner_disconnected"}
        return JSONResponse(done)

    async def result(request: Request) -> Response:
        job = _job(request)
        if isinstance(job, Response):
            return job
        if job.state == "running":
            return JSONResponse({"detail": "Request is still in progress"}, status_code=400)
        if job.state == "cancelled":
            return JSONResponse({"detail": "Request was cancelled", "error_type": "client_cancelled"}, status_code=499)
        if job.kind == "echofail":
            mistake = {"loc": ["body"], "msg": str(await echoed(request)), "type": "downstream_service_error"}
            return JSONResponse({"detail": [mistake]}, status_code=500)
        if job.kind == "doneerror":
            return JSONResponse({"detail": "Internal Server Error"}, status_code=500)
        if job.kind == "early" and job.first_end():
            return JSONResponse({"video": None, "seed": 1})
        if job.state in _FAILURES:
            return _mistake(*_FAILURES[job.state], "prompt")
        said = await echoed(request) if job.kind == "echo" else {}
        video = {"url": vendor.link(request, job), "content_type": "video/mp4"}
        return JSONResponse({"video": video, "seed": 1, **said})

    async def cancel(request: Request) -> Response:
        job = _job(request)
        if isinstance(job, Response):
            return job
        if job.state != "running":
            return JSONResponse({"status": "ALREADY_COMPLETED"}, status_code=400)
        job.cancel()
        return JSONResponse({"status": "CANCELLATION_REQUESTED"}, status_code=202)

    def _job(request: Request) -> Job | Response:
        """The job an address names, or the refusal; only owner and app address it, never the rest of a path."""
        if not key_is_good(request, "Key"):
            return _refusal("badkey") or Response(status_code=401)
        path = request.path_params
        job = vendor.jobs.get(path["job_id"])
        if job is None or job.kind == "nojob" or job.submitted["app"] != f"{path['owner']}/{path['app']}":
            return JSONResponse({"detail": "Request not found", "status": "NOT_FOUND"}, status_code=404)
        return job

    place = "/{owner}/{app}/requests/{job_id}"
    return serve(
        [
            *vendor.routes(),
            Route(f"{place}/status", status),
            Route(f"{place}/cancel", cancel, methods=["PUT"]),
            Route(place, result),
            Route("/{owner}/{app}", submit, methods=["POST"]),
            Route("/{owner}/{app}/{rest:path}", submit, methods=["POST"]),
        ]
    )


def _refusal(kind: str) -> Response | None:
    if kind not in _REFUSALS:
        return None
    status, said = _REFUSALS[kind]
    return JSONResponse(said, status_code=status, headers={"Retry-After": "1"} if kind == "429" else None)


def _mistake(status: int, reason: str, field: str) -> Response:
    mistake = {"loc": ["body", field], "msg": reason.replace("_", " "), "type": reason}
    headers = {"X-Fal-Retryable": "false"}
    return JSONResponse({"detail": [mistake]}, status_code=status, headers=headers)
