"""ComfyUI on machines of one's own: a workflow that was exported for its API is a model; each instance is a team's.

Facts come from ComfyUI's `server.py` and `execution.py` (0.36). A job goes by an id that we choose, so that the queue
and the history prove of a lost order whether it is there. Several servers are one vendor: a job's id names its server.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Self
from urllib.parse import urlencode

import httpx

from core import errors
from core.messages import N_
from core.providers import kept
from core.providers.adapter import Adapter
from core.providers.adapters import comfyui_options as instance_options
from core.providers.adapters import comfyui_problems as problems
from core.providers.adapters import comfyui_replies as replies
from core.providers.adapters import comfyui_workflow as workflow
from core.providers.contract import (
    BadFact,
    Check,
    JobMatches,
    JobState,
    JobStatus,
    ListedJob,
    ListPage,
    ProviderJob,
    ReportedCost,
    SourceImage,
    VideoRequest,
    VideoSource,
)
from core.providers.http import ABOUT_US, Call, Reply
from core.providers.models import VideoModel

OLDEST = (0, 3, 60)
"""The first version that surely takes an id of ours and stops one job and no other."""
SUBFOLDER = "ai-video-generator"
"""Where start images lie below the server's folder `input`."""
ASK_SECONDS = 5.0
"""How long a server has to say how busy it is, before an order goes to another."""
_VERSION = re.compile(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})")


