"""The contract suite finds what it is there for: each fault below breaks one rule, and the suite says so."""

import asyncio
import importlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from core import errors
from core.catalog import catalogue
from core.providers import http
from core.providers.adapters.demo import Demo
from core.providers.adapters.edenai import EdenAI
from core.providers.adapters.fal import Fal
from core.providers.adapters.modelslab import ModelsLab
from core.providers.adapters.replicate import Replicate
from core.providers.contract import (
    JobMatches,
    JobState,
    JobStatus,
    ListedJob,
    ListPage,
    LiveModel,
    Provider,
    ProviderJob,
    SourceImage,
    VideoRequest,
    VideoSource,
)
from core.providers.http import Call, ErrorRules, Reply, Rule
from core.providers.testing import VendorScript, broken_rules
from tests.providers import sample
from tests.providers.sample import MODEL, Acme, KeylessAcme
from tests.providers.scripts import SCRIPTS

FAULTS: list[tuple[type[Provider], VendorScript, str]] = []
KEYLESS = replace(sample.SCRIPT, needs_key=False, key_accepted=None, key_refused=())


def caught_by(rule: str, script: VendorScript = sample.SCRIPT) -> Callable[[type[Provider]], type[Provider]]:
    """Register a class with a fault, and the rule that has to find it."""

    def register(provider: type[Provider]) -> type[Provider]:
        FAULTS.append((provider, script, rule))
        return provider

    return register


# Orders.


@caught_by("a_submit_without_a_verdict_is_uncertain")
class SendsAgainAfterAnOutage(Acme):
    async def generate_video(self, request: VideoRequest) -> ProviderJob:
        try:
            return await super().generate_video(request)
        except errors.SubmitUncertain:
            return await super().generate_video(request)


@caught_by("a_submit_whose_answer_was_lost_is_uncertain")
class SendsAgainAfterATimeout(Acme):
    async def _send(self, call: Call) -> Reply:
        try:
            return await super()._send(call)
        except httpx.ReadTimeout:
            return await super()._send(call)


@caught_by("a_submit_whose_answer_was_lost_is_uncertain")
class SaysThatALostOrderWasNeverSent(Acme):
    async def generate_video(self, request: VideoRequest) -> ProviderJob:
        try:
            return await super().generate_video(request)
        except errors.SubmitUncertain as lost:
            raise errors.ProviderUnavailable(detail=lost.detail) from lost


@caught_by("a_submit_that_was_never_sent_may_be_repeated")
class HoldsAnOrderThatWasNeverSent(Acme):
    async def generate_video(self, request: VideoRequest) -> ProviderJob:
        try:
            return await super().generate_video(request)
        except errors.ProviderUnavailable as refused:
            raise errors.SubmitUncertain(detail=refused.detail) from refused


@caught_by("a_submit_without_a_verdict_is_uncertain")
class TakesAnOutageForARefusal(Acme):
    def is_refusal(self, reply: Reply) -> bool:
        return reply.status >= 400


@caught_by("a_submit_without_a_verdict_is_uncertain")
class InventsAnId(Acme):
    def parse_accepted(self, reply: Reply, request: VideoRequest) -> str:
        return super().parse_accepted(reply, request) or (request.reference if reply.status == 201 else "")


@caught_by("a_busy_vendor_is_left_alone_as_long_as_it_says")
class HoldsAnOrderOfABusyVendor(Acme):
    def is_refusal(self, reply: Reply) -> bool:
        return reply.is_refusal and not reply.is_busy


@caught_by("a_busy_vendor_is_left_alone_as_long_as_it_says")
class HurriesABusyVendor(Acme):
    def retry_delay(self, reply: Reply) -> float | None:
        return 1


@caught_by("a_refused_submit_is_refused_for_good")
class BlamesThePersonForTheKey(Acme):
    refusals = ErrorRules(Rule(http.status(401, 403), errors.InvalidInput))


