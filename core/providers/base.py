"""The contract every provider fulfils, and the one place that decides what a broken HTTP exchange means.

A provider knows HTTP and nothing of us: no database, price, clock, settings or storage. Each coroutine is
a single exchange (plus what must be uploaded first, or the further pages of a list); nobody waits or sleeps here.
"""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import ClassVar

import httpx

from core import errors
from core.video import Found, JobStatus, ProviderJob, VideoModel, VideoRequest, VideoSource

NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
"""httpx errors after which the request has surely not reached the other side."""


class Provider(ABC):
    """One vendor. Subclasses set the class attributes and the coroutines; see README, "Add a provider".

    `needs_key` False means it is always configured. `is_local`: it runs beside the worker, so its address is
    today's and not the one a job was submitted to. `min_poll_seconds` is the shortest pause between two
    looks at one job that the vendor asks for. `max_in_flight` is how many jobs it takes from us at once,
    `max_requests_per_second` how many calls of any kind.
    """

    name: ClassVar[str]
    display_name: ClassVar[str]
    models: ClassVar[tuple[VideoModel, ...]]
    default_base_url: ClassVar[str]
    needs_key: ClassVar[bool] = True
    is_local: ClassVar[bool] = False
    min_poll_seconds: ClassVar[float] = 2.0
    max_in_flight: ClassVar[int | None] = None
    can_cancel: ClassVar[bool] = False
    can_find: ClassVar[bool] = False
    can_check_key: ClassVar[bool] = False
    max_requests_per_second: ClassVar[float | None] = None
    cancel_note: ClassVar[str] = "This provider cannot stop a job once it has it; the clip will arrive and be charged."

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

    async def video_source(self, job_id: str, video_url: str) -> VideoSource:
        """Where to fetch the finished file; override where it needs headers or a URL of its own."""
        return VideoSource(url=video_url)

    async def cancel(self, job_id: str) -> JobStatus:
        """Ask the vendor to stop a job; only where `can_cancel`. Returns how the job stands afterwards."""
        raise NotImplementedError(f"{self.name} cannot cancel")

    async def check_key(self) -> None:
        """Try the key with a call that costs nothing; only where `can_check_key`. Raises BadKey, or as a look does."""
        raise NotImplementedError(f"{self.name} has no free call")

    async def find(self, request: VideoRequest, *, sent_at: datetime) -> Found:
        """Look for the job of a request in the vendor's own list; only where `can_find`. Raises as a look does.

        `sent_at` is when we began to send it, by our clock. Whose a job is, and what it means when there is none or
        more than one, is not decided here.
        """
        raise NotImplementedError(f"{self.name} has no list to look in")


def submit_error(failure: httpx.HTTPError | TimeoutError) -> errors.ProviderError:
    """What a broken exchange during a submit means: not sent (safe to repeat) or uncertain (never repeated)."""
    if isinstance(failure, NOTHING_SENT):
        return errors.ProviderUnavailable(detail=repr(failure))
    return errors.SubmitUncertain(detail=repr(failure))


def look_error(failure: httpx.HTTPError | TimeoutError) -> errors.ProviderError:
    """What a broken exchange during a look means: try again later, nothing was changed by it."""
    return errors.ProviderUnavailable(detail=repr(failure))
