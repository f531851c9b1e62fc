import pytest

from studio import typeface


def test_drawable_drops_what_the_font_lacks() -> None:
    """Missing glyphs leave no boxes and no double spaces; accents and other alphabets stay."""
    assert typeface.drawable("naïve 漢字  Привет\nÑandú — ok") == "naïve Привет Ñandú — ok"


@pytest.mark.parametrize("prompt", ["", "  \n\t ", "日本語", "\ud800\udfff", "\u202e\u200f\ufeff", "\U0001faef"])
def test_drawable_is_empty_when_nothing_can_be_drawn(prompt: str) -> None:
    """What no typeface has is not written at all."""
    assert typeface.drawable(prompt) == ""


def test_displayed_falls_back_by_word() -> None:
    """The display face writes what it has; a word with one letter it lacks is written whole by the broad one."""
    assert typeface.displayed("Señor,") == typeface.DISPLAY
    assert typeface.displayed("мир") == typeface.BROAD


def test_words_parts_only_what_no_line_could_hold() -> None:
    """Nothing is lost, and no piece is longer than the limit."""
    assert typeface.words("a boat " + "W" * 40) == ["a", "boat", "W" * 16, "W" * 16, "W" * 8]
