"""A small vendor that does everything right, and what it answers; the contract suite is tried on ways to break it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from core import errors
from core.providers import http
from core.providers.adapter import Adapter
from core.providers.contract import (
    JobState,
    ListedJob,
    ListPage,
    LiveModel,
    ProviderJob,
    SourceImage,
    VideoRequest,
    VideoSource,
)
from core.providers.http import ACCOUNT_RULES, Call, ErrorRules, Reply, Rule
from core.providers.models import VideoModel
from core.providers.testing import BASE_URL, ODD_WORD, REFERENCE, Answer, Listing, VendorScript

MODEL = VideoModel(
    id="acme-one",
    name="Acme One",
    provider="acme",
    upstream_id="one",
    description="Short clips.",
    default_seconds=5,
    durations=(5, 10),
    resolutions=("720p", "1080p"),
    aspect_ratios=("16:9", "9:16"),
    start_image=True,
    end_image=True,
    end_image_needs_start=True,
    negative_prompt=True,
    audio=True,
    prompt_enhancement=True,
    seed=True,
    frame_rates=(24, 30),
    reference_images=3,
    reference_sounds=2,
    reference_roles=("subject", "style"),
    limits=("Clips are short.",),
)


class Acme(Adapter):
    """Takes uploads, stops jobs, lists them and lets a key be tried."""

    name = "acme"
    display_name = "Acme"
    models: ClassVar[tuple[VideoModel, ...]] = (MODEL,)
    default_base_url = "https://api.acme.example"
    can_cancel = True
    supports_lookup = True
    can_check_key = True
    can_list_models = True
    can_look_up_models = True
    cancel_note = "Stopping is free."

    status_route = "GET /v1/videos/{job_id}"
    cancel_route = "POST /v1/videos/{job_id}/cancel"
    key_route = "GET /v1/me"
    live_models_route = "GET /v1/models"
    WAITING = {"queued": JobState.QUEUED, "running": JobState.RUNNING}
    DONE = frozenset({"done"})
    FAILED = frozenset({"failed"})
    CANCELLED = frozenset({"cancelled"})
    FIELDS: ClassVar[Mapping[str, str]] = {"prompt": "prompt", "seconds": "duration"}
    refusals = ErrorRules(*ACCOUNT_RULES, Rule(http.text("policy"), errors.ContentRefused))
    failures = ErrorRules(Rule(http.text("policy"), errors.ContentRefused))

    def upload_call(self, image: SourceImage) -> Call:
        return Call("POST", "/v1/files", files={"file": ("image.jpeg", image.data, image.media_type)})

    def parse_upload(self, reply: Reply) -> str | None:
        return http.web_address((reply.body or {}).get("url")) if reply.status < 300 else None

    def submit_call(self, request: VideoRequest) -> Call:
        images = {"start": request.start_image, "end": request.end_image}
        body = {
            "model": request.model.upstream_id,
            "prompt": request.prompt,
            "negative": request.negative_prompt,
            "seconds": request.duration_seconds,
            "size": request.frame_size,
            "sound": request.generate_audio,
            "enhance": request.enhance_prompt,
            "seed": request.seed,
            "fps": request.fps,
            "references": [
                {"role": each.role, "image": each.media.uploaded or each.media.data_url} for each in request.references
            ],
            "reference": request.reference,
            "callback": request.webhook_url,
        } | {name: image.uploaded for name, image in images.items() if image}
        return Call("POST", "/v1/videos", json=body)

    def parse_accepted(self, reply: Reply, request: VideoRequest) -> str:
        value = (reply.body or {}).get("id")
        return value if reply.status < 300 and isinstance(value, str) else ""

    def parse_link(self, body: Mapping[str, Any]) -> str | None:
        return http.web_address(body.get("url"))

    def lookup_call(self, request: VideoRequest, *, since: datetime, until: datetime, page: str) -> Call:
        return Call("GET", "/v1/videos", params={"since": since.isoformat()})

    def parse_list(self, reply: Reply, request: VideoRequest, *, since: datetime, until: datetime) -> ListPage | None:
        items = (reply.body or {}).get("items")
        if reply.status != 200 or not isinstance(items, list):
            return None
        kept = reply.redacted["items"]
        listed = zip(items, kept, strict=True)
        return ListPage([ListedJob(ProviderJob(i["id"], k), i["reference"] == request.reference) for i, k in listed])

    def parse_live_models(self, reply: Reply) -> Sequence[LiveModel]:
        found = (reply.body or {}).get("models")
        return [LiveModel(name) for name in found] if reply.status == 200 and isinstance(found, list) else []

    def live_model_call(self, model: VideoModel) -> Call:
        return Call("GET", f"/v1/models/{model.upstream_id}")

    def parse_live_model(self, reply: Reply, model: VideoModel) -> LiveModel | None:
        return LiveModel(model.upstream_id) if reply.status == 200 and (reply.body or {}).get("id") else None

    async def video_source(self, job_id: str, video_url: str) -> VideoSource:
        is_own = video_url.startswith(f"{self._base_url}/")
        return VideoSource(video_url, self.auth_headers() if is_own else {})


class KeylessAcme(Acme):
    """The same on a machine of one's own."""

    needs_key = False
    can_check_key = False
    key_route = ""


