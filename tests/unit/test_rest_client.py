"""The client of our own API: what is sent again, for how long, what is said; and what binds an order to its quote."""

import json
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from core.cli.main import REFUSED, WORKED, main
from core.rest_client import Access, Client, quotes
from core.rest_client.answers import Model, Wanted
from core.rest_client.connection import Waiting
from core.rest_client.problems import BadSetting, ClientProblem, NotQuoted, NotTheApi, Refused, Unreachable

API = "https://studio.example/api/apps/video-generator"
ACCESS = Access(API, "avg_secret")
BALANCE = {"credits": {"available": 7, "held": 0}}
ID = "01a229f5-8509-7ad2-96c2-54bab001b396"
MODEL = Model(
    id="m",
    name="M",
    provider="p",
    description="",
    base_credits=50,
    orderable=True,
    default_duration=5,
    durations=[5, 10],
    resolutions=["480p", "720p"],
    aspect_ratios=["16:9", "1:1"],
    supports_text_to_video=True,
    supports_image_to_video=False,
    supports_audio_generation=False,
    prompt_limit_chars=100,
    limits=[],
)


class Clock:
    """A clock that moves by sleeping alone."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    """Time as the client sees it."""
    return Clock()


@pytest.fixture
def client(clock: Clock) -> Iterator[Client]:
    """A client that waits up to 30 seconds of the clock."""
    waiting = Waiting(30, clock.sleep, lambda: clock.now)
    with Client(ACCESS, waiting) as made:
        yield made


@respx.mock
def test_asked_again_with_growing_pauses_until_answered(client: Client, clock: Clock) -> None:
    """A lost connection is repeated, less and less often; the answer then is the answer."""
    lost = [httpx.ConnectError("no"), httpx.ReadError("no"), httpx.RemoteProtocolError("no")]
    respx.get(f"{API}/generations/{ID}/status").mock(
        side_effect=[*lost, httpx.Response(200, json={"success": True, "status": {"status": "pending", "progress": 0}})]
    )

    progress, pause = client.progress(ID)

    assert (progress.status, pause) == ("pending", 2)
    assert clock.pauses == [0.2, 0.4, 0.8]


@respx.mock
def test_waits_as_long_as_the_api_says(client: Client, clock: Clock) -> None:
    """`Retry-After` of a 429 or 503 is kept to."""
    asked = respx.get(f"{API}/models").mock(
        side_effect=[
            httpx.Response(429, headers={"Retry-After": "7"}, json={}),
            httpx.Response(503, headers={"Retry-After": "5"}, text="away"),
            httpx.Response(200, json={"success": True, "models": []}),
        ]
    )

    assert client.models() == []
    assert clock.pauses == [7, 5]
    assert {call.request.headers["Authorization"] for call in asked.calls} == {"Bearer avg_secret"}


@respx.mock
def test_gives_up_when_patience_ends(client: Client, clock: Clock) -> None:
    """Beyond its patience it says that nobody answers, or what the API has said all the time."""
    respx.get(f"{API}/models").mock(side_effect=httpx.ConnectError("no"))
    with pytest.raises(Unreachable, match=r"^No answer from .* for 30 seconds"):
        client.models()
    assert clock.now <= 30

    refusal = {"success": False, "error": {"code": "database_unavailable", "message": "Try again in a moment."}}
    respx.get(f"{API}/models").mock(return_value=httpx.Response(503, json=refusal))
    with pytest.raises(Refused, match="Try again in a moment") as refused:
        client.models()
    assert (refused.value.status, refused.value.code) == (503, "database_unavailable")


@respx.mock
def test_certificate_that_is_not_trusted_is_told_at_once(client: Client, clock: Clock) -> None:
    """Waiting makes no certificate better."""
    respx.get(f"{API}/models").mock(side_effect=httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"))

    with pytest.raises(Unreachable, match="certificate"):
        client.models()
    assert clock.pauses == []


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, html="<p>Something else</p>"),
        httpx.Response(302, headers={"Location": "https://evil.example/"}),
        httpx.Response(404, text="nothing"),
        httpx.Response(200, json=["no", "object"]),
    ],
    ids=["page", "redirect", "foreign 404", "other JSON"],
)
@respx.mock
def test_what_is_not_the_api_gets_no_second_request(client: Client, clock: Clock, answer: httpx.Response) -> None:
    """An address of something else is told; no redirect takes the token elsewhere."""
    asked = respx.get(f"{API}/models").mock(return_value=answer)

    with pytest.raises(NotTheApi):
        client.models()
    assert asked.call_count == 1


@respx.mock
def test_refusal_names_its_fields(client: Client) -> None:
    """What is wrong with each field stands in the sentence."""
    error = {"code": "invalid_request", "message": "Look at the fields.", "fields": {"duration": "Use 5 or 10."}}
    respx.post(f"{API}/estimate-credits").mock(return_value=httpx.Response(422, json={"error": error}))
    respx.get(f"{API}/models").mock(return_value=httpx.Response(200, json={"models": [_published(MODEL)]}))

    with pytest.raises(Refused, match=r"^Look at the fields\. duration: Use 5 or 10\.$"):
        client.quote(Wanted(model="m", prompt="x", project="p"))


def test_settings_are_checked() -> None:
    """A missing token and an address of no server are refused; neither address nor text of it has the token."""
    access = Access.of({"VIDEO_TOKEN": " avg_secret \n", "VIDEO_WORKSPACE": ""})
    assert (access.token, access.workspace_id) == ("avg_secret", None)
    assert access.address == "http://localhost:8501/api/apps/video-generator"
    assert "avg_secret" not in repr(access)
    wrong = [
        {},
        {"VIDEO_TOKEN": "avg secret"},
        {"VIDEO_TOKEN": "avg_ä"},
        {"VIDEO_TOKEN": "t", "VIDEO_API": "ftp://a.example"},
        {"VIDEO_TOKEN": "t", "VIDEO_API": "http://[::1"},
        {"VIDEO_TOKEN": "t", "VIDEO_WORKSPACE": "a\nb"},
    ]
    for environ in wrong:
        with pytest.raises(BadSetting):
            Access.of(environ)


def test_what_is_left_out_is_what_the_model_usually_does() -> None:
    """Length, resolution and ratio are filled in; what nobody can make is refused before anything is sent."""
    told = quotes.completed(Wanted(model="m", prompt=" a lake ", project=" p "), MODEL)

    assert (told.prompt, told.project, told.duration, told.resolution, told.aspect_ratio) == (
        *("a lake", "p"),
        *(5, "720p", "16:9"),
    )
    for wrong in ({"prompt": " "}, {"project": " "}, {"take": 0}):
        with pytest.raises(BadSetting):
            quotes.completed(Wanted(**{"model": "m", "prompt": "x", "project": "p"} | wrong), MODEL)


@respx.mock
@pytest.mark.parametrize(("up_to", "code"), [("60", WORKED), ("50", REFUSED)])
def test_price_that_changes_meanwhile_is_quoted_anew(up_to: str, code: int) -> None:
    """An order up to a price goes on at the new price within it, and is not sent at one beyond."""
    respx.get(f"{API}/models").mock(return_value=httpx.Response(200, json={"models": [_published(MODEL)]}))
    respx.get(f"{API}/credits").mock(return_value=httpx.Response(200, json=BALANCE))
    estimate = {"model": "M", "breakdown": {}, "totalIdr": 0, "reasons": []}
    respx.post(f"{API}/estimate-credits").mock(
        side_effect=[httpx.Response(200, json={"estimate": estimate | {"total": total}}) for total in (50, 60)]
    )
    changed = httpx.Response(409, json={"error": {"code": "price_changed", "message": "The price has changed."}})
    made = {"generation": {"id": ID, "status": "pending", "creditUsed": 60}}
    ordered = respx.post(f"{API}/generate").mock(side_effect=[changed, httpx.Response(202, json=made)])

    wish = ["order", "a lake", "--model", "m", "--project", ID, "--up-to", up_to, "--no-wait"]
    assert main(wish, {"VIDEO_API": API, "VIDEO_TOKEN": "avg_secret"}) == code

    sent = [json.loads(call.request.content)["expectedCredits"] for call in ordered.calls]
    assert sent == ([50, 60] if code == WORKED else [50])
    assert len({call.request.headers["Idempotency-Key"] for call in ordered.calls}) == 1


TEXTS = st.text(max_size=20)
WISHES = st.builds(
    Wanted,
    model=TEXTS,
    prompt=TEXTS,
    project=TEXTS,
    duration=st.none() | st.integers(1, 100),
    resolution=st.none() | TEXTS,
    negative_prompt=TEXTS,
    audio=st.booleans(),
    seed=st.none() | st.integers(0, 9),
    take=st.integers(1, 9),
)


@given(WISHES, WISHES, st.integers(0, 10**6), st.integers(0, 10**6))
def test_code_is_good_for_one_wish_at_one_price(wanted: Wanted, other: Wanted, credits: int, price: int) -> None:
    """A code confirms its own wish, price and token, and no other; it tells its price."""
    code = quotes.confirmation(ACCESS, wanted, credits)

    assert quotes.is_confirmed(ACCESS, wanted, credits, code)
    assert quotes.credits_of(code) == credits
    assert quotes.is_confirmed(ACCESS, other, price, code) == ((wanted, credits) == (other, price))
    assert not quotes.is_confirmed(replace(ACCESS, token="avg_other"), wanted, credits, code)
    assert not quotes.is_confirmed(replace(ACCESS, workspace_id="w"), wanted, credits, code)


@given(WISHES, WISHES)
def test_key_is_that_of_the_wish_alone(wanted: Wanted, other: Wanted) -> None:
    """The same wish has the same key with any token, and another wish another one; the API can keep it."""
    key = quotes.key(ACCESS, wanted)

    assert (key == quotes.key(replace(ACCESS, token="avg_new"), other)) == (wanted == other)
    assert key.isprintable()
    assert len(key) <= 200


def test_no_code() -> None:
    """Anything else than a code is told to be none."""
    for text in ("", "yes", "q-", "q--x", "q-1e3-x", "50"):
        if text != "50":
            with pytest.raises(NotQuoted):
                quotes.credits_of(text)
        assert not quotes.is_confirmed(ACCESS, Wanted(model="m", prompt="x", project="p"), 50, text)


def test_every_problem_is_one_tree() -> None:
    """Who calls needs to know one class."""
    for problem in (BadSetting, NotQuoted, NotTheApi, Unreachable, Refused):
        assert issubclass(problem, ClientProblem)


def _published(model: Model) -> dict[str, object]:
    """A model as the API tells it."""
    told = {
        "defaultDuration": model.default_duration,
        "baseCredits": model.base_credits,
        "aspectRatios": model.aspect_ratios,
        "supportsTextToVideo": True,
        "supportsImageToVideo": False,
        "supportsAudioGeneration": False,
        "promptLimitChars": model.prompt_limit_chars,
        "configured": True,
        "state": "available",
    }
    plain = model.model_dump(include={"id", "name", "provider", "description", "durations", "resolutions", "limits"})
    return plain | told
