"""A stand-in for api.replicate.com; the shapes are those of its HTTP API and prediction lifecycle pages."""

import hashlib
import re
import uuid
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.simulators.vendor import LOST_KINDS, Job, Vendor, echoed, key_is_good, no_answer, serve

_IMAGES = ("input_image", "image", "start_image", "last_frame_image", "end_image")
_REFUSALS: dict[str, tuple[int, dict[str, Any]]] = {
    "429": (429, {"detail": "Request was throttled. Your rate limit resets in ~1s."}),
    "500": (500, {"title": "Internal server error", "status": 500}),
    "badkey": (401, {"title": "Unauthenticated", "detail": "You did not pass a valid authentication token"}),
    "nocredit": (402, {"title": "Insufficient credit", "detail": "You have insufficient credit to run this model."}),
    "429header": (429, {"detail": "Request was throttled."}),
    "nsfwsubmit": (422, {"title": "Input flagged", "detail": "The input was flagged as sensitive. (E005)"}),
    "gone": (404, {"title": "Not found", "detail": "The model does not exist or was disabled."}),
    "badinput": (422, {"title": "Input validation failed", "detail": "- input.duration: must be one of 5, 10"}),
}
_FAILURES = {
    "failed": "Prediction failed: out of memory (code: E1001)",
    "refused": "The input or output was flagged as sensitive. Please try again with different inputs. (E005)",
}
PAGE = 100
_VERSION = re.compile(r"[0-9a-f]{64}")


def app(vendor: Vendor) -> ASGIApp:
    """The simulated vendor as an ASGI app. It keeps no client reference; the prompt stands in for one in the record."""
    checksums: dict[str, str] = {}

    async def submit(request: Request) -> Response:
        body = await request.json()
        wanted = body.get("input") or {}
        prompt = str(wanted.get("prompt", ""))
        kind = vendor.kind_of(prompt, prompt)
        refusal = _refusal("badkey" if not key_is_good(request) else kind) or _invalid(request, body, vendor)
        if kind == "echorefuse":
            refusal = _error(400, {"detail": str(await echoed(request))})
        sent = {"model": "{owner}/{name}".format(**request.path_params)} if "owner" in request.path_params else {}
        job = None if refusal else vendor.accept(uuid.uuid4().hex[:26], kind, body | sent)
        vendor.record(kind=kind, prompt=prompt, reference="", body=body, job=job)
        if refusal or job is None:
            return refusal or Response(status_code=500)
        if kind in LOST_KINDS:
            return await no_answer(kind, request)
        said = await echoed(request) if kind == "echo" else {}
        return JSONResponse(_prediction(request, job, "starting") | said, status_code=201)

    async def look(request: Request) -> Response:
        vendor.looks += 1
        job = vendor.jobs.get(request.path_params["job_id"])
        if not key_is_good(request):
            return _error(*_REFUSALS["badkey"])
        if job is None or job.kind == "nojob":
            return _error(404, {"detail": "The requested resource could not be found."})
        if fault := await vendor.look_fault(request, job):
            return fault
        if job.state in ("running", "cancelled"):
            return JSONResponse(_prediction(request, job, {"running": "processing"}.get(job.state, "canceled")))
        if job.kind == "aborted":
            return JSONResponse(_prediction(request, job, "aborted"))
        if job.kind == "removed":
            return JSONResponse(_prediction(request, job, "succeeded") | {"data_removed": True})
        if job.kind == "oddword" and job.first_end():
            return JSONResponse(_prediction(request, job, "uploading"))
        if job.kind == "early" and job.first_end():
            return JSONResponse(_prediction(request, job, "succeeded"))
        if job.kind == "echo" and job.first_end():
            said = await echoed(request)
            return JSONResponse(_prediction(request, job, said["message"]) | said)
        if job.state in _FAILURES:
            error = _FAILURES[job.state] if job.kind != "echofail" else str(await echoed(request))
            return JSONResponse(_prediction(request, job, "failed") | {"error": error})
        metrics = {"predict_time": job.seconds, "total_time": job.seconds}
        done = {"output": vendor.link(request, job), "metrics": metrics}
        done |= await echoed(request) if job.kind == "echo" else {}
        return JSONResponse(_prediction(request, job, "succeeded") | done)

    async def cancel(request: Request) -> Response:
        job = vendor.jobs.get(request.path_params["job_id"])
        if job is not None and key_is_good(request):
            job.cancel()
        return await look(request)

    async def account(request: Request) -> Response:
        if not key_is_good(request):
            return _error(*_REFUSALS["badkey"])
        return JSONResponse({"type": "organization", "username": "acme", "name": "Acme", "github_url": None})

    async def upload(request: Request) -> Response:
        async with request.form() as form:
            if not key_is_good(request) or "content" not in form:
                return _error(422, {"title": "Input validation failed", "detail": "- content is required"})
            file = form["content"]
            content = b"" if isinstance(file, str) else await file.read()
        address = f"{request.base_url}v1/files/{uuid.uuid4().hex}"
        vendor.uploads.add(address)
        checksums[address] = hashlib.sha256(content).hexdigest()
        return JSONResponse({"id": address.rpartition("/")[2], "urls": {"get": address}}, status_code=201)

    async def file(request: Request) -> Response:
        sha256 = checksums.get(str(request.url))
        if not key_is_good(request) or sha256 is None:
            return _error(404, {"detail": "The requested resource could not be found."})
        return JSONResponse({"id": request.path_params["file_id"], "checksums": {"sha256": sha256}})

    async def listed(request: Request) -> Response:
        if not key_is_good(request):
            return _error(*_REFUSALS["badkey"])
        since, until = (datetime.fromisoformat(request.query_params[f"created_{end}"]) for end in ("after", "before"))
        found = [job for job in reversed(vendor.jobs.values()) if since <= job.created < until]
        first = int(request.query_params.get("cursor", 0))
        more = first + PAGE < len(found)
        following = str(request.url.include_query_params(cursor=first + PAGE)) if more else None
        results = [_prediction(request, job, "processing") for job in found[first : first + PAGE]]
        return JSONResponse({"previous": None, "next": following, "results": results})

    return serve(
        [
            Route("/v1/models/{owner}/{name}/predictions", submit, methods=["POST"]),
            Route("/v1/predictions", submit, methods=["POST"]),
            Route("/v1/predictions", listed),
            Route("/v1/predictions/{job_id}", look),
            Route("/v1/predictions/{job_id}/cancel", cancel, methods=["POST"]),
            Route("/v1/account", account),
            Route("/v1/files", upload, methods=["POST"]),
            Route("/v1/files/{file_id}", file),
            *vendor.routes(),
        ]
    )


