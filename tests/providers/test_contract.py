"""What every registered provider must hold, the next one included."""

import asyncio
import inspect
import re
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest

from core import errors
from core.clock import utc_now
from core.providers import registry
from core.providers.contract import JobMatches, JobStatus, Provider, VideoRequest
from core.providers.registry import Access

KEY = "key-of-the-test-4711"
EVERY_PROVIDER = pytest.mark.parametrize("provider", registry.providers(), ids=lambda provider: provider.name)
Answer = Callable[[httpx.Request], httpx.Response]


def _call(
    provider: type[Provider], answer: Answer, what: Callable[[Provider], Coroutine[Any, Any, Any]]
) -> Any:  # a ProviderJob or a JobStatus
    async def call() -> Any:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await what(registry.connect(provider.name, client=client, access=Access(key=KEY, base_url="")))

    return asyncio.run(call())


def _request(provider: type[Provider]) -> VideoRequest:
    model = provider.models[0]
    return VideoRequest(
        reference="reference-1",
        model=model,
        prompt="a lake",
        resolution=model.resolutions[0],
        duration_seconds=model.default_seconds,
        aspect_ratio=model.aspect_ratios[0],
    )


def _failing(failure: type[httpx.TransportError]) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        raise failure(f"broken while {KEY} was on its way", request=request)

    return answer


def _answering(status: int, text: str) -> Answer:
    return lambda request: httpx.Response(status, text=text)


@EVERY_PROVIDER
def test_declaration(provider: type[Provider]) -> None:
    """A provider has a name fit for environment variables, an address without a path, and models with words."""
    assert re.fullmatch(r"[a-z][a-z0-9]*", provider.name)
    assert provider.display_name.strip()
    assert re.fullmatch(r"https?://[^/]+", provider.default_base_url)
    assert provider.min_poll_seconds > 0
    assert provider.max_in_flight is None or provider.max_in_flight > 0
    for model in provider.models:
        assert registry.model(model.id) is model
        assert model.name
        assert model.description
        assert model.prompt_limit_chars > 0
        assert model.typical_seconds < model.deadline_seconds
        assert all(sentence.endswith(".") for sentence in model.limits)


@EVERY_PROVIDER
def test_calls_are_coroutines(provider: type[Provider]) -> None:
    """Everything that talks to the vendor can be awaited; what it says it can do, it has."""
    for name in ("generate_video", "check_status", "video_source", "cancel", "find_submitted_job"):
        assert inspect.iscoroutinefunction(getattr(provider, name)), name
    assert not provider.can_cancel or provider.cancel is not Provider.cancel
    assert not provider.supports_lookup or provider.find_submitted_job is not Provider.find_submitted_job


@EVERY_PROVIDER
@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_submit_when_nothing_was_sent(provider: type[Provider], failure: type[httpx.TransportError]) -> None:
    """A submit that never reached the vendor may be repeated, and says so."""
    with pytest.raises(errors.ProviderUnavailable) as caught:
        _call(provider, _failing(failure), lambda vendor: vendor.generate_video(_request(provider)))
    assert KEY not in repr(caught.value) + str(caught.value) + caught.value.detail


@EVERY_PROVIDER
@pytest.mark.parametrize(
    "failure",
    [httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError],
)
def test_submit_when_the_answer_was_lost(provider: type[Provider], failure: type[httpx.TransportError]) -> None:
    """A submit that left and got no answer is uncertain, whatever broke."""
    with pytest.raises(errors.SubmitUncertain) as caught:
        _call(provider, _failing(failure), lambda vendor: vendor.generate_video(_request(provider)))
    assert KEY not in repr(caught.value) + str(caught.value) + caught.value.detail


@EVERY_PROVIDER
@pytest.mark.parametrize(
    ("status", "text"),
    [
        (200, ""),
        (200, "<html>"),
        (200, "{}"),
        (200, "[]"),
        (202, '{"status": '),
        (302, ""),
        (500, "oops"),
        (502, "<html>"),
        (504, "<html>"),
        (524, "<html>"),
    ],
)
def test_submit_when_the_answer_is_no_verdict(provider: type[Provider], status: int, text: str) -> None:
    """An answer that names no job and refuses nothing is uncertain: a page of a gateway, a body cut off."""
    with pytest.raises(errors.SubmitUncertain):
        _call(provider, _answering(status, text), lambda vendor: vendor.generate_video(_request(provider)))