@caught_by("a_refused_submit_is_refused_for_good")
class TakesAnEmptyAccountForAnOutage(Acme):
    refusals = ErrorRules(Rule(http.status(402), errors.ProviderUnavailable))


@caught_by("the_vendors_own_refusals_are_understood")
class NamesNoField(Acme):
    FIELDS: ClassVar[Mapping[str, str]] = {}


@caught_by("an_order_is_sent_once_and_gives_the_job")
class AsksBeforeItOrders(Acme):
    async def generate_video(self, request: VideoRequest) -> ProviderJob:
        await self.check_key()
        return await super().generate_video(request)


@caught_by("an_order_says_what_was_chosen")
class DropsTheLength(Acme):
    def submit_call(self, request: VideoRequest) -> Call:
        return super().submit_call(replace(request, duration_seconds=5))


@caught_by("an_order_says_what_was_chosen")
class DropsTheSound(Acme):
    def submit_call(self, request: VideoRequest) -> Call:
        return super().submit_call(replace(request, generate_audio=True))


@caught_by("an_order_says_what_was_chosen")
class DropsTheNegativePrompt(Acme):
    def submit_call(self, request: VideoRequest) -> Call:
        return super().submit_call(replace(request, negative_prompt=""))


@caught_by("an_order_takes_its_images_along")
class DropsTheEndImage(Acme):
    def submit_call(self, request: VideoRequest) -> Call:
        return super().submit_call(replace(request, end_image=None, start_image=None))


@caught_by("an_order_takes_its_images_along")
class SendsTheEndImageTwice(Acme):
    def submit_call(self, request: VideoRequest) -> Call:
        return super().submit_call(replace(request, start_image=request.end_image or request.start_image))


@caught_by("an_order_takes_its_references_along")
class DropsAReference(Acme):
    def submit_call(self, request: VideoRequest) -> Call:
        return super().submit_call(replace(request, references=request.references[:1]))


@caught_by("an_order_takes_its_references_along")
class DropsTheRoles(Acme):
    def submit_call(self, request: VideoRequest) -> Call:
        plain = tuple(replace(each, role="") for each in request.references)
        return super().submit_call(replace(request, references=plain))


@caught_by("an_order_takes_videos_and_sounds_along")
class DropsASound(Acme):
    def submit_call(self, request: VideoRequest) -> Call:
        return super().submit_call(replace(request, references=request.references[:1]))


@caught_by("an_order_says_what_was_chosen")
class DropsTheSeed(Acme):
    def submit_call(self, request: VideoRequest) -> Call:
        return super().submit_call(replace(request, seed=None))


@caught_by("an_order_says_what_was_chosen")
class DropsTheFrameRate(Acme):
    def submit_call(self, request: VideoRequest) -> Call:
        return super().submit_call(replace(request, fps=None))


@caught_by("an_end_image_alone_is_refused_before_anything_is_sent")
class SendsAnEndImageAlone(Acme):
    async def generate_video(self, request: VideoRequest) -> ProviderJob:
        start = request.start_image or request.end_image
        return await super().generate_video(replace(request, start_image=start))


@caught_by("a_webhook_is_told_where_there_is_one")
class TellsNoWebhook(Acme):
    def submit_call(self, request: VideoRequest) -> Call:
        return super().submit_call(replace(request, webhook_url=""))


@caught_by("a_broken_upload_orders_nothing")
class OrdersWithoutItsImage(Acme):
    async def _uploaded(self, image: SourceImage | None, *, field: str) -> SourceImage | None:
        try:
            return await super()._uploaded(image, field=field)
        except errors.ProviderError:
            return image


@caught_by("a_broken_upload_orders_nothing")
class HoldsABrokenUpload(Acme):
    def classify_upload_error(self, reply: Reply, *, field: str) -> errors.ProviderError:
        return self.classify_submit_error(reply)


