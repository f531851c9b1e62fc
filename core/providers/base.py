"""The contract every provider fulfils, and the one place that decides what a broken HTTP exchange means.

A provider knows HTTP and nothing of us: no database, price, clock, settings or storage. Each coroutine is
a single exchange (plus what must be uploaded first, or the further pages of a list); nobody waits or sleeps here.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar

import httpx

from core import errors
from core.messages import N_
from core.providers import http
from core.providers.contract import JobMatches, JobState, JobStatus, ProviderJob, VideoModel, VideoRequest, VideoSource
from core.providers.http import Reply

NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
"""httpx errors after which the request has surely not reached the other side."""

LOST = N_("The provider no longer knows this job, so the clip cannot be fetched. Nothing was charged; try again.")


class Provider(ABC):
    """One vendor. Subclasses set the class attributes and the coroutines; see docs/how-to/add-a-provider.md.

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
    supports_lookup: ClassVar[bool] = False
    can_check_key: ClassVar[bool] = False
    max_requests_per_second: ClassVar[float | None] = None
    cancel_note: ClassVar[str] = N_(
        "This provider cannot stop a job once it has it; the clip will arrive and be charged."
    )

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

    async def find_submitted_job(self, request: VideoRequest, *, since: datetime, until: datetime) -> JobMatches:
        """Look for the job of a request in the vendor's own list; only where `supports_lookup`. Raises as a look does.

        It was sent between `since` and `until` by our clock, which may differ from the vendor's. Whose a job is, and
        what it means when there is none or more than one, is not decided here.
        """
        raise NotImplementedError(f"{self.name} has no list to look in")

    async def _order(self, method: str, path: str, **content: Any) -> Reply:
        """The exchange that orders a clip; a broken one is repeated only where nothing was sent."""
        try:
            return await self._send(method, path, **content)
        except (httpx.HTTPError, TimeoutError) as failure:
            raise self._clean(submit_error(failure)) from failure

    async def _look(self, method: str, path: str, **content: Any) -> Reply:
        """An exchange that orders nothing, so a broken one may be repeated."""
        try:
            return await self._send(method, path, **content)
        except (httpx.HTTPError, TimeoutError) as failure:
            raise self._clean(look_error(failure)) from failure

    async def _try_key(self, path: str, **content: Any) -> None:
        """A look that only a valid key may have. Raises BadKey, or as a look does."""
        answer = await self._look("GET", path, **content)
        if answer.status in (401, 403):
            raise errors.BadKey(detail=answer.detail)
        if answer.status != 200:
            raise errors.ProviderUnavailable(detail=answer.detail)

    async def _send(self, method: str, path: str, **content: Any) -> Reply:
        response = await self._client.request(method, self._base_url + path, headers=self._headers(), **content)
        return http.read(response, key=self._key)

    def _headers(self) -> Mapping[str, str]:
        """What goes along with every call, the key above all."""
        return {"Authorization": f"Bearer {self._key}"}

    def _clean(self, error: errors.ProviderError) -> errors.ProviderError:
        error.detail = http.redact_text(error.detail, self._key)
        return error


def submit_error(failure: httpx.HTTPError | TimeoutError) -> errors.ProviderError:
    """What a broken exchange during a submit means: not sent (safe to repeat) or uncertain (never repeated)."""
    if isinstance(failure, NOTHING_SENT):
        return errors.ProviderUnavailable(detail=repr(failure))
    return errors.SubmitUncertain(detail=repr(failure))


def look_error(failure: httpx.HTTPError | TimeoutError) -> errors.ProviderError:
    """What a broken exchange during a look means: try again later, nothing was changed by it."""
    return errors.ProviderUnavailable(detail=repr(failure))


def look_verdict(answer: Reply, verdict: Callable[[Reply], errors.ProviderError]) -> errors.ProviderError:
    """What a look that told nothing about the job means; `verdict` reads what is about us: our key, credits, haste."""
    if answer.is_busy or answer.status in (401, 402, 403):
        return verdict(answer)
    if answer.status >= 500:
        return errors.ProviderUnavailable(detail=answer.detail)
    return errors.UnreadableReply(detail=answer.detail)


def upload_error(answer: Reply, verdict: errors.ProviderError, *, field: str) -> errors.ProviderError:
    """What a refused upload means, by its verdict as a submit: it may be repeated, and concerns that field of ours."""
    down = answer.status >= 500 and not isinstance(verdict, errors.ProviderRateLimited)
    if down or isinstance(verdict, errors.SubmitUncertain | errors.ModelUnavailable):
        return errors.ProviderUnavailable(detail=verdict.detail)
    if isinstance(verdict, errors.InvalidInput):
        verdict.field = field
    return verdict


def failed(error: errors.ProviderError, answer: Reply) -> JobStatus:
    """A look at a job that has failed for good."""
    return JobStatus(JobState.FAILED, error=error, response=answer.redacted)
