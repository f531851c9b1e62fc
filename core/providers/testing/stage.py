"""Plays a scripted vendor to a provider and watches it: what it sends where, whether it waits, what it keeps."""

import asyncio
import html
import json
import re
from collections.abc import Callable, Collection, Coroutine
from contextvars import Context
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVarTuple, Unpack
from unittest import mock
from urllib.parse import quote, quote_plus

import httpx
import respx

from core import errors
from core.providers.contract import Provider, SourceImage, VideoRequest
from core.providers.models import VideoModel
from core.providers.testing.script import (
    BASE_URL,
    IMAGE,
    KEY,
    PROMPT,
    REFERENCE,
    SENT_AT,
    Answer,
    Answering,
    VendorScript,
)

MOST_CALLS = 60
"""More in one exchange is a loop."""
PAGE = Answer(404, text="<html>not found</html>")
Ts = TypeVarTuple("Ts")
Act = Callable[[Provider], Coroutine[Any, Any, Any]]


@dataclass(frozen=True, slots=True)
class Played:
    """How one exchange went: what was returned or raised, and what was sent."""

    result: Any
    error: BaseException | None
    requests: list[httpx.Request]
    submits: int
    uploads: int

    @property
    def kept(self) -> str:
        """Everything of it that is logged or stored."""
        found = [repr(self.result)]
        for error in (self.error, getattr(self.result, "error", None)):
            found += [repr(error), str(error), str(getattr(error, "detail", ""))]
        return "\n".join(found)