def _refusal(kind: str) -> Response | None:
    headers = {"Retry-After": "2"} if kind == "429header" else None
    return _error(*_REFUSALS[kind], headers) if kind in _REFUSALS else None


def _invalid(request: Request, body: dict[str, Any], vendor: Vendor) -> Response | None:
    """What is wrong with a submit that its own schema would refuse."""
    by_version = "owner" not in request.path_params
    if by_version and not _VERSION.fullmatch(str(body.get("version", ""))):
        return _error(422, {"title": "Invalid version or not permitted", "detail": "The version does not exist."})
    wanted = body.get("input") or {}
    if not by_version and not wanted.get("prompt"):
        return _error(422, {"title": "Input validation failed", "detail": "- input.prompt is required"})
    for name in _IMAGES:
        if name in wanted and not (str(wanted[name]).startswith("data:image/") or wanted[name] in vendor.uploads):
            return _error(422, {"title": "Input validation failed", "detail": f"- input.{name} must be a file"})
    return None


def _error(status: int, said: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"status": status, **said}, status_code=status, headers=headers)


def _prediction(request: Request, job: Job, status: str) -> dict[str, Any]:
    own = f"{request.base_url}v1/predictions/{job.id}"
    return {
        "id": job.id,
        "model": job.submitted.get("model", ""),
        "version": job.submitted.get("version", "hidden"),
        "status": status,
        "input": job.submitted.get("input"),
        "output": None,
        "error": None,
        "logs": "",
        "data_removed": False,
        "created_at": job.created.isoformat(),
        "source": "api",
        **({"webhook": job.submitted["webhook"]} if "webhook" in job.submitted else {}),
        "urls": {"get": own, "cancel": f"{own}/cancel"},
    }
