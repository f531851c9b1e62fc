"""The contract of a provider: the value types everybody shares, and the coroutines that every vendor answers to.

It sends nothing and decides nothing; `core.providers.adapter` does, for all vendors alike.
"""

import base64
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

import httpx

from core import errors
from core.messages import N_
from core.providers.http import Call, Reply
from core.spec import ClipSettings

FRAME_SIZES: Mapping[tuple[str, str], tuple[int, int]] = {
    ("480p", "16:9"): (854, 480),
    ("480p", "9:16"): (480, 854),
    ("480p", "1:1"): (480, 480),
    ("480p", "4:3"): (640, 480),
    ("720p", "16:9"): (1280, 720),
    ("720p", "9:16"): (720, 1280),
    ("720p", "1:1"): (720, 720),
    ("720p", "4:3"): (960, 720),
    ("1080p", "16:9"): (1920, 1080),
    ("1080p", "9:16"): (1080, 1920),
    ("1080p", "1:1"): (1080, 1080),
    ("1080p", "4:3"): (1440, 1080),
    ("4K", "16:9"): (3840, 2160),
    ("4K", "9:16"): (2160, 3840),
    ("4K", "1:1"): (2160, 2160),
    ("4K", "4:3"): (2880, 2160),
}
"""(resolution, aspect ratio) -> (width, height) in pixels; the shorter side names the resolution."""


@dataclass(frozen=True, slots=True)
class VideoModel:
    """What one model of one provider can really make; the form and the capability check read only this.

    `durations` are all whole seconds it can make, ascending. `upstream_id` is the vendor's own name for it.
    `typical_seconds` is a first guess of how long one takes, used until there is a history;
    `deadline_seconds` ends the wait. An image is sent as a JPEG of `image_max_bytes` at most, by itself less than 5 MB
    also as base64, with no side longer than `image_max_side` pixels; with `image_exact` in the very size of the clip.
    `ignores_negative_prompt`: one may come along and has no effect, so it is not refused. `limits` are sentences on
    what the model does not honour. `published_seconds` is the longest clip that the published price list names, where
    its vendor has been found to offer less.
    """

    id: str
    name: str
    provider: str
    description: str
    default_seconds: int
    durations: tuple[int, ...]
    resolutions: tuple[str, ...]
    aspect_ratios: tuple[str, ...]
    upstream_id: str = ""
    text_to_video: bool = True
    start_image: bool = False
    end_image: bool = False
    end_image_needs_start: bool = False
    image_max_bytes: int = 3_700_000
    image_max_side: int | None = None
    image_exact: bool = False
    negative_prompt: bool = False
    ignores_negative_prompt: bool = False
    audio: bool = False
    prompt_enhancement: bool = False
    prompt_limit_chars: int = 2000
    typical_seconds: int = 90
    deadline_seconds: int = 1800
    limits: tuple[str, ...] = ()
    published_seconds: int | None = None

    @property
    def max_seconds(self) -> int:
        """The longest clip of the published list, else the longest it can make."""
        return self.published_seconds or self.durations[-1]

    @property
    def deadline(self) -> timedelta:
        """How long a job of this model is waited for."""
        return timedelta(seconds=self.deadline_seconds)


@dataclass(frozen=True, slots=True)
class SourceImage:
    """A cleaned image (JPEG bytes of our own making) handed to a provider.

    `uploaded` is what the vendor calls it once it has it, an address or an id; empty where it goes along as it is.
    """

    data: bytes = field(repr=False)
    media_type: str = "image/jpeg"
    uploaded: str = ""

    @property
    def data_url(self) -> str:
        """The image written as an address."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.data).decode()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRequest(ClipSettings):
    """One generation as a provider gets it: every default already filled in.

    `reference` is our generation id; a provider that keeps a client reference is given it. `webhook_url` is where
    it may call when the job moves; empty when we cannot be reached from outside.
    """

    reference: str
    model: VideoModel
    start_image: SourceImage | None = None
    end_image: SourceImage | None = None
    webhook_url: str = ""

    @property
    def frame_size(self) -> tuple[int, int]:
        """(width, height) in pixels; KeyError for a pair no model declares."""
        return FRAME_SIZES[self.resolution, self.aspect_ratio]


@dataclass(frozen=True, slots=True)
class ProviderJob:
    """What a provider answered to a submit; `id` is the provider's, `response` is kept for admins."""

    id: str
    response: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobMatches:
    """What a provider's own list shows of one request: jobs that surely are it, and jobs that may be.

    Two jobs that are both `exact` were ordered with the very same settings, so either clip is right for either order.
    `complete`: the list shows every job begun around that time, so that an empty one means that there is none.
    """

    exact: Sequence[ProviderJob] = ()
    candidates: Sequence[ProviderJob] = ()
    complete: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "exact", tuple(self.exact))  # the same finds are equal however they were gathered
        object.__setattr__(self, "candidates", tuple(self.candidates))


@dataclass(frozen=True, slots=True)
class Check:
    """A further call that tells whether a listed job is ours; `parse` answers None where that cannot be told."""

    call: Call
    parse: Callable[[Reply], bool | None]


@dataclass(frozen=True, slots=True)
class ListedJob:
    """A job in a vendor's list; `is_ours` None: it may be. `checks` are made unless it is surely another's."""

    job: ProviderJob
    is_ours: bool | None
    checks: Sequence[Check] = ()


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of a vendor's list of jobs; `next_page` is empty on the last one that matters."""

    jobs: Sequence[ListedJob] = ()
    next_page: str = ""


