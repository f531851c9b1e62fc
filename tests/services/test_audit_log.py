"""Administrative acts: written in their own transaction, read by administrators, changed by nobody."""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, event, select, update
from sqlalchemy.exc import DBAPIError

from core import audit_log, db, errors
from core.audit import log_entries, log_export, log_retention
from core.audit.log_entries import LogQuery, Place
from core.audit_log import Act, acts, record
from core.clock import utc_now
from core.db import Database, WriteSession
from core.db.enums import Role
from core.db.tables import AuditLogEntry, User
from core.db.tables.operation import AUDIT_LOG_KEPT_DAYS, AppendOnly
from core.messages import message, plain
from core.messages.catalogue import TEMPLATES
from core.usage.spreadsheet import SpreadsheetFormat
from core.workspaces.access import Member
from tests.postgres import restricted

ADMIN = User(id="0198a0c0-0000-7000-8000-000000000001", email="ana@example.org", role=Role.ADMIN)
ANALYST = User(id="0198a0c0-0000-7000-8000-000000000002", email="ben@example.org", role=Role.ANALYST)
READER = Member(ADMIN, ADMIN.id, {})
ALL = LogQuery()
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def default_database(request: pytest.FixtureRequest) -> Iterator[None]:
    """What is read by sessions of its own is read from the test's database."""
    if "database" not in request.fixturenames:
        yield
        return
    with db.engine.using(request.getfixturevalue("database")):
        yield


def write(database: Database, action: Act = Act.TOKEN_MADE, actor: User | str | None = ADMIN, **details: Any) -> None:
    """One act in a transaction of its own."""
    with database.write_session() as session:
        record(session, actor, action, **details)


def old_entries(database: Database, *ages_days: int) -> None:
    """Entries as they were written so many days ago."""
    with database.write_session() as session:
        session.add_all(
            AuditLogEntry(at=utc_now() - timedelta(days=days), actor="system", noun="token", action=Act.TOKEN_MADE)
            for days in ages_days
        )


def read(database: Database, chosen: LogQuery = ALL, **which: Any) -> list[AuditLogEntry]:
    """A page of entries."""
    with database.read_session() as session:
        return [line.entry for line in log_entries.page(session, READER, chosen, **{"limit": 100} | which)]


def test_every_act_has_words() -> None:
    """What was done is told in a sentence, never as a bare code."""
    assert all(act.sentence and TEMPLATES[act.code] == act.sentence for act in Act)
    assert all(act.value == f"{act.noun}.{act.value.partition('.')[2]}" and len(act.noun) <= 30 for act in Act)


def test_every_act_is_done_somewhere() -> None:
    """The table of acts holds none that nothing writes down."""
    sources = [path for folder in ("core", "pages") for path in (ROOT / folder).rglob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources if path.name != "acts.py")
    assert [act for act in Act if f"Act.{act.name}" not in text and f'"{act}"' not in text] == []


@pytest.mark.both_databases
def test_record_keeps_who_what_and_from_where(database: Database) -> None:
    """An entry names the person, the act, what it was done to, what changed, and the door it came by."""
    with audit_log.acting_from("203.0.113.7", "req-1"):
        write(
            database,
            Act.MEMBER_ROLE_CHANGED,
            target="ben@example.org",
            target_id=ANALYST.id,
            workspace_id="w1",
            before={"role": "viewer"},
            after={"role": "maker"},
        )
    write(database, Act.SAMPLE_REMOVED, None)

    by_system, by_ana = read(database)
    assert (by_ana.actor, by_ana.actor_id, by_ana.noun, by_ana.action) == (
        "ana@example.org",
        ADMIN.id,
        "member",
        "member.role_changed",
    )
    assert (by_ana.target, by_ana.target_id, by_ana.workspace_id) == ("ben@example.org", ANALYST.id, "w1")
    assert (by_ana.before, by_ana.after) == ({"role": "viewer"}, {"role": "maker"})
    assert (by_ana.address, by_ana.request_id) == ("203.0.113.7", "req-1")
    assert (by_system.actor, by_system.actor_id, by_system.address, by_system.request_id) == ("system", None, "", None)


