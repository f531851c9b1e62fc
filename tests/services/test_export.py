import csv
import io
from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.billing import ledger
from core.db import Database
from core.db.enums import EntryKind
from core.db.tables import LedgerEntry
from core.generations import commands
from core.usage import export, statement
from core.workspaces.access import Member
from tests.factories.generations import create_completed, create_generation
from tests.factories.users import create_member, ensure_member

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


def entry(**changes: object) -> LedgerEntry:
    """A grant of 5 credits, with changes."""
    known: dict[str, object] = {
        "kind": EntryKind.GRANT,
        "amount_credits": 5,
        "available_after": 5,
        "held_after": 0,
        "generation_id": None,
        "actor": "ana",
        "reason": "gift",
        "created_at": datetime(2026, 11, 21, 23, 59, 59, 999_999, tzinfo=UTC),
    }
    return LedgerEntry(**(known | changes))


def read(data: bytes) -> list[dict[str, str]]:
    """The lines that a spreadsheet makes of it."""
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_write_follows_the_account(database: Database, person: Member) -> None:
    """Of every kind of movement, each line leads from the balance of the line before to its own, signs included."""
    create_completed(database, person)
    stopped, other = create_generation(database, person), create_member(database, "ben@example.org")
    with database.write_session() as session:
        commands.cancel(session, person, stopped.id)
        ledger.adjust(session, person.id, credits=-30, key="a", actor="root", reason="Correction")
        ledger.transfer(session, person.id, other.id, credits=20, key="b", actor=person.email, reason="For the film")
        oldest_first = list(reversed(ledger.entries(session, person.id)))
        lines = read(export.ledger(oldest_first))

    assert {line["kind"] for line in lines} == {kind.value for kind in EntryKind}
    for before, line in pairwise(lines):
        for figure in ("available", "held"):
            assert int(line[f"{figure}_after"]) == int(before[f"{figure}_after"]) + int(line[f"{figure}_change"])
    assert [line["generation_id"] for line in lines] == [entry.generation_id or "" for entry in oldest_first]


@given(actor=words, reason=words)
def test_write_whatever_the_reason_is(actor: str, reason: str) -> None:
    """No text moves a field or a line, and none begins as a formula does."""
    [line] = read(export.ledger([entry(actor=actor, reason=reason)]))

    for written, given_text in ((line["actor"], actor), (line["reason"], reason)):
        assert written.replace("'", "") == given_text.replace("'", "")
        assert not written.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert tuple(line) == export.LEDGER_COLUMNS


def test_write_keeps_order_time_and_signs() -> None:
    """Lines come as given; times are UTC to the second; a negative correction stays a number."""
    down = entry(kind=EntryKind.ADJUST, amount_credits=-5, available_after=0)

    data = export.ledger([down, entry()])

    assert data.decode("utf-8-sig").split("\r\n") == [
        ",".join(export.LEDGER_COLUMNS),
        "2026-11-21 23:59:59,adjust,-5,-5,0,0,0,,ana,gift",
        "2026-11-21 23:59:59,grant,5,5,0,5,0,,ana,gift",
        "",
    ]


def test_write_of_nothing() -> None:
    """A person without movements gets the names of the columns, with the mark by which spreadsheets know UTF-8."""
    assert export.ledger([]) == ("\ufeff" + ",".join(export.LEDGER_COLUMNS) + "\r\n").encode()


def test_write_says_what_each_movement_was_for(database: Database, person: Member) -> None:
    """Finance reads project, model, prompt and person beside a movement, in any spreadsheet; a grant is for no clip."""
    row = create_completed(database, person, prompt="=cmd()")
    with database.write_session() as session:
        entries = ledger.entries(session, person.id)
        clips = statement.clip_lines(session, person, (each.generation_id for each in entries if each.generation_id))
        lines = read(export.ledger(entries, clips=clips))
        nobody = statement.clip_lines(session, ensure_member(session, "eve@example.org"), [row.id])

    assert nobody == {}
    of_clip = [line for line in lines if line["generation_id"]]
    of_none = [line for line in lines if not line["generation_id"]]
    expected = {"model": "Demo Film", "prompt": "'=cmd()", "person": person.user.name or person.email}
    assert {name: of_clip[0][name] for name in expected} == expected
    assert of_clip[0]["project"]
    assert len(of_clip) == 2
    assert {line[name] for line in of_none for name in export.CLIP_COLUMNS} == {""}