LINK_AT_PROVIDER = "data:,"
"""The `video_url` of a clip whose link is not kept: the provider is asked for it when the clip is fetched.

So it is with a clip that lies in the reply itself, and with an address that has our key in it.
"""


class JobState(StrEnum):
    """Where a job stands at its provider, in words common to all providers."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class ReportedCost:
    """What the provider says it cost, in its own currency (ISO 4217)."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class JobStatus:
    """One look at a job.

    `progress` is the provider's own figure, 0 to 1, or None where it gives none. `video_url` is set when SUCCEEDED,
    `error` when FAILED; SUCCEEDED with an error in the place of an address: what the vendor gave cannot be one.
    `unknown_word` is a status word the provider class does not know (the state is then RUNNING: waiting goes on and the
    word is logged once).
    """

    state: JobState
    progress: float | None = None
    video_url: str | None = None
    error: errors.ProviderError | None = None
    cost: ReportedCost | None = None
    unknown_word: str | None = None
    response: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobNotice:
    """What a vendor's call to a generation's own address tells: its job, and where the clip lies once it is done."""

    job_id: str
    video_url: str | None = None


@dataclass(frozen=True, slots=True)
class VideoSource:
    """Where, and with what headers, the finished file is fetched; the address may be a data URL, the file itself."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What probing a video file found; `duration_seconds` is measured, not claimed."""

    width: int
    height: int
    duration_seconds: float
    frame_rate: float
    video_codec: str
    pixel_format: str
    audio_codec: str | None
    container: str
    size_bytes: int
    web_safe: bool


class Provider(ABC):
    """One vendor. It knows HTTP and nothing of us: no database, price, clock, settings or storage.

    Each coroutine is a single exchange (plus what must be uploaded first, or the further pages of a list); nobody
    waits or sleeps here. Key, address and HTTP client are handed in; the client follows no redirects.

    `needs_key` False means it is configured by its address alone. `is_local`: it runs beside the worker, so it is
    always configured, and its address is today's and not the one a job was submitted to. `uses_ai` False: a program
    draws without a trained model, and what it makes is signed as such. `min_poll_seconds` is the shortest pause between
    two looks at one job that the vendor asks for. `max_in_flight` is how many jobs it takes from us at once,
    `max_requests_per_second` how many calls of any kind.
    """

    name: ClassVar[str]
    display_name: ClassVar[str]
    models: ClassVar[tuple[VideoModel, ...]]
    default_base_url: ClassVar[str]
    needs_key: ClassVar[bool] = True
    is_local: ClassVar[bool] = False
    uses_ai: ClassVar[bool] = True
    min_poll_seconds: ClassVar[float] = 2.0
    max_in_flight: ClassVar[int | None] = None
    can_cancel: ClassVar[bool] = False
    supports_lookup: ClassVar[bool] = False
    can_check_key: ClassVar[bool] = False
    max_requests_per_second: ClassVar[float | None] = None
    cancel_note: ClassVar[str] = N_(
        "This provider cannot stop a job once it has it; the clip will arrive and be charged."
    )

    @classmethod
    def key_variable(cls) -> str:
        """The name of the setting that is its key."""
        return f"{cls.name.upper()}_API_KEY"

    @classmethod
    def base_url_variable(cls) -> str:
        """The name of the setting that is its address, where that is another than `default_base_url`."""
        return f"{cls.name.upper()}_BASE_URL"

    def __init__(self, *, client: httpx.AsyncClient, key: str, base_url: str = "") -> None:
        self._client = client
        self._key = key
        self._base_url = (base_url or self.default_base_url).rstrip("/")

    @abstractmethod
    async def generate_video(self, request: VideoRequest) -> ProviderJob:
        """Submit once. Raises a ProviderError; SubmitUncertain exactly when nobody can know if it was accepted."""

    @abstractmethod
    async def check_status(self, job_id: str) -> JobStatus:
        """Look at a job once. Raises ProviderError when the look itself failed; a failed job is a JobStatus."""

    async def video_link(self, job_id: str) -> str | None:
        """Where a finished clip lies, as the vendor says now; None when it does not. Raises as a look does.

        It may be a data URL, which no `JobStatus` holds. A job that has failed meanwhile has no link.
        """
        return (await self.check_status(job_id)).video_url

    @classmethod
    def parse_notice(cls, body: Mapping[str, Any], model: VideoModel) -> JobNotice | None:
        """What a call of the vendor's tells of a job of that model; None where it tells nothing that can be used."""
        return None

    async def video_source(self, job_id: str, video_url: str) -> VideoSource:
        """Where to fetch the finished file; override where it needs headers or a URL of its own."""
        return VideoSource(url=video_url)

    async def cancel(self, job_id: str) -> JobStatus:
        """Ask the vendor to stop a job; only where `can_cancel`. Returns how the job stands afterwards."""
        raise NotImplementedError(f"{self.name} cannot cancel")

    async def check_key(self) -> None:
        """Try the key with a call that costs nothing; only where `can_check_key`. Raises BadKey, or as a look does."""
        raise NotImplementedError(f"{self.name} has no free call")

    async def find_submitted_job(self, request: VideoRequest, *, since: datetime, until: datetime) -> JobMatches:
        """Look for the job of a request in the vendor's own list; only where `supports_lookup`. Raises as a look does.

        It was sent between `since` and `until` by our clock, which may differ from the vendor's. Whose a job is, and
        what it means when there is none or more than one, is not decided here.
        """
        raise NotImplementedError(f"{self.name} has no list to look in")
