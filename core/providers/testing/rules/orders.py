"""What a submit means, which decides whether money is spent twice."""

import base64
from dataclasses import replace
from typing import Any

import httpx

from core import errors
from core.providers.contract import MediaKind, ProviderJob, ReferenceMedia, SourceMedia, VideoRequest
from core.providers.testing.rules.answers import (
    BUSY,
    GATEWAY,
    MOVED,
    NEVER_SENT,
    NO_OBJECT,
    OUTAGES,
    REDIRECTS,
    SEE_OTHER,
    SENT_AND_LOST,
    raised,
    replaced,
)
from core.providers.testing.script import IMAGE, NEGATIVE, WEBHOOK_URL, Answer, Answering
from core.providers.testing.stage import Played, Stage

REFUSED = (
    errors.BadKey,
    errors.ProviderOutOfCredits,
    errors.ModelUnavailable,
    errors.ContentRefused,
    errors.InvalidInput,
    errors.ProviderError,
)


def an_order_is_sent_once_and_gives_the_job(stage: Stage) -> None:
    """Every model can be ordered in every size and length: one submit, before it only uploads, and the vendor's id."""
    for model in stage.provider.models:
        for resolution in model.resolutions:
            for ratio in model.aspect_ratios:
                size = {"resolution": resolution, "aspect_ratio": ratio}
                played = stage.submit(request=stage.request(model, **size, duration_seconds=model.durations[-1]))
                assert isinstance(played.result, ProviderJob), f"{model.id}: {played.error!r}"
                assert played.submits == 1
                assert stage.is_submit(played.requests[-1]), "something follows the submit"
                assert stage.script.vendor_id in played.result.id
    job = stage.submit().result
    assert job.id == stage.script.job_id
    assert isinstance(job.response, dict)
    assert job.response, "nothing of the answer is kept"


def an_order_says_what_was_chosen(stage: Stage) -> None:
    """What people choose and pay for reaches the vendor: the words, the length, the size, the switches."""
    for model in stage.provider.models:
        plain = stage.request(model)
        sent = _sent(stage, plain)
        if model.text_to_video:
            assert plain.prompt in sent, f"{model.id} does not send the prompt"
        if model.negative_prompt:
            assert NEGATIVE in _sent(stage, replace(plain, negative_prompt=NEGATIVE)), f"{model.id}: negative prompt"
        different: list[VideoRequest] = []
        different += [replace(plain, duration_seconds=each) for each in model.durations]
        different += [replace(plain, aspect_ratio=each) for each in model.aspect_ratios]
        if model.id not in stage.script.same_resolution:
            different += [replace(plain, resolution=each) for each in model.resolutions]
        different += [
            replace(plain, generate_audio=model.audio),
            replace(plain, enhance_prompt=model.prompt_enhancement),
            replace(plain, seed=7 if model.seed else None),
            *(replace(plain, fps=each) for each in model.frame_rates),
        ]
        orders = {repr(request) for request in different}
        assert len({_sent(stage, request) for request in different}) == len(orders), f"{model.id} drops a setting"


def an_order_takes_its_images_along(stage: Stage) -> None:
    """Start and end image are inside the order or uploaded before it, each once."""
    for model in stage.provider.models:
        if not model.start_image:
            continue
        images: dict[str, Any] = {"start_image": stage.large_image()}
        if model.end_image:
            images["end_image"] = replace(images["start_image"], data=images["start_image"].data + b"end")
        name = stage.script.uploaded_name
        names = [f"{name}-{number}" for number in range(len(images))]
        uploads = [replaced([stage.script.uploaded], name, each)[0] for each in names]
        played = stage.submit(request=stage.request(model, **images), upload=uploads)
        assert isinstance(played.result, ProviderJob), f"{model.id}: {played.error!r}"
        if stage.script.uploads:
            assert played.uploads == len(images), f"{model.id} uploads {played.uploads} of {len(images)} images"
            said = _said(played.requests[-1])
            assert all(each in said for each in names), f"{model.id}: an image is uploaded in vain"
        else:
            body = played.requests[-1].content
            inside = [image.data in body or base64.b64encode(image.data) in body for image in images.values()]
            assert all(inside), model.id


