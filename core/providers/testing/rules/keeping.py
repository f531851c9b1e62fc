"""What is kept of a vendor's words: nothing of the key, nothing without end, nothing a database refuses."""

from collections.abc import Iterator

from core.providers.testing.rules.answers import (
    NEVER_SENT,
    SENT_AND_LOST,
    assert_bounded,
    bloated,
    echoes,
    echoing,
    replaced,
)
from core.providers.testing.script import KEY, ODD_WORD, Answer, Answers
from core.providers.testing.stage import Stage


def the_key_is_not_kept_of_an_order(stage: Stage) -> None:
    """Every exchange is watched for it; here the vendor quotes it with each thing it may say to a submit."""
    script = stage.script
    for status in (200, 202, 400, 401, 402, 403, 404, 422, 429, 500, 502, 503):
        for answer in echoes(status):
            assert stage.submit(answer).error is not None
    said = [script.accepted, *(answer for answer, _, _ in script.refusals)]
    for answer in [echoing(each) for each in said]:
        stage.submit(answer)
    assert stage.submit(echoing(script.accepted)).result is not None
    if script.uploads:
        request = stage.request(
            next((m for m in stage.provider.models if m.start_image), stage.model), start_image=stage.large_image()
        )
        for answer in (*echoes(400), *echoes(500), echoing(script.uploaded)):
            stage.submit(request=request, upload=answer)


def the_key_is_not_kept_of_a_look(stage: Stage) -> None:
    """The same of a look, a stop, a search and a tried key."""
    for answers in (*_looks(stage), replaced(stage.script.unknown_word, ODD_WORD, f"Odd {KEY}")):
        stage.look([echoing(answer) for answer in answers])
    for status in (200, 400, 401, 403, 404, 422, 429, 500, 503):
        for answer in echoes(status):
            stage.look(answer)
            if stage.provider.can_cancel:
                stage.cancel(answer)
            if stage.provider.supports_lookup:
                stage.search(answer)
            if stage.provider.can_check_key:
                stage.try_key(answer)
    for answers, _ in stage.script.cancels:
        stage.cancel([echoing(answer) for answer in answers])


def the_key_is_not_kept_of_a_broken_exchange(stage: Stage) -> None:
    """Errors of the HTTP library may quote what was on its way."""
    for failure in (*NEVER_SENT, *SENT_AND_LOST):
        assert stage.submit(failure).error is not None
        assert stage.look(failure).error is not None


def what_is_kept_is_bounded(stage: Stage) -> None:
    """A file inside a reply, a page without end, marks that a database refuses: cut or left out."""
    script = stage.script
    page = "<html>" + "x" * 100_000
    for answer in (Answer(200, text=page), Answer(400, text=page), Answer(500, text=page), bloated(script.accepted)):
        assert_bounded(stage.submit(answer), after=answer.status)
        assert_bounded(stage.look(answer), after=answer.status)
    for answers in _looks(stage):
        played = stage.look([bloated(answer) for answer in answers])
        assert_bounded(played, after=answers)


def _looks(stage: Stage) -> Iterator[Answers]:
    script = stage.script
    yield from (answers for answers, _ in script.under_way)
    yield from (answers for answers, _ in script.failures)
    yield from (script.succeeded, script.unknown_word, script.lost)
