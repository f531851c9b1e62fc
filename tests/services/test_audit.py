import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from core import db
from core.audit import invariants, runs
from core.clock import utc_now
from core.db import Database
from core.db.enums import Status
from core.db.tables import Account, Generation, GenerationEvent, LedgerEntry, Project, UsageDay
from core.generations import commands
from core.installation import Installation
from core.messages import message, plain
from core.workspaces.access import Member
from tests.factories.books import broken_rules
from tests.factories.generations import (
    DISPATCHED,
    SUBMITTING,
    WAITING,
    advance,
    create_completed,
    create_generation,
    rewrite,
)
from tests.factories.users import ensure_member

ROOT = Path(__file__).parents[2]


@pytest.fixture
def ana(installation: Installation) -> Member:
    """Somebody with one finished clip whose file is in storage."""
    with db.write_session() as session:
        user = ensure_member(session, "ana@example.org", signup_credits=1000)
    row = create_completed(db.default(), user)
    assert row.output_key is not None
    installation.storage.put_bytes(row.output_key, b"clip", media_type="video/mp4")
    return user


def command() -> "subprocess.CompletedProcess[str]":
    """Run the check as an operator would; the folder is taken from the environment."""
    return subprocess.run(
        [sys.executable, "-m", "core.audit"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )


def test_command_when_all_holds(ana: Member) -> None:
    """One line a rule with its count, and exit 0."""
    ended = command()

    assert ended.returncode == 0, ended.stdout
    assert all(line.startswith("ok") for line in ended.stdout.splitlines())
    assert len(ended.stdout.splitlines()) == len(invariants.INVARIANTS) + 2


def test_command_when_a_rule_is_broken(ana: Member) -> None:
    """The broken rule is named with the ids that break it, and exit is 1."""
    with db.write_session() as session:
        session.execute(update(Account).values(available_credits=Account.available_credits + 1))
        account_id = session.scalar(update(Account).values(held_credits=0).returning(Account.id))
    ended = command()

    assert ended.returncode == 1
    assert "BROKEN" in ended.stdout
    assert str(account_id) in ended.stdout


def test_command_when_a_file_is_missing(ana: Member, installation: Installation) -> None:
    """A completed clip whose file is gone is found."""
    for path in (installation.settings.data_dir / "media").rglob("*.mp4"):
        path.unlink()
    ended = command()

    assert ended.returncode == 1
    assert "in storage" in ended.stdout


def test_last_run_when_recorded(installation: Installation, ana: Member) -> None:
    """The newest result is kept with its time and what was broken."""
    with db.write_session() as session:
        runs.record(session, runs.run_incremental(session))
    with db.read_session() as session:
        last = runs.last_run(session)

    assert last is not None
    assert last.broken == 0
    assert len(last.results["rules"]) == len(invariants.INVARIANTS) + 1


def kept(database: Database, *, full: bool = False) -> runs.AuditPass:
    """One pass, kept as the dispatcher keeps it."""
    with database.write_session() as session:
        found = runs.run_incremental(session, full=full, overlap_ids=0)
        runs.record(session, found)
    return found


def broken(found: runs.AuditPass) -> set[str]:
    """The codes of the rules that do not hold."""
    return {result.code for result in found.results if not result.holds}


@pytest.mark.both_databases
def test_look_when_nothing_is_new(database: Database, person: Member) -> None:
    """The first pass looks at everything, the next only at what is new; a day later it is everything again."""
    create_completed(database, person)
    first, second = kept(database), kept(database)
    with database.read_session() as session:
        last = runs.last_run(session)
        assert last is not None
        later = runs._resume(last, first.full_at + runs.FULL_RUN_INTERVAL, 0)
    create_completed(database, person)
    third = kept(database)

    assert (first.is_full, second.is_full, third.is_full) == (True, False, False)
    assert later[0] is None
    assert not broken(first) | broken(second) | broken(third)
    reserved = invariants.INVARIANTS[2].code
    assert [{r.code: r.checked for r in found.results}[reserved] for found in (first, second, third)] == [1, 0, 1]


@pytest.mark.both_databases
@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        (update(Account).values(available_credits=Account.available_credits + 5), "account_figures"),
        (
            update(LedgerEntry)
            .where(LedgerEntry.kind == "settle")
            .values(available_after=LedgerEntry.available_after + 1),
            "balance_chain",
        ),
        (update(LedgerEntry).where(LedgerEntry.kind == "hold").values(amount_credits=1), "reserved_once"),
        (update(LedgerEntry).where(LedgerEntry.kind == "settle").values(kind="release"), "charged_once"),
        (update(Generation).where(Generation.status == "completed").values(stored_bytes=0), "checked_file"),
        (update(LedgerEntry).where(LedgerEntry.kind == "release").values(amount_credits=1), "returned_once"),
        (update(Account).values(held_credits=Account.held_credits + 1), "no_stray_hold"),
        (delete(GenerationEvent), "first_event"),
        (update(UsageDay).values(settled_credits=UsageDay.settled_credits + 1), "daily_usage"),
        (update(Project).values(spent_credits=Project.spent_credits + 1), "project_spend"),
    ],
)
def test_look_when_something_new_is_damaged(
    database: Database, person: Member, damage: object, rule: str, full: bool
) -> None:
    """Every rule is found broken by a pass over what is new as by a full one, and stays red until it is mended."""
    assert not broken(kept(database))
    create_completed(database, person)
    failed = create_generation(database, person)
    with database.write_session() as session:
        commands.cancel(session, person, failed.id)
        session.execute(damage)  # type: ignore[call-overload]  # any statement

    found = kept(database, full=full)
    assert found.is_full is full
    assert rule in broken(found)
    again = kept(database)
    assert again.is_full
    assert rule in broken(again)