@caught_by("a_broken_upload_orders_nothing")
class UploadsAgain(Acme):
    async def _uploaded(self, image: SourceImage | None, *, field: str) -> SourceImage | None:
        try:
            return await super()._uploaded(image, field=field)
        except errors.ProviderUnavailable:
            return await super()._uploaded(image, field=field)


# Looks.


@caught_by("success_without_a_usable_link_is_waited_for")
class TakesSuccessWithoutALink(Acme):
    def status_of(self, word: str, reply: Reply) -> JobStatus:
        status = super().status_of(word, reply)
        return replace(status, state=JobState.SUCCEEDED, unknown_word=None) if word in self.DONE else status


@caught_by("success_without_a_usable_link_is_waited_for")
class TakesAnyLink(Acme):
    def parse_link(self, body: Mapping[str, Any]) -> str | None:
        return str(body.get("url") or "") or None


@caught_by("success_without_a_usable_link_is_waited_for")
class FailsWithoutALink(Acme):
    def has_failed(self, body: Mapping[str, Any]) -> bool:
        return self.parse_link(body) is None


@caught_by("an_unknown_word_is_waited_for")
class TakesAnUnknownWordForFailure(Acme):
    def status_of(self, word: str, reply: Reply) -> JobStatus:
        status = super().status_of(word, reply)
        return self.failed(reply, self.classify_failure(reply)) if status.unknown_word else status


@caught_by("an_unknown_word_is_waited_for")
class SwallowsAnUnknownWord(Acme):
    def status_of(self, word: str, reply: Reply) -> JobStatus:
        return replace(super().status_of(word, reply), unknown_word=None)


@caught_by("a_failed_job_is_returned")
class RaisesForAFailedJob(Acme):
    async def check_status(self, job_id: str) -> JobStatus:
        status = await super().check_status(job_id)
        if status.error:
            raise status.error
        return status


@caught_by("a_failed_job_is_returned")
class GivesNoReason(Acme):
    failures = ErrorRules()


@caught_by("a_job_the_vendor_does_not_know_has_failed")
class WaitsForALostJob(Acme):
    def is_lost(self, reply: Reply) -> bool:
        return False


@caught_by("an_unreadable_look_leaves_the_job_alone")
class TakesAPageForALostJob(Acme):
    def is_lost(self, reply: Reply) -> bool:
        return reply.status == 404


@caught_by("a_broken_look_leaves_the_job_alone")
class FailsTheJobInAnOutage(Acme):
    def parse_status(self, reply: Reply) -> JobStatus | None:
        if reply.status >= 500:
            return self.failed(reply, errors.GenerationFailed(detail=reply.detail))
        return super().parse_status(reply)


@caught_by("a_refused_look_leaves_the_job_alone")
class FailsTheJobForTheKey(Acme):
    async def check_status(self, job_id: str) -> JobStatus:
        try:
            return await super().check_status(job_id)
        except errors.BadKey as error:
            return JobStatus(JobState.FAILED, error=error)


@caught_by("a_broken_look_leaves_the_job_alone")
class LetsTheNetworkThrough(Acme):
    async def _poll(self, call: Call) -> Reply:
        return await self._send(call)


@caught_by("a_job_under_way_is_waited_for")
class Sleeps(Acme):
    async def check_status(self, job_id: str) -> JobStatus:
        await asyncio.sleep(1)
        return await super().check_status(job_id)


@caught_by("a_job_under_way_is_waited_for")
class Blocks(Acme):
    async def check_status(self, job_id: str) -> JobStatus:
        time.sleep(1)  # noqa: ASYNC251  # the fault
        return await super().check_status(job_id)


@caught_by("a_job_under_way_is_waited_for")
class WaitsForTheEnd(Acme):
    async def check_status(self, job_id: str) -> JobStatus:
        while (status := await super().check_status(job_id)).state is JobState.RUNNING:
            pass
        return status


@caught_by("a_look_asks_at_an_address_of_our_own")
class DoesNotQuoteTheId(Acme):
    def job_path(self, job_id: str) -> str:
        return job_id


