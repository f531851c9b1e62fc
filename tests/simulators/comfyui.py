"""A stand-in for a ComfyUI server: one job at a time, a queue and a history in memory; shapes are those of server.py.

`POST /_sim/restart` forgets queue and history, as a server that starts anew has. A node whose class begins with
`Missing` is one that is not installed.
"""

import hashlib
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.simulators.vendor import LOST_KINDS, Job, Vendor, no_answer, serve

SAVING = frozenset({"SaveVideo", "SaveWEBM", "VHS_VideoCombine", "SaveImage", "SaveAnimatedWEBP"})
"""Classes of nodes that end a workflow."""
_OUT_OF_MEMORY = "Allocation on device\nThis error means you ran out of memory on your GPU."


@dataclass
class Server:
    """What the server keeps besides its jobs: what was stopped and taken out, and when."""

    vendor: Vendor
    images: set[str] = field(default_factory=set)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    stopped_at: dict[str, float] = field(default_factory=dict)
    number: int = 0

    def accept(self, prompt_id: str, kind: str, body: dict[str, Any]) -> Job:
        """Behind those that wait."""
        self.number += 1
        job = self.vendor.accept(prompt_id, kind, body)
        job.started = max([time.monotonic(), *(self.ends(each) for each in self.orders)])
        self.orders[prompt_id] = body | {"number": self.number}
        return job

    def ends(self, prompt_id: str) -> float:
        """When a job is over, by its own clock."""
        job = self.vendor.jobs[prompt_id]
        takes = job.seconds * {"slow": 5, "late": 20, "never": 10_000}.get(job.kind, 1)
        return self.stopped_at.get(prompt_id, job.started + takes)

    def place(self, prompt_id: str) -> str:
        """pending, running or history; empty where it is not known."""
        if prompt_id not in self.orders:
            return ""
        now = time.monotonic()
        if self.ends(prompt_id) <= now:
            return "history"
        return "running" if self.vendor.jobs[prompt_id].started <= now else "pending"

    def items(self, place: str) -> list[list[Any]]:
        """The jobs at a place as the queue shows them."""
        found = [each for each in self.orders if self.place(each) == place]
        return [_item(each, self.orders[each]) for each in found]

    def remove(self, prompt_id: str) -> None:
        """Forget a job, so that the next ones come sooner."""
        del self.orders[prompt_id]
        free_at = max([time.monotonic(), *(self.ends(each) for each in self.orders if self.place(each) == "running")])
        for each in [each for each in self.orders if self.place(each) == "pending"]:
            self.vendor.jobs[each].started = free_at
            free_at = self.ends(each)


def app(vendor: Vendor) -> ASGIApp:
    """The simulated server as an ASGI app. Its record has the id of an order as its reference."""
    server = Server(vendor)

    async def submit(request: Request) -> Response:
        body = await request.json()
        graph = body.get("prompt") or {}
        prompt_id = body.get("prompt_id") or str(uuid.uuid4())
        prompt = " ".join(str(node.get("inputs", {}).get("text", "")) for node in graph.values())
        kind = vendor.kind_of(prompt, prompt_id)
        refusal = _refusal(kind) or _invalid(server, body)
        job = None if refusal else server.accept(prompt_id, kind, body)
        vendor.record(kind=kind, prompt=prompt, reference=str(body.get("prompt_id", "")), body=body, job=job)
        if refusal or job is None:
            return refusal or Response(status_code=500)
        if kind in LOST_KINDS:
            return await no_answer(kind, request)
        return JSONResponse({"prompt_id": prompt_id, "number": server.number, "node_errors": {}})

    async def busy(request: Request) -> Response:
        waiting = len(server.items("running")) + len(server.items("pending"))
        return JSONResponse({"exec_info": {"queue_remaining": waiting}})

    async def queue(request: Request) -> Response:
        vendor.looks += 1
        for job in vendor.jobs.values():
            if fault := await vendor.look_fault(request, job):
                return fault
        pending = server.items("pending")[::-1]  # a heap is in no order that one could rely on
        return JSONResponse({"queue_running": server.items("running"), "queue_pending": pending})

    async def change_queue(request: Request) -> Response:
        for prompt_id in (await request.json()).get("delete", []):
            if server.place(prompt_id) == "pending":
                server.remove(prompt_id)
        return Response()

    async def interrupt(request: Request) -> Response:
        prompt_id = (await request.json()).get("prompt_id")
        for item in server.items("running"):
            if prompt_id in (None, item[1]):
                server.stopped_at[item[1]] = time.monotonic()
                vendor.jobs[item[1]].cancelled = True
        return Response()

    async def history(request: Request) -> Response:
        prompt_id = request.path_params["prompt_id"]
        if server.place(prompt_id) != "history" or vendor.jobs[prompt_id].kind == "nojob":
            return JSONResponse({})
        return JSONResponse({prompt_id: _record(vendor.jobs[prompt_id], server.orders[prompt_id])})

    async def upload(request: Request) -> Response:
        async with request.form() as form:
            image, subfolder = form.get("image"), str(form.get("subfolder", ""))
            if image is None or isinstance(image, str):
                return Response(status_code=400)
            vendor.uploads.add(hashlib.sha256(await image.read()).hexdigest())
            name = str(image.filename)
        server.images.add(f"{subfolder}/{name}".lstrip("/"))
        return JSONResponse({"name": name, "subfolder": subfolder, "type": "input"})

    async def view(request: Request) -> Response:
        job = vendor.jobs.get(request.query_params["filename"].rpartition(".")[0])
        return await vendor.send_file(request, job, first_link=False)

    async def facts(request: Request) -> Response:
        system = {"os": "linux", "comfyui_version": "0.36.0", "argv": ["main.py", "--listen"]}
        return JSONResponse({"system": system, "devices": [{"name": "cuda:0", "type": "cuda", "index": 0}]})

    async def restart(request: Request) -> Response:
        server.orders.clear()
        server.number = 0
        return JSONResponse({})

    return serve(
        [
            Route("/prompt", submit, methods=["POST"]),
            Route("/prompt", busy),
            Route("/queue", change_queue, methods=["POST"]),
            Route("/queue", queue),
            Route("/interrupt", interrupt, methods=["POST"]),
            Route("/history/{prompt_id}", history),
            Route("/upload/image", upload, methods=["POST"]),
            Route("/view", view),
            Route("/system_stats", facts),
            Route("/_sim/restart", restart, methods=["POST"]),
            *vendor.routes(),
        ]
    )