def test_look_when_there_is_much_that_is_old(installation: Installation, ana: Member) -> None:
    """A pass over what is new goes to clips and movements by index alone: nothing of theirs is read from end to end."""
    with db.read_session() as session:
        connection = session.connection()
        for rule in invariants.INVARIANTS:
            for query in rule.queries(invariants.Since(10**6, 10**6)):
                compiled = query.compile(connection, compile_kwargs={"literal_binds": True})
                steps = [str(row[-1]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]
                scans = [step for step in steps if step.startswith(("SCAN generations", "SCAN ledger", "SCAN gen"))]
                partial = ("ix_generations_live", "ix_generations_due")  # of those under way, which are few
                assert not [step for step in scans if not step.endswith(partial)], (rule.code, steps)


def test_kept_rule_is_told_by_its_code_or_by_its_own_words() -> None:
    """A pass that was kept by another release says what it checked in the words it was kept with."""
    words = {"rule": "books balance", "promise": "Books balance."}

    assert runs.kept_message(words | {"code": "charged_once"}, "rule") == message("rule_charged_once")
    assert runs.kept_message(words | {"code": "of_another_release"}, "promise") == plain("Books balance.")
    assert runs.kept_message(words, "rule") == plain("books balance")


@pytest.mark.parametrize(
    ("late", "values", "holds"),
    [
        (timedelta(minutes=50), {}, True),
        (timedelta(minutes=70), {}, False),
        (timedelta(days=3), {"status": Status.UNCERTAIN}, True),
    ],
)
def test_rule_of_deadlines(ana: Member, late: timedelta, values: dict[str, object], holds: bool) -> None:
    """No live one is older than its deadline by an hour; what waits for a person may take as long as they do."""
    row = create_generation(db.default(), ana)
    advance(db.default(), row.id, DISPATCHED, SUBMITTING, WAITING, deadline_at=utc_now() - late)
    with db.write_session() as session:
        session.execute(update(Generation).where(Generation.id == row.id).values(updated_at=utc_now(), **values))

    assert ("in_time" not in broken_rules()) is holds


@pytest.mark.parametrize(("hours", "holds"), [(24, True), (26, False)])
def test_rule_of_deadlines_when_nobody_took_it(ana: Member, hours: float, holds: bool) -> None:
    """An order that no provider has is older than it may be after a day."""
    row = create_generation(db.default(), ana)
    with db.write_session() as session:
        ordered = utc_now() - timedelta(hours=hours)
        rewrite(session, Generation.id == row.id, created_at=ordered)

    assert ("in_time" not in broken_rules()) is holds
