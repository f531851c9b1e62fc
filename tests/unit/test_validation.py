import pytest

from core import validation
from core.messages import message


@pytest.mark.parametrize("char", ["\0", "\x07", "\x1b", "\x7f", "\x85", "\x9f", "\u202e", "\udfff"])
@pytest.mark.parametrize("around", ["{}", "a{}", "{}a", "a{}\n"])
def test_problem_when_a_character_cannot_be_kept(char: str, around: str) -> None:
    """A control character or half a surrogate is named as one, wherever it stands, and not quoted."""
    found = validation.text_error(around.format(char), limit_chars=9)

    assert found is not None
    assert found.code == "control_characters"
    assert char not in str(found)


@pytest.mark.parametrize(
    "value", ["", "a\nb\r\n\tc", "湖畔の夕暮れ", "café e\u0301", "👩‍👧", "\u200fשלום", "\ufeffa", "\ue000"]
)
def test_problem_when_there_is_none(value: str) -> None:
    """Lines, tabs, every script, joined signs and directions are a person's own business."""
    assert validation.text_error(value, limit_chars=12) is None


def test_problem_when_it_is_long() -> None:
    """The limit counts characters, not bytes; beyond it the sentence says how many there are and may be."""
    assert validation.text_error("湖" * 1500, limit_chars=1500) is None
    assert validation.text_error("湖" * 1501, limit_chars=1500) == message("text_too_long", limit=1500, length=1501)
    assert validation.text_error("a", limit_chars=0) == message("text_too_long", limit=0, length=1)


def test_problem_when_it_is_long_and_bad() -> None:
    """The length comes first: a huge paste is not read through to its end."""
    assert validation.text_error("\0" * 11, limit_chars=10) == message("text_too_long", limit=10, length=11)
