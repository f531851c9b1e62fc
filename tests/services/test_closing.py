"""Closed months of the books: figures that nothing changes any more, and an attack with SQL that is always found."""

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text, update

from core import db, errors
from core.audit import closed_books, runs
from core.billing import chain, ledger, months
from core.clock import utc_now
from core.db import Database
from core.db.engine import using
from core.db.enums import Role
from core.db.tables import (
    Account,
    AuditLogEntry,
    ClosedEntry,
    ClosedPeriod,
    Generation,
    LedgerEntry,
    User,
    Workspace,
)
from core.generations import commands, review
from core.generations.list_filter import ReviewStatus
from core.generations.review import Changes
from core.projects import projects, transfer
from core.usage import closing, export, reports, statement
from core.workspaces.access import Member
from tests.factories.books import broken_rules, set_back
from tests.factories.generations import create_completed, create_generation, finish, load_generation
from tests.factories.users import create_member
from tests.factories.workspaces import create_admin, create_team_of, now

pytestmark = pytest.mark.both_databases

PAST = months.of(utc_now() - timedelta(days=62))
"""A month that has ended, and so has the one after it or nearly."""
BEGIN, END = months.bounds(PAST)


@pytest.fixture(autouse=True)
def default(database: Database) -> Iterator[None]:
    """What opens sessions of its own opens them here."""
    with using(database):
        yield


@pytest.fixture
def admin(database: Database) -> Member:
    """Who closes."""
    return create_admin(database)


@pytest.fixture
def past(database: Database, person: Member) -> list[int]:
    """Five movements in a month that has ended: a grant, and two clips, one cancelled. Their ids."""
    create_completed(database, person)
    stopped = create_generation(database, person)
    with database.write_session() as session:
        commands.cancel(session, person, stopped.id)
    set_back(PAST)
    with database.read_session() as session:
        return list(session.scalars(select(LedgerEntry.id).order_by(LedgerEntry.id)))


@pytest.fixture
def closed(past: list[int], admin: Member) -> ClosedPeriod:
    """This month, closed."""
    return close(admin)


def close(admin: Member, month: str = PAST) -> ClosedPeriod:
    """Close a month."""
    with db.write_session() as session:
        return closing.close(session, admin, month)


def differences() -> list[str]:
    """What the audit says of closed months: the same at once and in parts of one row or some."""
    with db.read_session() as session:
        checked, wrong = closed_books.check(session, full=True)
    for most in (1, 2):
        assert in_parts(most) == (checked, wrong)
    return wrong


def in_parts(most: int) -> tuple[int, list[str]]:
    """The same look in parts of so many rows, each in a session of its own."""
    checked, wrong, after = 0, set[str](), ""
    while True:
        with db.read_session() as session:
            part = closed_books.look(session, after, most)
        checked += part.checked
        wrong.update(part.offenders)
        if part.next_after is None:
            return checked, sorted(wrong)
        after = part.next_after


def attack(*statements: str, **values: object) -> None:
    """Run SQL past the product, as somebody who has the database's password."""
    with db.write_session() as session:
        for statement_text in statements:
            session.execute(text(statement_text), values)


def test_close(closed: ClosedPeriod, past: list[int], admin: Member) -> None:
    """It keeps who closed it and when, how many rows it has, the last of them and their sums, and is an act."""
    assert (closed.month, closed.ends_at, closed.closed_by) == (PAST, END, admin.email)
    assert (closed.entry_count, closed.last_entry_id, closed.previous_hash) == (5, past[-1], "")
    assert closed.totals["ledger"] == {"grant": 10_000, "hold": 100, "settle": 50, "release": 50}
    assert closed.totals["usage"]["settled_credits"] == 50
    assert differences() == []
    assert broken_rules() == []
    with db.read_session() as session:
        act = session.scalars(select(AuditLogEntry).where(AuditLogEntry.action == "period.closed")).one()
        assert (act.actor, act.target, (act.after or {})["hash"]) == (admin.email, PAST, closed.hash)
        assert closing.closed_months(session) == {PAST}


