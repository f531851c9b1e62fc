"""Cells as people and spreadsheets write them: what is mended, and what is named because nobody can know."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.generations.sheets import cells
from core.generations.sheets.cells import CellError
from core.spec import MAX_SEED


@pytest.mark.parametrize(
    ("text", "value", "is_mended"),
    [
        ("5", 5, False),
        ("5.0", 5, False),
        ("5,0", 5, False),
        ("5,00", 5, False),
        ("-3", -3, False),
        ("1.000.000", 1_000_000, True),
        ("4,294,967,295", MAX_SEED, True),
        ("1 000", 1000, True),
        ("1\u00a0000\u00a0000", 1_000_000, True),
        ("1e9", 1_000_000_000, True),
        ("1E+09", 1_000_000_000, True),
    ],
)
def test_whole_number(text: str, value: int, is_mended: bool) -> None:
    """A whole number is read in whatever way it is written, and what was guessed is said."""
    found = cells.whole(text)
    assert found.value == value
    assert (found.note is not None) is is_mended


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("5.5", "cell_not_whole"),
        ("5,5", "cell_not_whole"),
        ("five", "cell_not_whole"),
        ("=1+1", "cell_not_whole"),
        ("1" * 30, "cell_not_whole"),
        ("1.000", "cell_number_unclear"),
        ("5,000", "cell_number_unclear"),
        ("1.23E+09", "cell_number_shortened"),
        ("4,29E+09", "cell_number_shortened"),
        ("1e99", "cell_number_shortened"),
    ],
)
def test_whole_number_that_is_none(text: str, code: str) -> None:
    """What is no whole number, or could be two, or has lost digits, is named and never guessed."""
    with pytest.raises(CellError) as refused:
        cells.whole(text)
    assert refused.value.message.code == code


@given(number=st.integers(0, MAX_SEED))
def test_whole_number_comes_back(number: int) -> None:
    """Every seed is read as it is."""
    assert cells.whole(str(number)) == (number, None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("8", 8), ("8 s", 8), ("8s", 8), ("8 detik", 8), ("8 Seconds", 8)),
        *(("0:08", 8), ("00:08", 8), ("0:00:08", 8), ("1:05", 65)),
    ],
)
def test_seconds(text: str, value: int) -> None:
    """A length may have its unit, or be minutes and seconds, which spreadsheets make a time of."""
    assert cells.seconds(text).value == value


@pytest.mark.parametrize(
    ("text", "value", "was_time"),
    [
        ("16:9", "16:9", False),
        ("16 : 9", "16:9", False),
        ("16x9", "16:9", False),
        ("16/9", "16:9", False),
        ("2,39:1", "2.39:1", False),
        ("adaptive", "adaptive", False),
        ("16:09", "16:9", True),
        ("09:16", "9:16", True),
        ("09:16:00", "9:16", True),
        ("16:9:00", "16:9", True),
        ("32:09", "32:9", True),
        ("0.672916667", "16:9", True),
        ("0,386111111", "9:16", True),
    ],
)
def test_ratio(text: str, value: str, was_time: bool) -> None:
    """A ratio that a spreadsheet has made a time of is a ratio again, and that is said."""
    found = cells.ratio(text)
    assert found.value == value
    assert (found.note is not None) is was_time


@pytest.mark.parametrize("text", ["2026-09-16", "16-Sep", "16.09.2026", "Sep-16", "16 Sep 2026", "9-16"])
def test_ratio_that_became_a_day(text: str) -> None:
    """Of a day nobody knows which figure came first: it is named."""
    with pytest.raises(CellError) as refused:
        cells.ratio(text)
    assert refused.value.message.code == "cell_ratio_is_day"


@pytest.mark.parametrize(
    ("text", "value"),
    [("720p", "720p"), ("720", "720p"), ("1080 P", "1080p"), ("4k", "4K"), ("hd", "hd")],
)
def test_resolution(text: str, value: str) -> None:
    """Resolutions are read without their letter, or with another case."""
    assert cells.resolution(text).value == value


def test_yes_or_no() -> None:
    """In English and Indonesian, and as spreadsheets have it."""
    assert [cells.yes_or_no(text).value for text in ("yes", "TRUE", "1", "Ya", "x", "on")] == [True] * 6
    assert [cells.yes_or_no(text).value for text in ("no", "FALSE", "0", "Tidak", "-", "off")] == [False] * 6
    with pytest.raises(CellError):
        cells.yes_or_no("maybe")
