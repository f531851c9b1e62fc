import csv
import io
from collections.abc import Iterable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.usage import export, reports
from core.usage.reports import Group, Row, UsageTotals

DAY = {"day": "2026-11-21", "provider": "demo", "model_id": "demo-film"}
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
figures = st.lists(st.integers(0, 10**12), min_size=12, max_size=12).map(lambda numbers: UsageTotals(*numbers))


def read(pieces: Iterable[bytes]) -> list[list[str]]:
    """The lines that a spreadsheet makes of it."""
    return list(csv.reader(io.StringIO(b"".join(pieces).decode("utf-8-sig"), newline="")))


@given(texts=st.lists(st.tuples(words, words), max_size=5), numbers=st.data())
def test_write_whatever_the_texts_are(texts: list[tuple[str, str]], numbers: st.DataObject) -> None:
    """Quotes, commas and line ends in names neither make nor move a field, and totals add up what stands above."""
    rows = [Row({"project_id": key, "project_name": name}, numbers.draw(figures)) for key, name in texts]

    head, *lines, total = read(export.usage_csv(rows, [Group.PROJECT]))

    assert head == ["project_id", "project", *export.COLUMNS[3:], *export.MORE_COLUMNS]
    assert [tuple(text.removeprefix("'") for text in line[:2]) for line in lines] == [
        tuple(text.removeprefix("'") for text in pair) for pair in texts
    ]
    assert total[:2] == ["total", ""]
    for column in range(2, len(head)):
        if "reported_cost_idr" not in head[column] and head[column] not in ("cost_idr", "margin_idr"):
            assert int(total[column]) == sum(int(line[column]) for line in lines)


@given(text=words)
def test_harmless_of_any_text(text: str) -> None:
    """Nothing begins as a formula does, only a quote is ever added, and doing it twice is doing it once."""
    found = export.escape_formula(text)

    assert not found.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert found in (text, f"'{text}")
    assert export.escape_formula(found) == found


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1", "\n=1"])
def test_write_when_a_name_is_a_formula(text: str) -> None:
    """In every column of words it is made plain text, while figures stay figures, negative ones among them."""
    row = Row(DAY | {"provider": text, "model_id": text}, UsageTotals(completed=1, estimated_cost_idr=-5))

    _head, line, _total = read(export.usage_csv([row]))

    assert line[1:3] == [f"'{text}"] * 2
    assert (line[3], line[-1]) == ("1", "-5")


def test_write_in_its_first_form() -> None:
    """Without groups the columns are those that scripts know since the first version, each with its own figure."""
    row = Row(DAY, UsageTotals(1, 2, 3, 40, 50, 60, 70, estimate_replaced_idr=7, reported_cost_microusd=9))

    assert read(export.usage_csv([row]))[:2] == [
        list(export.COLUMNS),
        ["2026-11-21", "demo", "demo-film", "1", "2", "3", "40", "2000", "50", "60", "70"],
    ]


def test_write_of_all_figures() -> None:
    """With groups each figure stands in the column of its name; cost and margin are what usage says they are."""
    known = UsageTotals(1, 2, 3, 40, 50, 60, 70, 7, 900, 11, 12, 13)

    head, line, total = read(export.usage_csv([Row({"month": "2026-11"}, known)], [Group.MONTH]))

    found = dict(zip(head, line, strict=True))
    assert (found["kept_clips"], found["kept_seconds"], found["rejected_clips"]) == ("11", "12", "13")
    assert (found["reported_cost_microusd"], found["still_estimated_cost_idr"]) == ("900", "63")
    assert (found["reported_cost_idr"], found["cost_idr"], found["margin_idr"]) == tuple(
        str(value) for value in (known.reported_cost_idr, known.cost_idr, known.margin_idr)
    )
    assert total[1:] == line[1:]


def test_write_when_a_group_is_asked_for_twice() -> None:
    """What two groups have in common is one column."""
    row = Row({"provider": "demo", "model_id": "demo-film"}, UsageTotals())

    head = read(export.usage_csv([row], [Group.PROVIDER, Group.MODEL, Group.PROVIDER]))[0]

    assert head[:3] == ["provider", "model", "completed"]


def test_write_of_nothing() -> None:
    """Without rows there are a head and totals of zero."""
    assert read(export.usage_csv([])) == [list(export.COLUMNS), ["total", "", "", *["0"] * 8]]
    assert b"".join(export.usage_csv([])).startswith("\ufeffday,".encode())


def test_write_comes_in_pieces() -> None:
    """However many rows there are, few are held at once: a piece is out before the next rows are fetched."""
    fetched = 0

    def rows() -> Iterator[reports.Row]:
        nonlocal fetched
        for number in range(2000):
            fetched += 1
            yield Row({"month": str(number)}, UsageTotals(completed=1))

    pieces, fetched_at = [], [0]
    for piece in export.usage_csv(rows(), [Group.MONTH]):
        pieces.append(piece)
        fetched_at.append(fetched)

    assert all(after - before <= export.LINES_A_PIECE for before, after in pairwise(fetched_at))
    lines = read(pieces)
    assert [line[0] for line in lines] == ["month", *(str(number) for number in range(2000)), "total"]
    assert lines[-1][1] == "2000"
    assert b"".join(pieces).count("\ufeff".encode()) == 1


@pytest.mark.parametrize("count", [0, 1, export.LINES_A_PIECE, export.LINES_A_PIECE + 1])
def test_table_around_the_size_of_a_piece(count: int) -> None:
    """No line is lost or written twice where one piece ends, and lines end as RFC 4180 says."""
    written = b"".join(export.csv_chunks([number, None] for number in range(count)))

    assert written.decode("utf-8-sig") == "".join(f"{number},\r\n" for number in range(count))
