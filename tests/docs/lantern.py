"""Lantern, a made-up vendor: one call that orders, one that looks, bearer keys, errors with a code."""

from collections.abc import Mapping
from typing import Any

from core import errors
from core.providers import http, model_files
from core.providers.adapter import Adapter
from core.providers.contract import JobState, VideoRequest
from core.providers.http import ACCOUNT_RULES, Call, ErrorRules, Reply, Rule

_CONTENT = Rule(http.code("refused"), errors.ContentRefused)


class Lantern(Adapter):
    """https://lantern.example/docs/api, read in November 2026."""

    name = "lantern"
    display_name = "Lantern"
    models, catalogue = model_files.beside(__file__, "lantern")
    default_base_url = "https://api.lantern.example"
    min_poll_seconds = 3
    max_in_flight = 4

    status_route = "GET /v1/videos/{job_id}"
    WAITING = {"queued": JobState.QUEUED, "running": JobState.RUNNING}
    DONE = frozenset({"done"})
    FAILED = frozenset({"failed"})
    FIELDS = {"prompt": "prompt", "seconds": "duration", "width": "resolution", "height": "resolution"}
    CODE_FIELD = "code"
    refusals = ErrorRules(*ACCOUNT_RULES, _CONTENT)
    failures = ErrorRules(_CONTENT)

    def submit_call(self, request: VideoRequest) -> Call:
        """An order of one clip."""
        width, height = request.frame_size
        order = {
            "model": request.model.upstream_id,
            "prompt": request.prompt,
            "seconds": request.duration_seconds,
            "width": width,
            "height": height,
        }
        return Call("POST", "/v1/videos", json=order)

    def parse_accepted(self, reply: Reply, request: VideoRequest) -> str:
        """The job's id, which only a 201 gives."""
        job_id = (reply.body or {}).get("id")
        return job_id if reply.status == 201 and isinstance(job_id, str) else ""

    def parse_link(self, body: Mapping[str, Any]) -> str | None:
        """Where the clip lies."""
        return http.web_address(body.get("url"))

    def parse_progress(self, body: Mapping[str, Any]) -> float | None:
        """The share that is made, 0 to 1."""
        return http.number(body.get("progress"))

    def refused_names(self, reply: Reply) -> list[str]:
        """The one field that an error is about."""
        return [str((reply.body or {}).get("field"))]
