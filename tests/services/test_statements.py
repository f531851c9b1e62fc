"""Vendors' statements beside our own records: what is found, what is taken into costs, and that credits never move."""

import threading
from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from core import errors
from core.billing import months
from core.clock import utc_now
from core.db import Database
from core.db.engine import using
from core.db.enums import LineOutcome, Role
from core.db.tables import (
    Account,
    AuditLogEntry,
    BudgetMonth,
    CostAdjustment,
    Generation,
    LedgerEntry,
    StatementClip,
    StatementLine,
    VendorStatement,
)
from core.ids import new_id
from core.insights import model_comparison
from core.statements import accepting, comparing, listing, uploads
from core.statements.columns import Settings
from core.statements.listing import Line
from core.usage import cache, closing, reports
from core.workspaces.access import Member
from tests.factories.books import broken_rules, set_back
from tests.factories.generations import build_spec, create_completed, create_generation, lose_submit
from tests.factories.statements import (
    COLUMNS,
    RATE,
    SETTINGS,
    Clip,
    build_file,
    create_clips,
    line_of,
    upload,
)
from tests.factories.users import create_member
from tests.factories.workspaces import create_admin

PAST = months.of(utc_now() - timedelta(days=62))
BEGIN, END = months.bounds(PAST)
TENTH = BEGIN + timedelta(days=9)


@pytest.fixture
def admin(database: Database) -> Member:
    """Who runs the installation."""
    return create_admin(database)


def many(number: int, *, apart: timedelta = timedelta(minutes=40)) -> list[Clip]:
    """Clips one after the other, of two prices."""
    prices = ("0.35", "0.70")
    return [Clip(f"job-{nth:05}", BEGIN + apart * nth, prices[nth % 2]) for nth in range(number)]


def counts(database: Database, admin: Member, statement_id: str) -> dict[LineOutcome, int]:
    """How many lines are of each outcome, those that there are."""
    with database.read_session() as session:
        found = listing.summary(session, admin, statement_id).found
    return {outcome: one.lines for outcome, one in found.items() if one.lines}


def lines(database: Database, admin: Member, statement_id: str, outcome: LineOutcome | None = None) -> list[Line]:
    """The lines of a statement."""
    with database.read_session() as session:
        return list(listing.lines(session, admin, statement_id, outcomes=[outcome] if outcome else [], limit=5_000))


def accept(database: Database, admin: Member, statement_id: str, *line_ids: str) -> accepting.Booked:
    """Accept lines with a word."""
    with database.write_session() as session:
        return accepting.accept(session, admin, statement_id, line_ids=line_ids, reason="as billed")


def cost(database: Database, admin: Member, day: datetime = BEGIN) -> int:
    """What the vendors took in the month of a day, as the page of usage says."""
    first = day.date().replace(day=1)
    chosen = reports.UsageQuery(first, months.bounds(f"{first:%Y-%m}")[1].date() - timedelta(days=1), everybody=True)
    with database.read_session() as session:
        return reports.total(session, admin, chosen).cost_idr


def books(database: Database) -> tuple[object, ...]:
    """Everything that is anybody's money, to the byte."""
    with database.read_session() as session:
        return tuple(
            str(
                [
                    tuple(row)
                    for row in session.execute(select(*table.__table__.columns).order_by(*table.__table__.primary_key))
                ]
            )
            for table in (LedgerEntry, Account, BudgetMonth)
        )


