"""What a look at a job means: a state, or that nothing was learned of the job."""

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from core import errors
from core.providers.contract import JobState, JobStatus
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
    replaced,
)
from core.providers.testing.script import BASE_URL, ODD_WORD, Answer, Answering, Answers
from core.providers.testing.stage import Played, Stage, place

UNUSABLE_LINKS: Sequence[Any] = (None, "", "file:///etc/passwd", "javascript:alert(1)", {}, 5)
ODD_IDS = ("../../account", "a/b", "a?b=c", "a#b", "a b", "%2e%2e", "a\\b", "ü")


def a_job_under_way_is_waited_for(stage: Stage) -> None:
    """Each documented word of waiting is its state, after one look."""
    for answers, state in stage.script.under_way:
        played = stage.look(answers)
        status = _status(played, after=answers)
        assert (status.state, status.error, status.video_url) == (state, None, None), answers
        assert status.unknown_word is None, answers
        assert len(played.requests) == len(answers), "a look asks once"
        assert status.progress is None or 0 <= status.progress <= 1
        assert status.response, "nothing of the answer is kept"


def a_finished_job_has_its_clip(stage: Stage) -> None:
    """Done with a link is SUCCEEDED with that link."""
    played = stage.look(stage.script.succeeded)
    status = _status(played, after="success")
    assert (status.state, status.video_url) == (JobState.SUCCEEDED, stage.script.video_url)
    assert (status.error, status.unknown_word) == (None, None)
    assert len(played.requests) == len(stage.script.succeeded)
    assert status.progress is None or 0 <= status.progress <= 1
    assert status.cost == stage.script.cost
    assert not [text for text in stage.script.not_kept if text in played.kept], "the file itself is kept"


def success_without_a_usable_link_is_waited_for(stage: Stage) -> None:
    """Done, and no http(s) address yet: the wait goes on; but for a vendor whose file has an address that we make."""
    if stage.script.video_url.startswith(f"{BASE_URL}/") and stage.script.file_needs_key:
        return
    for value in UNUSABLE_LINKS:
        played = stage.look(replaced(stage.script.succeeded, stage.script.video_url, value))
        _assert_nothing_learned(played, after=f"success with the link {value!r}")


def an_unknown_word_is_waited_for(stage: Stage) -> None:
    """A status word of the future is RUNNING, and the word is handed on, cut and without the key."""
    status = _status(stage.look(stage.script.unknown_word), after=ODD_WORD)
    assert (status.state, status.unknown_word, status.error) == (JobState.RUNNING, ODD_WORD, None)
    long = stage.look(replaced(stage.script.unknown_word, ODD_WORD, "odd" * 200))
    assert len(_status(long, after="a long word").unknown_word or "") <= 100


def a_failed_job_is_returned(stage: Stage) -> None:
    """A job that failed is FAILED with its reason, never an exception, and never two looks at it."""
    for answers, expected in stage.script.failures:
        played = stage.look(answers)
        status = _status(played, after=answers)
        assert (status.state, status.video_url) == (JobState.FAILED, None), answers
        assert type(status.error) is expected, f"{answers}: {status.error!r}"
        assert isinstance(status.error, errors.ProviderError)
        assert status.error.detail
        assert len(played.requests) <= len(answers)


def a_job_the_vendor_does_not_know_has_failed(stage: Stage) -> None:
    """Its own word that there is no such job ends it; a person is told so."""
    status = _status(stage.look(stage.script.lost), after="a lost job")
    assert status.state is JobState.FAILED
    assert type(status.error) is errors.JobLost


def a_refused_look_leaves_the_job_alone(stage: Stage) -> None:
    """Our key, our credits, our haste: raised as what it is, at each of the calls of a look."""
    refused: list[tuple[Answer, tuple[type[errors.ProviderError], ...]]] = [
        (Answer(401, {}), (errors.BadKey,)),
        (Answer(401, text=GATEWAY), (errors.BadKey,)),
        (Answer(402, {}), (errors.ProviderOutOfCredits,)),
        (Answer(403, {}), (errors.BadKey,)),
        (Answer(403, {"detail": "the account is under moderation"}), (errors.BadKey,)),
        (Answer(429, {}), (errors.ProviderRateLimited,)),
        *((answer, (errors.ProviderRateLimited,)) for answer in BUSY),
    ]
    for before in _beginnings(stage):
        for answer, expected in refused:
            error = raised(stage.look([*before, answer]), *expected, after=answer)
            if isinstance(error, errors.ProviderRateLimited):
                assert error.retry_after_seconds == 17 if answer.headers else error.retry_after_seconds > 0


def a_look_that_speaks_of_us_leaves_the_job_alone(stage: Stage) -> None:
    """The vendor's own words for our key, credits or haste, which may look like words for a failed job."""
    for answer, expected in stage.script.look_errors:
        raised(stage.look(answer), expected, after=answer)