class ComfyUI(Adapter):
    """One or several servers; an instance of this class speaks to the one at its base address."""

    name = "comfyui"
    display_name = "ComfyUI"
    models = ()
    default_base_url = "http://127.0.0.1:8188"  # where it listens unless it is told otherwise
    needs_key = False
    takes_base_path = True
    file_options = frozenset({"workflow"})
    can_cancel = True
    supports_lookup = True
    can_check_key = True
    min_poll_seconds = 2.0
    cancel_note = N_("A job that has not ended is taken out of the queue or stopped; the time it ran is spent.")

    status_route = "GET /queue"
    result_route = "GET /history/{job_id}"
    key_route = "GET /system_stats"
    STOPPABLE = frozenset({JobState.QUEUED, JobState.RUNNING})
    FIELDS = workflow.FIELDS
    ERROR_FIELDS = ("error", "node_errors")
    max_look_bytes = 32 * 1024**2  # a queue holds the whole workflows of all who use the server
    default_retry_seconds = 10
    refusals, failures = problems.REFUSALS, problems.FAILURES

    def __init__(self, *, client: httpx.AsyncClient, key: str, base_url: str = "") -> None:
        super().__init__(client=client, key=key, base_url=base_url)
        self._mark = ""

    # What a file of vendors may say.

    @classmethod
    def class_data(cls, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Files come from every server."""
        servers = options.get("servers", [])
        return {"further_addresses": tuple(servers) if instance_options.are_addresses(servers) else ()}

    @classmethod
    def option_error(cls) -> BadFact | None:
        """Names and types of the options, and addresses that a job's id can hold."""
        return instance_options.error(cls.options)

    @classmethod
    def model_error(cls, model: VideoModel) -> BadFact | None:
        """Whether the workflow has the places that its options name, and one for everything that people choose."""
        return workflow.model_error(model)

    # Which server.

    def _at(self, address: str) -> Self:
        """The same vendor at another of its servers, whose jobs' ids name it."""
        other = type(self)(client=self._client, key=self._key, base_url=address)
        other._mark = f"@{_unschemed(address)}"
        return other

    def _servers(self) -> Sequence[Self]:
        """All servers, first the one at the base address."""
        return (self, *(self._at(each) for each in self.further_addresses if each.rstrip("/") != self._base_url))

    def _server_of(self, job_id: str) -> Self:
        """The server that has a job; raises ServerUnavailable where it is no server of ours any more."""
        _, _, named = job_id.partition("@")
        known = (self._base_url, self.default_base_url, *self.further_addresses)
        if not named or named == _unschemed(self._base_url):
            return self
        if address := next((each for each in known if _unschemed(each) == named), None):
            return self._at(address)
        raise errors.ServerUnavailable(detail=f"The job is at {named}, which is not among the servers any more.")

    async def _least_busy(self) -> Self:
        """The server with the shortest queue, of those that answer; nothing is asked where there is one only."""
        servers = self._servers()
        if len(servers) == 1:
            return self
        found: list[tuple[float, Self]] = []
        refusal: errors.ProviderError = errors.ProviderUnavailable()
        for server in servers:
            try:
                reply = await server._poll(Call("GET", "/prompt", total_seconds=ASK_SECONDS))
                waiting = replies.waiting(reply)
                if waiting is None:
                    raise server.classify_poll_error(reply)
                found.append((waiting, server))
            except errors.ProviderError as failure:
                refusal = failure
        if found:
            return min(found, key=lambda each: each[0])[1]
        raise refusal if isinstance(refusal, ABOUT_US) else errors.ProviderUnavailable(detail=refusal.detail)

    def _of_one(self, error: errors.ProviderError) -> errors.ProviderError:
        """One of several servers that is away says nothing of the others."""
        if type(error) is errors.ProviderUnavailable and self.further_addresses:
            return errors.ServerUnavailable(detail=f"{_shown(self._base_url)}: {error.detail}")
        return error

    async def _poll(self, call: Call) -> Reply:
        """An exchange that orders nothing."""
        try:
            return await super()._poll(call)
        except errors.ProviderUnavailable as away:
            raise self._of_one(away) from away

    def classify_poll_error(self, reply: Reply) -> errors.ProviderError:
        """The error for a look that told nothing about the job."""
        return self._of_one(super().classify_poll_error(reply))

    # Orders.

    async def generate_video(self, request: VideoRequest) -> ProviderJob:
        """To the server with the shortest queue; where none answers, nothing was sent."""
        server = await self._least_busy()
        return await super(ComfyUI, server).generate_video(request)

    def upload_call(self, image: SourceImage) -> Call:
        """Named by what is in it, so that the same image lies there once."""
        name = f"{hashlib.sha256(image.data).hexdigest()[:32]}.jpg"
        subfolder = ("", SUBFOLDER.encode(), "text/plain; charset=utf-8")
        return Call(
            "POST", "/upload/image", files={"image": (name, image.data, image.media_type), "subfolder": subfolder}
        )

    def parse_upload(self, reply: Reply) -> str | None:
        """The name as a node that loads images takes it."""
        body = reply.body or {}
        name, subfolder = body.get("name"), body.get("subfolder")
        if reply.status != 200 or not isinstance(name, str) or not name:
            return None
        return f"{subfolder}/{name}" if isinstance(subfolder, str) and subfolder else name

    def submit_call(self, request: VideoRequest) -> Call:
        """The filled workflow, under our id."""
        order: dict[str, Any] = {"prompt": workflow.filled(request), "prompt_id": prompt_id(request.reference)}
        if node := workflow.output_node(request.model):
            order["extra_data"] = {replies.OURS: {"output": node}}  # comes back with the job
        return Call("POST", "/prompt", json=order)

    def parse_accepted(self, reply: Reply, request: VideoRequest) -> str:
        """Its id, which is ours, and its server."""
        job_id = (reply.body or {}).get("prompt_id")
        return f"{job_id}{self._mark}" if reply.status == 200 and isinstance(job_id, str) and job_id else ""

    # Looks.

    async def check_status(self, job_id: str) -> JobStatus:
        """At the job's own server."""
        return await super(ComfyUI, self._server_of(job_id)).check_status(job_id)

    async def video_link(self, job_id: str) -> str | None:
        """At the job's own server."""
        return await super(ComfyUI, self._server_of(job_id)).video_link(job_id)

    def job_path(self, job_id: str) -> str:
        """The id without its server."""
        return super().job_path(job_id.partition("@")[0])

    async def _status(self, job_id: str, reply: Reply) -> JobStatus:
        """By the queue, then by the history: in this order, since a job goes from the one into the other at once."""
        queue, own = replies.Queue.of(reply), job_id.partition("@")[0]
        if queue is None:
            raise self.classify_poll_error(reply)
        if own in queue.running:
            return JobStatus(JobState.RUNNING, response={"prompt_id": own, "state": "running"})
        if own in queue.pending:
            ahead = len(queue.running) + queue.pending.index(own)
            return JobStatus(JobState.QUEUED, response={"prompt_id": own, "state": "pending", "ahead": ahead})
        history = await self._poll(self._route(self.result_route, job_id))
        return self._known(self._ended(own, history), history)

    def _ended(self, own: str, reply: Reply) -> JobStatus | None:
        """How a job ended, by the history; what it does not know either is gone, as all is when a server starts."""
        if reply.status != 200 or reply.body is None:
            return None
        if not reply.body:
            return self.lost(reply)
        record = reply.body.get(own)
        if not isinstance(record, Mapping):
            return None
        told = replies.told(record)
        redacted = kept.redact(told, key=self._key)
        text = kept.truncate(json.dumps(redacted, ensure_ascii=False))
        job = Reply(reply.status, told, redacted, text, None)
        if told["state"] == "interrupted":
            return JobStatus(JobState.CANCELLED, cost=self.parse_cost(told), response=redacted)
        if told["state"] == "error":
            return self.failed(job, self.classify_failure(job))
        if told["state"] != "success":
            return JobStatus(JobState.RUNNING, unknown_word=str(redacted["state"])[:60], response=redacted)
        if link := self.parse_link(told):
            return JobStatus(JobState.SUCCEEDED, video_url=link, cost=self.parse_cost(told), response=redacted)
        return self.failed(job, self.classify_failure(job))

    def parse_link(self, body: Mapping[str, Any]) -> str | None:
        """Where the server gives out the last video of the node that makes the clip, a saved one before a preview."""
        videos = [each for each in body["files"] if replies.is_video(each)]
        saved = [each for each in videos if each.get("type") == "output"] or videos
        if not saved:
            return None
        query = {name: str(saved[-1].get(name) or "") for name in ("filename", "subfolder", "type")}
        return f"{self._base_url}/view?{urlencode(query)}"

    def parse_cost(self, body: Mapping[str, Any]) -> ReportedCost | None:
        """The time that the job ran, by the server's own clock, at the price of the machine."""
        rate, seconds = self.options.get("micro_dollars_per_gpu_second"), body.get("seconds")
        if rate is None or seconds is None:
            return None
        return ReportedCost(Decimal(rate) * Decimal(str(seconds)) / 10**6, "USD")

    async def video_source(self, job_id: str, video_url: str) -> VideoSource:
        """With the key at our own servers and nowhere else."""
        addresses = (self._base_url, *self.further_addresses)
        is_own = any(video_url.startswith(f"{address.rstrip('/')}/") for address in addresses)
        return VideoSource(video_url, self.auth_headers() if is_own else {})

    # The rest.

    async def cancel(self, job_id: str) -> JobStatus:
        """Out of the queue, or stopped by its id while it runs; one that is then gone is over."""
        server, own = self._server_of(job_id), job_id.partition("@")[0]
        before = await server._look(job_id)
        if before.state not in self.STOPPABLE:
            return self._storable(before)
        waits = before.state is JobState.QUEUED
        stop = (
            Call("POST", "/queue", json={"delete": [own]})
            if waits
            else Call("POST", "/interrupt", json={"prompt_id": own})
        )
        reply = await server._poll(stop)
        if reply.status >= 400:
            raise server.classify_poll_error(reply)
        after = await server._look(job_id)
        if isinstance(after.error, errors.JobLost):
            return JobStatus(JobState.CANCELLED, response={"prompt_id": own, "state": "deleted"})
        return self._storable(after)

    async def find_submitted_job(self, request: VideoRequest, *, since: datetime, until: datetime) -> JobMatches:
        """At every server; only all of them together show that there is no such job."""
        found: list[ProviderJob] = []
        away: errors.ProviderError | None = None
        for server in self._servers():
            try:
                here = await super(ComfyUI, server).find_submitted_job(request, since=since, until=until)
            except errors.ProviderError as failure:
                away = failure
            else:
                found += here.exact
        if away and not found:
            raise away
        return JobMatches(found)

    def lookup_call(self, request: VideoRequest, *, since: datetime, until: datetime, page: str) -> Call:
        """The queue; what is not in it is asked of the history."""
        return self._route(self.status_route)

    def parse_list(self, reply: Reply, request: VideoRequest, *, since: datetime, until: datetime) -> ListPage | None:
        """The job by our id, however it was ordered: nobody else has it."""
        queue, own = replies.Queue.of(reply), prompt_id(request.reference)
        if queue is None:
            return None
        job = ProviderJob(f"{own}{self._mark}", {"prompt_id": own})
        if own in queue.running or own in queue.pending:
            return ListPage([ListedJob(job, is_ours=True)])

        def in_history(history: Reply) -> bool:
            if history.status != 200 or history.body is None or (history.body and own not in history.body):
                raise self.classify_poll_error(history)
            return own in history.body

        return ListPage([ListedJob(job, is_ours=True, checks=[Check(self._route(self.result_route, own), in_history)])])

    async def check_key(self) -> None:
        """Whether every server answers, takes the key and is new enough; names the one that does not."""
        for server in self._servers():
            try:
                await super(ComfyUI, server).check_key()
            except errors.ProviderError as failure:
                if not failure.detail.startswith(_shown(server._base_url)):
                    failure.detail = f"{_shown(server._base_url)}: {failure.detail}"
                raise

    def is_key_accepted(self, reply: Reply) -> bool:
        """The facts of a ComfyUI; raises ProviderUnavailable for one that is too old."""
        system = (reply.body or {}).get("system")
        version = system.get("comfyui_version") if isinstance(system, Mapping) else None
        if reply.status != 200 or not isinstance(version, str):
            return False
        numbers = _VERSION.match(version)
        if numbers and tuple(map(int, numbers.groups())) < OLDEST:
            raise errors.ProviderUnavailable(problems.TOO_OLD, detail=reply.detail)
        return True

    def auth_headers(self) -> Mapping[str, str]:
        """The key as the front of the server wants it; ComfyUI itself knows none."""
        if not self._key:
            return {}
        scheme = self.options.get("auth_scheme", self.auth_scheme)
        return {self.options.get("auth_header", "Authorization"): f"{scheme} {self._key}".strip()}

    # Errors.

    def error_codes(self, reply: Reply) -> Sequence[str]:
        """Kinds of errors in the workflow, and the exception that ended a job."""
        return replies.error_codes(reply)

    def refused_names(self, reply: Reply) -> Sequence[str]:
        """Those of our choices that the server does not take, by the places they went to."""
        found = []
        for node_id, mistake in replies.mistakes(reply):
            more = mistake.get("extra_info")
            name = more.get("input_name") if isinstance(more, Mapping) else None
            found.append(workflow.slot_at(self.models, f"{node_id}.{name}"))
        return [each for each in found if each]


def prompt_id(reference: str) -> str:
    """Our id in the form that ComfyUI takes: the generation's own where it has that form."""
    try:
        is_one = str(uuid.UUID(reference)) == reference
    except ValueError:
        is_one = False
    return reference if is_one else str(uuid.uuid5(uuid.NAMESPACE_URL, reference))


def _unschemed(address: str) -> str:
    return address.rstrip("/").partition("//")[2]


def _shown(address: str) -> str:
    """Without a name and password before the host."""
    scheme, slashes, rest = address.partition("//")
    host, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{path}"
