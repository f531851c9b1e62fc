"""The contract of a provider: the value types everybody shares, and the coroutines that every vendor answers to.

It sends nothing and decides nothing; `core.providers.adapter` does, for all vendors alike.
"""

import base64
import re
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

RESOLUTION_LINES: Mapping[str, int] = {"2K": 1440, "4K": 2160}
"""Names of resolutions that do not say their shorter side themselves, as `720p` does -> that side in pixels."""
_LINES = re.compile(r"([1-9][0-9]{1,3})p")
_RATIO = re.compile(r"([1-9][0-9]?):([1-9][0-9]?)")


def lines_of(resolution: str) -> int:
    """The shorter side in pixels that a resolution such as `720p` or `4K` stands for; ValueError for no resolution."""
    if resolution in RESOLUTION_LINES:
        return RESOLUTION_LINES[resolution]
    if named := _LINES.fullmatch(resolution):
        return int(named[1])
    raise ValueError(f"'{resolution}' is no resolution, as 720p or 4K is.")


def plain_frame_size(resolution: str, aspect_ratio: str) -> tuple[int, int]:
    """(width, height) in pixels where a model names no size of its own: the shorter side names the resolution.

    The longer one is rounded to an even number, as video codecs need it. ValueError for what is no resolution or ratio.
    """
    lines, shape = lines_of(resolution), _RATIO.fullmatch(aspect_ratio)
    if shape is None:
        raise ValueError(f"'{aspect_ratio}' is no aspect ratio, as 16:9 is.")
    across, up = int(shape[1]), int(shape[2])
    longer = 2 * round(lines * max(across, up) / min(across, up) / 2)
    return (longer, lines) if across >= up else (lines, longer)


class MediaKind(StrEnum):
    """What a reference is."""

    IMAGE = "image"
    VIDEO = "video"
    SOUND = "sound"


@dataclass(frozen=True, slots=True)
class Condition:
    """What one field of an order has to be: one of `values`, or a figure from `at_least` to `at_most`, or as another.

    For things that are given or not (`start`, `end`) and for counts (`images`) at least 1 means given, at most 0 not.
    """

    values: tuple[str | int, ...] = ()
    at_least: int | None = None
    at_most: int | None = None
    same_as: str = ""


@dataclass(frozen=True, slots=True)
class CapabilityRule:
    """When all of `when` hold, all of `then` must hold; `sentence` says so to people.

    `id` is what programs know it by; without one it is named after its place among the model's rules.
    """

    when: Mapping[str, Condition]
    then: Mapping[str, Condition]
    sentence: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class VideoModel:
    """What one model of one provider can really make; the form and the capability check read only this.

    `durations` are all whole seconds it can make, ascending. `upstream_id` is the vendor's own name for it.
    `typical_seconds` is a first guess of how long one takes, used until there is a history;
    `deadline_seconds` ends the wait. An image is sent as a JPEG of `image_max_bytes` at most, by itself less than 5 MB
    also as base64, with no side shorter than `image_min_side` or longer than `image_max_side` pixels and none more than
    `image_max_ratio` times the other; with `image_exact` a start or end image has the very size of the clip.
    `sizes` are exact frame sizes in pixels, (width, height) by "RESOLUTION RATIO", where the plain ones are wrong.
    `always_audio`: every clip has sound, there is no choice. `frame_rates` are the choices of frames a second, none
    where the model decides. `reference_images`, `reference_videos` and `reference_sounds` are how many it takes at
    most, `reference_roles` what each may stand for. `rules` say what does not go together, in the fields of
    `core.providers.constraints`; `further` are fields of the model's own that they speak of, each with its values, of
    which an order has the first. `options` are facts that only the vendor's adapter reads.
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
    image_min_side: int = 0
    image_max_side: int | None = None
    image_max_ratio: float | None = None
    image_exact: bool = False
    reference_images: int = 0
    reference_videos: int = 0
    reference_sounds: int = 0
    reference_roles: tuple[str, ...] = ()
    seed: bool = False
    frame_rates: tuple[int, ...] = ()
    negative_prompt: bool = False
    ignores_negative_prompt: bool = False
    audio: bool = False
    always_audio: bool = False
    prompt_enhancement: bool = False
    prompt_limit_chars: int = 2000
    typical_seconds: int = 90
    deadline_seconds: int = 1800
    limits: tuple[str, ...] = ()
    published_seconds: int | None = None
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    rules: tuple[CapabilityRule, ...] = ()
    further: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.provider, self.id))

    def frame_size(self, resolution: str, aspect_ratio: str) -> tuple[int, int]:
        """(width, height) in pixels of a clip; ValueError for what is no resolution or ratio."""
        return self.sizes.get(f"{resolution} {aspect_ratio}") or plain_frame_size(resolution, aspect_ratio)

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


@dataclass(frozen=True, slots=True)
class ReferenceMedia:
    """Something an order refers to besides its start and end image, as a provider gets it; only images so far."""

    kind: MediaKind
    role: str
    image: SourceImage


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
class JobNotice:
    """What a vendor's call to a generation's own address tells: its job, and where the clip lies once it is done."""

    job_id: str
    video_url: str | None = None


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


class Provider(ABC):
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

    @classmethod
    def parse_notice(cls, body: Mapping[str, Any], model: VideoModel) -> JobNotice | None:
        """What a call of the vendor's tells of a job of that model; None where it tells nothing that can be used."""
        return None

    @classmethod
    def callback_answer(cls, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What a call that only tries our address is answered with; None for one that tells of a job."""
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