@caught_by("a_look_asks_at_an_address_of_our_own")
class FollowsTheAddressOfTheReply(Acme):
    def parse_accepted(self, reply: Reply, request: VideoRequest) -> str:
        return str((reply.body or {}).get("self"))

    async def check_status(self, job_id: str) -> JobStatus:
        address = job_id if job_id.startswith("http") else f"{self._base_url}/v1/videos/{job_id}"
        reply = http.read(await self._client.get(address, headers=self.auth_headers()), key=self._key)
        return self._known(self.parse_status(reply), reply)


@caught_by("the_base_address_is_honoured")
class KnowsOneAddress(Acme):
    async def check_status(self, job_id: str) -> JobStatus:
        self._base_url = self.default_base_url
        return await super().check_status(job_id)


@caught_by("a_submit_without_a_verdict_is_uncertain")
class FollowsRedirects(Acme):
    async def _send(self, call: Call) -> Reply:
        ready, url = self.with_key(call), self._base_url + call.path
        options: dict[str, Any] = {"json": ready.json, "headers": ready.headers, "files": ready.files}
        response = await self._client.request(ready.method, url, follow_redirects=True, **options)
        return http.read(response, key=self._key)


@caught_by("a_submit_that_is_sent_elsewhere_is_refused")
class DoesNotSayWhatToSet(Acme):
    def moved(self, reply: Reply) -> errors.ProviderMoved:
        return errors.ProviderMoved(detail=reply.detail)


@caught_by("a_job_under_way_is_waited_for")
class TellsAForeignHost(Acme):
    async def check_status(self, job_id: str) -> JobStatus:
        await self._client.get("https://elsewhere.example/metrics", headers=self.auth_headers())
        return await super().check_status(job_id)


@caught_by("an_order_is_sent_once_and_gives_the_job")
class TellsAForeignHostBehindOurBack(Acme):
    def parse_accepted(self, reply: Reply, request: VideoRequest) -> str:
        httpx.post("https://elsewhere.example/metrics", json={"key": self._key})
        return super().parse_accepted(reply, request)


# Keeping.


@caught_by("the_key_is_not_kept_of_a_look")
class KeepsTheRawBody(Acme):
    def kept(self, reply: Reply) -> Mapping[str, Any]:
        return reply.body or {}


@caught_by("what_is_kept_is_bounded")
class KeepsAWholeFile(Acme):
    def kept(self, reply: Reply) -> Mapping[str, Any]:
        return dict(reply.redacted) | {"file": (reply.body or {}).get("file")}


@caught_by("the_key_is_not_kept_of_an_order")
class QuotesTheVendorInDetail(Acme):
    def classify_error(self, reply: Reply) -> errors.ProviderError:
        error = super().classify_error(reply)
        error.detail = str(reply.body)
        return error


@caught_by("the_key_is_not_kept_of_a_broken_exchange")
class QuotesTheNetworkInDetail(Acme):
    async def _poll(self, call: Call) -> Reply:
        try:
            return await self._send(call)
        except (httpx.HTTPError, TimeoutError) as failure:
            raise errors.ProviderUnavailable(detail=str(failure)) from failure


@caught_by("the_key_is_not_kept_of_a_look")
class HandsOnTheRawWord(Acme):
    def status_of(self, word: str, reply: Reply) -> JobStatus:
        status = super().status_of(word, reply)
        return replace(status, unknown_word=str((reply.body or {}).get("status"))) if status.unknown_word else status


# Stopping, searching, the key, the file.


@caught_by("a_stop_is_asked_for_and_tells_how_the_job_stands")
class CancelsWithoutAsking(Acme):
    async def cancel(self, job_id: str) -> JobStatus:
        return JobStatus(JobState.CANCELLED)


@caught_by("a_stop_that_failed_cancels_nothing")
class CancelsWhateverIsAnswered(Acme):
    def parse_cancelled(self, reply: Reply) -> JobStatus | None:
        return JobStatus(JobState.CANCELLED, response=reply.redacted)


