import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import errors, messages
from core.messages import Message, catalogue, message, plain

CORE = Path(messages.__file__).parents[1]
FAMILIES = (
    *("act_", "budget_stops_", "status_", "rule_", "promise_", "sign_in_", "unsigned_"),
    *("charge_back_by_", "charge_back_column_"),
)
"""Codes that are put together from a word of their own: a status, a rule, an act, why a sign-in or signature failed,
what a sheet is of.
"""


def codes() -> Iterator[str]:
    """Every code that core writes out."""
    for path in CORE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "message":
                yield from (str(code.value) for code in node.args if isinstance(code, ast.Constant))


def test_message_is_english_until_a_reader_comes() -> None:
    """Figures are written in English where their sentence says so; a message within another is put into words."""
    failed = message("failed", credits=2500, error=message("text_too_long", limit=1500, length=2001))

    assert str(failed) == "Failed; 2,500 credits returned. Use at most 1,500 characters; these are 2,001."


@pytest.mark.parametrize(
    "said",
    [
        message("clip_stored"),
        message("other_length", duration_seconds=5, seconds=4.25),
        message("failed", credits=2500, error=errors.ContentRefused().message),
        message("stored_otherwise", credits=5, gaps=(message("no_sound"), message("no_sound"))),
        plain("{not} a place"),
    ],
)
def test_message_comes_back_from_json_as_it_was(said: Message) -> None:
    """What is kept is the message, with its figures and what stands in it."""
    assert Message.from_json(said.to_json()) == said


@pytest.mark.parametrize(
    "kept",
    [
        {"code": "of_another_release", "params": {}},
        {"code": "failed", "params": {"credits": 5}},
        {"code": "failed", "params": {"credits": 5, "error": {"code": "of_another_release", "params": {}}}},
    ],
)
def test_message_of_another_release_is_none(kept: dict[str, object]) -> None:
    """A row may hold what this release does not know; its English text is shown then."""
    assert Message.from_json(kept) is None


@pytest.mark.parametrize(
    ("code", "params"), [("nobody_says_this", {}), ("failed", {}), ("clip_stored", {"credits": 5})]
)
def test_message_that_does_not_fit_its_sentence_is_refused(code: str, params: dict[str, int]) -> None:
    """A wrong code or parameter shows where the message is made, not where somebody reads it."""
    with pytest.raises(ValueError, match=code):
        Message(code, params)


def test_code_names_one_sentence() -> None:
    """Two sentences of one code would change what old rows say."""
    with pytest.raises(ValueError, match="clip_stored"):
        messages.register("clip_stored", "Something else.")


def test_every_code_that_is_said_is_in_the_catalogue_and_the_other_way_round() -> None:
    """No code is missing, and none is kept that nobody says."""
    said = set(codes())
    of_errors = {each.code for each in _tree(errors.AppError)}
    known = {code for code in catalogue.TEMPLATES if not code.startswith(FAMILIES)} - of_errors - {catalogue.PLAIN}

    assert said <= catalogue.TEMPLATES.keys()
    assert known - said == set()


def test_error_says_its_own_sentence_by_its_code() -> None:
    """The code of a bare error is its message's, too, and `str` is the message in English."""
    error = errors.OutputExpired(detail="gone")

    assert error.message == Message("output_expired")
    assert str(error) == errors.OutputExpired.sentence


def _tree(error: type[errors.AppError]) -> Iterator[type[errors.AppError]]:
    yield error
    for below in error.__subclasses__():
        yield from _tree(below)


@pytest.mark.parametrize(
    ("field", "words"),
    [("duration", 'what was chosen for "Length".'), ("odd", "these settings."), (None, "these settings.")],
)
def test_refused_field_is_named_as_the_form_names_it(field: str | None, words: str) -> None:
    """Somebody whose order was refused learns what to change, also after the error was kept and read again."""
    said = errors.InvalidInput(field=field).message

    assert f"The provider does not accept {words}" in str(said)
    assert Message.from_json(said.to_json()) == said