def test_close_when_it_is_closed(closed: ClosedPeriod) -> None:
    """Closing twice is the first closing, whoever does it."""
    again = close(create_admin(db.default(), "other@example.org"))

    assert (again.hash, again.closed_at, again.closed_by) == (closed.hash, closed.closed_at, closed.closed_by)
    with db.read_session() as session:
        assert session.scalar(select(func.count()).select_from(ClosedPeriod)) == 1


def test_close_takes_the_open_months_before_along(past: list[int], admin: Member) -> None:
    """Months are closed in their order, also those in which nothing moved, each chained to the one before."""
    early = months.of(BEGIN - timedelta(days=40))
    with db.write_session() as session:
        session.execute(update(LedgerEntry).where(LedgerEntry.id == past[0]).values(created_at=BEGIN - timedelta(40)))
        assert closing.can_be_closed(session, admin)[: len(list(months.between(early, PAST)))] == list(
            months.between(early, PAST)
        )
    last = close(admin)

    with db.read_session() as session:
        found = session.scalars(select(ClosedPeriod).order_by(ClosedPeriod.month)).all()
        assert PAST not in closing.can_be_closed(session, admin)
    assert [each.month for each in found] == list(months.between(early, PAST))
    assert found[0].entry_count == 1
    assert [each.previous_hash for each in found] == ["", *(each.hash for each in found[:-1])]
    assert (last.month, last.entry_count) == (PAST, 4)
    assert differences() == []


@pytest.mark.parametrize(
    ("month", "refusal"),
    [
        (months.of(utc_now()), errors.Conflict),
        ("2001-01", errors.Conflict),
        ("2026-13", errors.InvalidRequest),
    ],
)
def test_close_what_cannot_be(past: list[int], admin: Member, month: str, refusal: type[errors.AppError]) -> None:
    """Neither a month that goes on nor one before the first movement is closed, and nothing is written."""
    with pytest.raises(refusal):
        close(admin, month)
    with db.read_session() as session:
        assert closing.closed_months(session) == frozenset()


def test_close_for_others(past: list[int], person: Member) -> None:
    """Only administrators close; analysts read the figures, others do not."""
    analyst = create_member(db.default(), "figures@example.org")
    with db.write_session() as session:
        session.get_one(User, analyst.id).role = Role.ANALYST
    analyst.user.role = Role.ANALYST
    for member in (person, analyst):
        with pytest.raises(errors.Forbidden):
            close(member)
    with db.read_session() as session:
        assert closing.periods(session, analyst) == []
        with pytest.raises(errors.Forbidden):
            closing.periods(session, person)


