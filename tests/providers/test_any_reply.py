"""Whatever a vendor replies, the outcome is one that every caller knows and either database can keep."""

import asyncio
import base64
import json
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import errors
from core.providers import callbacks, registry, storable
from core.providers.contract import LINK_AT_PROVIDER, JobMatches, JobState, JobStatus, Provider, ProviderJob
from core.providers.registry import Access
from core.providers.testing.script import SENT_AT, Answer, VendorScript
from core.providers.vendor_calls import VendorCall
from tests.providers import calls
from tests.providers.scripts import SCRIPTS

KEY = calls.KEY
ODD = [
    "1e30",
    "1e999999",
    "NaN",
    "-1",
    9223372036854775808,
    10**400,
    1e308,
    float("inf"),
    float("nan"),
    -0.0,
    "https://xn--/x",
    "https://host/%zz",
    "https://pub invalid/x",
    "https://h/\ud800",
    "https://h/\x00",
    "https://h:99999/x",
    "https://[::1/x",
    f"https://cdn.example/clip.mp4?key={KEY}",
    "https://" + "h" * 300 + ".example/" + "x" * 100_000,
    "data:video/mp4;base64,AAAAGGZ0eXBpc29t",
    "data:,",
    base64.b64encode(b"\0\0\0\x18ftypisom").decode(),
    "\ud800",
    "\x00",
    "x" * 5000,
    f"Bearer {KEY}",
    base64.b64encode(f"{KEY}:".encode()).decode(),
    None,
    True,
    "",
    [],
    {},
    [[]],
    {"url": None},
]
WORDS = ["success", "succeeded", "completed", "finished", "failed", "error", "processing", "queued", "COMPLETED", "ok"]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(ODD),
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(st.text(max_size=8), parts, max_size=4),
    max_leaves=8,
)
STATUSES = st.sampled_from([200, 200, 200, 201, 202, 204, 301, 303, 308, 400, 401, 402, 403, 404, 422, 429, 500, 503])


def documented(script: VendorScript) -> list[Any]:
    """Every body that a vendor's script has."""
    answers = [script.accepted, *script.succeeded, *script.lost, *(each[0] for each in script.refusals)]
    answers += [answer for given, _ in (*script.under_way, *script.failures, *script.cancels) for answer in given]
    answers += [listing.answer for listing in script.listings if isinstance(listing.answer, Answer)]
    return [answer.json for answer in answers if answer.json is not None]


@st.composite
def replies(draw: st.DrawFn, script: VendorScript) -> tuple[int, bytes]:
    """A status and a body: a documented one in which values were exchanged for others, or anything at all."""
    body = draw(st.sampled_from(documented(script)) | ANYTHING)

    def changed(value: Any, often: int) -> Any:
        if draw(st.integers(0, often)) == 0:
            return draw(st.sampled_from([*ODD, *WORDS]) | ANYTHING)
        if isinstance(value, dict):
            return {field: changed(item, often) for field, item in value.items()}
        return [changed(item, often) for item in value] if isinstance(value, list) else value

    body = changed(body, draw(st.sampled_from([3, 8, 20])))
    return draw(STATUSES), json.dumps(body).encode("utf-8", "replace")


def outcome_of(name: str, answers: list[tuple[int, bytes]], act: Callable[[Provider], Coroutine[Any, Any, Any]]) -> Any:
    """What a call of a provider comes to: a value or one of our errors."""
    waiting = list(answers)

    def answer(_sent: httpx.Request) -> httpx.Response:
        status, content = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return httpx.Response(status, content=content, headers={"Location": f"https://[?key={KEY}"})

    async def once() -> Any:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await act(registry.connect(name, client=client, access=Access(key=KEY, base_url="")))

    try:
        return asyncio.run(once())
    except errors.ProviderError as error:
        return error


def assert_storable(value: Any, *, limit_chars: int | None = None) -> None:
    """Either database takes it, and there is nothing of the key in it."""
    if isinstance(value, str):
        assert value.encode().decode() == value
        assert "\x00" not in value
        assert KEY not in value
        assert limit_chars is None or len(value) <= limit_chars
    elif isinstance(value, dict):
        written = json.dumps(value, allow_nan=False, ensure_ascii=False)
        assert_storable(written, limit_chars=200_000)