@caught_by("a_stop_is_asked_for_and_tells_how_the_job_stands")
class OnlyLooks(Acme):
    def cancel_call(self, job_id: str) -> Call:
        return self.status_call(job_id)


@caught_by("it_says_what_it_can")
class HidesThatItCanCancel(Acme):
    can_cancel = False


@caught_by("a_stop_is_asked_for_and_tells_how_the_job_stands")
class CannotCancelThoughItSaysSo(Acme):
    cancel_route = ""


@caught_by("a_search_claims_no_other_order")
class ClaimsEverything(Acme):
    def parse_list(self, reply: Reply, request: VideoRequest, *, since: datetime, until: datetime) -> ListPage | None:
        found = super().parse_list(reply, request, since=since, until=until)
        return ListPage([replace(listed, is_ours=True) for listed in found.jobs]) if found else None


@caught_by("a_search_finds_what_is_the_orders")
class FindsNothing(Acme):
    async def find_submitted_job(self, request: VideoRequest, *, since: datetime, until: datetime) -> JobMatches:
        await super().find_submitted_job(request, since=since, until=until)
        return JobMatches()


@caught_by("a_search_that_was_not_answered_fails")
class TakesAnUnreadableListForAnEmptyOne(Acme):
    def parse_list(self, reply: Reply, request: VideoRequest, *, since: datetime, until: datetime) -> ListPage | None:
        return super().parse_list(reply, request, since=since, until=until) or ListPage()


@caught_by("a_key_is_tried_for_free")
class AcceptsEveryKey(Acme):
    def is_key_accepted(self, reply: Reply) -> bool:
        return reply.status < 500


@caught_by("a_key_is_tried_for_free")
class TakesAnOutageForAWrongKey(Acme):
    async def check_key(self) -> None:
        reply = await self._poll(self.key_call())
        if not self.is_key_accepted(reply):
            raise errors.BadKey(detail=reply.detail)


@caught_by("the_list_of_models_is_read")
class TakesAnEmptyListForTheEndOfAll(Acme):
    async def live_models(self) -> Sequence[LiveModel]:
        try:
            return await super().live_models()
        except errors.UnreadableReply:
            return ()


@caught_by("a_model_is_looked_up")
class TakesAnOutageForTheEndOfAModel(Acme):
    def is_model_gone(self, reply: Reply) -> bool:
        return reply.status >= 400


@caught_by("a_file_is_fetched_with_the_key_from_the_vendor_only")
class SendsTheKeyForEveryFile(Acme):
    async def video_source(self, job_id: str, video_url: str) -> VideoSource:
        return VideoSource(video_url, self.auth_headers())


@caught_by("a_file_is_fetched_with_the_key_from_the_vendor_only")
class SendsTheKeyToALookalike(Acme):
    async def video_source(self, job_id: str, video_url: str) -> VideoSource:
        return VideoSource(video_url, self.auth_headers() if video_url.startswith(self._base_url) else {})


@caught_by("a_file_is_fetched_with_the_key_from_the_vendor_only")
class PutsTheKeyIntoTheAddress(Acme):
    async def video_source(self, job_id: str, video_url: str) -> VideoSource:
        return VideoSource(f"{video_url}?key={self._key}")


@caught_by("an_order_is_sent_once_and_gives_the_job")
class ForgetsTheKey(Acme):
    def auth_headers(self) -> Mapping[str, str]:
        return {}


@caught_by("it_works_without_a_key_where_none_is_needed", KEYLESS)
class SendsAnEmptyHeader(KeylessAcme):
    def auth_headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._key}"}


@caught_by("it_works_without_a_key_where_none_is_needed", KEYLESS)
class NeedsAKeyAllTheSame(KeylessAcme):
    async def generate_video(self, request: VideoRequest) -> ProviderJob:
        if not self._key:
            raise errors.BadKey
        return await super().generate_video(request)


# Declarations.