@dataclass
class Stage:
    """One provider class and the vendor it is played against. Every exchange holds what must always hold."""

    provider: type[Provider]
    script: VendorScript
    prices: Collection[str] = field(default_factory=frozenset)

    @property
    def model(self) -> VideoModel:
        """The model of the default order; one that makes video from text alone where there is one."""
        of_script = (model for model in self.provider.models if model.id == self.script.model_id)
        of_text = (model for model in self.provider.models if model.text_to_video)
        return next(of_script, None) or next(of_text, self.provider.models[0])

    def request(self, model: VideoModel | None = None, **changed: Any) -> VideoRequest:
        """The default order of a model, with changes."""
        model = model or self.model
        values: dict[str, Any] = {
            "reference": REFERENCE,
            "model": model,
            "prompt": PROMPT,
            "resolution": "720p" if "720p" in model.resolutions else model.resolutions[0],
            "duration_seconds": model.default_seconds,
            "aspect_ratio": model.aspect_ratios[0],
            "start_image": None if model.text_to_video else IMAGE,
        }
        return VideoRequest(**values | changed)

    def large_image(self) -> SourceImage:
        """An image that has to be uploaded, where the vendor takes uploads."""
        return SourceImage(b"\xff\xd8\xff large" + b"0" * self.script.upload_from_bytes)

    def submit(
        self,
        answer: Answering | None = None,
        *,
        request: VideoRequest | None = None,
        upload: Answering | None = None,
        **where: str,
    ) -> Played:
        """Order a clip: the submit is answered as told, uploads as the script has them."""
        wanted = request or self.request()
        order = _in_turn(self.script.accepted if answer is None else answer)
        uploaded = _in_turn(self.script.uploaded if upload is None else upload)

        def answering(sent: httpx.Request) -> Answer | Exception:
            return order(sent) if self.is_submit(sent) else uploaded(sent) if self.is_upload(sent) else PAGE

        played = self.play(lambda vendor: vendor.generate_video(wanted), answering, **where)
        assert played.submits <= 1, f"the order was sent {played.submits} times"
        others = [place(sent) for sent in played.requests if not self.is_submit(sent) and not self.is_upload(sent)]
        assert not others, f"an order also called {others}"
        return played

    def look(self, answer: Answering, *, job_id: str | None = None, **where: str) -> Played:
        """Look at the script's job."""
        known = self.script.job_id if job_id is None else job_id
        played = self.play(lambda vendor: vendor.check_status(known), answer, **where)
        self._assert_only(played, self.script.looks)
        return played

    def cancel(self, answer: Answering, *, job_id: str | None = None, **where: str) -> Played:
        """Stop the script's job."""
        known = self.script.job_id if job_id is None else job_id
        played = self.play(lambda vendor: vendor.cancel(known), answer, **where)
        self._assert_only(played, self.script.stops, self.script.looks)
        return played

    def search_act(self, request: VideoRequest | None = None) -> Act:
        """Look for the job of an order, the default one where no other is given."""
        wanted, until = request or self.request(), SENT_AT + timedelta(seconds=45)
        return lambda vendor: vendor.find_submitted_job(wanted, since=SENT_AT, until=until)

    def search(self, answer: Answering, *, request: VideoRequest | None = None) -> Played:
        """Play that."""
        played = self.play(self.search_act(request), answer)
        self._assert_only(played, self.script.searches)
        return played

    def try_key(self, answer: Answering) -> Played:
        """Try the key."""
        played = self.play(lambda vendor: vendor.check_key(), answer)
        self._assert_only(played, self.script.tries_key)
        assert len(played.requests) == 1, "one call tries a key"
        return played

    def list_models(self, answer: Answering) -> Played:
        """Ask for the list of models."""
        played = self.play(lambda vendor: vendor.live_models(), answer)
        self._assert_only(played, self.script.lists_models)
        assert len(played.requests) == 1, "one call gives the list"
        return played

    def look_up_model(self, model: VideoModel, answer: Answering) -> Played:
        """Ask about one model."""
        played = self.play(lambda vendor: vendor.live_model(model), answer)
        self._assert_only(played, self.script.looks_up_models)
        assert len(played.requests) == 1, "one call tells of a model"
        return played

    def source(self, url: str, *, key: str = KEY) -> Played:
        """Where, and with what headers, a file at this address is fetched."""
        return self.play(lambda vendor: vendor.video_source(self.script.job_id, url), PAGE, key=key)

    def is_submit(self, sent: httpx.Request) -> bool:
        """Whether this is the call that buys."""
        return re.fullmatch(self.script.submits, place(sent)) is not None

    def is_upload(self, sent: httpx.Request) -> bool:
        """Whether this uploads an image."""
        return bool(self.script.uploads) and re.fullmatch(self.script.uploads, place(sent)) is not None

    def play(self, act: Act, answer: Answering, *, key: str = KEY, base_url: str = BASE_URL) -> Played:
        """One exchange. AssertionError when the key or a call goes elsewhere, it waits, or something of it leaks."""
        turn, sent, waits = _in_turn(answer), list[httpx.Request](), list[str]()

        def answering(request: httpx.Request) -> httpx.Response:
            sent.append(request)
            assert len(sent) <= MOST_CALLS, "it calls without end"
            reply = turn(request)
            if isinstance(reply, Exception):
                raise reply
            return reply.response()

        async def exchange() -> Any:
            async with httpx.AsyncClient(transport=httpx.MockTransport(answering), follow_redirects=False) as client:
                return await act(self.provider(client=client, key=key, base_url=base_url))

        result, error = None, None
        with (
            respx.mock(assert_all_called=False) as strays,  # what is sent past the client it was given
            mock.patch("time.sleep", waits.append),
            asyncio.Runner(loop_factory=lambda: _Loop(waits)) as runner,
        ):
            strays.route().mock(side_effect=answering)
            try:
                result = runner.run(exchange())
            except (errors.AppError, NotImplementedError) as raised:
                error = raised
            except httpx.HTTPError as raised:
                raise AssertionError(f"{raised!r} is not one of our errors") from raised
        self._watch(sent, waits, base_url or self.provider.default_base_url, key)
        played = Played(result, error, sent, sum(map(self.is_submit, sent)), sum(map(self.is_upload, sent)))
        assert type(result).__name__ == "VideoSource" or not leaks(played.kept), "the key is in what is kept"
        return played

    def _assert_only(self, played: Played, *expected: str) -> None:
        """Nothing but the calls that the vendor documents for this was sent."""
        for sent in played.requests:
            assert any(re.fullmatch(each, place(sent)) for each in expected), f"it called {place(sent)}"

    def _watch(self, sent: list[httpx.Request], waits: list[str], base_url: str, key: str) -> None:
        assert not waits, "it waits by itself"
        own = httpx.URL(base_url)
        for request in sent:
            origin = (request.url.scheme, request.url.host, request.url.port)
            assert origin == (own.scheme, own.host, own.port), f"it called {request.url}"
            assert not key or self.script.has_key(request, key), f"{place(request)} lacks the key"
            for name, value in request.headers.items():
                assert value == value.strip(), f"the header {name} is not valid: {value!r}"
                assert name.lower() != "authorization" or value, "an empty authorization"


def place(sent: httpx.Request) -> str:
    """A call as scripts name it."""
    return f"{sent.method} {sent.url.raw_path.decode().partition('?')[0]}"


def leaks(text: str) -> bool:
    """Whether the key stands in a text, plain or escaped."""
    escaped = {quote(KEY, safe=""), quote(KEY), quote_plus(KEY)}
    lower = {re.sub("%[0-9A-F]{2}", lambda mark: mark[0].lower(), form) for form in escaped}
    return any(form in text for form in {KEY, html.escape(KEY), json.dumps(KEY)[1:-1]} | escaped | lower)


def _in_turn(answer: Answering) -> Callable[[httpx.Request], Answer | Exception]:
    if callable(answer):
        return answer
    waiting = [answer] if isinstance(answer, Answer | Exception) else list(answer)
    return lambda request: waiting.pop(0) if len(waiting) > 1 else waiting[0]


class _Loop(asyncio.SelectorEventLoop):
    """Notes every timer: an exchange with a vendor that answers at once needs none."""

    def __init__(self, waits: list[str]) -> None:
        super().__init__()
        self._waits = waits

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Set off at once, so that nobody waits for a provider that does."""
        self._waits.append("a timer")
        return super().call_at(self.time(), callback, *args, context=context)