@pytest.mark.both_databases
def test_thousand_lines_with_six_differences(database: Database, person: Member, admin: Member) -> None:
    """All six are found, and none is invented."""
    clips = many(1_000)
    ids = create_clips(database, person, clips)
    said = [line_of(clip) for clip in clips]
    said[100] = line_of(clips[100], amount="0.90")
    said[200] = line_of(clips[200], amount="0.20")
    said[300] = line_of(clips[300], currency="EUR")
    said[400] = line_of(clips[400], model="kling-2.5")
    said.append(line_of(clips[500], time=(clips[500].sent_at + timedelta(days=1)).isoformat()))
    said.append(line_of(Clip("not-ours", TENTH)))
    del said[600]

    statement = upload(database, admin, build_file(said), month=PAST)

    # The demo has no model of that name, so that it is as good as not named.
    assert counts(database, admin, statement.id) == {
        LineOutcome.MATCHED: 996,
        LineOutcome.PRICE_DIFFERS: 2,
        LineOutcome.DUPLICATE: 1,
        LineOutcome.THEIRS_ONLY: 1,
        LineOutcome.OURS_ONLY: 1,
        LineOutcome.UNREADABLE: 1,
    }
    found = {
        row.row.generation_id: row.row for row in lines(database, admin, statement.id) if row.row.outcome != "matched"
    }
    assert found[ids[100]].difference_idr == 9_075
    assert found[ids[200]].difference_idr == -2_475
    assert found[ids[300]].problems == [
        ["Currency", {"code": "statement_currency_unknown", "params": {"value": "EUR"}}]
    ]
    assert (found[ids[500]].outcome, found[ids[600]].outcome) == (LineOutcome.DUPLICATE, LineOutcome.OURS_ONLY)
    assert found[None].job_id == "not-ours"
    with database.read_session() as session:
        assert session.scalar(select(func.count()).select_from(StatementClip)) == 0


def test_job_of_another_model(database: Database, person: Member, admin: Member) -> None:
    """A line that names the job of a clip and another model of the vendor's is told."""
    [first] = clips = [Clip("a", TENTH)]
    create_clips(database, person, clips)
    statement = upload(database, admin, build_file([line_of(first, model="demo-loop", amount="0.40")]), month=PAST)
    [line] = lines(database, admin, statement.id)
    assert (line.row.outcome, line.row.model_name) in {
        (LineOutcome.OTHER_MODEL, "demo-loop"),
        (LineOutcome.PRICE_DIFFERS, "demo-loop"),
    }
    assert line.row.difference_idr == 825


@pytest.mark.both_databases
def test_thousand_lines_without_job_ids(database: Database, person: Member, admin: Member) -> None:
    """Model, time and amount find the same where no line names a job."""
    clips = many(1_000)
    ids = create_clips(database, person, clips)
    said = [line_of(clip, job="") for clip in clips]
    said[100] = line_of(clips[100], job="", amount="0.90")
    said[200] = line_of(clips[200], job="", amount="0.20")
    said.append(said[500])
    said.append(line_of(clips[0], job="", time=(BEGIN + timedelta(days=28, hours=9)).isoformat()))
    shifted = clips[300].sent_at + timedelta(minutes=15)
    said[300] = line_of(clips[300], job="", time=shifted.isoformat())
    del said[600]

    statement = upload(database, admin, build_file(said), month=PAST)

    assert counts(database, admin, statement.id) == {
        LineOutcome.MATCHED: 996,
        LineOutcome.PRICE_DIFFERS: 2,
        LineOutcome.THEIRS_ONLY: 3,
        LineOutcome.OURS_ONLY: 2,
    }
    lacking = {row.row.generation_id for row in lines(database, admin, statement.id, LineOutcome.OURS_ONLY)}
    assert lacking == {ids[300], ids[600]}


def test_two_alike_within_a_minute(database: Database, person: Member, admin: Member) -> None:
    """Two clips of one model and price are two lines, and nothing is left over; a third one is."""
    clips = [Clip("", TENTH), Clip("", TENTH + timedelta(seconds=20))]
    create_clips(database, person, clips)
    said = [line_of(clip) for clip in clips]
    statement = upload(database, admin, build_file(said), month=PAST)
    assert counts(database, admin, statement.id) == {LineOutcome.MATCHED: 2}
    again = upload(database, admin, build_file([*said, said[0]]), month=PAST)
    assert again.id == statement.id
    assert counts(database, admin, again.id) == {LineOutcome.MATCHED: 2, LineOutcome.THEIRS_ONLY: 1}