@caught_by("it_has_a_name_and_an_address")
class HasANameThatNoVariableHas(Acme):
    name = "acme-video"
    models = (replace(MODEL, provider="acme-video"),)


@caught_by("it_has_a_name_and_an_address")
class HasAnAddressWithAPath(Acme):
    default_base_url = "https://api.acme.example/v1"


@caught_by("its_limits_are_usable")
class LooksWithoutAPause(Acme):
    min_poll_seconds = 0


@caught_by("its_models_have_prices")
class HasAModelWithoutAPrice(Acme):
    models = (MODEL, replace(MODEL, id="acme-two"))


@caught_by("its_models_can_be_offered")
class HasAModelWithoutWords(Acme):
    models = (replace(MODEL, description=""),)


@caught_by("its_models_can_be_offered")
class HasLengthsInDisorder(Acme):
    models = (replace(MODEL, durations=(10, 5)),)


@caught_by("its_models_can_be_offered")
class CannotMakeItsDefault(Acme):
    models = (replace(MODEL, default_seconds=6),)


@caught_by("its_models_can_be_offered")
class HasASizeWithoutPixels(Acme):
    models = (replace(MODEL, aspect_ratios=("16:9", "wide")),)


@caught_by("its_models_can_be_offered")
class HasAModelOfAnother(Acme):
    models = (replace(MODEL, provider="other"),)


@caught_by("its_calls_are_coroutines")
class AnswersAtOnce(Acme):
    def video_source(self, job_id: str, video_url: str) -> VideoSource:  # type: ignore[override]  # the fault
        return VideoSource(video_url)


# The shipped adapters, each with a fault of its own.


@caught_by("success_without_a_usable_link_is_waited_for", SCRIPTS["modelslab"])
class ModelsLabTakesAFutureLink(ModelsLab):
    def parse_link(self, body: Mapping[str, Any]) -> str | None:
        return super().parse_link(body) or "https://cdn.example/future.mp4"


@caught_by("the_vendors_own_refusals_are_understood", SCRIPTS["modelslab"])
class ModelsLabReadsTheStatusAlone(ModelsLab):
    def is_refusal(self, reply: Reply) -> bool:
        return reply.is_refusal


@caught_by("a_look_asks_at_an_address_of_our_own", SCRIPTS["modelslab"])
class ModelsLabAsksAtTheRepliesAddress(ModelsLab):
    def parse_accepted(self, reply: Reply, request: VideoRequest) -> str:
        return str((reply.body or {}).get("fetch_result"))

    async def check_status(self, job_id: str) -> JobStatus:
        reply = http.read(await self._client.post(job_id, json={"key": self._key}), key=self._key)
        return self._known(self.parse_status(reply), reply)


@caught_by("a_look_that_speaks_of_us_leaves_the_job_alone", SCRIPTS["modelslab"])
class ModelsLabFailsAJobForTheKey(ModelsLab):
    def parse_status(self, reply: Reply) -> JobStatus | None:
        status = super().parse_status(reply)
        is_error = reply.status_word in self.FAILED
        return self.failed(reply, self.classify_failure(reply)) if status is None and is_error else status


@caught_by("each_models_jobs_are_asked_about_where_they_are", SCRIPTS["modelslab"])
class ModelsLabForgetsTheVersion(ModelsLab):
    def parse_accepted(self, reply: Reply, request: VideoRequest) -> str:
        return super().parse_accepted(reply, request).removeprefix("v6:")


@caught_by("a_key_is_tried_for_free", SCRIPTS["modelslab"])
class ModelsLabTakesAnyAnswerForAGoodKey(ModelsLab):
    def is_key_accepted(self, reply: Reply) -> bool:
        return reply.status == 200


@caught_by("a_submit_without_a_verdict_is_uncertain", SCRIPTS["edenai"])
class EdenAITakesAFrameworksWordForItsOwn(EdenAI):
    def is_refusal(self, reply: Reply) -> bool:
        return super().is_refusal(reply) or "detail" in (reply.body or {})