def each_models_jobs_are_asked_about_where_they_are(stage: Stage) -> None:
    """The id that an order gives leads to the place that the vendor has for jobs of that model."""
    for model in stage.provider.models:
        job = stage.submit(request=stage.request(model)).result
        asked = stage.look(stage.script.under_way[0][0], job_id=job.id).requests
        expected = stage.script.looks_of.get(model.id, stage.script.looks)
        assert all(re.fullmatch(expected, place(sent)) for sent in asked), f"{model.id}: {place(asked[0])}"


def a_broken_look_leaves_the_job_alone(stage: Stage) -> None:
    """A network that broke or an outage is ProviderUnavailable, and not tried again within the look."""
    for before in _beginnings(stage):
        for failure in (*NEVER_SENT, *SENT_AND_LOST):
            played = stage.play(lambda vendor: vendor.check_status(stage.script.job_id), _after(before, failure))
            raised(played, errors.ProviderUnavailable, after=repr(failure))
            assert len(played.requests) == len(before) + 1
        for answer in OUTAGES:
            played = stage.look([*before, answer])
            raised(played, errors.ProviderUnavailable, after=answer)
            assert len(played.requests) == len(before) + 1


def an_unreadable_look_leaves_the_job_alone(stage: Stage) -> None:
    """A page, a cut body, a redirect, a 404 of something else: nothing is concluded.

    But for an answer that is the vendor's own word for a job that it does not know.
    """
    for answer in REDIRECTS:
        raised(stage.look(answer), errors.ProviderMoved, after=answer)
    strange = [*NO_OBJECT, Answer(404, text=GATEWAY), Answer(400, text=GATEWAY), Answer(200, {"status": 5})]
    for answer in strange:
        raised(stage.look(answer), errors.UnreadableReply, after=answer)
    for before in _beginnings(stage)[1:]:
        own_word = stage.script.lost[len(before) : len(before) + 1]
        for answer in [each for each in (*strange, *REDIRECTS) if each not in own_word]:
            _assert_nothing_learned(stage.look([*before, answer]), after=answer)


def a_look_asks_at_an_address_of_our_own(stage: Stage) -> None:
    """Base address and quoted id, whatever the replies or the id say."""
    job = stage.submit(poisoned([stage.script.accepted])).result
    assert job is not None, "an acceptance with other addresses in it is one too"
    for answers in (*(each for each, _ in stage.script.under_way), stage.script.succeeded):
        for given in (answers, poisoned(answers, but=stage.script.video_url)):
            stage.look(given, job_id=job.id)
    _assert_quoted(stage, lambda job_id: stage.look(stage.script.succeeded, job_id=job_id))


def _assert_quoted(stage: Stage, ask: Callable[[str], Played]) -> None:
    vendor_id = stage.script.vendor_id
    usual = [sent.url.raw_path for sent in ask(stage.script.job_id).requests]
    for odd in ODD_IDS:
        asked = [sent.url.raw_path for sent in ask(stage.script.job_id.replace(vendor_id, odd)).requests]
        quoted = [path.replace(quote(vendor_id).encode(), quote(odd, safe="").encode()) for path in usual]
        assert asked == quoted, f"the id {odd!r} is not quoted"


def the_base_address_is_honoured(stage: Stage) -> None:
    """NAME_BASE_URL, with a slash at its end or without, and the vendor's own where it is not set."""
    answers = stage.script.under_way[0][0]
    paths = {
        base_url: stage.look(answers, base_url=base_url).requests[0].url.raw_path
        for base_url in (BASE_URL, f"{BASE_URL}/", "")
    }
    assert len(set(paths.values())) == 1, paths
    for base_url in (f"{BASE_URL}/", ""):
        assert stage.submit(base_url=base_url).result is not None


def it_works_without_a_key_where_none_is_needed(stage: Stage) -> None:
    """Without a key nothing pretends to be one: an empty header is not valid and would break every order."""
    if not stage.provider.needs_key:
        assert stage.submit(key="").result is not None
        for answers, state in stage.script.under_way:
            assert _status(stage.look(answers, key=""), after=answers).state is state
        source = stage.source(stage.script.video_url, key="")
        assert all(value.strip() == value and value for value in source.result.headers.values())


def _beginnings(stage: Stage) -> list[Answers]:
    """What a look has been told before each of its calls."""
    return [stage.script.succeeded[:count] for count in range(len(stage.script.succeeded))]


def _after(before: Answers, failure: Exception) -> Answering:
    waiting = list(before)
    return lambda request: waiting.pop(0) if waiting else failure


def _status(played: Played, *, after: object) -> JobStatus:
    assert isinstance(played.result, JobStatus), f"{after}: {played.error!r} was raised"
    return played.result


def _assert_nothing_learned(played: Played, *, after: object) -> None:
    if played.result is None:
        raised(played, *OF_A_LOOK, after=after)
    else:
        state = _status(played, after=after).state
        assert state in (JobState.RUNNING, JobState.QUEUED), f"{after}: {state}"