@EVERY_PROVIDER
@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_look_when_the_network_broke(provider: type[Provider], failure: type[httpx.TransportError]) -> None:
    """A look that broke is never a verdict on the job."""
    with pytest.raises(errors.ProviderUnavailable) as caught:
        _call(provider, _failing(failure), lambda vendor: vendor.check_status("1"))
    assert KEY not in repr(caught.value) + str(caught.value) + caught.value.detail


@EVERY_PROVIDER
@pytest.mark.parametrize(
    ("status", "text"), [(200, "<html>"), (200, "{}"), (401, "{}"), (429, "{}"), (500, "{}"), (502, "<html>")]
)
def test_look_when_the_answer_is_about_nothing(provider: type[Provider], status: int, text: str) -> None:
    """An unreadable look, or one refused for our key or our haste, fails as a look and leaves the job alone."""
    with pytest.raises(errors.ProviderError) as caught:
        _call(provider, _answering(status, text), lambda vendor: vendor.check_status("1"))
    assert not isinstance(caught.value, errors.SubmitUncertain | errors.GenerationFailed)


async def _search(vendor: Provider) -> JobMatches:
    return await vendor.find_submitted_job(_request(type(vendor)), since=utc_now(), until=utc_now())


SEARCHABLE = [provider for provider in registry.providers() if provider.supports_lookup]


@pytest.mark.parametrize("provider", SEARCHABLE, ids=lambda provider: provider.name)
@pytest.mark.parametrize(
    ("status", "text"),
    [(200, ""), (200, "<html>"), (200, "{}"), (200, "[]"), (401, "{}"), (404, "{}"), (429, "{}"), (500, "{}")],
)
def test_find_when_the_list_cannot_be_read(provider: type[Provider], status: int, text: str) -> None:
    """A search that was not answered fails: only a list that was read may show that a job is not there."""
    with pytest.raises(errors.ProviderError):
        _call(provider, _answering(status, text), _search)


@pytest.mark.parametrize("provider", SEARCHABLE, ids=lambda provider: provider.name)
@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_find_when_the_network_broke(provider: type[Provider], failure: type[httpx.TransportError]) -> None:
    """A search that broke says nothing about the job and may be repeated."""
    with pytest.raises(errors.ProviderUnavailable) as caught:
        _call(provider, _failing(failure), _search)
    assert KEY not in repr(caught.value) + str(caught.value) + caught.value.detail


@EVERY_PROVIDER
@pytest.mark.parametrize("status", [200, 400, 401, 402, 422, 429, 500, 503])
def test_key_is_not_kept_when_the_vendor_echoes_it(provider: type[Provider], status: int) -> None:
    """A vendor that quotes our key, in JSON or in a page, does not get it into an error or a kept response."""
    quoted = f'{{"status": "error", "detail": "no {KEY}", "message": "no {KEY}", "{KEY}": 1, "error": "{KEY}"}}'
    for text in (quoted, f"<html>{KEY}</html>"):
        with pytest.raises(errors.ProviderError) as caught:
            _call(provider, _answering(status, text), lambda vendor: vendor.generate_video(_request(provider)))
        assert KEY not in repr(caught.value) + str(caught.value) + caught.value.detail
        looked = _look(provider, _answering(status, text))
        detail = looked.error.detail if isinstance(looked, JobStatus) and looked.error else ""
        detail += looked.detail if isinstance(looked, errors.ProviderError) else ""
        assert KEY not in repr(looked) + str(looked) + detail


def _look(provider: type[Provider], answer: Answer) -> JobStatus | errors.ProviderError:
    """How a look ended, either way."""
    try:
        status: JobStatus = _call(provider, answer, lambda vendor: vendor.check_status("1"))
    except errors.ProviderError as error:
        return error
    return status
