"""What a vendor's adapter states: words, error rules and calls, and how replies are read. Nothing here sends anything.

Each hook says in its docstring what it is for; those that raise NotImplementedError have to be overridden where the
vendor offers the thing at all.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote

from core import errors
from core.messages import N_
from core.providers import call_signatures, clip_links, http, kept
from core.providers.contract import (
    JobState,
    JobStatus,
    ListPage,
    LiveModel,
    Provider,
    ReportedCost,
    ReportedUse,
    SourceImage,
    VideoRequest,
)
from core.providers.http import ABOUT_US, DEFAULT_RULES, Call, ErrorFacts, ErrorRules, Reply, Rule
from core.providers.models import VideoModel
from core.providers.transport import MAX_REPLY_BYTES

SEARCH_BEFORE, SEARCH_AFTER = timedelta(minutes=5), timedelta(minutes=10)
"""How long before and after our own times a job may be dated: clocks differ, and a worker may wake late."""
LOST = N_("The provider no longer knows this job, so the clip cannot be fetched. Nothing was charged; try again.")


class VendorHooks(Provider):
    """Class data and pure hooks of one vendor, and the one place that decides what its replies mean."""

    WAITING: ClassVar[Mapping[str, JobState]] = {}
    """Status words of a job under way, in small letters."""
    DONE: ClassVar[frozenset[str]] = frozenset()
    FAILED: ClassVar[frozenset[str]] = frozenset()
    CANCELLED: ClassVar[frozenset[str]] = frozenset()
    CANCEL_ANSWERS: ClassVar[Mapping[str, JobState]] = {}
    """What it answers to a stop; empty where that is the job as it then stands."""
    STOPPABLE: ClassVar[frozenset[JobState]] = frozenset()
    """Where a stop may throw a finished clip away: the states in which it is sent, after a look; empty: always."""
    FIELDS: ClassVar[Mapping[str, str]] = {}
    """The vendor's name of an input field -> ours."""
    NO_LINK: ClassVar[str | None] = "done without a link"
    """What is logged of a job that is done and has no file yet; None where that is usual."""

    FILE_FIELDS: ClassVar[frozenset[str]] = frozenset()
    """Fields of a reply that may hold a whole file; it is not kept."""
    ERROR_FIELDS: ClassVar[tuple[str, ...]] = ("title", "detail", "error", "message")
    """Fields of a reply that say what went wrong."""
    CODE_FIELD: ClassVar[str] = ""
    """Field of a reply that gives a machine-readable reason."""
    RETRY_FIELD: ClassVar[str] = ""
    """Field of a reply that says after how many seconds to come back, where the header does not."""

    auth_scheme: ClassVar[str] = "Bearer"
    status_route: ClassVar[str]
    """The call that asks how a job stands, as "GET /v1/jobs/{job_id}"; the id is quoted."""
    result_route: ClassVar[str] = ""
    """The call for the result of a job that is done, in the same way; empty where its status holds it."""
    cancel_route: ClassVar[str] = ""
    """The call that asks for the stop, in the same way."""
    key_route: ClassVar[str] = ""
    """A call that costs nothing and that only a valid key may make."""
    live_models_route: ClassVar[str] = ""
    """The call for the list of the vendor's video models; empty where it has none."""
    default_retry_seconds: ClassVar[float] = 30
    """How long a busy vendor is left alone that does not say how long."""
    lookup_pages: ClassVar[int] = 1
    """How many pages of the vendor's list are read at most."""
    max_look_bytes: ClassVar[int] = MAX_REPLY_BYTES
    """How large the reply to a look may be; more where it may hold the clip."""
    refusals: ClassVar[ErrorRules] = ErrorRules()
    """What an error reply means, before `DEFAULT_RULES`."""
    failures: ClassVar[ErrorRules] = ErrorRules()
    """Why a job failed; GenerationFailed where no row holds."""

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

    def hinted_job(self, reply: Reply, request: VideoRequest) -> str:
        """The id that an unclear answer to an order gives elsewhere than in its body; "" where it gives none.

        The vendor is asked about it before the order is called uncertain.
        """
        return ""

    # Hooks of a look.

    def status_call(self, job_id: str) -> Call:
        """The call that asks how a job stands, its path made of the quoted id and never taken from a reply."""
        return self._route(self.status_route, job_id)

    def job_path(self, job_id: str) -> str:
        """The id as it stands in a path."""
        return quote(job_id, safe="")

    def parse_status(self, reply: Reply) -> JobStatus | None:
        """How a job stands; None when the reply is not about the job."""
        if reply.body is not None and reply.status < 300 and reply.status_word:
            return self.status_of(reply.status_word, reply)
        if self.is_lost(reply):
            return self.lost(reply)
        return None

    def is_lost(self, reply: Reply) -> bool:
        """Whether the vendor says that it does not know the job; a page of something else does not."""
        return reply.status == 404 and reply.body is not None

    def result_call(self, job_id: str, reply: Reply) -> Call | None:
        """The call for the result of a job that `reply` says is done; None where the reply holds it."""
        is_done = reply.status < 300 and reply.status_word in self.DONE
        return self._route(self.result_route, job_id) if self.result_route and is_done else None

    def parse_result(self, reply: Reply, result: Reply) -> JobStatus | None:
        """How a job ended, by both replies; None when the result is not about the job."""
        raise NotImplementedError(f"{self.name} keeps no result apart")

    def parse_link(self, body: Mapping[str, Any]) -> str | None:
        """Where the clip lies; None where no file is there yet."""
        return clip_links.clip_address(body.get("video_url"))

    def parse_progress(self, body: Mapping[str, Any]) -> float | None:
        """The vendor's own figure, 0 to 1; None where it gives none."""
        return None

    def parse_order_cost(self, reply: Reply) -> ReportedCost | None:
        """What a clip will cost, where the answer to its order says so."""
        return None

    def parse_cost(self, body: Mapping[str, Any]) -> ReportedCost | None:
        """What a job that has ended cost, where the vendor says so."""
        return None

    def parse_use(self, body: Mapping[str, Any]) -> ReportedUse | None:
        """How much a job that has ended has used, where the vendor says that and no cost."""
        return None

    def has_failed(self, body: Mapping[str, Any]) -> bool:
        """Whether a job that is done by its word has failed all the same."""
        return False

    # Hooks of the rest.

    def cancel_call(self, job_id: str) -> Call:
        """The call that asks for the stop."""
        if not self.cancel_route:
            raise NotImplementedError(f"{self.name} cannot cancel")
        return self._route(self.cancel_route, job_id)

    def parse_cancelled(self, reply: Reply) -> JobStatus | None:
        """How the job stands after it; None where the reply does not tell."""
        if self.CANCEL_ANSWERS:
            state = self.CANCEL_ANSWERS.get(reply.status_word)
            return JobStatus(state, response=self.kept(reply)) if state else None
        return self.parse_status(reply) if reply.status < 300 else None

    def key_call(self) -> Call:
        """The free call that tries the key."""
        if not self.key_route:
            raise NotImplementedError(f"{self.name} has no free call")
        return self._route(self.key_route)

    def is_key_accepted(self, reply: Reply) -> bool:
        """Whether the free call was answered."""
        return reply.status == 200

    def call_keys_call(self) -> Call | None:
        """The call for the keys that the vendor signs its own calls with; None where it tells them to nobody."""

    def parse_call_keys(self, reply: Reply) -> Sequence[str]:
        """Those keys, as `is_signed` reads them; none where the reply holds none."""
        return call_signatures.key_set(reply.body) if reply.status == 200 else ()

    def lookup_call(self, request: VideoRequest, *, since: datetime, until: datetime, page: str) -> Call:
        """The call for a page of the vendor's jobs around that time; `page` is empty for the first."""
        raise NotImplementedError(f"{self.name} has no list to look in")

    def parse_list(self, reply: Reply, request: VideoRequest, *, since: datetime, until: datetime) -> ListPage | None:
        """The jobs of a page that may be the request's; None when it cannot be read, which is not the same as none."""
        raise NotImplementedError(f"{self.name} has no list to look in")

    def live_models_call(self) -> Call:
        """The call for the list of the vendor's video models."""
        if not self.live_models_route:
            raise NotImplementedError(f"{self.name} has no list of models")
        return self._route(self.live_models_route)

    def parse_live_models(self, reply: Reply) -> Sequence[LiveModel]:
        """The models of the list; none when it cannot be read, since no vendor has no model at all."""
        raise NotImplementedError(f"{self.name} has no list of models")

    def live_model_call(self, model: VideoModel) -> Call:
        """The call that tells of one model."""
        raise NotImplementedError(f"{self.name} describes no models")

    def parse_live_model(self, reply: Reply, model: VideoModel) -> LiveModel | None:
        """The model as it is described; None when it is not."""
        raise NotImplementedError(f"{self.name} describes no models")

    def is_model_gone(self, reply: Reply) -> bool:
        """Whether the vendor says that it has no such model; a page of something else does not."""
        return reply.status == 404 and bool(reply.body)

    def auth_headers(self) -> Mapping[str, str]:
        """The header that carries the key; none without one, since an empty one is not a valid header."""
        return {"Authorization": f"{self.auth_scheme} {self._key}"} if self._key else {}

    def with_key(self, call: Call) -> Call:
        """A call as it is sent."""
        return replace(call, headers={**call.headers, **self.auth_headers()})

    def kept(self, reply: Reply) -> Mapping[str, Any]:
        """What is stored of a reply for admins; at most what is `redacted`."""
        return kept.without_files(reply.redacted, self.FILE_FIELDS) if self.FILE_FIELDS else reply.redacted

    # Hooks of errors: what the rules look at.

    def error_text(self, reply: Reply) -> str:
        """Everything the reply says about what went wrong, as one text."""
        messages = [mistake.get("msg") for mistake in reply.mistakes]
        fields = ((reply.body or {}).get(name) for name in self.ERROR_FIELDS)
        return http.texts(*(value for value in fields if not (messages and isinstance(value, list))), *messages)

    def error_codes(self, reply: Reply) -> Sequence[str]:
        """Every machine-readable reason the reply gives."""
        reasons = [mistake.get("type") for mistake in reply.mistakes] + [(reply.body or {}).get(self.CODE_FIELD)]
        return [reason for reason in reasons if isinstance(reason, str) and reason]

    def retry_delay(self, reply: Reply) -> float | None:
        """After how many seconds the vendor says to come back; None where it does not."""
        if reply.status in (429, 503) and reply.retry_after_seconds is not None:
            return reply.retry_after_seconds
        return http.number((reply.body or {}).get(self.RETRY_FIELD))

    def refused_names(self, reply: Reply) -> Sequence[str]:
        """The vendor's names of the fields that a refusal is about, the innermost of each place (`loc`) first."""
        places = (mistake.get("loc") for mistake in reply.mistakes)
        return [str(name) for place in places if isinstance(place, list) for name in reversed(place)]

    def fields_in(self, text: str) -> list[str]:
        """The vendor's names of fields that a text speaks of, in the order of `FIELDS`."""
        return [name for name in self.FIELDS if re.search(rf"\b{name}\b", text)]

    def refused_field(self, reply: Reply) -> str | None:
        """Our name of the first of them that we have one for."""
        return next((self.FIELDS[name] for name in self.refused_names(reply) if name in self.FIELDS), None)

    def is_refusal(self, reply: Reply) -> bool:
        """Whether a reply to a submit plainly says that nothing was accepted."""
        return reply.is_refusal

    def is_about_us(self, reply: Reply) -> bool:
        """Whether a reply to a look speaks of our key, our credits or our haste."""
        return reply.is_busy or reply.status in (401, 402, 403)

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
        if self.is_about_us(reply) and (error := self._error(self._refusal(reply, among=ABOUT_US), reply)):
            return error
        if reply.status >= 500:
            return errors.ProviderUnavailable(detail=reply.detail)
        return errors.UnreadableReply(detail=reply.detail)

    def classify_failure(self, reply: Reply) -> errors.ProviderError:
        """Why a job failed."""
        return self._error(self.failures.first(self.facts(reply)), reply) or errors.GenerationFailed(
            detail=reply.detail
        )

    def moved(self, reply: Reply) -> errors.ProviderMoved:
        """The error for a redirect: nothing was done at the address we have."""
        place, setting = reply.moved_to or "another one", self.base_url_variable()
        detail = f"The address of {self.display_name} has moved to {place}: set {setting}. {reply.detail}"
        return errors.ProviderMoved(detail=detail)

    # Pieces for hooks.

    def status_of(self, word: str, reply: Reply) -> JobStatus:
        """What a status word means for the job; one that is not known keeps the wait, and so does a missing file."""
        body = reply.body or {}
        progress, kept = self.parse_progress(body), self.kept(reply)
        if word in self.WAITING:
            return JobStatus(self.WAITING[word], progress, response=kept)
        if word in self.CANCELLED:
            cost, use = self.parse_cost(body), self.parse_use(body)
            return JobStatus(JobState.CANCELLED, progress, cost=cost, use=use, response=kept)
        if word in self.FAILED or (word in self.DONE and self.has_failed(body)):
            return self.failed(reply, self.classify_failure(reply))
        if word not in self.DONE:
            unknown = str(reply.redacted.get("status"))[:60]
            return JobStatus(JobState.RUNNING, unknown_word=unknown, response=kept)
        if link := self.parse_link(body):
            cost, use = self.parse_cost(body), self.parse_use(body)
            return JobStatus(JobState.SUCCEEDED, progress, video_url=link, cost=cost, use=use, response=kept)
        return JobStatus(JobState.RUNNING, unknown_word=self.NO_LINK, response=kept)

    def lost(self, reply: Reply) -> JobStatus:
        """A job that the vendor no longer knows."""
        return self.failed(reply, errors.JobLost(LOST, detail=reply.detail))

    def expired(self, reply: Reply) -> JobStatus:
        """A job that the vendor finished and whose clip it has thrown away."""
        return self.failed(reply, errors.ExpiredAtProvider(detail=reply.detail))

    def failed(self, reply: Reply, error: errors.ProviderError) -> JobStatus:
        """A job that has failed for good."""
        body = reply.body or {}
        progress, cost, use = self.parse_progress(body), self.parse_cost(body), self.parse_use(body)
        return JobStatus(JobState.FAILED, progress, error=error, cost=cost, use=use, response=self.kept(reply))

    @staticmethod
    def search_window(since: datetime, until: datetime) -> tuple[datetime, datetime]:
        """Between which dates of the vendor's a job may be that was sent between these of ours."""
        return since - SEARCH_BEFORE, until + SEARCH_AFTER

    @staticmethod
    def listed_items(items: Any, *, id_field: str = "id") -> Sequence[Mapping[str, Any]] | None:
        """The jobs of a vendor's list, each with an id; None where it cannot be read."""
        if not isinstance(items, list):
            return None
        readable = all(isinstance(item, Mapping) and isinstance(item.get(id_field), str) for item in items)
        return items if readable else None

    @staticmethod
    def rest_is_older(made: Sequence[float | None], earliest: float) -> bool:
        """Whether what comes after a page is older than `earliest`: its jobs, all dated, go from new to old."""
        dated = [at for at in made if at is not None]
        newest_first = len(dated) == len(made) and dated == sorted(dated, reverse=True)
        return newest_first and bool(dated) and dated[-1] < earliest

    def facts(self, reply: Reply) -> ErrorFacts:
        """An error reply as rules see it."""
        codes, names = tuple(self.error_codes(reply)), tuple(self.refused_names(reply))
        return ErrorFacts(reply, self.error_text(reply), codes, names, self.retry_delay(reply))

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

    def _route(self, route: str, job_id: str = "") -> Call:
        method, _, path = route.partition(" ")
        return Call(method, path.replace("{job_id}", self.job_path(job_id)), max_reply_bytes=self.max_look_bytes)