def assert_known(outcome: Any) -> None:
    """One of the outcomes there are, with nothing in it that cannot be kept."""
    match outcome:
        case ProviderJob():
            assert_storable(outcome.id, limit_chars=200)
            assert outcome.id
            assert_storable(dict(outcome.response))
        case JobMatches():
            for job in (*outcome.exact, *outcome.candidates):
                assert_known(job)
        case JobStatus():
            _assert_known_look(outcome)
        case errors.ProviderError():
            assert_storable(outcome.detail)
            assert_storable(str(outcome.message.to_json()))
        case _:
            raise AssertionError(f"{outcome!r} is no outcome")


def _assert_known_look(look: JobStatus) -> None:
    assert look.progress is None or 0 <= look.progress <= 1
    assert_storable(dict(look.response))
    assert_storable(look.unknown_word or "", limit_chars=100)
    if look.state is JobState.SUCCEEDED:
        assert (look.video_url is None) is (look.error is not None)
    if look.video_url is not None:
        assert_storable(look.video_url, limit_chars=storable.LINK_LIMIT_CHARS)
        assert look.video_url == LINK_AT_PROVIDER or httpx.URL(look.video_url).host
    if look.error is not None:
        assert_known(look.error)
    if look.cost is not None:
        assert look.cost.amount.is_finite()
        assert 0 <= look.cost.amount < Decimal(10) ** 12
        assert_storable(look.cost.currency, limit_chars=3)


ORDERS = {name: registry.provider_class(name).models[0].id for name in SCRIPTS}
ACTS: dict[str, Callable[[str], Callable[[Provider], Coroutine[Any, Any, Any]]]] = {
    "submit": lambda name: lambda vendor: vendor.generate_video(calls.request(ORDERS[name])),
    "look": lambda name: lambda vendor: vendor.check_status(SCRIPTS[name].job_id),
    "stop": lambda name: lambda vendor: vendor.cancel(SCRIPTS[name].job_id),
    "find": lambda name: (
        lambda vendor: vendor.find_submitted_job(calls.request(ORDERS[name]), since=SENT_AT, until=SENT_AT)
    ),
}
CALLS = [
    (name, act)
    for name in SCRIPTS
    for act in ACTS
    if (act != "stop" or registry.provider_class(name).can_cancel)
    and (act != "find" or registry.provider_class(name).supports_lookup)
]


@pytest.mark.parametrize(("name", "act"), CALLS)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(data=st.data())
def test_any_reply_ends_in_a_known_outcome(name: str, act: str, data: st.DataObject) -> None:
    """No reply to an order, a look, a stop or a search brings about anything else."""
    answers = data.draw(st.lists(replies(SCRIPTS[name]), min_size=1, max_size=3))
    assert_known(outcome_of(name, answers, ACTS[act](name)))


@pytest.mark.parametrize(
    "cost", ["1e30", "1e15", "1e999999", 9223372036854775808, "NaN", "-1", True, None, [], "0.48x"]
)
def test_a_cost_that_cannot_be_is_left_out(cost: Any) -> None:
    """The clip is taken, whatever is said of its cost; what was said stays where administrators see it."""
    body = {
        "public_id": "j",
        "status": "success",
        "cost": cost,
        "output": {"video_resource_url": "https://c.example/a"},
    }
    look = outcome_of("edenai", [(200, json.dumps(body).encode())], ACTS["look"]("edenai"))
    assert (look.state, look.video_url, look.cost) == (JobState.SUCCEEDED, "https://c.example/a", None)
    assert "cost" in look.response


def test_a_cost_with_many_places_is_rounded_and_nothing_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """A machine's time in milliseconds has more places than are kept; that is no fault to look into."""
    body = {
        "public_id": "j",
        "status": "success",
        "cost": 0.002030301,
        "output": {"video_resource_url": "https://c.example/a"},
    }
    look = outcome_of("edenai", [(200, json.dumps(body).encode())], ACTS["look"]("edenai"))

    assert look.cost is not None
    assert look.cost.amount == Decimal("0.002030")
    assert not caplog.records


UNUSABLE = [
    "https://xn--/x",
    "https://host/%zz",
    "https://pub invalid/x",
    "https://h/\ud800",
    "https://h/\x00",
    "https://h:99999/x",
    "https://[::1/x",
    "https:///x",
    "https://h/" + "x" * 70_000,
]


