"""The template of a vendor's adapter: it sends, and decides what a broken exchange or an error reply means.

A vendor states facts: calls (`submit_call`, `status_call`), how their replies are read (`parse_accepted`,
`parse_status`), words and error rules. None of that sends anything, so a test of it is one call and one `==`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

import httpx

from core import errors
from core.providers import http
from core.providers.contract import (
    JobMatches,
    JobState,
    JobStatus,
    Provider,
    ProviderJob,
    ReportedCost,
    SourceImage,
    VideoRequest,
)
from core.providers.http import DEFAULT_RULES, Call, ErrorFacts, ErrorRules, Reply, Rule

LOST = "The provider no longer knows this job, so the clip cannot be fetched. Nothing was charged; try again."
END_NEEDS_START = "An end image needs a start image too."
ABOUT_US = (errors.BadKey, errors.ProviderOutOfCredits, errors.ProviderRateLimited)
"""Meanings that a poll may have: they concern our account and not the job."""


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


class Adapter(Provider):
    """A vendor spoken to over HTTP. Subclasses set the class data and override hooks, never the coroutines."""

    WAITING: ClassVar[Mapping[str, JobState]] = {}
    """Status words of a job under way, in small letters."""
    DONE: ClassVar[frozenset[str]] = frozenset()
    FAILED: ClassVar[frozenset[str]] = frozenset()
    CANCELLED: ClassVar[frozenset[str]] = frozenset()
    FIELDS: ClassVar[Mapping[str, str]] = {}
    """The vendor's name of an input field -> ours."""
    NO_LINK: ClassVar[str | None] = "done without a link"
    """What is logged of a job that is done and has no file yet; None where that is usual."""

    auth_scheme: ClassVar[str] = "Bearer"
    default_retry_seconds: ClassVar[float] = 30
    """How long a busy vendor is left alone that does not say how long."""
    lookup_pages: ClassVar[int] = 1
    refusals: ClassVar[ErrorRules] = ErrorRules()
    """What an error reply means, before `DEFAULT_RULES`."""
    failures: ClassVar[ErrorRules] = ErrorRules()
    """Why a job failed; GenerationFailed where no row holds."""

    # What every vendor does in the same way.

    async def generate_video(self, request: VideoRequest) -> ProviderJob:
        """Upload what has to be there first, then submit exactly once."""
        if request.end_image and not request.start_image and request.model.end_image_needs_start:
            raise errors.InvalidInput(END_NEEDS_START, field="startImagePath")
        start = await self._uploaded(request.start_image, field="startImagePath")
        end = await self._uploaded(request.end_image, field="endImagePath")
        request = replace(request, start_image=start, end_image=end)
        try:
            reply = await self._send(self.submit_call(request))
        except (httpx.HTTPError, TimeoutError) as failure:
            raise http.broken_submit(failure, key=self._key) from failure
        if job_id := self.parse_accepted(reply, request):
            return ProviderJob(job_id, self.kept(reply))
        raise self.classify_submit_error(reply)

    async def check_status(self, job_id: str) -> JobStatus:
        """Look at a job once; where the vendor keeps its result apart, that is asked for as well."""
        reply = await self._poll(self.status_call(job_id))
        if result_call := self.result_call(job_id, reply):
            result = await self._poll(result_call)
            return self._known(self.parse_result(reply, result), result)
        return self._known(self.parse_status(reply), reply)

    async def cancel(self, job_id: str) -> JobStatus:
        """Ask for the stop; where the answer does not tell how the job stands, a look does."""
        reply = await self._poll(self.cancel_call(job_id))
        return self.parse_cancelled(reply) or await self.check_status(job_id)

    async def check_key(self) -> None:
        """Make the vendor's free call that only a valid key may make."""
        reply = await self._poll(self.key_call())
        if self.is_key_accepted(reply):
            return
        meaning = self._error(self._refusal(reply, among=ABOUT_US), reply)
        raise meaning if isinstance(meaning, errors.BadKey) else errors.ProviderUnavailable(detail=reply.detail)

    async def find_submitted_job(self, request: VideoRequest, *, since: datetime, until: datetime) -> JobMatches:
        """Read the vendor's list page by page, each at our own address."""
        exact: list[ProviderJob] = []
        candidates: list[ProviderJob] = []
        page = ""
        for _ in range(self.lookup_pages):
            reply = await self._poll(self.lookup_call(request, since=since, until=until, page=page))
            found = self.parse_list(reply, request, since=since, until=until)
            if found is None:
                raise self.classify_poll_error(reply)
            for listed in found.jobs:
                if (ours := await self._checked(listed)) is not False:
                    (exact if ours else candidates).append(listed.job)
            page = found.next_page
            if not page:
                return JobMatches(exact, candidates)
        return JobMatches(exact, candidates, complete=False)

    # Hooks of an order.

    def upload_call(self, image: SourceImage) -> Call | None:
        """The call that uploads an image; None where it goes along with the order. Free, so it may be repeated."""
        return None

    def parse_upload(self, reply: Reply) -> str | None:
        """What the vendor calls an uploaded image; None when it did not take it."""
        raise NotImplementedError(f"{self.name} takes no uploads")

    def submit_call(self, request: VideoRequest) -> Call:
        """The call that buys a clip; only fields that the vendor lists, images as they were `uploaded`."""
        raise NotImplementedError

    def parse_accepted(self, reply: Reply, request: VideoRequest) -> str | None:
        """The id of the job that was begun, in a form the other hooks can ask for; None or "" when none was."""
        raise NotImplementedError

    # Hooks of a look.

    def status_call(self, job_id: str) -> Call:
        """The call that asks how a job stands, its path made of the quoted id and never taken from a reply."""
        raise NotImplementedError

    def parse_status(self, reply: Reply) -> JobStatus | None:
        """How a job stands; None when the reply is not about the job."""
        if reply.body is not None and reply.status < 300 and reply.status_word:
            return self.status_of(reply.status_word, reply)
        if self.is_lost(reply):
            return self.failed(reply, errors.GenerationFailed(LOST, detail=reply.detail))
        return None

    def is_lost(self, reply: Reply) -> bool:
        """Whether the vendor says that it does not know the job; a page of something else does not."""
        return reply.status == 404 and reply.body is not None

    def result_call(self, job_id: str, reply: Reply) -> Call | None:
        """The call for the result of a job that `reply` says is done; None where the reply holds it."""
        return None

    def parse_result(self, reply: Reply, result: Reply) -> JobStatus | None:
        """How a job ended, by both replies; None when the result is not about the job."""
        raise NotImplementedError(f"{self.name} keeps no result apart")

    def parse_link(self, body: Mapping[str, Any]) -> str | None:
        """Where the clip lies; None where no file is there yet."""
        return http.web_address(body.get("video_url"))

    def parse_progress(self, body: Mapping[str, Any]) -> float | None:
        """The vendor's own figure, 0 to 1; None where it gives none."""
        return None

    def parse_cost(self, body: Mapping[str, Any]) -> ReportedCost | None:
        """What a job that has ended cost, where the vendor says so."""
        return None

    def has_failed(self, body: Mapping[str, Any]) -> bool:
        """Whether a job that is done by its word has failed all the same."""
        return False

    # Hooks of the rest.

    def cancel_call(self, job_id: str) -> Call:
        """The call that asks for the stop."""
        raise NotImplementedError(f"{self.name} cannot cancel")

    def parse_cancelled(self, reply: Reply) -> JobStatus | None:
        """How the job stands after it; None where the reply does not tell."""
        return self.parse_status(reply) if reply.status < 300 else None

    def key_call(self) -> Call:
        """A call that costs nothing and that only a valid key may make."""
        raise NotImplementedError(f"{self.name} has no free call")

    def is_key_accepted(self, reply: Reply) -> bool:
        """Whether the free call was answered."""
        return reply.status == 200

    def lookup_call(self, request: VideoRequest, *, since: datetime, until: datetime, page: str) -> Call:
        """The call for a page of the vendor's jobs around that time; `page` is empty for the first."""
        raise NotImplementedError(f"{self.name} has no list to look in")

    def parse_list(self, reply: Reply, request: VideoRequest, *, since: datetime, until: datetime) -> ListPage | None:
        """The jobs of a page that may be the request's; None when it cannot be read, which is not the same as none."""
        raise NotImplementedError(f"{self.name} has no list to look in")

    def auth_headers(self) -> Mapping[str, str]:
        """The header that carries the key; none without one, since an empty one is not a valid header."""
        return {"Authorization": f"{self.auth_scheme} {self._key}"} if self._key else {}

    def with_key(self, call: Call) -> Call:
        """A call as it is sent."""
        return replace(call, headers={**call.headers, **self.auth_headers()})

    def kept(self, reply: Reply) -> Mapping[str, Any]:
        """What is stored of a reply for admins; at most what is `redacted`."""
        return reply.redacted

    # Hooks of errors: what the rules look at.

    def error_text(self, reply: Reply) -> str:
        """Everything the reply says about what went wrong, as one text."""
        body = reply.body or {}
        return http.texts(*(body.get(name) for name in ("title", "detail", "error", "message")))

    def error_codes(self, reply: Reply) -> Sequence[str]:
        """Every machine-readable reason the reply gives."""
        return ()

    def retry_delay(self, reply: Reply) -> float | None:
        """After how many seconds the vendor says to come back; None where it does not."""
        return reply.retry_after_seconds

    def refused_field(self, reply: Reply) -> str | None:
        """Our name of the field that a refusal is about, where it names one."""
        return None

    def is_refusal(self, reply: Reply) -> bool:
        """Whether a reply to a submit plainly says that nothing was accepted."""
        return reply.is_refusal

    def is_about_account(self, reply: Reply) -> bool:
        """Whether a reply to a look may say something of our key or our credits."""
        return reply.status in (401, 402, 403)

    # What a reply means, decided here for all vendors.

    def classify_error(self, reply: Reply) -> errors.ProviderError:
        """The error for a plain refusal."""
        return self._error(self._refusal(reply), reply) or errors.ProviderError(detail=reply.detail)

    def classify_submit_error(self, reply: Reply) -> errors.ProviderError:
        """The error for a submit that named no job; uncertain unless it plainly says that nothing was accepted."""
        return self.classify_error(reply) if self.is_refusal(reply) else errors.SubmitUncertain(detail=reply.detail)

    def classify_upload_error(self, reply: Reply, *, field: str) -> errors.ProviderError:
        """The error for an image that was not taken: the upload may be repeated, or that field of ours is refused."""
        error = self.classify_submit_error(reply)
        is_down = reply.status >= 500 and not isinstance(error, errors.ProviderRateLimited)
        if is_down or isinstance(error, errors.SubmitUncertain | errors.ModelUnavailable):
            return errors.ProviderUnavailable(detail=reply.detail)
        if isinstance(error, errors.InvalidInput):
            error.field = field
        return error

    def classify_poll_error(self, reply: Reply) -> errors.ProviderError:
        """The error for a look that told nothing about the job."""
        among = ABOUT_US if self.is_about_account(reply) else (errors.ProviderRateLimited,)
        if error := self._error(self._refusal(reply, among=among), reply):
            return error
        if reply.status >= 500:
            return errors.ProviderUnavailable(detail=reply.detail)
        return errors.UnreadableReply(detail=reply.detail)

    def classify_failure(self, reply: Reply) -> errors.ProviderError:
        """Why a job failed."""
        return self._error(self.failures.first(self.facts(reply)), reply) or errors.GenerationFailed(
            detail=reply.detail
        )

    # Pieces for hooks.

    def status_of(self, word: str, reply: Reply) -> JobStatus:
        """What a status word means for the job; one that is not known keeps the wait, and so does a missing file."""
        body = reply.body or {}
        progress, kept = self.parse_progress(body), self.kept(reply)
        if word in self.WAITING:
            return JobStatus(self.WAITING[word], progress, response=kept)
        if word in self.CANCELLED:
            return JobStatus(JobState.CANCELLED, progress, response=kept)
        if word in self.FAILED or (word in self.DONE and self.has_failed(body)):
            return self.failed(reply, self.classify_failure(reply))
        if word not in self.DONE:
            unknown = str(reply.redacted.get("status"))[:60]
            return JobStatus(JobState.RUNNING, unknown_word=unknown, response=kept)
        if link := self.parse_link(body):
            cost = self.parse_cost(body)
            return JobStatus(JobState.SUCCEEDED, progress, video_url=link, cost=cost, response=kept)
        return JobStatus(JobState.RUNNING, unknown_word=self.NO_LINK, response=kept)

    def failed(self, reply: Reply, error: errors.ProviderError) -> JobStatus:
        """A job that has failed for good."""
        body = reply.body or {}
        progress, cost = self.parse_progress(body), self.parse_cost(body)
        return JobStatus(JobState.FAILED, progress, error=error, cost=cost, response=self.kept(reply))

    def facts(self, reply: Reply) -> ErrorFacts:
        """An error reply as rules see it."""
        codes = tuple(self.error_codes(reply))
        return ErrorFacts(reply, self.error_text(reply), codes, self.retry_delay(reply))

    # Sending.

    async def _send(self, call: Call) -> Reply:
        ready = self.with_key(call)
        response = await self._client.request(
            ready.method,
            self._base_url + ready.path,
            json=ready.json,
            params=ready.params,
            files=ready.files,
            headers=ready.headers,
        )
        return http.read(response, key=self._key)

    async def _poll(self, call: Call) -> Reply:
        """An exchange that orders nothing, so a broken one may be repeated."""
        try:
            return await self._send(call)
        except (httpx.HTTPError, TimeoutError) as failure:
            raise http.broken_poll(failure, key=self._key) from failure

    async def _uploaded(self, image: SourceImage | None, *, field: str) -> SourceImage | None:
        if image is None or (call := self.upload_call(image)) is None:
            return image
        reply = await self._poll(call)
        if name := self.parse_upload(reply):
            return replace(image, uploaded=name)
        raise self.classify_upload_error(reply, field=field)

    async def _checked(self, listed: ListedJob) -> bool | None:
        """Whether a listed job is ours, after its checks; one that says no makes the rest needless."""
        ours = listed.is_ours
        for check in listed.checks if ours is not False else ():
            answer = check.parse(await self._poll(check.call))
            if answer is False:
                return False
            ours = ours and answer
        return ours

    def _known(self, status: JobStatus | None, reply: Reply) -> JobStatus:
        if status is None:
            raise self.classify_poll_error(reply)
        return status

    def _refusal(
        self, reply: Reply, *, among: tuple[type[errors.ProviderError], ...] = (errors.ProviderError,)
    ) -> Rule | None:
        return (self.refusals + DEFAULT_RULES).first(self.facts(reply), among=among)

    def _error(self, rule: Rule | None, reply: Reply) -> errors.ProviderError | None:
        """The error a row stands for, with the delay or the field that the reply names."""
        if rule is None:
            return None
        if issubclass(rule.error, errors.ProviderRateLimited):
            delay = self.retry_delay(reply)
            seconds = self.default_retry_seconds if delay is None else delay
            return rule.error(rule.sentence, retry_after_seconds=seconds, detail=reply.detail)
        if issubclass(rule.error, errors.InvalidInput):
            field = rule.field or self.refused_field(reply)
            return rule.error(rule.sentence, field=field, detail=reply.detail)
        return rule.error(rule.sentence, detail=reply.detail)
