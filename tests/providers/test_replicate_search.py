"""Replicate's list of predictions, searched for a lost submit. Shapes follow its HTTP API and its SDKs."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx

from core import errors
from core.providers import hooks
from core.providers.adapters import replicate
from core.providers.contract import JobMatches, SourceImage, VideoRequest
from tests.providers import calls
from tests.simulators import running

API = "https://api.replicate.com"
LIST = f"{API}/v1/predictions"
SENT_AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LOST_AT = SENT_AT + timedelta(seconds=45)
SMALL, LARGE = SourceImage(b"\xff\xd8"), SourceImage(b"\xff\xd8" + b"0" * 256_000)
SMALL_URL = f"data:image/jpeg;base64,{base64.b64encode(SMALL.data).decode()}"
FILE = f"{API}/v1/files/abc"
INPUT = {"prompt": "a lake", "duration": 5, "resolution": "720p", "aspect_ratio": "16:9"}
ITEM = {
    "id": "p1",
    "model": "bytedance/seedance-1-pro",
    "version": "hidden",
    "source": "api",
    "status": "processing",
    "input": INPUT,
    "data_removed": False,
    "created_at": "2026-11-21T12:00:03.907244Z",
}
SVD_INPUT = {
    "input_image": SMALL_URL,
    "video_length": "25_frames_with_svd_xt",
    "frames_per_second": 6,
    "sizing_strategy": "crop_to_16_9",
}
SVD_VERSION = "3f0457e4619daac51203dedb472816fd4af51f3149fa7a9e0b5ffcf1b8172438"
SURE, POSSIBLE, NOT = "sure", "possible", "not"


def _request(model_id: str = "replicate-seedance-1-pro", **changed: Any) -> VideoRequest:
    return calls.request(model_id, **changed)


def _find(request: VideoRequest, **where: Any) -> JobMatches:
    found: JobMatches = calls.run(
        "replicate", "find_submitted_job", request, **{"since": SENT_AT, "until": LOST_AT} | where
    )
    return found


def _verdict(found: JobMatches) -> str:
    assert found.complete
    return SURE if found.exact else POSSIBLE if found.candidates else NOT


def _list(*items: dict[str, Any], following: str | None = None) -> httpx.Response:
    return httpx.Response(200, json={"previous": None, "next": following, "results": items})


@respx.mock
@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, SURE),
        ({"input": INPUT | {"seed": None, "camera_fixed": False}}, SURE),  # defaults filled in
        ({"input": INPUT | {"prompt": " a  lake\n", "duration": "5"}}, SURE),
        ({"model": None}, SURE),
        ({"input": INPUT | {"prompt": "a hill"}}, NOT),
        ({"input": INPUT | {"duration": 10}}, NOT),
        ({"input": INPUT | {"image": "https://example.com/a.jpg"}}, NOT),
        ({"model": "bytedance/seedance-1-lite"}, NOT),
        ({"source": "web"}, NOT),
        ({"created_at": "2026-11-21T11:50:00Z"}, NOT),
        ({"created_at": "2026-11-21T12:30:00Z"}, NOT),
        ({"created_at": "2026-11-21T19:03:00+07:00"}, SURE),
        ({"created_at": "lately"}, SURE),
        ({"webhook": "https://studio.example/hooks/01JREFERENCE/x"}, SURE),
        ({"webhook": "https://studio.example/hooks/01JREFERENCE/x", "input": {}, "data_removed": True}, SURE),
        ({"webhook": "https://studio.example/hooks/another/x"}, NOT),
        ({"input": {}, "data_removed": True}, POSSIBLE),
        ({"input": None}, POSSIBLE),
        ({"input": {"prompt": "a lake"}}, POSSIBLE),
        ({"input": {"prompt": "a hill"}}, NOT),
    ],
)
def test_find_compares_what_was_sent(changed: dict[str, Any], verdict: str) -> None:
    """Everything we send must be the same; what differs is another's, and what cannot be told may be ours."""
    respx.get(LIST).mock(return_value=_list(ITEM | changed))
    assert _verdict(_find(_request())) == verdict


@respx.mock
@pytest.mark.parametrize(
    ("address", "verdict"),
    [
        (SMALL_URL, SURE),
        ("data:image/jpeg;base64,AAAA", NOT),
        ("https://replicate.delivery/abc/image.jpeg", POSSIBLE),
        (f"{API}/v1/files/../account", POSSIBLE),
        (None, POSSIBLE),
    ],
)
def test_find_compares_small_images(address: str | None, verdict: str) -> None:
    """Without a prompt (Stable Video Diffusion) the image alone tells orders apart, and it is never guessed."""
    listed = ITEM | {"model": None, "version": SVD_VERSION, "input": SVD_INPUT | {"input_image": address}}
    respx.get(LIST).mock(return_value=_list(listed))
    assert _verdict(_find(_request("svd", start_image=SMALL))) == verdict