JOB = {"id": "job-7", "status": "queued", "reference": REFERENCE, "self": "https://elsewhere.example/v1/videos/job-7"}
CLIP = "https://cdn.example/a.mp4"


def _job(word: str, **more: Any) -> list[Answer]:
    return [Answer(json=JOB | {"status": word} | more)]


SCRIPT = VendorScript(
    submits=r"POST /v1/videos",
    looks=r"GET /v1/videos/[^/]+",
    stops=r"POST /v1/videos/[^/]+/cancel",
    tries_key=r"GET /v1/me",
    searches=r"GET /v1/videos",
    accepted=Answer(201, JOB),
    job_id="job-7",
    vendor_id="job-7",
    under_way=[(_job("queued"), JobState.QUEUED), (_job("running"), JobState.RUNNING)],
    succeeded=_job("done", url=CLIP),
    video_url=CLIP,
    unknown_word=_job(ODD_WORD),
    failures=[
        (_job("failed", error="out of memory"), errors.GenerationFailed),
        (_job("failed", error="against our policy"), errors.ContentRefused),
    ],
    lost=[Answer(404, {"error": "no such job"})],
    refusals=[
        (Answer(401, {"error": "bad key"}), errors.BadKey, None),
        (Answer(422, {"detail": [{"loc": ["seconds"], "msg": "no"}]}), errors.InvalidInput, "duration"),
        (Answer(400, {"error": "against our policy"}), errors.ContentRefused, None),
        (Answer(404, {"error": "no such model"}), errors.ModelUnavailable, None),
    ],
    uploads=r"POST /v1/files",
    uploaded=Answer(201, {"url": f"{BASE_URL}/v1/files/f1"}),
    uploaded_name=f"{BASE_URL}/v1/files/f1",
    cancels=[
        (_job("cancelled"), JobState.CANCELLED),
        (_job("running"), JobState.RUNNING),
        ([Answer(409, {"error": "it is over"}), *_job("done", url=CLIP)], JobState.SUCCEEDED),
    ],
    key_accepted=Answer(json={"name": "us"}),
    key_refused=[Answer(401, {"error": "bad key"})],
    listings=[
        Listing(Answer(json={"items": [JOB, JOB | {"id": "b", "reference": "another"}]}), exact=("job-7",)),
        Listing(Answer(json={"items": []})),
    ],
    file_needs_key=True,
    lists_models=r"GET /v1/models",
    model_list=Answer(json={"models": ["one", "two"]}),
    models_listed=("one", "two"),
    looks_up_models=r"GET /v1/models/[^/]+",
    model_shown=Answer(json={"id": "one"}),
    models_gone=[Answer(404, {"error": "no such model"})],
)