def test_record_when_the_act_is_unknown_or_says_too_little(database: Database) -> None:
    """What could not be told to a reader is not written."""
    unusable = (("token.eaten", None), ("credits.granted", None), ("member.added", {"rule": "viewer"}))
    for action, after in unusable:
        with pytest.raises(ValueError, match=r"token\.eaten|is written down with"), database.write_session() as session:
            record(session, ADMIN, action, after=after)
    assert read(database) == []


def test_record_when_the_transaction_fails(database: Database) -> None:
    """What did not happen is not in the log."""
    with database.write_session() as session:
        record(session, ADMIN, Act.TOKEN_MADE)
        session.rollback()
    assert read(database) == []


def test_sentence_tells_the_details() -> None:
    """Figures stay figures, roles are words that can be translated, and nothing is said as none."""
    role = acts.said(Act.MEMBER_ROLE_CHANGED, {"role": "viewer"}, {"role": "maker"})
    assert role == message(
        "act_member_role_changed", was_role=message("act_word_viewer"), role=message("act_word_maker")
    )
    assert role.params == {"was_role": message("act_word_viewer"), "role": message("act_word_maker")}
    budget = acts.said(Act.BUDGET_CHANGED, {"credits": None}, {"credits": 5000})
    assert str(budget) == "Changed the monthly budget from none to 5,000 credits"


def test_sentence_of_an_entry_that_this_release_does_not_know() -> None:
    """A row of another release is shown by its action, not hidden and not an error."""
    assert acts.said_of_kept("tea.made", None, None) == plain("tea.made")
    assert acts.said_of_kept("credits.granted", None, None) == plain("credits.granted")


@pytest.mark.parametrize("role", [Role.USER, Role.ANALYST])
def test_page_for_others_than_administrators(database: Database, role: Role) -> None:
    """Nobody else reads the log, by no way."""
    other = Member(User(id="x", email="x@example.org", role=role), "x", {})
    with database.read_session() as session:
        with pytest.raises(errors.Forbidden):
            log_entries.page(session, other, LogQuery(), limit=10)
        with pytest.raises(errors.Forbidden):
            log_entries.workspace_names(session, other)
    with pytest.raises(errors.Forbidden):
        list(log_export.json_lines(other, LogQuery()))


FILTERS = {
    "all": LogQuery(),
    "actor": LogQuery(actor="ana@example.org"),
    "actor_id": LogQuery(actor=ADMIN.id),
    "noun": LogQuery(noun="token"),
    "action": LogQuery(action=Act.TOKEN_REVOKED),
    "workspace": LogQuery(workspace_id="w1"),
    "target": LogQuery(target_id="t1"),
    "text": LogQuery(text="CÀFÉ"),
    "since": LogQuery(since=datetime(2026, 1, 1, tzinfo=UTC)),
    "until": LogQuery(until=datetime(2026, 1, 1, tzinfo=UTC)),
}


@pytest.mark.both_databases
def test_page_finds_what_was_asked_for(database: Database) -> None:
    """Each filter narrows to what it says; together they all hold."""
    write(database, Act.TOKEN_MADE, target="Café script", target_id="t1", workspace_id="w1")
    write(database, Act.TOKEN_REVOKED, ANALYST, target="Other", target_id="t2", workspace_id="w2")
    write(database, Act.SAMPLE_MADE, "command line")
    old_entries(database, 900)

    found = {name: [entry.action for entry in read(database, chosen)] for name, chosen in FILTERS.items()}
    made, revoked, sample = "token.made", "token.revoked", "sample.made"
    assert found == {
        "all": [sample, revoked, made, made],
        "actor": [made],
        "actor_id": [made],
        "noun": [revoked, made, made],
        "action": [revoked],
        "workspace": [made],
        "target": [made],
        "text": [made],
        "since": [sample, revoked, made],
        "until": [made],
    }
    assert [entry.target for entry in read(database, LogQuery(noun="token", text="ben@"))] == ["Other"]
    assert read(database, LogQuery(actor="command line", noun="token")) == []