@caught_by("a_failed_job_is_returned", SCRIPTS["edenai"])
class EdenAITakesFinishedForSuccess(EdenAI):
    def has_failed(self, body: Mapping[str, Any]) -> bool:
        return False


@caught_by("a_stop_is_asked_for_and_tells_how_the_job_stands", SCRIPTS["fal"])
class FalCancelsAFinishedJob(Fal):
    CANCEL_ANSWERS = Fal.CANCEL_ANSWERS | {"already_completed": JobState.CANCELLED}


@caught_by("a_refused_look_leaves_the_job_alone", SCRIPTS["fal"])
class FalFailsAJobWhoseResultItMayNotSee(Fal):
    def parse_result(self, status: Reply, result: Reply) -> JobStatus | None:
        if result.status >= 400:
            return self.failed(result, self.classify_failure(result))
        return super().parse_result(status, result)


@caught_by("a_search_finds_what_is_the_orders", SCRIPTS["replicate"])
class ReplicateGuesses(Replicate):
    def _listed(self, item: Mapping[str, Any], job: ProviderJob, request: VideoRequest) -> ListedJob:
        listed = super()._listed(item, job, request)
        return replace(listed, is_ours=listed.is_ours is not False)


@caught_by("a_file_is_fetched_with_the_key_from_the_vendor_only", SCRIPTS["replicate"])
class ReplicateTrustsTheEndOfAName(Replicate):
    def _is_vendors(self, address: str) -> bool:
        return super()._is_vendors(address) or "replicate.com" in address


@caught_by("a_search_that_was_not_answered_fails", SCRIPTS["demo"])
class DemoTakesAnUnreadableListForAnEmptyOne(Demo):
    def parse_list(self, reply: Reply, request: VideoRequest, *, since: datetime, until: datetime) -> ListPage | None:
        return super().parse_list(reply, request, since=since, until=until) or ListPage()


@caught_by("a_file_is_fetched_with_the_key_from_the_vendor_only", SCRIPTS["demo"])
class DemoFollowsTheOldAddress(Demo):
    async def video_source(self, job_id: str, video_url: str) -> VideoSource:
        return VideoSource(video_url, self.auth_headers())


@pytest.mark.parametrize(("provider", "script"), [(Acme, sample.SCRIPT), (KeylessAcme, KEYLESS)])
def test_a_provider_without_faults_passes(provider: type[Provider], script: VendorScript) -> None:
    """A class that keeps the contract breaks no rule."""
    assert not broken_rules(provider, script, {MODEL.id})


@pytest.mark.parametrize(("provider", "script", "rule"), FAULTS, ids=[provider.__name__ for provider, _, _ in FAULTS])
def test_a_fault_is_found(provider: type[Provider], script: VendorScript, rule: str) -> None:
    """A class that breaks a rule of the contract is found by that rule."""
    assert rule in broken_rules(provider, script, {MODEL.id, *catalogue.shipped().entries}, only=(rule,))


@pytest.mark.parametrize(
    ("line", "is_fine"),
    [
        ("import json", True),
        ("from core.providers.http import Call", True),
        ("from core.messages import N_", True),
        ("import time", False),
        ("import os.path", False),
        ("from core.config import Settings", False),
        ("from core.providers.adapters.fal import Fal", False),
        ("async def wait(vendor):\n    await vendor.sleep(1)", False),
    ],
)
def test_a_module_that_knows_more_than_http_is_found(
    line: str, is_fine: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an adapter's file may import, and that it does not wait, is read from its text."""
    name = f"acme_{abs(hash(line))}"
    (tmp_path / f"{name}.py").write_text(f"from tests.providers.sample import Acme\n{line}\nclass Own(Acme): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    provider = importlib.import_module(name).Own
    found = broken_rules(provider, sample.SCRIPT, {MODEL.id}, only=("it_knows_http_only",))
    assert (not found) is is_fine