def an_order_takes_its_references_along(stage: Stage) -> None:
    """Each image that it refers to is inside the order or uploaded before it, and so is what each stands for."""
    for model in stage.provider.models:
        number = min(2, model.reference_images)
        images = [
            replace(stage.large_image(), data=stage.large_image().data + b"%d" % place) for place in range(number)
        ]
        names = [f"{stage.script.uploaded_name}-{place}" for place in range(number)]
        orders = set()
        for role in model.reference_roles or ("",) * bool(number):
            references = tuple(ReferenceMedia(MediaKind.IMAGE, role, image) for image in images)
            uploads = [replaced([stage.script.uploaded], stage.script.uploaded_name, each)[0] for each in names]
            request = stage.request(model, references=references)
            played = stage.submit(request=request, upload=uploads)
            assert isinstance(played.result, ProviderJob), f"{model.id}: {played.error!r}"
            body, said = played.requests[-1].content, _said(played.requests[-1])
            for image, name in zip(images, names, strict=True):
                is_inside = image.data in body or base64.b64encode(image.data) in body
                assert is_inside or (stage.script.uploads and name in said), f"{model.id} drops a reference"
            orders.add(said)
        assert len(orders) == len(model.reference_roles or ("",) * bool(number)), f"{model.id} drops a role"


def an_order_takes_videos_and_sounds_along(stage: Stage) -> None:
    """Each video and sound that it refers to, of a model that takes some, is inside the order."""
    for model in stage.provider.models:
        taken = (
            (MediaKind.VIDEO, model.reference_videos, "video/mp4"),
            (MediaKind.SOUND, model.reference_sounds, "audio/mpeg"),
        )
        for kind, number, media_type in taken:
            media = [SourceMedia(b"%d of %s" % (place, kind.encode()), media_type) for place in range(min(2, number))]
            if media:
                role = next(iter(model.reference_roles), "")
                references = tuple(ReferenceMedia(kind, role, each) for each in media)
                played = stage.submit(request=stage.request(model, references=references))
                assert isinstance(played.result, ProviderJob), f"{model.id}: {played.error!r}"
                body = played.requests[-1].content
                inside = [each.data in body or base64.b64encode(each.data) in body for each in media]
                assert all(inside), f"{model.id} drops a {kind}"


def an_end_image_alone_is_refused_before_anything_is_sent(stage: Stage) -> None:
    """Where it needs a start image, that is the field to change."""
    for model in stage.provider.models:
        if model.end_image_needs_start:
            played = stage.submit(request=stage.request(model, start_image=None, end_image=stage.large_image()))
            error = raised(played, errors.InvalidInput, after=f"{model.id} with an end image alone")
            assert isinstance(error, errors.InvalidInput)
            assert error.field == "startImagePath"
            assert not played.requests


def a_webhook_is_told_where_there_is_one(stage: Stage) -> None:
    """With an address of ours the vendor is told to call there; without one it hears nothing of it."""
    told = WEBHOOK_URL.rpartition("/hooks")[0].rpartition("/")[2]
    assert (told in _sent(stage, stage.request(webhook_url=WEBHOOK_URL))) is stage.script.takes_webhooks
    assert told not in _sent(stage, stage.request())


def a_submit_that_was_never_sent_may_be_repeated(stage: Stage) -> None:
    """The connection was never made: it is sent again, by others and later."""
    for failure in NEVER_SENT:
        played = stage.submit(failure)
        raised(played, errors.ProviderUnavailable, after=repr(failure))
        assert played.submits == 1


def a_submit_whose_answer_was_lost_is_uncertain(stage: Stage) -> None:
    """Whatever broke after that: nobody knows, and it is never sent again."""
    for failure in SENT_AND_LOST:
        played = stage.submit(failure)
        raised(played, errors.SubmitUncertain, after=repr(failure))
        assert played.submits == 1


def a_submit_without_a_verdict_is_uncertain(stage: Stage) -> None:
    """A gateway's page, a body cut off, an acceptance without an id: there may be a job, and none is made up."""
    accepted, vendor_id = stage.script.accepted, stage.script.vendor_id
    cut = Answer(accepted.status, text=accepted.response().text[: len(vendor_id) + 5])
    no_ids: list[Any] = [None, "", {}, [], False]
    nameless = [replaced([accepted], vendor_id, value)[0] for value in no_ids]
    silent = [Answer(status, {}) for status in (202, 408, 409)]
    for answer in [*NO_OBJECT, *OUTAGES, *SEE_OTHER, *silent, cut, *nameless]:
        played = stage.submit(answer)
        raised(played, errors.SubmitUncertain, after=answer)
        assert played.submits == 1


def a_submit_that_is_sent_elsewhere_is_refused(stage: Stage) -> None:
    """A redirect accepts nothing: the order fails, and an administrator reads what to set and no secret of ours."""
    setting = f"{stage.provider.name.upper()}_BASE_URL"
    for answer in MOVED:
        played = stage.submit(answer)
        error = raised(played, errors.ProviderMoved, after=answer)
        assert setting in error.detail, "it is not said what to set"
        assert played.submits == 1