@pytest.mark.both_databases
@pytest.mark.parametrize("oldest_first", [False, True])
def test_pages_show_each_entry_once(database: Database, oldest_first: bool) -> None:
    """Pages follow one another, also where many acts fell into one moment, and the cursor is a text."""
    moment = datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
    with database.write_session() as session:
        session.add_all(
            AuditLogEntry(at=moment + timedelta(seconds=number // 4), actor="a", noun="token", action="token.made")
            for number in range(11)
        )
    seen: list[int] = []
    behind = None
    while rows := read(database, LogQuery(oldest_first=oldest_first), behind=behind, limit=3):
        seen += [row.id for row in rows]
        behind = Place.of_cursor(Place(rows[-1].at, rows[-1].id).cursor)
    assert seen == sorted(seen, reverse=not oldest_first)
    assert len(seen) == 11


@pytest.mark.parametrize("cursor", ["", "7", "x-1", "1-", "-1-1", f"{10**17}-1", f"1-{10**18}", "1-1 OR 1", "١-١"])
def test_cursor_that_was_not_handed_out(cursor: str) -> None:
    """Anything else is refused before the database sees it."""
    with pytest.raises(errors.InvalidRequest):
        Place.of_cursor(cursor)


@pytest.mark.both_databases
@pytest.mark.parametrize("name", FILTERS)
def test_page_walks_an_index(database: Database, name: str) -> None:
    """Every filter is an indexed look in the order that is shown: nothing is sorted, and no page costs a whole scan."""
    with database.write_session() as session:
        session.add_all(
            AuditLogEntry(
                actor=f"p{number % 50}@example.org",
                actor_id=f"{number % 50}",
                noun=list(Act)[number % len(Act)].noun,
                action=list(Act)[number % len(Act)],
                target=f"thing {number}",
                target_id=f"t{number % 500}",
                workspace_id=f"w{number % 40}",
            )
            for number in range(3000)
        )
    asked: list[tuple[str, Any]] = []
    event.listen(
        database.read_engine, "before_cursor_execute", lambda _c, _cursor, sql, values, *_: asked.append((sql, values))
    )
    behind = Place(utc_now(), 10**9)
    read(database, FILTERS[name], behind=behind, limit=25)
    sql, values = asked[0]
    with database.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            for unwanted in ("sort", "seqscan", "bitmapscan"):  # a table this small would be read whole
                connection.exec_driver_sql(f"SET enable_{unwanted} = off")
            plan = "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {sql}", values))
            assert "Sort  (" not in plan  # partitions in their order are merged, by a "Sort Key"
            assert "Seq Scan on audit_log" not in plan
        else:
            plan = "\n".join(str(row) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values))
            assert "TEMP B-TREE" not in plan
        assert "ix_audit_log_" in plan