def _item(prompt_id: str, body: dict[str, Any]) -> list[Any]:
    return [body["number"], prompt_id, body["prompt"], body.get("extra_data", {}), _outputs(body["prompt"])]


def _outputs(graph: dict[str, Any]) -> list[str]:
    return [node_id for node_id, node in graph.items() if node.get("class_type") in SAVING]


def _record(job: Job, body: dict[str, Any]) -> dict[str, Any]:
    """A job that is over, as the history has it; times are milliseconds."""
    begun = int(job.created.timestamp() * 1000)
    events: list[Any] = [["execution_start", {"prompt_id": job.id, "timestamp": begun}]]
    end = {"prompt_id": job.id, "timestamp": begun + int(job.seconds * 1000)}
    node = {"node_id": "3", "node_type": "KSampler", "executed": []}
    outputs: dict[str, Any] = {}
    if job.cancelled:
        events.append(["execution_interrupted", end | node])
    elif job.kind == "fail":
        broke = {"exception_message": _OUT_OF_MEMORY, "exception_type": "torch.OutOfMemoryError", "traceback": []}
        events.append(["execution_error", end | node | broke])
    else:
        events.append(["execution_success", end])
        ending = "webp" if job.kind == "early" else "mp4"
        file = {"filename": f"{job.id}.{ending}", "subfolder": "video", "type": "output"}
        outputs = {node_id: {"images": [file], "animated": [True]} for node_id in _outputs(body["prompt"])}
    good = events[-1][0] == "execution_success"
    status = {"status_str": "success" if good else "error", "completed": good, "messages": events}
    return {"prompt": _item(job.id, body), "outputs": outputs, "status": status, "meta": {}}


def _refusal(kind: str) -> Response | None:
    if kind in ("429", "429header"):
        return PlainTextResponse("busy", 429, headers={"Retry-After": "2"} if kind == "429header" else None)
    if kind == "badkey":  # of the front before it
        return PlainTextResponse("401 Authorization Required", 401)
    return PlainTextResponse("500 Internal Server Error", 500) if kind == "500" else None


def _invalid(server: Server, body: dict[str, Any]) -> Response | None:
    """What is wrong with a workflow, as `validate_prompt` says it."""
    graph = body.get("prompt") or {}
    if body.get("prompt_id") is not None and not _is_id(body["prompt_id"]):
        return _error("invalid_prompt_id", "prompt_id must be a valid UUID")
    for node_id, node in graph.items():
        if "class_type" not in node or node["class_type"].startswith("Missing"):
            return _error("missing_node_type", f"Node '{node.get('class_type')}' not found.", f"Node ID '#{node_id}'")
        if node["class_type"] == "LoadImage" and node["inputs"]["image"] not in server.images:
            return _mistake(graph, node_id, "custom_validation_failed", "image", "Invalid image file")
        if node["inputs"].get("length", 1) > 16384:
            return _mistake(graph, node_id, "value_bigger_than_max", "length", "Value bigger than max of 16384")
        if str(node["inputs"].get("unet_name", "")).startswith("missing"):
            return _mistake(graph, node_id, "value_not_in_list", "unet_name", "Value not in list")
    return None if _outputs(graph) else _error("prompt_no_outputs", "Prompt has no outputs")


def _is_id(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value
    except ValueError:
        return False


def _error(kind: str, said: str, details: str = "", nodes: dict[str, Any] | None = None) -> Response:
    error = {"type": kind, "message": said, "details": details, "extra_info": {}}
    return JSONResponse({"error": error, "node_errors": nodes or {}}, status_code=400)


def _mistake(graph: dict[str, Any], node_id: str, kind: str, name: str, said: str) -> Response:
    value = graph[node_id]["inputs"][name]
    more = {"input_name": name, "received_value": value}
    mistake = {"type": kind, "message": said, "details": f"{name}: {value}", "extra_info": more}
    node = {"errors": [mistake], "dependent_outputs": _outputs(graph), "class_type": graph[node_id]["class_type"]}
    details = f"{said}: {name}"
    return _error("prompt_outputs_failed_validation", "Prompt outputs failed validation", details, {node_id: node})
