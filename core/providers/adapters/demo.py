"""The demo provider: the studio on loopback, spoken to like any other vendor."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from core import errors
from core.messages import N_
from core.providers import http, kept, model_files
from core.providers.adapter import Adapter
from core.providers.contract import (
    JobState,
    JobStatus,
    ListedJob,
    ListPage,
    ProviderJob,
    SourceImage,
    VideoRequest,
    VideoSource,
)
from core.providers.http import Call, ErrorRules, Reply, Rule

_LOST = N_("The studio no longer knows this job, so the clip cannot be fetched. Nothing was charged; try again.")


class Demo(Adapter):
    """The studio. An order repeated with the same reference meets the same job, so `find_submitted_job` is exact."""

    name = "demo"
    display_name = "Demo Studio"
    models, catalogue = model_files.beside(__file__)
    default_base_url = "http://127.0.0.1:8710"
    needs_key = False
    is_local = True
    uses_ai = False
    min_poll_seconds = 0.5
    can_cancel = True
    supports_lookup = True
    cancel_note = N_("Cancelling is free and takes effect at once.")

    status_route = "GET /v1/jobs/{job_id}"
    cancel_route = "POST /v1/jobs/{job_id}/cancel"
    WAITING = {"queued": JobState.QUEUED, "running": JobState.RUNNING}
    DONE = frozenset({"succeeded"})
    FAILED = frozenset({"failed"})
    CANCELLED = frozenset({"cancelled"})
    FIELDS = {
        "prompt": "prompt",
        "seconds": "duration",
        "width": "resolution",
        "height": "resolution",
        "start_image": "startImagePath",
        "end_image": "endImagePath",
    }
    refusals = ErrorRules(
        Rule(http.status(503) & http.HAS_CODE, errors.ProviderUnavailable),  # it took nothing, and says so itself
        Rule(http.status(400, 404, 405), errors.ProviderError),
    )

    def submit_call(self, request: VideoRequest) -> Call:
        """An order of one clip, its images inside."""
        width, height = request.frame_size
        order = {
            "reference": request.reference,
            "prompt": request.prompt,
            "width": width,
            "height": height,
            "seconds": request.duration_seconds,
            "start_image": _base64(request.start_image),
            "end_image": _base64(request.end_image),
            "audio": request.generate_audio,
        }
        return Call("POST", "/v1/jobs", json=order)

    def parse_accepted(self, reply: Reply, request: VideoRequest) -> str:
        """The job's id, whether the order is new to the studio or a repeated one."""
        return _job_id(reply.body) if reply.status in (200, 201) else ""

    def parse_status(self, reply: Reply) -> JobStatus | None:
        """How the job stands; one the studio does not know has failed for good."""
        if reply.status == 404 and "unknown_job" in self.error_codes(reply):
            return self.failed(reply, errors.JobLost(_LOST, detail=reply.detail))
        if reply.status != 200 or not reply.status_word:
            return None
        if reply.status_word in self.DONE and self.parse_link(reply.body or {}) is None:
            return None  # the studio never says so
        return self.status_of(reply.status_word, reply)

    def parse_progress(self, body: Mapping[str, Any]) -> float | None:
        """The share that is drawn."""
        share = http.number(body.get("progress"))
        return None if share is None else min(1.0, share)

    def lookup_call(self, request: VideoRequest, *, since: datetime, until: datetime, page: str) -> Call:
        """The jobs ordered with this reference."""
        return Call("GET", "/v1/jobs", params={"reference": request.reference})

    def parse_list(self, reply: Reply, request: VideoRequest, *, since: datetime, until: datetime) -> ListPage | None:
        """The job of this reference; the studio keeps it, so that nothing has to be guessed."""
        jobs = (reply.body or {}).get("jobs")
        if reply.status != 200 or not isinstance(jobs, list):
            return None
        for job in jobs:
            if job_id := _job_id(job):
                return ListPage([ListedJob(ProviderJob(job_id, kept.redact(job, key=self._key)), is_ours=True)])
        return None if jobs else ListPage()  # what is there and cannot be read is not the same as nothing

    async def video_source(self, job_id: str, video_url: str) -> VideoSource:
        """The file at the studio's present address: after a restart it listens on another port."""
        return VideoSource(f"{self._base_url}/v1/files/{quote(job_id, safe='')}.mp4", self.auth_headers())

    def error_codes(self, reply: Reply) -> tuple[str, ...]:
        """The studio's own word for what is wrong."""
        error = (reply.body or {}).get("error")
        return (str(error["code"]),) if isinstance(error, Mapping) and error.get("code") else ()

    def refused_names(self, reply: Reply) -> tuple[str, ...]:
        """The field that the studio's error names."""
        error = (reply.body or {}).get("error")
        return (str(error.get("field")),) if isinstance(error, Mapping) else ()

    def is_refusal(self, reply: Reply) -> bool:
        """A 503 counts where the studio says itself that it took nothing."""
        return reply.is_refusal or (reply.status == 503 and bool(self.error_codes(reply)))


def _base64(image: SourceImage | None) -> str | None:
    return base64.b64encode(image.data).decode() if image else None


def _job_id(job: object) -> str:
    """The id in a job, if it can stand in a path; else empty."""
    found = job.get("id") if isinstance(job, Mapping) else None
    return found if isinstance(found, str) and found.isalnum() and found.isascii() and len(found) <= 100 else ""