def test_files_hold_everything_and_no_formula(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A spreadsheet and a stream have every entry that fits, over many batches; no cell is a formula."""
    monkeypatch.setattr(log_export, "BATCH", 2)
    for number in range(5):
        write(database, Act.PROJECT_DELETED, target=f'=HYPERLINK("{number}")', after={"name": "+1"})
    text = b"".join(log_export.spreadsheet(READER, LogQuery(), SpreadsheetFormat.CSV)).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["target"][:12] for row in rows] == ["'=HYPERLINK("] * 5
    assert rows[0]["said"] == "Deleted a project"
    stream = b"".join(log_export.json_lines(READER, LogQuery(oldest_first=True))).splitlines()
    assert [json.loads(each)["target"] for each in stream] == [f'=HYPERLINK("{number}")' for number in range(5)]


def test_objects_cannot_be_changed_or_removed(database: Database) -> None:
    """The mapping says so where it is tried."""
    write(database)
    [entry] = read(database)

    def change(session: WriteSession) -> None:
        session.get_one(AuditLogEntry, entry.id).actor = "somebody else"

    def remove(session: WriteSession) -> None:
        session.delete(session.get_one(AuditLogEntry, entry.id))

    for attempt in (change, remove):
        with database.write_session() as session:
            attempt(session)
            with pytest.raises(AppendOnly):
                session.flush()
            session.rollback()
    assert [each.actor for each in read(database)] == ["ana@example.org"]


@pytest.mark.both_databases
def test_statements_cannot_change_or_remove(database: Database) -> None:
    """The database refuses them: a change always, a removal while the entry is young."""
    write(database)
    old_entries(database, AUDIT_LOG_KEPT_DAYS - 1, AUDIT_LOG_KEPT_DAYS + 1)
    is_young = AuditLogEntry.at > utc_now() - timedelta(days=AUDIT_LOG_KEPT_DAYS)
    change, remove = update(AuditLogEntry).values(actor="x"), delete(AuditLogEntry)
    for statement in (change, change.where(~is_young), remove, remove.where(is_young)):
        with pytest.raises(DBAPIError, match="of the audit log is"), database.write_session() as session:
            session.execute(statement)
    with database.write_session() as session:
        session.execute(remove.where(~is_young))
    assert len(read(database)) == 2


@pytest.mark.both_databases
def test_prune_removes_what_is_too_old_and_says_so(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole days go, batch by batch, and the log tells how many; a second time there is nothing to do."""
    monkeypatch.setattr(log_retention, "BATCH", 2)
    old_entries(database, 399, 402, 403, 500)
    assert log_retention.prune(days=400) == 3
    assert log_retention.prune(days=400) == 0
    told = [entry for entry in read(database) if entry.action == Act.AUDIT_LOG_PRUNED]
    assert [entry.after for entry in told] == [{"entries": 1, "days": 400}, {"entries": 2, "days": 400}]
    assert len(read(database)) == 3


@pytest.mark.only_postgresql
def test_role_that_may_not_change_the_log(database: Database, database_url: str) -> None:
    """With UPDATE and DELETE denied, acts are written and read, pruning stays away, and the server refuses both."""
    old_entries(database, 500)
    product = Database(restricted(database_url))
    try:
        write(product, target="CI")
        with product.read_session() as session:
            assert not log_retention.may_prune(session)
        for statement in (update(AuditLogEntry).values(actor="x"), delete(AuditLogEntry)):
            with pytest.raises(DBAPIError, match="permission denied"), product.write_session() as session:
                session.execute(statement)
        assert [entry.target for entry in read(product)] == ["CI", ""]
    finally:
        product.dispose()
    with database.read_session() as session:
        assert log_retention.may_prune(session)
        assert len(session.scalars(select(AuditLogEntry)).all()) == 2


def test_only_its_own_modules_know_the_table() -> None:
    """Everything else of the product appends by `record` and reads by `log_entries`: nobody else could change it."""
    knowing = {
        path.relative_to(ROOT).as_posix()
        for folder in ("core", "pages")
        for path in (ROOT / folder).rglob("*.py")
        if "AuditLogEntry" in (text := path.read_text(encoding="utf-8"))
        or re.search(r"(update|into|from|truncate)\s+audit_log\b(?!\.| import)", text, re.IGNORECASE)
    }
    assert knowing == {
        "core/api/routers/audit_log.py",  # the name of its answers
        "core/audit/log_entries.py",
        "core/audit/log_names.py",
        "core/audit/log_retention.py",
        "core/audit_log/__init__.py",
        "core/db/tables/__init__.py",
        "core/db/tables/operation.py",
    }
    assert "delete(" not in (ROOT / "core/audit_log/__init__.py").read_text(encoding="utf-8")