def a_busy_vendor_is_left_alone_as_long_as_it_says(stage: Stage) -> None:
    """429, or 503 with Retry-After, before anything was accepted: again, after the delay."""
    for answer in [*BUSY, Answer(429, {}), Answer(429, text=GATEWAY)]:
        played = stage.submit(answer)
        error = raised(played, errors.ProviderRateLimited, after=answer)
        assert isinstance(error, errors.ProviderRateLimited)
        assert error.retry_after_seconds == 17 if answer.headers else error.retry_after_seconds > 0
        assert played.submits == 1
    for answer, seconds in stage.script.delays:
        error = raised(stage.submit(answer), errors.ProviderRateLimited, after=answer)
        assert isinstance(error, errors.ProviderRateLimited)
        assert error.retry_after_seconds == seconds, f"{answer}: {error.retry_after_seconds} s"


def a_refused_submit_is_refused_for_good(stage: Stage) -> None:
    """By the HTTP status alone: our key, our credits, or the input; never uncertain and never a temporary outage."""
    meanings: dict[int, tuple[type[errors.ProviderError], ...]] = {
        401: (errors.BadKey,),
        402: (errors.ProviderOutOfCredits,),
        403: (errors.BadKey,),
    }
    for status in (400, 401, 402, 403, 404, 405, 413, 415, 422):
        answers = [Answer(status, {}), Answer(status, text=GATEWAY)]
        about_content = [Answer(status, {"title": "No", "detail": "the account is under moderation"})]
        for answer in answers + about_content * (status in (401, 402)):
            played = stage.submit(answer)
            error = raised(played, *meanings.get(status, REFUSED), after=answer)
            assert status in meanings or not isinstance(error, errors.BadKey | errors.ProviderOutOfCredits)
            assert played.submits == 1


def the_vendors_own_refusals_are_understood(stage: Stage) -> None:
    """Each documented answer that names no job is the error it stands for, with our name of the field."""
    for answer, expected, field in stage.script.refusals:
        played = stage.submit(answer)
        error = raised(played, expected, after=answer)
        assert getattr(error, "field", None) == field, f"{answer}: the field {getattr(error, 'field', None)}"
        assert error.detail, "no word of what the vendor said"


def a_broken_upload_orders_nothing(stage: Stage) -> None:
    """An upload is free: trouble with it is temporary, a refused image is the image's, and nothing is submitted."""
    for request, field in _with_uploads(stage):
        nameless = replaced([stage.script.uploaded], stage.script.uploaded_name, None)
        answers: list[tuple[Answering, type[errors.ProviderError]]] = [
            (Answer(413, {}), errors.InvalidInput),
            (Answer(401, {}), errors.BadKey),
            *((answer, errors.ProviderRateLimited) for answer in BUSY),
            *((failure, errors.ProviderUnavailable) for failure in (*NEVER_SENT, *SENT_AND_LOST)),
            *((each, errors.ProviderUnavailable) for each in (*NO_OBJECT, *OUTAGES, *nameless)),
            *((each, errors.ProviderMoved) for each in REDIRECTS),
        ]
        for answer, expected in answers:
            played = stage.submit(request=request, upload=answer)
            error = raised(played, expected, after=f"an upload answered {answer!r}")
            assert not played.submits, f"ordered without its image after {answer!r}"
            assert played.uploads == 1
            assert not isinstance(error, errors.InvalidInput) or error.field == field


def _with_uploads(stage: Stage) -> list[tuple[VideoRequest, str]]:
    if not stage.script.uploads:
        return []
    starts = [model for model in stage.provider.models if model.start_image]
    requests = [(stage.request(model, start_image=stage.large_image()), "startImagePath") for model in starts]
    if stage.script.upload_from_bytes:  # a small start image goes along, so that only the end image is uploaded
        ends = [model for model in stage.provider.models if model.end_image]
        both = [stage.request(model, start_image=IMAGE, end_image=stage.large_image()) for model in ends]
        requests += [(request, "endImagePath") for request in both]
    return requests


def _sent(stage: Stage, request: VideoRequest) -> str:
    """What the submit of a request says, wherever it says it."""
    played: Played = stage.submit(request=request)
    assert played.submits == 1, f"{request.model.id}: {played.error!r}"
    sent = played.requests[-1]
    return f"{sent.url.path} {dict(sent.url.params)} {_said(sent)}"


def _said(sent: httpx.Request) -> str:
    """The body of a call; the boundary of a form, which is another each time, left out."""
    _, _, boundary = sent.headers.get("content-type", "").partition("boundary=")
    said = sent.content.decode("utf-8", "surrogateescape")
    return said.replace(boundary, "") if boundary else said