@respx.mock
@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (httpx.Response(200, json={"checksums": {"sha256": hashlib.sha256(LARGE.data).hexdigest()}}), SURE),
        (httpx.Response(200, json={"checksums": {"sha256": "0" * 64}}), NOT),
        (httpx.Response(200, json={"checksums": {}}), POSSIBLE),
        (httpx.Response(404, json={"detail": "expired"}), POSSIBLE),
    ],
)
def test_find_compares_uploaded_images(answer: httpx.Response, verdict: str) -> None:
    """An upload has a new address each time; its checksum says whether it is the same image."""
    respx.get(LIST).mock(return_value=_list(ITEM | {"input": INPUT | {"image": FILE}}))
    respx.get(FILE).mock(return_value=answer)
    assert _verdict(_find(_request(start_image=LARGE))) == verdict


@respx.mock
def test_find_version_of_a_community_model() -> None:
    """Another version is another model."""
    listed = ITEM | {"model": None, "version": "0" * 64, "input": SVD_INPUT}
    respx.get(LIST).mock(return_value=_list(listed))
    assert _verdict(_find(_request("svd", start_image=SMALL))) == NOT


@respx.mock
def test_find_asks_for_the_time_around_the_submit() -> None:
    """The filters name a window around the submit, wide enough for clocks that differ."""
    route = respx.get(LIST).mock(return_value=_list())
    assert _find(_request()) == JobMatches([], [])
    asked = route.calls.last.request.url.params
    assert datetime.fromisoformat(asked["created_after"]) == SENT_AT - hooks.SEARCH_BEFORE
    assert datetime.fromisoformat(asked["created_before"]) == LOST_AT + hooks.SEARCH_AFTER


@respx.mock
def test_find_reads_further_pages_at_its_own_address() -> None:
    """The next page is asked for where the first one was, whatever host the reply names: the token goes along."""
    elsewhere = respx.get(host="evil.example").respond(200, json={"results": []})
    route = respx.get(LIST).mock(
        side_effect=[_list(following="https://evil.example/v1/predictions?cursor=c2"), _list(ITEM)]
    )
    found = _find(_request())
    assert ([job.id for job in found.exact], found.complete) == (["p1"], True)
    assert route.calls.last.request.url.params["cursor"] == "c2"
    assert not elsewhere.called


@respx.mock
def test_find_when_the_filters_are_ignored() -> None:
    """A list that goes back beyond the window is whole there; one that never ends is not."""
    old = ITEM | {"id": "old", "created_at": "2026-11-21T11:00:00Z"}
    following = f"{LIST}?cursor=c"
    route = respx.get(LIST).mock(return_value=_list(ITEM, old, following=following))
    assert (len(_find(_request()).exact), route.call_count) == (1, 1)
    new = ITEM | {"created_at": "2026-11-21T20:00:00Z"}
    route.mock(return_value=_list(new, following=following))
    assert _find(_request()) == JobMatches([], [], complete=False)
    assert route.call_count == 1 + replicate.SEARCH_PAGES


@respx.mock
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(200, json={"results": None}), errors.UnreadableReply),
        (httpx.Response(200, json={"results": ["p1"]}), errors.UnreadableReply),
        (httpx.Response(200, json={"results": [{"id": 5}]}), errors.UnreadableReply),
        (httpx.Response(200, text="<html>"), errors.UnreadableReply),
        (httpx.Response(401, json={"detail": "no"}), errors.BadKey),
        (httpx.Response(429, json={"detail": "later"}), errors.ProviderRateLimited),
        (httpx.Response(502, text="<html>"), errors.ProviderUnavailable),
        (httpx.ReadTimeout("slow"), errors.ProviderUnavailable),
    ],
)
def test_find_when_the_list_cannot_be_read(
    answer: httpx.Response | Exception, expected: type[errors.ProviderError]
) -> None:
    """A list that did not come is never an empty one."""
    respx.get(LIST).mock(side_effect=[answer])
    with pytest.raises(expected):
        _find(_request())


@pytest.mark.process
def test_find_in_the_simulator() -> None:
    """Of many jobs over several pages each lost one is found by what it was ordered with, images included."""
    start = datetime.now(UTC)
    other = SourceImage(b"\xff\xd8" + b"1" * 256_000)
    with running("replicate", seconds=60) as base_url:
        for image in (LARGE, other):
            lost = _request(prompt="[sim:502html] a lake", start_image=image)
            with pytest.raises(errors.SubmitUncertain):
                calls.run("replicate", "generate_video", lost, base_url=base_url)
        for n in range(120):
            calls.run("replicate", "generate_video", _request(prompt=f"lake {n}"), base_url=base_url)
        found = _find(lost, base_url=base_url, since=start, until=start)
        none = _find(_request(prompt="never sent"), base_url=base_url, since=start, until=start)
        before = start - timedelta(hours=1)
        earlier = _find(lost, base_url=base_url, since=before, until=before)
        submits = httpx.get(f"{base_url}/_sim/calls").json()["submits"]
    assert [job.id for job in found.exact] == [submits[1]["job_id"]]
    assert not found.candidates
    assert none == earlier == JobMatches([], [])