def test_unclear_clip_is_evidence_and_no_verdict(database: Database, person: Member, admin: Member) -> None:
    """A line at the time of a clip that got no answer is shown with it, and the clip stays as it is."""
    unclear = lose_submit(database, create_generation(database, person).id)
    month = months.of(unclear.created_at)
    at = unclear.updated_at.isoformat()
    estimate = "0" if not unclear.estimated_cost_microusd else str(unclear.estimated_cost_microusd / 10**6)
    said = line_of(Clip("new-job", TENTH), time=at, amount=estimate, model="")
    before = books(database)

    statement = upload(database, admin, build_file([said]), month=month)

    [line] = lines(database, admin, statement.id)
    assert (line.row.outcome, line.row.generation_id) == (LineOutcome.UNCLEAR, unclear.id)
    with pytest.raises(errors.Conflict):
        accept(database, admin, statement.id, line.row.id)
    with database.read_session() as session:
        assert session.get_one(Generation, unclear.id).status == "uncertain"
    assert books(database) == before


@pytest.fixture
def four(database: Database, person: Member, admin: Member) -> VendorStatement:
    """A statement with one difference of each kind: dearer, billed twice, not ours, and not billed."""
    clips = [Clip(f"job-{nth}", TENTH + timedelta(hours=nth)) for nth in range(4)]
    create_clips(database, person, clips)
    said = [
        line_of(clips[0], amount="0.50"),
        line_of(clips[1]),
        line_of(clips[1]),
        line_of(clips[2]),
        line_of(Clip("not-ours", TENTH + timedelta(days=1)), amount="1.00"),
    ]
    return upload(database, admin, build_file(said), month=PAST)


def differences(database: Database, admin: Member, statement: VendorStatement) -> dict[LineOutcome, Line]:
    """Outcome -> a line that can be accepted."""
    return {one.row.outcome: one for one in lines(database, admin, statement.id) if one.can_be_accepted}


@pytest.mark.both_databases
def test_accepting_moves_costs_and_no_credits(
    database: Database, person: Member, admin: Member, four: VendorStatement
) -> None:
    """What is accepted is in the costs of its day and model, as much as their sum; the ledger keeps each byte."""
    before, was = books(database), cost(database, admin)
    wanted = differences(database, admin, four)
    assert {outcome: line.row.difference_idr for outcome, line in wanted.items()} == {
        LineOutcome.PRICE_DIFFERS: 2_475,
        LineOutcome.DUPLICATE: 5_775,
        LineOutcome.THEIRS_ONLY: 16_500,
        LineOutcome.OURS_ONLY: -5_775,
    }

    booked = accept(database, admin, four.id, *(line.row.id for line in wanted.values()))

    assert (booked.lines, booked.idr) == (4, 18_975)
    assert cost(database, admin) - was == 18_975
    assert books(database) == before
    chosen = reports.UsageQuery(BEGIN.date(), END.date(), everybody=True)
    for groups in (
        [],
        [reports.Group.MODEL],
        [reports.Group.PROJECT, reports.Group.DAY],
        [reports.Group.USER],
        [reports.Group.WORKSPACE],
        [reports.Group.MONTH],
    ):
        with database.read_session() as session:
            rows = list(reports.with_names(session, reports.aggregate(session, admin, chosen, groups), groups))
        assert sum(row.figures.adjusted_cost_idr for row in rows) == 18_975
    with database.read_session() as session:
        own = reports.total(session, person, reports.UsageQuery(BEGIN.date(), END.date()))
        assert own.adjusted_cost_idr == 2_475, "what belongs to no clip is in nobody's own figures"
        compared = model_comparison.compare(session, admin, chosen, build_spec())
        assert sum(model.figures.adjusted_cost_idr for model in compared.models) in {2_475, 18_975}
        acts = session.scalars(select(AuditLogEntry.action).order_by(AuditLogEntry.id)).all()
        assert [act for act in acts if act.startswith("statement")] == ["statement.uploaded", "statement.accepted"]
    assert counts_of_rule(database) == []


def counts_of_rule(database: Database) -> list[str]:
    """Rules of the audit that are broken and are about costs; the clips of these tests have no ledger."""
    return [rule for rule in broken_rules(database) if "adjusted" in str(rule) or "closed" in str(rule)]


