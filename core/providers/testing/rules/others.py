"""Stopping a job, trying the key, searching for a lost submit, fetching the file."""

import re
from collections.abc import Callable, Collection, Coroutine
from typing import Any

import httpx

from core import errors
from core.providers.contract import JobMatches, JobState, JobStatus, LiveModel, Provider, VideoSource
from core.providers.testing.rules.answers import (
    BUSY,
    GATEWAY,
    NEVER_SENT,
    NO_OBJECT,
    OF_A_LOOK,
    OUTAGES,
    REDIRECTS,
    SENT_AND_LOST,
    poisoned,
    raised,
)
from core.providers.testing.script import BASE_URL, FOREIGN, Answer, Answering
from core.providers.testing.stage import Stage, leaks, place

TROUBLE: list[Answering] = [
    *NEVER_SENT,
    *SENT_AND_LOST,
    *OUTAGES,
    *REDIRECTS,
    *BUSY,
    *NO_OBJECT,
    *(Answer(status, {}) for status in (400, 401, 402, 403, 409, 429)),
    *(Answer(status, text=GATEWAY) for status in (400, 401, 402, 403, 404, 409, 429)),
]


def a_stop_is_asked_for_and_tells_how_the_job_stands(stage: Stage) -> None:
    """The vendor's answer to a stop, or the look after it, is what counts."""
    stoppable: Collection[JobState] = getattr(stage.provider, "STOPPABLE", frozenset())
    for answers, state in stage.script.cancels:
        played = stage.cancel(answers)
        assert isinstance(played.result, JobStatus), f"{answers}: {played.error!r}"
        assert played.result.state is state, f"{answers}: {played.result.state}"
        assert (played.result.video_url is not None) is (state is JobState.SUCCEEDED)
        asked = sum(re.fullmatch(stage.script.stops, place(sent)) is not None for sent in played.requests)
        may_be_left = bool(stoppable) and state not in stoppable  # a look has told that it is over
        assert asked == 1 or (may_be_left and asked == 0), f"the vendor was asked to stop {asked} times"


def a_stop_that_failed_cancels_nothing(stage: Stage) -> None:
    """Only a vendor that says so has stopped a job; it may be asked again."""
    if not stage.provider.can_cancel:
        return
    for answer in TROUBLE:
        played = stage.cancel(answer)
        raised(played, *OF_A_LOOK, after=f"a stop answered {answer!r}")
        assert len(played.requests) <= 2 + len(stage.script.succeeded)
    for answers, _ in stage.script.under_way:
        state = getattr(stage.cancel([*answers, *answers]).result, "state", None)
        assert state in (JobState.QUEUED, JobState.RUNNING), f"{answers}: {state}"


def a_stop_asks_at_an_address_of_our_own(stage: Stage) -> None:
    """Base address and quoted id."""
    if not stage.provider.can_cancel:
        return
    answers = stage.script.cancels[0][0]
    vendor_id = stage.script.vendor_id
    for odd in ("../../account", "a/b?c#d"):
        played = stage.cancel(poisoned(answers), job_id=stage.script.job_id.replace(vendor_id, odd))
        usual = stage.cancel(answers)
        counts = [[sent.url.raw_path.count(mark) for mark in (b"/", b"?", b"#")] for sent in played.requests]
        expected = [[sent.url.raw_path.count(mark) for mark in (b"/", b"?", b"#")] for sent in usual.requests]
        assert counts == expected, f"the id {odd!r} is not quoted"


def what_it_cannot_do_it_does_not_try(stage: Stage) -> None:
    """A call that is not declared sends nothing and says so."""
    provider = stage.provider
    undeclared: list[tuple[bool, Callable[[Provider], Coroutine[Any, Any, Any]]]] = [
        (provider.can_cancel, lambda vendor: vendor.cancel(stage.script.job_id)),
        (provider.can_check_key, lambda vendor: vendor.check_key()),
        (provider.supports_lookup, stage.search_act()),
        (provider.can_list_models, lambda vendor: vendor.live_models()),
        (provider.can_look_up_models, lambda vendor: vendor.live_model(stage.model)),
    ]
    for declared, act in undeclared:
        if not declared:
            played = stage.play(act, Answer(200, {}))
            assert isinstance(played.error, NotImplementedError), f"{played.result!r}"
            assert not played.requests


def a_key_is_tried_for_free(stage: Stage) -> None:
    """Only a refusal of the key says that it does not work; trouble says nothing about it."""
    script = stage.script
    if script.key_accepted is None:
        return
    good = stage.try_key(script.key_accepted)
    assert good.error is None, repr(good.error)
    for answer in (*script.key_refused, Answer(401, {}), Answer(403, {}), Answer(401, text=GATEWAY)):
        raised(stage.try_key(answer), errors.BadKey, after=answer)
    silent = (*OUTAGES, *REDIRECTS, *BUSY, Answer(404, text=GATEWAY), Answer(402, {}))
    troubles: list[Answering] = [*NEVER_SENT, *SENT_AND_LOST, *silent]
    for trouble in troubles:
        played = stage.try_key(trouble)
        raised(played, *set(OF_A_LOOK) - {errors.BadKey, errors.ProviderOutOfCredits}, after=trouble)


