"""The template of a vendor's adapter: it sends what the vendor's hooks prepare and answers with what they read.

A vendor states facts: calls (`submit_call`, `status_call`), how their replies are read (`parse_accepted`,
`parse_status`), words and error rules. None of that sends anything, so a test of it is one call and one `==`.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import httpx

from core import errors
from core.messages import N_
from core.providers import http, kept, storable, transport
from core.providers.contract import (
    LINK_AT_PROVIDER,
    NEXT_NUMBER,
    JobMatches,
    JobState,
    JobStatus,
    ListedJob,
    LiveModel,
    ProviderJob,
    ReportedCost,
    SourceImage,
    VideoRequest,
)
from core.providers.hooks import VendorHooks
from core.providers.http import ABOUT_US, Call, Reply
from core.providers.models import VideoModel

log = logging.getLogger(__name__)

ORDER_SECONDS, UPLOAD_SECONDS = 60.0, 45.0
"""How long such an exchange may take in all; a look has less."""
SEE_OTHER = 303
END_NEEDS_START = N_("An end image needs a start image too.")


class Adapter(VendorHooks):
    """A vendor spoken to over HTTP. Subclasses set the class data and override hooks, never the coroutines."""

    # What every vendor does in the same way.

    async def generate_video(self, request: VideoRequest) -> ProviderJob:
        """Upload what has to be there first, then submit exactly once."""
        if request.end_image and not request.start_image and request.model.end_image_needs_start:
            raise errors.InvalidInput(END_NEEDS_START, field="startImagePath")
        start = await self._uploaded(request.start_image, field="startImagePath")
        end = await self._uploaded(request.end_image, field="endImagePath")
        references = [
            replace(each, media=await self._uploaded(each.media, field="references") or each.media)
            if isinstance(each.media, SourceImage)
            else each
            for each in request.references
        ]
        request = replace(request, start_image=start, end_image=end, references=tuple(references))
        try:
            reply = await self._send(replace(self._order(request), total_seconds=ORDER_SECONDS))
        except (httpx.HTTPError, TimeoutError) as failure:
            raise http.broken_submit(failure, key=self._key) from failure
        if reply.status in http.MOVED:
            raise self.moved(reply)
        if job_id := self.parse_accepted(reply, request):
            return self._storable_job(job_id, reply)
        error = self.classify_submit_error(reply)
        hinted = self.hinted_job(reply, request) if isinstance(error, errors.SubmitUncertain) else ""
        if hinted and await self._is_known(hinted):
            return self._storable_job(hinted, reply)
        raise error

    def _order(self, request: VideoRequest) -> Call:
        """The call that orders. One that cannot be written is no doubt about a job, since nothing was sent."""
        try:
            return self.submit_call(request)
        except errors.AppError:
            raise
        except Exception as bug:  # such as an option of a model that this kind does not know
            log.exception("the order %s of %s cannot be written", request.reference, request.model.id)
            raise errors.ModelUnavailable(detail=f"nothing was sent: {bug!r}") from bug

    async def check_status(self, job_id: str) -> JobStatus:
        """Look at a job once; where the vendor keeps its result apart, that is asked for as well."""
        return self._storable(await self._look(job_id))

    async def video_link(self, job_id: str) -> str | None:
        """Look once more, and give what cannot be stored, too."""
        status = await self._look(job_id)
        return status.video_url if status.state is JobState.SUCCEEDED else None

    async def cancel(self, job_id: str) -> JobStatus:
        """Ask for the stop; a look tells how the job stands where the answer does not. One that is gone is over."""
        if not self.can_cancel:
            raise NotImplementedError(f"{self.name} cannot cancel")
        if self.STOPPABLE and (before := await self._look(job_id)).state not in self.STOPPABLE:
            return self._storable(before)
        if status := self.parse_cancelled(await self._poll(self.cancel_call(job_id))):
            return self._storable(status)
        reply = await self._poll(self.status_call(job_id))
        if self.is_lost(reply):
            return JobStatus(JobState.CANCELLED, response=self.kept(reply))
        return self._storable(await self._status(job_id, reply))

    async def check_key(self) -> None:
        """Make the vendor's free call that only a valid key may make."""
        reply = await self._poll(self.key_call())
        if self.is_key_accepted(reply):
            return
        meaning = self._error(self._refusal(reply, among=ABOUT_US), reply)
        raise meaning if isinstance(meaning, errors.BadKey) else errors.ProviderUnavailable(detail=reply.detail)

    async def find_submitted_job(self, request: VideoRequest, *, since: datetime, until: datetime) -> JobMatches:
        """Read the vendor's list page by page, each at our own address."""
        if not self.supports_lookup:
            raise NotImplementedError(f"{self.name} has no list to look in")
        exact: list[ProviderJob] = []
        candidates: list[ProviderJob] = []
        page, complete = "", True
        for _ in range(self.lookup_pages):
            reply = await self._poll(self.lookup_call(request, since=since, until=until, page=page))
            found = self.parse_list(reply, request, since=since, until=until)
            if found is None:
                raise self.classify_poll_error(reply)
            for listed in found.jobs:
                if storable.job_id(listed.job.id) is None:
                    complete = False
                elif (ours := await self._checked(listed)) is not False:
                    (exact if ours else candidates).append(listed.job)
            page = found.next_page if found.next_page != NEXT_NUMBER else str(int(page or 1) + 1)
            if not page:
                return JobMatches(exact, candidates, complete=complete)
        return JobMatches(exact, candidates, complete=False)

    async def live_models(self) -> Sequence[LiveModel]:
        """Ask for the vendor's list of models."""
        reply = await self._poll(self.live_models_call())
        if found := self.parse_live_models(reply):
            return tuple(found)
        raise self.classify_poll_error(reply)

    async def live_model(self, model: VideoModel) -> LiveModel | None:
        """Ask about one model."""
        reply = await self._poll(self.live_model_call(model))
        if found := self.parse_live_model(reply, model):
            return found
        if self.is_model_gone(reply):
            return None
        raise self.classify_poll_error(reply)

    async def call_keys(self) -> Sequence[str]:
        """Ask the vendor itself; what stands at another address signs by no keys of the vendor's."""
        if not self.signs_calls or self._base_url != self.default_base_url or (call := self.call_keys_call()) is None:
            return ()
        reply = await self._poll(call)
        if found := self.parse_call_keys(reply):
            return tuple(found)
        raise self.classify_poll_error(reply)

    # Sending.

    async def _send(self, call: Call) -> Reply:
        """One exchange. Raises httpx.HTTPError and TimeoutError, and ProviderError for a call that cannot be formed."""
        try:
            ready = call if call.host else self.with_key(call)
            request = self._client.build_request(
                ready.method,
                (ready.host or self._base_url) + ready.path,
                json=ready.json,
                params=ready.params,
                files=ready.files,
                headers=ready.headers,
                extensions={transport.BOUNDS: (call.max_reply_bytes, call.total_seconds)},
            )
        except (httpx.InvalidURL, ValueError, TypeError) as failure:
            detail = kept.redact_text(f"the call could not be formed: {failure!r}", self._key)
            raise errors.ProviderError(detail=storable.text(detail)) from failure
        return http.read(await self._client.send(request), key=self._key)

    async def _poll(self, call: Call) -> Reply:
        """An exchange that orders nothing, so a broken one may be repeated."""
        try:
            reply = await self._send(call)
        except (httpx.HTTPError, TimeoutError) as failure:
            raise http.broken_poll(failure, key=self._key) from failure
        if reply.status in http.MOVED or reply.status == SEE_OTHER:
            raise self.moved(reply)
        return reply

    async def _look(self, job_id: str) -> JobStatus:
        """How a job stands, as the vendor says it."""
        return await self._status(job_id, await self._poll(self.status_call(job_id)))

    async def _is_known(self, job_id: str) -> bool:
        """Whether the vendor has a job of this id; False also where that cannot be told."""
        try:
            reply = await self._send(self.status_call(job_id))
        except (httpx.HTTPError, TimeoutError):
            return False
        return not self.is_lost(reply) and self.parse_status(reply) is not None

    async def _uploaded(self, image: SourceImage | None, *, field: str) -> SourceImage | None:
        if image is None or (call := self.upload_call(image)) is None:
            return image
        reply = await self._poll(replace(call, total_seconds=UPLOAD_SECONDS))
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

    async def _status(self, job_id: str, reply: Reply) -> JobStatus:
        """What the answer to a look says; where the vendor keeps its result apart, that is asked for as well."""
        if result_call := self.result_call(job_id, reply):
            result = await self._poll(result_call)
            return self._known(self.parse_result(reply, result), result)
        return self._known(self.parse_status(reply), reply)

    def _known(self, status: JobStatus | None, reply: Reply) -> JobStatus:
        if status is None:
            raise self.classify_poll_error(reply)
        return status

    # What leaves the adapter can be stored.

    def _storable_job(self, job_id: str, reply: Reply) -> ProviderJob:
        if storable.job_id(job_id) is None:
            detail = f"The job was accepted under an id that cannot be kept ({len(job_id)} characters). {reply.detail}"
            raise errors.SubmitUncertain(detail=detail)
        return ProviderJob(job_id, self.kept(reply), self._storable_cost(self.parse_order_cost(reply)))

    def _storable_cost(self, cost: ReportedCost | None) -> ReportedCost | None:
        if cost is None:
            return None
        if (amount := storable.cost(cost.amount)) is None:
            log.warning("%s reports a cost of %.40s, which is left out", self.name, cost.amount)
            return None
        return replace(cost, amount=amount)

    def _storable(self, status: JobStatus) -> JobStatus:
        """The same look without what no database takes, no link can be, and nobody is to see."""
        status = replace(status, cost=self._storable_cost(status.cost))
        if status.use is not None and storable.cost(status.use.amount) is None:
            log.warning("%s reports a use of %.40s, which is left out", self.name, status.use.amount)
            status = replace(status, use=None)
        if status.video_url is None:
            return status
        if status.video_url.startswith("data:") or kept.redact_text(status.video_url, self._key) != status.video_url:
            return replace(status, video_url=LINK_AT_PROVIDER)
        if storable.link(status.video_url) is None:
            detail = f"The job is done, and its link cannot be one. {status.video_url[:500]!r}"
            return replace(status, video_url=None, error=errors.UnreadableReply(detail=detail))
        return status