@pytest.mark.parametrize("link", UNUSABLE)
def test_a_link_that_cannot_be_one(link: str) -> None:
    """The job is done and there is no address: said at once; a usable one beside it is taken."""

    def look(*links: str) -> Any:
        body = json.dumps({"status": "success", "id": 7, "output": [links[0]], "proxy_links": list(links[1:])})
        return outcome_of("modelslab", [(200, body.encode("utf-8", "replace"))], ACTS["look"]("modelslab"))

    found = look(link)
    assert (found.state, found.video_url) == (JobState.SUCCEEDED, None)
    assert isinstance(found.error, errors.UnreadableReply)
    assert look(link, "https://mirror.example/x").video_url == "https://mirror.example/x"


@pytest.mark.parametrize("job_id", ["x" * 5000, "x" * 201, "a\nb", "\ud800"])
def test_an_id_that_cannot_be_kept(job_id: str) -> None:
    """The order was accepted and its job cannot be asked about: uncertain, and an administrator reads why."""
    body = json.dumps({"public_id": job_id, "status": "processing"}).encode()
    error = outcome_of("edenai", [(202, body)], ACTS["submit"]("edenai"))
    assert isinstance(error, errors.SubmitUncertain)
    assert "cannot be kept" in error.detail


def test_a_link_with_the_key_in_it_is_not_kept() -> None:
    """It is asked for when the clip is fetched; what is stored tells nothing."""
    link = f"https://c.example/a?key={KEY}"
    body = [(200, json.dumps({"public_id": "j", "status": "success", "output": {"video_resource_url": link}}).encode())]
    assert outcome_of("edenai", body, ACTS["look"]("edenai")).video_url == LINK_AT_PROVIDER
    assert outcome_of("edenai", body, lambda vendor: vendor.video_link("j")) == link


CLIP = base64.b64encode(b"\0\0\0\x18ftypisom" + bytes(3000)).decode()
INLINE: dict[str, list[dict[str, Any]]] = {
    "edenai": [
        {"public_id": "j", "status": "success", "output": {"video": CLIP, "video_resource_url": None}},
        {"public_id": "j", "status": "success", "output": {"video": f"data:video/mp4;base64,{CLIP}"}},
        {"status": "finished", "results": {"amazon": {"final_status": "sucess", "video": CLIP}}},
    ],
    "modelslab": [{"status": "success", "id": 7, "output": [f"data:video/mp4;base64,{CLIP}"]}],
    "replicate": [
        {"id": "j", "status": "succeeded", "output": {"clip": f"data:application/octet-stream;base64,{CLIP}"}}
    ],
    "fal": [{"status": "COMPLETED", "video": {"url": f"data:video/mp4;base64,{CLIP}"}}],
}


@pytest.mark.parametrize(("name", "body"), [(name, body) for name, bodies in INLINE.items() for body in bodies])
def test_a_clip_within_the_reply(name: str, body: dict[str, Any]) -> None:
    """It counts as finished, is not kept with the answer, and is there when it is asked for."""
    answers = [(200, json.dumps(body).encode())]
    look = outcome_of(name, answers, ACTS["look"](name))
    assert (look.state, look.video_url) == (JobState.SUCCEEDED, LINK_AT_PROVIDER)
    assert CLIP[:500] not in json.dumps(look.response)
    link = outcome_of(name, answers, lambda vendor: vendor.video_link(SCRIPTS[name].job_id))
    assert link.startswith("data:")
    assert link.endswith(CLIP)


@pytest.mark.parametrize("name", SCRIPTS)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(data=st.data())
def test_any_call_of_a_vendor_tells_what_can_be_kept(name: str, data: st.DataObject) -> None:
    """Whatever a vendor sends to an address of ours: an id and a link that either database keeps, or nothing."""
    _, body = data.draw(replies(SCRIPTS[name]))
    vendor = registry.provider_class(name)
    notice = callbacks.read_notice(vendor, vendor.models[0], callbacks.received(body, headers={}, query={}), key=KEY)
    if notice is not None:
        assert_storable(notice.job_id, limit_chars=storable.JOB_ID_LIMIT_CHARS)
        assert_storable(notice.video_url or "", limit_chars=storable.LINK_LIMIT_CHARS)


def test_a_clip_within_a_call_of_the_vendor() -> None:
    """It is asked for when it is fetched: what a stranger could send is not taken for it."""
    body = {"public_id": "j", "status": "success", "output": {"video": CLIP}}
    vendor = registry.provider_class("edenai")
    notice = callbacks.read_notice(vendor, vendor.models[0], VendorCall(body), key=KEY)
    assert notice is not None
    assert (notice.job_id, notice.video_url) == ("j", LINK_AT_PROVIDER)