def test_hash_by_another_hand(closed: ClosedPeriod) -> None:
    """Who follows the written rules, with a reader of their own, comes to the same hashes, on either database."""

    def array(*values: object) -> bytes:
        return json.dumps(values, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()

    link = hashlib.sha256(array("closed period", 1, PAST, "")).digest()
    with db.read_session() as session:
        rows = session.execute(
            select(LedgerEntry, Account.workspace_id)
            .join(Account, Account.id == LedgerEntry.account_id)
            .order_by(LedgerEntry.id)
        )
        for row, workspace_id in rows.all():
            values = [row.id, row.account_id, workspace_id, row.kind.value, row.amount_credits, row.generation_id]
            values += [row.key, row.available_after, row.held_after, row.actor, row.reason]
            values += [None if row.message is None else json.dumps(row.message.to_json())]
            link = hashlib.sha256(link + array(*values, f"{row.created_at:%Y-%m-%d %H:%M:%S.%f}")).digest()
        stored = session.scalar(text("SELECT CAST(totals AS TEXT) FROM closed_periods"))
    assert closed.entries_hash == link.hex()
    moments = (f"{moment:%Y-%m-%d %H:%M:%S.%f}" for moment in (closed.ends_at, closed.closed_at))
    sealed = array(
        *(closed.month, *moments, closed.closed_by_id, closed.closed_by, closed.last_entry_id, closed.entry_count),
        *(stored, "", closed.entries_hash),
    )
    assert closed.hash == hashlib.sha256(sealed).hexdigest()


ONE_ROW = {
    "amount": "UPDATE ledger_entries SET amount_credits = amount_credits + 1 WHERE id = :id",
    "note": "UPDATE ledger_entries SET reason = reason || '.' WHERE id = :id",
    "who": "UPDATE ledger_entries SET actor = 'mallory' WHERE id = :id",
    "key": "UPDATE ledger_entries SET key = key || ' ' WHERE id = :id",
    "balance": "UPDATE ledger_entries SET available_after = available_after + 1 WHERE id = :id",
    "held": "UPDATE ledger_entries SET held_after = held_after + 1 WHERE id = :id",
    "clip": "UPDATE ledger_entries SET generation_id = NULL WHERE id = :id",
    "message": 'UPDATE ledger_entries SET message = \'{"code": "x", "params": {}}\' WHERE id = :id',
    "time, to the next month": "UPDATE ledger_entries SET created_at = :later WHERE id = :id",
    "deleted": "DELETE FROM ledger_entries WHERE id = :id",
}


@pytest.mark.parametrize("place", [1, 2, 4])
@pytest.mark.parametrize("what", ONE_ROW)
def test_attack_on_one_row(closed: ClosedPeriod, past: list[int], what: str, place: int) -> None:
    """Whatever is changed of a row of a closed month, the audit names the month and this very row."""
    zone = "+00:00" if _is_postgresql() else ""
    attack(ONE_ROW[what], id=past[place], later=f"{END:%Y-%m-%d %H:%M:%S.%f}{zone}")

    assert f"{PAST}: {past[place]}" in differences()
    assert "closed_periods" in broken_rules()


def test_attack_on_a_microsecond(closed: ClosedPeriod, past: list[int]) -> None:
    """A time that is moved by the least there is, is found."""
    with db.write_session() as session:
        row = session.get_one(LedgerEntry, past[2])
        row.created_at += timedelta(microseconds=1)

    assert differences() == [f"{PAST}: {past[2]}"]


def test_attack_by_a_further_row(closed: ClosedPeriod, past: list[int]) -> None:
    """A row that is written into a closed month from outside is named."""
    copied = "account_id, kind, amount_credits, generation_id, available_after, held_after, actor, reason, created_at"
    attack(
        f"INSERT INTO ledger_entries (id, key, {copied}) "  # noqa: S608 -- our own words
        f"SELECT :new, 'forged', {copied} FROM ledger_entries WHERE id = :id",
        new=past[-1] + 100,
        id=past[0],
    )

    assert f"{PAST}: {past[-1] + 100}" in differences()


def test_attack_by_swapped_rows(closed: ClosedPeriod, past: list[int]) -> None:
    """Two rows that change places are found at the first of them, though no figure differs."""
    swap = "UPDATE ledger_entries SET id = :to WHERE id = :from"
    for was, becomes in ((past[1], -1), (past[3], past[1]), (-1, past[3])):
        attack(swap, **{"from": was, "to": becomes})

    assert differences() == [f"{PAST}: {past[1]}"]


CLOSING = {
    "hash": "UPDATE closed_periods SET hash = replace(hash, substr(hash, 1, 1), 'g')",
    "last link": "UPDATE closed_periods SET entries_hash = hash",
    "hash before": "UPDATE closed_periods SET previous_hash = entries_hash",
    "who": "UPDATE closed_periods SET closed_by = 'mallory'",
    "number": "UPDATE closed_periods SET entry_count = entry_count + 1",
    "last row": "UPDATE closed_periods SET last_entry_id = last_entry_id + 1",
    "totals": 'UPDATE closed_periods SET totals = \'{"ledger": {}, "usage": {}}\'',
    "totals, one byte": "UPDATE closed_periods SET totals = replace(CAST(totals AS TEXT), ': ', ':  ')",
    "links gone": "DELETE FROM closed_entries",
    "month gone": "DELETE FROM closed_periods",
    "all gone": "DELETE FROM closed_entries; DELETE FROM closed_periods",
}


@pytest.mark.parametrize("what", CLOSING)
def test_attack_on_the_closing(closed: ClosedPeriod, past: list[int], what: str) -> None:
    """What was written down when a month was closed is not changed or taken away unseen, not even by a quick pass."""
    statements = CLOSING[what].split("; ")
    if _is_postgresql():
        statements = [each.replace("': ', ':  ')", "': ', ':  ')::json") for each in statements]
    attack(*statements)
    with db.read_session() as session:
        _checked, quick = closed_books.check(session, full=False)

    assert f"{PAST}: closing" in differences()
    assert f"{PAST}: closing" in quick


UNREADABLE = {
    "reason": ("UPDATE ledger_entries SET reason = CAST(x'ff41' AS TEXT) WHERE id = :id", "{id}"),
    "amount": ("UPDATE ledger_entries SET amount_credits = 50.5 WHERE id = :id", "{id}"),
    "actor": ("UPDATE ledger_entries SET actor = x'6d61' WHERE id = :id", "{id}"),
    "time": ("UPDATE ledger_entries SET created_at = created_at || 'x' WHERE id = :id", "{id}"),
    "link": ("UPDATE closed_entries SET link = 'a text' WHERE entry_id = :id", "{id}"),
    "totals": ("UPDATE closed_periods SET totals = '[broken' WHERE :id > 0", "closing"),
    "moment": ("UPDATE closed_periods SET closed_at = 'now' WHERE :id > 0", "closing"),
    "month": ("UPDATE closed_periods SET month = '2026-1x' WHERE :id > 0", "closing"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_attack_by_what_cannot_be_read(closed: ClosedPeriod, past: list[int], what: str) -> None:
    """SQLite keeps whatever it is given: what no reader of ours understands is found, and ends no audit."""
    if _is_postgresql():
        return  # it refuses all of these
    sql, told = UNREADABLE[what]
    attack(sql, id=past[2])

    assert any(each.endswith(f": {told.format(id=past[2])}") for each in differences())


def test_attack_on_a_link(closed: ClosedPeriod, past: list[int]) -> None:
    """A link that was changed is found at its row."""
    with db.write_session() as session:
        third = (ClosedEntry.month == PAST, ClosedEntry.place == 3)
        session.execute(update(ClosedEntry).where(*third).values(link=b"\0" * 32))

    assert differences() == [f"{PAST}: {past[2]}"]


@pytest.mark.parametrize(
    "statement_text",
    [
        "UPDATE usage_days SET settled_credits = settled_credits + 1",
        "UPDATE usage_days SET completed = completed - 1",
        "UPDATE usage_days SET reported_cost_idr = 5",
    ],
)
def test_attack_on_usage(closed: ClosedPeriod, statement_text: str) -> None:
    """Figures that reports of a closed month are made of are found, too."""
    attack(statement_text)

    assert differences() == [f"{PAST}: usage"]


def test_attack_by_calling_it_a_sample(closed: ClosedPeriod, past: list[int], person: Member) -> None:
    """Rows cannot be hidden by marking their workspace as one of the sample company."""
    with db.write_session() as session:
        session.get_one(Workspace, person.workspace_id).is_sample = True

    assert f"{PAST}: {past[0]}" in differences()


def test_a_whole_chain_made_anew_is_told_by_the_audit_log(closed: ClosedPeriod, past: list[int]) -> None:
    """Who changes a row and computes every hash anew is betrayed by the entry in the audit log."""
    attack(ONE_ROW["note"], id=past[1])
    with db.write_session() as session:
        period = session.get_one(ClosedPeriod, PAST)
        for place, each in enumerate(chain.links(PAST, "", chain.rows_of(session, PAST)), start=1):
            here = (ClosedEntry.month == PAST, ClosedEntry.place == place)
            session.execute(update(ClosedEntry).where(*here).values(link=each.link))
        period.entries_hash = each.link.hex()
        session.flush()
        period.hash = chain.sealed(session)[0].expected_hash

    assert differences() == [f"{PAST}: closing"]


def figures(person: Member, admin: Member) -> tuple[object, ...]:
    """All that is said of the closed month: statement, balances, usage by everything, of this workspace and of all."""
    first, last = BEGIN.date(), END.date() - timedelta(days=1)
    groups = (reports.Group.DAY, reports.Group.MODEL, reports.Group.USER)
    with db.read_session() as session:
        of_workspace = reports.UsageQuery(first, last)
        of_all = reports.UsageQuery(first, last, everybody=True)
        said = [
            list(reports.aggregate(session, person, of_workspace, groups)),
            list(reports.aggregate(session, admin, of_all, groups)),
            statement.period(session, person, PAST),
        ]
    return (*said, b"".join(export.statement(statement.of_period(person, PAST))))


def test_what_comes_later_changes_nothing(person: Member, admin: Member) -> None:
    """Charges and returns of what was ordered in a closed month, corrections, transfers: all fall in the open one."""
    create_completed(db.default(), person)
    late, stopped = (create_generation(db.default(), person) for _ in range(2))
    set_back(PAST)
    close(admin)
    before = figures(person, admin)
    other = create_team_of(db.default(), person, name="Lakes", credits=0)

    finish(db.default(), late.id)
    with db.write_session() as session:
        commands.cancel(session, person, stopped.id)
        ledger.adjust(session, person.id, credits=-30, key="late", actor="root", reason="Correction of last month")
        ledger.transfer(session, person.id, other, credits=20, key="gift", actor=person.email, reason="Film")
        ledger.grant(session, person.id, credits=5, key="more", actor="root", reason="More")

    assert figures(person, admin) == before
    assert differences() == []
    assert broken_rules() == []
    this_month = months.of(utc_now())
    assert {row.kind.value for row, _clip in statement.of_period(person, this_month)} >= {"settle", "release", "adjust"}


def test_what_people_do_with_old_clips_changes_nothing(person: Member, admin: Member) -> None:
    """Verdicts, another name and another workspace of a project leave the books of a closed month as they are."""
    row = create_completed(db.default(), person)
    set_back(PAST)
    close(admin)
    with db.read_session() as session:
        before = statement.period(session, person, PAST)
    team = create_team_of(db.default(), person, name="Lakes", credits=0)
    member = now(db.default(), person)
    with db.write_session() as session:
        review.update(session, member, row.id, Changes(verdict=ReviewStatus.KEPT))
        projects.update(session, member, row.project_id, name="Other")
        transfer.transfer(session, member, row.project_id, to_workspace_id=team, quota_bytes=None)

    assert differences() == []
    with db.read_session() as session:
        assert statement.period(session, member, PAST) == before


def test_a_clock_that_was_set_back(closed: ClosedPeriod, person: Member) -> None:
    """What would be written into a closed month gets the first moment after it, in the ledger as for the clip."""
    row = create_generation(db.default(), person)
    with db.write_session() as session:
        moved = ledger.release(
            session,
            person.id,
            generation_id=row.id,
            credits=row.credits,
            actor="system",
            reason="Failed",
            at=END - timedelta(days=3),
        )
        assert moved
        assert ledger.open_moment(session, BEGIN) == END
        assert ledger.open_moment(session, END + timedelta(1)) == END + timedelta(1)
        last = session.scalars(select(LedgerEntry).order_by(LedgerEntry.id.desc()).limit(1)).one()

    assert last.created_at == END
    assert differences() == []


def test_clip_and_charge_have_one_time(person: Member) -> None:
    """A clip is charged at its end to the microsecond, so that ledger and daily usage are of one month."""
    row = create_completed(db.default(), person)
    with db.read_session() as session:
        charged = session.scalar(select(LedgerEntry.created_at).where(LedgerEntry.key == f"generation:{row.id}:end"))

    assert charged == load_generation(row.id).ended_at


def _is_postgresql() -> bool:
    return db.default().engine.dialect.name == "postgresql"


def _until_somebody_waits(thread: threading.Thread) -> None:
    """Return when a lock is waited for, on PostgreSQL; elsewhere at once."""
    deadline = time.monotonic() + 60
    while _is_postgresql() and time.monotonic() < deadline:
        with db.read_session() as session:
            if session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                return
        assert thread.is_alive()


def test_close_while_somebody_writes_into_the_month(person: Member, past: list[int], admin: Member) -> None:
    """A row that is not yet committed when its month is closed is in it or in a later one, never in between."""
    row = create_generation(db.default(), person)
    found: list[object] = []

    def closes() -> None:
        try:
            found.append(close(admin).entry_count)
        except errors.Conflict as still_moves:
            found.append(still_moves)

    other = threading.Thread(target=closes)
    with using(db.default()), db.write_session() as session:
        _release(session, person, row)
        other.start()
        _until_somebody_waits(other)
    other.join(60)

    expected = errors.Conflict if _is_postgresql() else int
    assert isinstance(found[0], expected)
    assert close(admin).entry_count == len(past) + 1
    assert differences() == []


def test_write_into_the_month_while_it_is_closed(person: Member, past: list[int], admin: Member) -> None:
    """Who wants to write into a month that is just being closed waits, and writes after it."""
    row = create_generation(db.default(), person)

    def writes() -> None:
        with db.write_session() as session:
            _release(session, person, row)

    other = threading.Thread(target=writes)
    with db.write_session() as session:
        closing.close(session, admin, PAST)
        other.start()
        _until_somebody_waits(other)
    other.join(60)

    assert not other.is_alive()
    with db.read_session() as reader:
        written = reader.scalar(select(LedgerEntry.created_at).where(LedgerEntry.key == f"generation:{row.id}:end"))
    assert written == END
    assert differences() == []


def _release(session: db.WriteSession, person: Member, row: Generation) -> None:
    """Return a hold by a clock that is in the past month."""
    whose = {"generation_id": row.id, "credits": row.credits, "actor": "system", "reason": "Failed"}
    assert ledger.release(session, person.id, **whose, at=END - timedelta(1))  # type: ignore[arg-type]  # by their names


def test_audit_when_only_what_is_new_is_looked_at(closed: ClosedPeriod, past: list[int]) -> None:
    """The rows of closed months are read by the full pass alone, which keeps its finding until it is mended."""
    with db.write_session() as session:
        runs.record(session, runs.run_incremental(session, full=True))
    attack(ONE_ROW["who"], id=past[0])
    with db.write_session() as session:
        quick = runs.run_incremental(session, overlap_ids=0)
        full = runs.run_incremental(session, full=True)
    checked = {found.is_full: {r.code: r for r in found.results}["closed_periods"] for found in (quick, full)}

    assert (checked[False].checked, checked[False].offenders) == (1, ())
    assert (checked[True].checked, checked[True].offenders) == (5, (f"{PAST}: {past[0]}",))


value = st.none() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
row = st.lists(value, min_size=4, max_size=4)


@given(rows=st.lists(row, min_size=1, max_size=6), data=st.data())
def test_any_change_is_seen_from_its_row_on(rows: list[list[object]], data: st.DataObject) -> None:
    """Links are the same before the first row that differs and differ from it on, whatever is changed."""
    numbered = [(place, *each) for place, each in enumerate(rows)]
    place = data.draw(st.integers(0, len(rows) - 1))
    other = data.draw(row.filter(lambda values: values != rows[place]))
    changed = [*numbered[:place], (place, *other), *numbered[place + 1 :]]

    were, are = (list(chain.links("2026-10", "", each)) for each in (numbered, changed))
    assert were[:place] == are[:place]
    assert all(was.link != now.link for was, now in zip(were[place:], are[place:], strict=True))
    assert [each.link for each in chain.links("2026-11", "", numbered)][-1] != were[-1].link
    assert [each.link for each in chain.links("2026-10", "a", numbered)][-1] != were[-1].link


def test_parts_when_the_row_before_was_removed_meanwhile(closed: ClosedPeriod) -> None:
    """A link that was right when a part ended, and is gone or no link when the next one begins, is a difference."""
    with db.read_session() as session:
        after = closed_books.look(session, "", 2).next_after
    assert after == f"{PAST} 2"
    attack("DELETE FROM closed_entries WHERE place = 2")
    with db.read_session() as session:
        assert f"{PAST}: {closed.last_entry_id}" in closed_books.look(session, after, 2).offenders