def test_cache_sees_costs_without_a_clip(database: Database, admin: Member, four: VendorStatement) -> None:
    """Figures that are kept in memory are read anew when a vendor's cost comes in."""
    kept = cache.UsageCache()
    chosen = reports.UsageQuery(BEGIN.date(), END.date(), everybody=True)
    with database.read_session() as session:
        assert kept.total(session, admin, chosen).adjusted_cost_idr == 0
    accept(database, admin, four.id, differences(database, admin, four)[LineOutcome.THEIRS_ONLY].row.id)
    with database.read_session() as session:
        assert kept.total(session, admin, chosen).adjusted_cost_idr == 16_500


def test_accepting_twice_is_once(database: Database, admin: Member, four: VendorStatement) -> None:
    """The same call again changes nothing, and neither does another administrator's."""
    line = differences(database, admin, four)[LineOutcome.PRICE_DIFFERS]
    assert accept(database, admin, four.id, line.row.id).lines == 1
    assert accept(database, create_admin(database, "two@example.org"), four.id, line.row.id).lines == 0
    with database.read_session() as session:
        assert session.scalar(select(func.count()).select_from(CostAdjustment)) == 1


@pytest.mark.both_databases
def test_two_administrators_at_once(database: Database, admin: Member, four: VendorStatement) -> None:
    """However many press at the same moment, each difference is booked once."""
    ids = [line.row.id for line in differences(database, admin, four).values()]
    booked: list[int] = []

    def press() -> None:
        booked.append(accept(database, admin, four.id, *ids).lines)

    threads = [threading.Thread(target=press) for _turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(booked) == [0, 0, 0, 4]
    with database.read_session() as session:
        assert session.scalar(select(func.sum(CostAdjustment.amount_idr))) == 18_975


@pytest.mark.both_databases
def test_two_uploads_at_once(database: Database, person: Member, admin: Member) -> None:
    """Two uploads of one file are one statement with its lines once."""
    clips = many(50)
    create_clips(database, person, clips)
    found: list[str] = []

    def bring() -> None:
        found.append(upload(database, admin, build_file([line_of(clip) for clip in clips]), month=PAST).id)

    threads = [threading.Thread(target=bring) for _turn in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert len(set(found)) == 1
    assert counts(database, admin, found[0]) == {LineOutcome.MATCHED: 50}


def test_undoing_is_an_opposite_row(database: Database, admin: Member, four: VendorStatement) -> None:
    """Costs are as they were, both rows stay, and it can be accepted anew."""
    was = cost(database, admin)
    ids = [line.row.id for line in differences(database, admin, four).values()]
    accept(database, admin, four.id, *ids)
    with database.write_session() as session:
        undone = accepting.undo(session, admin, four.id, line_ids=ids, reason="wrong month")
    assert (undone.lines, undone.idr) == (4, -18_975)
    with database.write_session() as session:
        assert accepting.undo(session, admin, four.id, line_ids=ids, reason="again").lines == 0
    assert cost(database, admin) == was
    assert accept(database, admin, four.id, *ids).idr == 18_975
    assert cost(database, admin) - was == 18_975
    with database.read_session() as session:
        assert session.scalar(select(func.count()).select_from(CostAdjustment)) == 12
        assert listing.summary(session, admin, four.id).booked_idr == 18_975
    assert counts_of_rule(database) == []


@pytest.mark.both_databases
def test_closed_month_never_changes(database: Database, person: Member, admin: Member) -> None:
    """A difference in a closed month is booked in the month of its acceptance, so is its undoing."""
    own = create_completed(database, person)
    with database.write_session() as session:
        session.get_one(Generation, own.id).provider_job_id = "own"
    set_back(PAST, database)
    with database.read_session() as session:
        row = session.get_one(Generation, own.id)
        sent_at = row.submitted_at or row.created_at
    said = [
        line_of(Clip("own", sent_at), model="", amount="9.00"),
        line_of(Clip("not-ours", TENTH), amount="1.00"),
    ]
    with database.write_session() as session:
        closing.close(session, admin, PAST)
        # The far side of the month is closed too late for a statement to be booked in it.
    statement = upload(database, admin, build_file(said), month=PAST)
    was, today = cost(database, admin), cost(database, admin, utc_now())
    ids = [line.row.id for line in lines(database, admin, statement.id) if line.can_be_accepted]
    assert len(ids) == 2

    booked = accept(database, admin, statement.id, *ids)

    assert cost(database, admin) == was
    assert cost(database, admin, utc_now()) - today == booked.idr
    assert counts_of_rule(database) == []
    with database.write_session() as session:
        accepting.undo(session, admin, statement.id, line_ids=ids, reason="no")
    assert cost(database, admin, utc_now()) == today
    assert counts_of_rule(database) == []


def test_month_that_closes_between(database: Database, person: Member, admin: Member, four: VendorStatement) -> None:
    """What was accepted before is in the closed figures, and what is undone later is booked later."""
    create_completed(database, person)
    set_back(PAST, database)
    [line] = [differences(database, admin, four)[LineOutcome.THEIRS_ONLY]]
    accept(database, admin, four.id, line.row.id)
    with database.write_session() as session:
        period = closing.close(session, admin, PAST)
    assert period.totals["usage"]["adjusted_cost_idr"] == 16_500
    with database.write_session() as session:
        accepting.undo(session, admin, four.id, line_ids=[line.row.id], reason="late")
    with database.read_session() as session:
        days = session.scalars(select(CostAdjustment.day).order_by(CostAdjustment.id)).all()
    assert days[0].startswith(PAST)
    assert days[1] > END.date().isoformat()
    assert counts_of_rule(database) == []


def test_same_file_is_the_same_statement(database: Database, person: Member, admin: Member) -> None:
    """Brought again it changes nothing; read another way it is read anew; for another month it is refused."""
    clips = many(5)
    create_clips(database, person, clips)
    file = build_file([line_of(clip) for clip in clips])
    first = upload(database, admin, file, month=PAST)
    again = upload(database, admin, file, month=PAST)
    assert (again.id, again.version) == (first.id, 1)
    anew = upload(database, admin, file, month=PAST, settings=Settings(columns=COLUMNS, time_zone="Asia/Jakarta"))
    assert (anew.id, anew.version) == (first.id, 2)
    with pytest.raises(errors.Conflict) as refused:
        upload(database, admin, file, month=months.next_of(PAST))
    assert refused.value.message.code == "statement_of_other_month"
    with database.read_session() as session:
        kept = uploads.last_settings(session, admin, "demo")
    assert kept is not None
    assert kept.time_zone == "Asia/Jakarta"


def test_corrected_file_replaces_what_was_not_accepted(
    database: Database, person: Member, admin: Member, four: VendorStatement
) -> None:
    """An accepted line that is still in it stays accepted; one that is not can be undone; and costs follow the file."""
    was = cost(database, admin)
    wanted = differences(database, admin, four)
    accept(database, admin, four.id, *(line.row.id for line in wanted.values()))
    clips = [Clip(f"job-{nth}", TENTH + timedelta(hours=nth)) for nth in range(4)]
    said = [
        line_of(clips[3]),  # now billed
        line_of(clips[0], amount="0.40"),  # cheaper than was accepted
        line_of(clips[1]),
        line_of(clips[2]),
        line_of(Clip("not-ours", TENTH + timedelta(days=1)), amount="1.00"),
    ]
    upload(database, admin, build_file(said), month=PAST)

    left = lines(database, admin, four.id)
    assert {one.row.job_id: (one.row.outcome, one.row.difference_idr, one.is_accepted) for one in left} == {
        "job-3": (LineOutcome.PRICE_DIFFERS, 5_775, False),
        "job-0": (LineOutcome.PRICE_DIFFERS, -1_650, False),
        "job-1": (LineOutcome.MATCHED, 0, False),
        "job-2": (LineOutcome.MATCHED, 0, False),
        "not-ours": (LineOutcome.THEIRS_ONLY, 16_500, True),
    }
    with database.read_session() as session:
        gone = listing.lines(session, admin, four.id, gone=True)
        assert Counter(one.row.outcome for one in gone) == {
            LineOutcome.PRICE_DIFFERS: 1,
            LineOutcome.DUPLICATE: 1,
            LineOutcome.OURS_ONLY: 1,
        }
    accept(database, admin, four.id, *(one.row.id for one in left if one.can_be_accepted))
    duplicate = [one.row.id for one in gone if one.row.outcome is LineOutcome.DUPLICATE]
    with database.write_session() as session:
        accepting.undo(session, admin, four.id, line_ids=duplicate, reason="not billed twice any more")
    # Four clips were counted at 0.35: one is 0.40 now, and a dollar is for no clip.
    assert cost(database, admin) - was == 825 + 16_500
    with database.write_session() as session:
        uploads.compare_again(session, admin, four.id)
    assert not differences(database, admin, four)


def test_job_of_another_months_statement_is_billed_twice(database: Database, person: Member, admin: Member) -> None:
    """A job that an earlier statement has is a duplicate in a later one."""
    [only] = clips = [Clip("job", END - timedelta(minutes=1))]
    create_clips(database, person, clips)
    first = upload(database, admin, build_file([line_of(only)]), month=PAST)
    later = upload(database, admin, build_file([line_of(only, amount="0.36")]), month=months.next_of(PAST))
    assert counts(database, admin, first.id) == {LineOutcome.MATCHED: 1}
    assert counts(database, admin, later.id) == {LineOutcome.DUPLICATE: 1}


def test_clip_at_the_edge_of_a_month(database: Database, person: Member, admin: Member) -> None:
    """A clip of the evening before may be billed in the next month, and is missed in none."""
    [only] = clips = [Clip("", END - timedelta(minutes=1))]
    create_clips(database, person, clips)
    later = upload(database, admin, build_file([line_of(only)]), month=months.next_of(PAST))
    assert counts(database, admin, later.id) == {LineOutcome.MATCHED: 1}
    first = upload(database, admin, build_file([line_of(Clip("x", TENTH))]), month=PAST)
    assert counts(database, admin, first.id) == {LineOutcome.THEIRS_ONLY: 1}


def test_upload_that_dies_leaves_nothing(database: Database, person: Member, admin: Member) -> None:
    """It is one transaction: whatever ends it, it is as it was, and the same upload goes through afterwards."""
    clips = many(5)
    create_clips(database, person, clips)
    file = build_file([line_of(clip) for clip in clips])

    def die() -> None:
        with database.write_session() as session:
            uploads.upload(session, admin, file, provider="demo", month=PAST, settings=SETTINGS)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        die()
    with database.read_session() as session:
        for table in (VendorStatement, StatementLine, StatementClip):
            assert session.scalar(select(func.count()).select_from(table)) == 0
    assert counts(database, admin, upload(database, admin, file, month=PAST).id) == {LineOutcome.MATCHED: 5}


def test_discarding(database: Database, admin: Member, four: VendorStatement) -> None:
    """One of which something was ever accepted stays; another one goes with its lines."""
    line = differences(database, admin, four)[LineOutcome.THEIRS_ONLY]
    accept(database, admin, four.id, line.row.id)
    with pytest.raises(errors.Conflict), database.write_session() as session:
        uploads.discard(session, admin, four.id)
    other = upload(database, admin, build_file([line_of(Clip("x", END))]), month=months.next_of(PAST))
    with database.write_session() as session:
        uploads.discard(session, admin, other.id)
    with database.read_session() as session:
        assert [one.id for one in listing.statements(session, admin)] == [four.id]


def test_who_may(database: Database, person: Member, admin: Member, four: VendorStatement) -> None:
    """Analysts look, administrators act, others do neither."""
    analyst = create_member(database, "analyst@example.org", role=Role.ANALYST)
    with database.read_session() as session:
        assert listing.summary(session, analyst, four.id).open_lines == 4
        with pytest.raises(errors.Forbidden):
            listing.statements(session, person)
    for who in (analyst, person):
        with pytest.raises(errors.Forbidden):
            upload(database, who, build_file([["a"]]), month=PAST)
        with pytest.raises(errors.Forbidden):
            accept(database, who, four.id, "x")


def test_dollar_of_the_day(database: Database, person: Member, admin: Member) -> None:
    """A clip is compared at the dollar of its order; a rupiah statement needs none."""
    clips = [Clip("a", TENTH), Clip("b", TENTH)]
    create_clips(database, person, clips, idr_per_usd=16_000)
    said = [line_of(clips[0]), line_of(clips[1], amount="5600", currency="IDR")]
    statement = upload(database, admin, build_file(said), month=PAST)
    assert counts(database, admin, statement.id) == {LineOutcome.MATCHED: 2}
    assert RATE != 16_000
    assert [line.row.amount_idr for line in lines(database, admin, statement.id)] == [5_600, 5_600]


def test_pages_of_lines(database: Database, person: Member, admin: Member) -> None:
    """A page after the other is everything once, in the order of the file, clips without a line at the end."""
    clips = many(25)
    create_clips(database, person, clips)
    statement = upload(database, admin, build_file([line_of(clip) for clip in clips[:20]]), month=PAST)
    found: list[Line] = []
    while True:
        after_id = found[-1].row.id if found else ""
        with database.read_session() as session:
            some = listing.lines(session, admin, statement.id, after_id=after_id, limit=7)
        if not some:
            break
        found += some
    assert [line.row.number for line in found] == [*range(2, 22), *[None] * 5]
    with using(database):
        assert [line.row.id for line in listing.every_line(admin, statement.id)] == [line.row.id for line in found]


@given(st.lists(st.tuples(st.sampled_from(["accept", "undo", "again", "upload"]), st.integers(0, 63)), max_size=8))
def test_whatever_is_pressed_moves_costs_and_nothing_else(
    database: Database, person: Member, steps: list[tuple[str, int]]
) -> None:
    """Costs are what was counted and what was booked, and money of people is the same to the byte, whatever comes."""
    admin = create_admin(database, f"{new_id()}@example.org")
    clips = [Clip(f"{new_id()}", TENTH + timedelta(hours=nth)) for nth in range(4)]
    create_clips(database, person, clips)
    before, was = books(database), cost(database, admin)
    said = [line_of(clips[0], amount="0.50"), line_of(clips[1]), line_of(clips[1]), line_of(Clip(new_id(), TENTH))]
    files = [build_file(said), build_file(said[1:]), build_file([line_of(clip, amount="0.40") for clip in clips])]
    statement = upload(database, admin, files[0], month=PAST)
    with database.read_session() as session:
        booked_before = listing.summary(session, admin, statement.id).booked_idr
    for act, number in steps:
        with database.read_session() as session:
            every = [
                one.row.id
                for gone in (False, True)
                for one in listing.lines(session, admin, statement.id, gone=gone)
                if (one.is_accepted if act == "undo" else one.can_be_accepted)
            ]
        chosen = [line_id for place, line_id in enumerate(every) if number >> (place % 6) & 1]
        if act == "upload":
            upload(database, admin, files[number % 3], month=PAST)
        elif act == "again":
            with database.write_session() as session:
                uploads.compare_again(session, admin, statement.id)
        elif chosen:
            call = accepting.accept if act == "accept" else accepting.undo
            with database.write_session() as session:
                call(session, admin, statement.id, line_ids=chosen, reason="any")
    with database.read_session() as session:
        booked = listing.summary(session, admin, statement.id).booked_idr
        taken = session.scalars(
            select(StatementLine.generation_id).where(
                StatementLine.is_present,
                StatementLine.generation_id.is_not(None),
                StatementLine.number.is_not(None),
                StatementLine.outcome.in_(comparing.PRIMARY),
            )
        ).all()
    assert len(taken) == len(set(taken)), "a clip has one line"
    assert cost(database, admin) - was == booked - booked_before
    assert books(database) == before
    assert counts_of_rule(database) == []
