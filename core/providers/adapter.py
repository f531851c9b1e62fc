"""The template of a vendor's adapter: it sends what the vendor's hooks prepare and answers with what they read.

A vendor states facts: calls (`submit_call`, `status_call`), how their replies are read (`parse_accepted`,
`parse_status`), words and error rules. None of that sends anything, so a test of it is one call and one `==`.
"""

from dataclasses import replace
from datetime import datetime

import httpx

from core import errors
from core.messages import N_
from core.providers import http
from core.providers.contract import JobMatches, JobState, JobStatus, ListedJob, ProviderJob, SourceImage, VideoRequest
from core.providers.hooks import VendorHooks
from core.providers.http import ABOUT_US, Call, Reply

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
        request = replace(request, start_image=start, end_image=end)
        try:
            reply = await self._send(self.submit_call(request))
        except (httpx.HTTPError, TimeoutError) as failure:
            raise http.broken_submit(failure, key=self._key) from failure
        if job_id := self.parse_accepted(reply, request):
            return ProviderJob(job_id, self.kept(reply))
        error = self.classify_submit_error(reply)
        hinted = self.hinted_job(reply, request) if isinstance(error, errors.SubmitUncertain) else ""
        if hinted and await self._is_known(hinted):
            return ProviderJob(hinted, self.kept(reply))
        raise error

    async def check_status(self, job_id: str) -> JobStatus:
        """Look at a job once; where the vendor keeps its result apart, that is asked for as well."""
        return await self._status(job_id, await self._poll(self.status_call(job_id)))

    async def cancel(self, job_id: str) -> JobStatus:
        """Ask for the stop; a look tells how the job stands where the answer does not. One that is gone is over."""
        if status := self.parse_cancelled(await self._poll(self.cancel_call(job_id))):
            return status
        reply = await self._poll(self.status_call(job_id))
        if self.is_lost(reply):
            return JobStatus(JobState.CANCELLED, response=self.kept(reply))
        return await self._status(job_id, reply)

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

    async def _status(self, job_id: str, reply: Reply) -> JobStatus:
        if result_call := self.result_call(job_id, reply):
            result = await self._poll(result_call)
            return self._known(self.parse_result(reply, result), result)
        return self._known(self.parse_status(reply), reply)

    def _known(self, status: JobStatus | None, reply: Reply) -> JobStatus:
        if status is None:
            raise self.classify_poll_error(reply)
        return status
