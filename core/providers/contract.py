"""The contract of a provider: the values that go to it and come back, and the coroutines that every vendor answers to.

It sends nothing and decides nothing; `core.providers.adapter` does, for all vendors alike.
"""

import base64
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

import httpx

from core import errors
from core.messages import N_
from core.providers.http import Call, Reply
from core.providers.models import VideoModel
from core.providers.vendor_calls import VendorCalls
from core.spec import ClipSettings


class MediaKind(StrEnum):
    """What a reference is."""

    IMAGE = "image"
    VIDEO = "video"
    SOUND = "sound"


@dataclass(frozen=True, slots=True)
class SourceMedia:
    """A cleaned file of our own making handed to a provider.

    `uploaded` is what the vendor calls it once it has it, an address or an id; empty where it goes along as it is.
    """

    data: bytes = field(repr=False)
    media_type: str
    uploaded: str = ""

    @property
    def data_url(self) -> str:
        """The file written as an address."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.data).decode()}"


@dataclass(frozen=True, slots=True)
class SourceImage(SourceMedia):
    """An image: a JPEG."""

    media_type: str = "image/jpeg"


@dataclass(frozen=True, slots=True)
class ReferenceMedia:
    """Something an order refers to besides its start and end image, as a provider gets it.

    An image is a JPEG that suits the model, a video an MP4 (H.264, AAC) and a sound an MP3, of 15 seconds at most. Only
    kinds that the model declares come.
    """

    kind: MediaKind
    role: str
    media: SourceMedia

    @property
    def image(self) -> SourceImage:
        """The same, of one that is an image; TypeError for others."""
        if not isinstance(self.media, SourceImage):
            raise TypeError(f"This reference is a {self.kind.value}.")
        return self.media


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
    references: tuple[ReferenceMedia, ...] = ()
    webhook_url: str = ""

    @property
    def frame_size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.model.frame_size(self.resolution, self.aspect_ratio)


@dataclass(frozen=True, slots=True)
class ProviderJob:
    """What a provider answered to a submit: its `id`, the `response` for admins, the clip's `cost` where it says so."""

    id: str
    response: Mapping[str, Any] = field(default_factory=dict)
    cost: "ReportedCost | None" = None


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


NEXT_NUMBER = "next number"
"""The `next_page` of a list whose pages are numbered from 1: the one after that which was asked for."""


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


class UseUnit(StrEnum):
    """What a vendor counts in, where it says how much a job has used and not what that costs."""

    SECONDS = "seconds"
    """Of video."""
    TOKENS = "tokens"
    GPU_SECONDS = "gpu_seconds"


@dataclass(frozen=True, slots=True)
class ReportedUse:
    """How much a job has used, as the provider counts it; what that costs is for the catalogue to say."""

    amount: Decimal
    unit: UseUnit


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
    use: ReportedUse | None = None
    unknown_word: str | None = None
    response: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListedCost:
    """What a vendor's own list says that a clip of a model costs, in millionths of a dollar.

    Keys and fields are those of `core.catalog.records.Cost`; a size that is missing has no price in the list.
    """

    per_second: Mapping[str, int] = field(default_factory=dict)
    per_million_tokens: Mapping[str, int] = field(default_factory=dict)
    per_call: int | None = None
    per_image: int = 0
    per_reference: int = 0
    minimum: int = 0


@dataclass(frozen=True, slots=True)
class LiveModel:
    """A model as its vendor describes it today.

    `upstream_id` is written as `VideoModel` has it. `prices` are the vendor's own names and figures; `cost` is None
    where they are not understood, so that the model is unpriced: that is never taken for nothing.
    """

    upstream_id: str
    name: str = ""
    prices: Mapping[str, str] = field(default_factory=dict)
    cost: ListedCost | None = None


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


@dataclass(frozen=True, slots=True)
class BadFact:
    """What somebody said of a vendor or a model and cannot be used; `field` as `workflow`, empty for the whole."""

    sentence: str
    field: str = ""


class Provider(VendorCalls, ABC):
    """One vendor. It knows HTTP and nothing of us: no database, price, clock, settings or storage.

    Each coroutine is a single exchange (plus what must be uploaded first, or the further pages of a list); nobody
    waits or sleeps here. Key, address and HTTP client are handed in; the client follows no redirects.

    `needs_key` False means it is configured by its address alone. `is_local`: it runs beside the worker, so it is
    always configured, and its address is today's and not the one a job was submitted to. `uses_ai` False: a program
    draws without a trained model, and what it makes is signed as such. `min_poll_seconds` is the shortest pause between
    two looks at one job that the vendor asks for. `max_in_flight` is how many jobs it takes from us at once,
    `max_requests_per_second` how many calls of any kind. `can_list_models`: one call gives all its video models;
    `can_look_up_models`: one call tells of one model whether it is there.

    One that is `from_file` was made from a file of vendors. `given_address` says that its address stands there (with a
    path only if the kind `takes_base_path`); `options` are facts about it that its kind asks for, such as a region.
    `further_addresses` are those of its other servers, which files come from, too. `file_options` are options of a
    model that name a file in JSON beside the file of vendors; the adapter gets what is in it.
    """

    name: ClassVar[str]
    display_name: ClassVar[str]
    models: ClassVar[tuple[VideoModel, ...]]
    catalogue: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """What the files of its models say besides: model id -> tables that only `core.catalog` reads."""
    default_base_url: ClassVar[str]
    needs_key: ClassVar[bool] = True
    is_local: ClassVar[bool] = False
    uses_ai: ClassVar[bool] = True
    min_poll_seconds: ClassVar[float] = 2.0
    max_in_flight: ClassVar[int | None] = None
    can_cancel: ClassVar[bool] = False
    supports_lookup: ClassVar[bool] = False
    can_check_key: ClassVar[bool] = False
    can_list_models: ClassVar[bool] = False
    can_look_up_models: ClassVar[bool] = False
    options: ClassVar[Mapping[str, Any]] = {}
    from_file: ClassVar[bool] = False
    given_address: ClassVar[bool] = False
    takes_base_path: ClassVar[bool] = False
    further_addresses: ClassVar[tuple[str, ...]] = ()
    file_options: ClassVar[frozenset[str]] = frozenset()
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

    @classmethod
    def class_data(cls, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Class data of an instance of this kind that follow from its options, such as `can_cancel`."""
        return {}

    @classmethod
    def option_error(cls) -> BadFact | None:
        """What is wrong with the `options` of an instance of this kind; None where they can be used."""
        return BadFact("This kind of vendor has no options.") if cls.options else None

    @classmethod
    def model_error(cls, model: VideoModel) -> BadFact | None:
        """What is wrong with a model of this kind that somebody has described, its `options` above all."""
        return None

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

    async def live_models(self) -> Sequence[LiveModel]:
        """The video models that the vendor lists today, at least one; only where `can_list_models`.

        Raises as a look does. A list that is empty or cannot be read is an error: it must not look as if every model
        had ended.
        """
        raise NotImplementedError(f"{self.name} has no list of models")

    async def live_model(self, model: VideoModel) -> LiveModel | None:
        """A model as the vendor describes it today; None where it says that it has none. Raises as a look does.

        Only where `can_look_up_models`.
        """
        raise NotImplementedError(f"{self.name} describes no models")