def a_search_finds_what_is_the_orders(stage: Stage) -> None:
    """Surely ours, possibly ours, or somebody else's, as the vendor's list shows it."""
    for listing in stage.script.listings:
        played = stage.search(listing.answer, request=stage.request(start_image=listing.image))
        found = played.result
        assert isinstance(found, JobMatches), f"{listing}: {played.error!r}"
        assert tuple(job.id for job in found.exact) == listing.exact, f"{listing}: {found.exact}"
        assert tuple(job.id for job in found.candidates) == listing.candidates, f"{listing}: {found.candidates}"
        assert found.complete is listing.complete, f"{listing}"
        assert all(job.response for job in (*found.exact, *found.candidates)), "nothing of a listed job is kept"


def a_search_claims_no_other_order(stage: Stage) -> None:
    """A job that was ordered with other words is nobody's match."""
    for listing in stage.script.listings:
        if listing.exact:
            other = stage.request(reference="01JANOTHER", prompt="a desert at night")
            found = stage.search(listing.answer, request=other).result
            assert found is None or not found.exact, f"{listing}: {found}"


def a_search_that_was_not_answered_fails(stage: Stage) -> None:
    """Only a list that was read may show that a job is not there."""
    if not stage.provider.supports_lookup:
        return
    for trouble in (*TROUBLE, Answer(404, {}), Answer(500, {}), *stage.script.unreadable_lists):
        played = stage.search(trouble)
        raised(played, *OF_A_LOOK, after=f"a search answered {trouble!r}")
        assert len(played.requests) == 1


def the_list_of_models_is_read(stage: Stage) -> None:
    """The vendor's ids as models have them; an empty list, or none, does not say that all models have ended."""
    script = stage.script
    if script.model_list is None:
        return
    found = stage.list_models(script.model_list).result
    assert found is not None, "the list is not read"
    assert tuple(model.upstream_id for model in found) == tuple(script.models_listed), found
    assert all(isinstance(model, LiveModel) for model in found)
    for trouble in (*TROUBLE, Answer(404, {}), *script.unreadable_model_lists):
        raised(stage.list_models(trouble), *OF_A_LOOK, after=f"a list of models answered {trouble!r}")


def a_model_is_looked_up(stage: Stage) -> None:
    """There, or gone by the vendor's own word; trouble says neither."""
    script = stage.script
    if script.model_shown is None:
        return
    for model in stage.provider.models:
        found = stage.look_up_model(model, script.model_shown).result
        assert isinstance(found, LiveModel), f"{model.id}: {found!r}"
        assert found.upstream_id == model.upstream_id
    for answer in script.models_gone:
        played = stage.look_up_model(stage.model, answer)
        assert (played.result, played.error) == (None, None), f"{answer}: {played.error!r}"
    for trouble in TROUBLE:
        raised(stage.look_up_model(stage.model, trouble), *OF_A_LOOK, after=f"a model looked up: {trouble!r}")


def a_file_is_fetched_with_the_key_from_the_vendor_only(stage: Stage) -> None:
    """Headers with the key are for the base address and the vendor's own hosts by https, and for nobody else."""
    script, own = stage.script, httpx.URL(BASE_URL)
    hosts = [*script.file_hosts, own.host]
    urls = [script.video_url, f"{BASE_URL}/files/a.mp4", f"{FOREIGN}/a.mp4", f"http://{own.host}/a.mp4"]
    urls += ["https://[bad/a.mp4", f"{BASE_URL}@elsewhere.example/a.mp4", f"https://{own.host}:9/a.mp4"]
    urls += [form.format(host) for host in hosts for form in _LOOKALIKES]
    for url in urls:
        played = stage.source(url)
        source = played.result
        assert isinstance(source, VideoSource), f"{url}: {played.error!r}"
        assert not played.requests, "finding out where a file lies sends nothing"
        assert source.url == url or source.url.startswith(f"{BASE_URL}/"), f"{url} became {source.url}"
        assert not leaks(source.url), "the key is in an address"
        with_key = leaks("\n".join(source.headers.values()))
        assert not with_key or _is_vendors(source.url, script.file_hosts), f"the key goes to {source.url}"
        if script.file_needs_key and source.url.startswith(f"{BASE_URL}/"):
            assert with_key, f"the file at {source.url} needs the key"


_LOOKALIKES = (
    "https://{}.elsewhere.example/a.mp4",
    "https://elsewhere{}/a.mp4",
    "https://{}@elsewhere.example/a.mp4",
    "http://{}/a.mp4",
    "https://elsewhere.example/{}/a.mp4",
    "https://elsewhere.example/?{}",
)


def _is_vendors(url: str, hosts: tuple[str, ...]) -> bool:
    found, own = httpx.URL(url), httpx.URL(BASE_URL)
    if (found.scheme, found.host, found.port) == (own.scheme, own.host, own.port):
        return True
    return found.scheme == "https" and any(found.host == host or found.host.endswith(f".{host}") for host in hosts)
