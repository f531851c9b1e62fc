"""Orders that need approval: held and out of the line until somebody else has decided, each once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from core import errors
from core.billing import ledger
from core.clock import utc_now
from core.db import Database
from core.db.enums import ApprovalCause, BudgetMode, BudgetScope, Decision, Role, Stage, Status, WorkspaceRole
from core.db.tables import ApiToken, AuditLogEntry, Generation, GenerationEvent, User, WorkspaceMember
from core.generations import approval_list, approval_requests, approvals, batches, commands, order_again
from core.generations.submit import submit
from core.identity import api_tokens
from core.usage import approval_rules
from core.workspaces import merging, months
from core.workspaces.access import Member
from tests.factories import sheets
from tests.factories.approvals import approval_of, ask, asking_team, decide, decide_many, let_time_pass
from tests.factories.books import broken_rules
from tests.factories.catalogue import withdraw
from tests.factories.generations import (
    CONFIGURED,
    QUOTA_BYTES,
    build_order,
    create_completed,
    create_generation,
    finish,
    load_generation,
    rewrite,
)
from tests.factories.projects import create_project
from tests.factories.users import create_member
from tests.factories.workspaces import create_admin, create_team, create_team_of, now, put_in
from tests.services.test_budget_limits import DECEMBER, DOORS, NOVEMBER, batch, cancel, limit, order_at, taken

PRICE = 50


def sweep(database: Database) -> int:
    """Let lapse what nobody has answered, as a dispatcher does; how many."""
    with database.write_session() as session:
        overdue = approval_requests.overdue(utc_now()).with_for_update(skip_locked=True)
        return approval_requests.lapse(session, session.scalars(overdue).all())


def held(database: Database, member: Member) -> int:
    """What the workspace has reserved."""
    with database.read_session() as session:
        return ledger.balance(session, member.workspace_id).held_credits


def stage(database: Database, generation_id: str) -> Stage:
    """Where an order stands."""
    return load_generation(generation_id, database).stage


def test_order_waits_above_a_price(database: Database, person: Member) -> None:
    """Just more than the price waits, held, priced and counted; the price itself passes, and what costs nothing."""
    _ana, ben, _cas = asking_team(database, person, PRICE)
    project = create_project(database, ben)
    passes = create_generation(database, ben, project_id=project.id)
    waits = create_generation(database, ben, project_id=project.id, duration_seconds=10)

    assert passes.stage is Stage.QUEUED
    assert waits.credits > PRICE
    assert (waits.status, waits.stage) == (Status.PENDING, Stage.AWAITING_APPROVAL)
    assert waits.deadline_at == waits.next_at
    assert waits.deadline_at is not None
    assert abs(waits.deadline_at - utc_now() - timedelta(days=7)) < timedelta(minutes=5)
    assert held(database, ben) == PRICE + waits.credits
    assert sum(taken(database, ben.workspace_id).values()) == PRICE + waits.credits
    assert approval_of(database, waits.id).cause is ApprovalCause.PRICE
    assert broken_rules(database) == []


def test_price_is_that_of_the_press(database: Database, person: Member) -> None:
    """Variations add up: two clips that each would pass wait together, as one order."""
    ana, ben, _cas = asking_team(database, person, 2 * PRICE - 1)
    project = create_project(database, ben)
    rows = batch(database, ben, [build_order(project.id, prompt=f"take {n}") for n in range(2)])
    ids = [row.id for row in rows]  # type: ignore[attr-defined]  # generations

    asked = [approval_of(database, each) for each in ids]
    assert [stage(database, each) for each in ids] == [Stage.AWAITING_APPROVAL] * 2
    assert {one.press_id for one in asked} == {ids[0]}
    assert {one.press_credits for one in asked} == {2 * PRICE}
    decide(database, ana, ids[0])
    decide(database, ana, ids[1], approve=False)
    assert [load_generation(each, database).status for each in ids] == [Status.PENDING, Status.CANCELLED]
    assert held(database, ben) == PRICE
    assert broken_rules(database) == []


@pytest.mark.parametrize("scope", list(BudgetScope))
def test_order_waits_beyond_a_budget_that_warns(database: Database, person: Member, scope: BudgetScope) -> None:
    """What fits passes; the first that does not waits, and the next ones, too. A budget that stops refuses still."""
    ana, ben, _cas = asking_team(database, person, None, over_budget=True)
    project = create_project(database, ben)
    subject = {"project": project.id, "member": ben.id}.get(scope, ben.workspace_id)
    limit(database, ana, PRICE, scope, subject, mode=BudgetMode.WARN)
    rows = [create_generation(database, ben, project_id=project.id) for _ in range(3)]

    assert [row.stage for row in rows] == [Stage.QUEUED, Stage.AWAITING_APPROVAL, Stage.AWAITING_APPROVAL]
    assert approval_of(database, rows[1].id).cause is ApprovalCause.BUDGET
    limit(database, ana, 3 * PRICE, scope, subject, mode=BudgetMode.STOP)
    with pytest.raises(errors.BudgetExceeded):
        create_generation(database, ben, project_id=project.id)
    assert broken_rules(database) == []


@pytest.mark.parametrize("door", [*DOORS, "order again"])
def test_no_door_leads_around_approval(database: Database, person: Member, door: str) -> None:
    """Whatever way an order comes, it waits, all that it orders; with no rule it stands in line."""
    _ana, ben, _cas = asking_team(database, person, None)
    project = create_project(database, ben, "Full")
    ended = create_generation(database, ben, project_id=project.id)
    cancel(database, ben, ended)
    ask(database, _ana)
    if door == "order again":
        with database.write_session() as session:
            order_again.retry_all(session, ben, [ended.id], configured=CONFIGURED, quota_bytes=QUOTA_BYTES)
    else:
        DOORS[door](database, ben, project.id, ended)

    with database.read_session() as session:
        rows = session.scalars(select(Generation).where(Generation.id != ended.id)).all()
    assert {row.stage for row in rows} == {Stage.AWAITING_APPROVAL}
    assert len(rows) == (2 if door == "takes" else 1)
    assert {approval_of(database, row.id).press_credits for row in rows} == {PRICE * len(rows)}
    assert broken_rules(database) == []


def test_retries_of_one_press_are_one_order(database: Database, person: Member) -> None:
    """Several that are ordered again with one press add up, as what is ordered anew does."""
    ana, ben, _cas = asking_team(database, person, None)
    ended = [create_generation(database, ben) for _ in range(3)]
    for row in ended:
        cancel(database, ben, row)
    ask(database, ana, 3 * PRICE - 1)
    with database.write_session() as session:
        ids = [row.id for row in ended]
        rows = order_again.retry_all(session, ben, ids, configured=CONFIGURED, quota_bytes=QUOTA_BYTES)

    assert {row.stage for row in rows} == {Stage.AWAITING_APPROVAL}
    assert {approval_of(database, row.id).press_id for row in rows} == {rows[0].id}


def test_repeat_asks_no_second_time(database: Database, person: Member) -> None:
    """The same key gives the waiting order back; once it is approved, the same one in line."""
    ana, ben, _cas = asking_team(database, person)
    project = create_project(database, ben)
    first, again = (create_generation(database, ben, project_id=project.id, idempotency_key="one") for _ in range(2))
    assert first.id == again.id
    decide(database, ana, first.id)
    after = create_generation(database, ben, project_id=project.id, idempotency_key="one")
    assert (after.id, after.stage) == (first.id, Stage.QUEUED)
    assert held(database, ben) == PRICE


def test_approved_order_goes_its_way(database: Database, person: Member) -> None:
    """It stands in line at once, at the price of its moment, with a day to be taken; its clip is charged once."""
    ana, ben, _cas = asking_team(database, person)
    row = create_generation(database, ben)
    decide(database, ana, row.id, note="Go ahead")

    found = load_generation(row.id, database)
    assert (found.status, found.stage, found.credits) == (Status.PENDING, Stage.QUEUED, PRICE)
    assert found.next_at is not None
    assert found.next_at <= utc_now()
    assert found.deadline_at is not None
    assert abs(found.deadline_at - utc_now() - timedelta(days=1)) < timedelta(minutes=5)
    approval = approval_of(database, row.id)
    assert (approval.decision, approval.decided_by_id, approval.note) == (Decision.APPROVED, ana.id, "Go ahead")
    finish(database, row.id)
    with database.read_session() as session:
        assert ledger.balance(session, ben.workspace_id) == ledger.Balance(10_000 - PRICE, 0)
        events = session.scalars(
            select(GenerationEvent).where(GenerationEvent.generation_id == row.id).order_by(GenerationEvent.id)
        ).all()
        codes = [event.message.code if event.message else "" for event in events]
        assert codes[:3] == ["ordered", "approval_needed_price", "approved_by_with"]
        acts = session.scalars(select(AuditLogEntry.action).where(AuditLogEntry.noun == "approval")).all()
    assert acts == ["approval.rule_changed", "approval.given"]
    assert broken_rules(database) == []


def test_declined_order_gives_everything_back(database: Database, person: Member) -> None:
    """It is cancelled with the word that was said, and account, budgets and day are as if it never was."""
    ana, ben, _cas = asking_team(database, person)
    row = create_generation(database, ben)
    decide(database, ana, row.id, approve=False, note="Take the draft first")

    found = load_generation(row.id, database)
    assert (found.status, found.error_code) == (Status.CANCELLED, "approval_declined")
    assert str(found.error) == "Declined by ana: Take the draft first"
    assert taken(database, ben.workspace_id) == {}
    assert held(database, ben) == 0
    assert broken_rules(database) == []


def test_lapsed_order_ends_once(database: Database, person: Member) -> None:
    """After a week it is cancelled and says why, however many dispatchers look; before that nothing happens."""
    ana, ben, _cas = asking_team(database, person)
    late, fresh = create_generation(database, ben), create_generation(database, ben)
    assert sweep(database) == 0
    let_time_pass(database, late.id)
    assert broken_rules(database) == ["in_time"]
    assert [sweep(database), sweep(database)] == [1, 0]

    found = load_generation(late.id, database)
    assert (found.status, found.error_code) == (Status.CANCELLED, "approval_lapsed")
    assert str(found.error) == "Nobody answered within a week, so this was not made."
    assert approval_of(database, late.id).decision is Decision.LAPSED
    assert stage(database, fresh.id) is Stage.AWAITING_APPROVAL
    assert held(database, ben) == PRICE
    with pytest.raises(errors.AlreadyDecided) as refused:
        decide(database, ana, late.id)
    assert refused.value.message.code == "approval_has_lapsed"
    assert broken_rules(database) == []


def test_what_is_given_back_frees_its_own_month(database: Database, person: Member) -> None:
    """An order of November that is declined or lapses in December leaves November, and December untouched."""
    ana, ben, _cas = asking_team(database, person)
    with database.write_session() as session:
        months.set_zone(session, ana, "Asia/Jakarta")
    project = create_project(database, ben)
    declined, lapsed, approved = (order_at(database, ben, project.id, NOVEMBER) for _ in range(3))
    with database.write_session() as session:
        session.info["now"] = DECEMBER
        approvals.decide(session, ana, declined.id, approve=False, note="no", configured=CONFIGURED)
        approvals.decide(session, ana, approved.id, approve=True, configured=CONFIGURED)
    order_at(database, ben, project.id, DECEMBER)
    let_time_pass(database, lapsed.id)
    sweep(database)

    assert taken(database, ben.workspace_id) == {"2026-11": PRICE, "2026-12": PRICE}
    assert load_generation(approved.id, database).budget_month == "2026-11"
    assert broken_rules(database) == []


def test_maker_cancels_while_it_waits(database: Database, person: Member) -> None:
    """All comes back, and who decides then is told so."""
    ana, ben, _cas = asking_team(database, person)
    row = create_generation(database, ben)
    cancel(database, ben, row)

    assert load_generation(row.id, database).status is Status.CANCELLED
    assert held(database, ben) == 0
    with pytest.raises(errors.AlreadyDecided) as refused:
        decide(database, ana, row.id)
    assert refused.value.message.code == "approval_was_cancelled"
    assert broken_rules(database) == []


def test_nobody_approves_their_own(database: Database, person: Member) -> None:
    """Not a manager, nor an administrator, nor who is one with its maker by now; another manager may."""
    ana, ben, cas = asking_team(database, person)
    own = create_generation(database, ana)
    with pytest.raises(errors.OwnOrder):
        decide(database, ana, own.id)
    with database.write_session() as session:
        session.get_one(User, ana.id).role = Role.ADMIN
    for approve in (True, False):
        with pytest.raises(errors.OwnOrder):
            decide(database, now(database, ana, ana.workspace_id), own.id, approve=approve)
    of_ben = create_generation(database, ben)
    with database.write_session() as session:
        merging.merge(session, create_admin(database), gone_id=ben.id, into_id=cas.id)
    with pytest.raises(errors.OwnOrder):
        decide(database, now(database, cas, ana.workspace_id), of_ben.id)

    assert [stage(database, each) for each in (own.id, of_ben.id)] == [Stage.AWAITING_APPROVAL] * 2
    decide(database, now(database, cas, ana.workspace_id), own.id)
    assert stage(database, own.id) is Stage.QUEUED
    assert broken_rules(database) == []


def test_who_may_not_decide(database: Database, person: Member) -> None:
    """Makers and viewers may not; for who is elsewhere it is not there, administrators included."""
    ana, ben, _cas = asking_team(database, person)
    row = create_generation(database, ben)
    dee = put_in(database, create_member(database, "dee@example.org"), ana.workspace_id, WorkspaceRole.MAKER)
    eve = put_in(database, create_member(database, "eve@example.org"), ana.workspace_id, WorkspaceRole.VIEWER)
    for member in (dee, eve):
        with pytest.raises(errors.Forbidden):
            decide(database, member, row.id)
    for member in (create_member(database, "far@example.org"), create_admin(database)):
        with pytest.raises(errors.NotFound):
            decide(database, member, row.id)
    with database.read_session() as session:
        for member in (ben, dee, eve):
            assert approval_list.decidable(session, member) == []
            assert approval_list.count(session, member) == 0
        assert [each.row.id for each in approval_list.of_others(session, dee)] == [row.id]
    assert stage(database, row.id) is Stage.AWAITING_APPROVAL


def test_administrator_decides_where_nobody_else_can(database: Database, person: Member) -> None:
    """The order of the only manager is decided from outside, without its prompt; with a second manager no longer."""
    ana = now(database, person, create_team_of(database, person))
    ask(database, ana)
    row, later = create_generation(database, ana), create_generation(database, ana)
    root = create_admin(database)
    with database.read_session() as session:
        waiting = approval_list.decidable(session, root)
        assert [(each.row.id, each.is_inside) for each in waiting] == [(row.id, False), (later.id, False)]
        assert approval_list.count(session, root) == 2
    decide(database, root, row.id)
    assert stage(database, row.id) is Stage.QUEUED

    put_in(database, create_member(database, "cas@example.org"), ana.workspace_id, WorkspaceRole.MANAGER)
    with pytest.raises(errors.NotFound):
        decide(database, root, later.id)
    with database.read_session() as session:
        assert approval_list.decidable(session, root) == []
    assert broken_rules(database) == []


def test_yes_that_comes_too_late(database: Database, person: Member) -> None:
    """Whose maker may order no longer is not approved, nor what nobody can send; it can be declined all the same."""
    ana, ben, _cas = asking_team(database, person)
    left, gone, unset = (create_generation(database, ben) for _ in range(3))
    with pytest.raises(errors.ProviderNotConfigured), database.write_session() as session:
        approvals.decide(session, ana, unset.id, approve=True, configured=())
    with database.write_session() as session:
        session.get_one(WorkspaceMember, (ana.workspace_id, ben.id)).role = WorkspaceRole.VIEWER
    with pytest.raises(errors.NoLongerOrderable) as refused:
        decide(database, ana, left.id)
    assert refused.value.message.code == "approval_of_departed"
    with database.write_session() as session:
        session.get_one(WorkspaceMember, (ana.workspace_id, ben.id)).role = WorkspaceRole.MAKER
        session.get_one(User, ben.id).deactivated_at = utc_now()
    with pytest.raises(errors.NoLongerOrderable):
        decide(database, ana, gone.id)

    for row in (left, gone, unset):
        assert stage(database, row.id) is Stage.AWAITING_APPROVAL
        decide(database, ana, row.id, approve=False)
    assert held(database, ben) == 0
    assert broken_rules(database) == []


def test_yes_to_a_model_that_has_ended(database: Database, person: Member) -> None:
    """The answer names what came in its place; nothing is sent."""
    ana, ben, _cas = asking_team(database, person)
    row = create_generation(database, ben)
    withdraw(database, "demo-film")
    with pytest.raises(errors.NoLongerOrderable) as refused:
        decide(database, ana, row.id)
    assert refused.value.message.code == "approval_not_makeable"
    assert stage(database, row.id) is Stage.AWAITING_APPROVAL
    decide(database, ana, row.id, approve=False)
    assert held(database, ben) == 0


def test_no_needs_a_word(database: Database, person: Member) -> None:
    """Without one, or with one that is too long, nothing is decided."""
    ana, ben, _cas = asking_team(database, person)
    row = create_generation(database, ben)
    for note in ("  ", "x" * 501):
        with pytest.raises(errors.InvalidRequest) as refused, database.write_session() as session:
            approvals.decide(session, ana, row.id, approve=False, note=note, configured=CONFIGURED)
        assert set(refused.value.fields) == {"note"}
    assert stage(database, row.id) is Stage.AWAITING_APPROVAL


def test_several_are_decided_at_once(database: Database, person: Member) -> None:
    """What cannot be decided is told apart and hinders nothing; none and too many are refused."""
    ana, ben, cas = asking_team(database, person)
    first, second, decided, own = (create_generation(database, each) for each in (ben, ben, ben, ana))
    decide(database, cas, decided.id)
    ids = [first.id, decided.id, own.id, second.id, first.id]
    outcomes = decide_many(database, ana, ids)

    codes = {each.generation_id: each.refused.code if each.refused else "" for each in outcomes}
    assert codes == {first.id: "", decided.id: "already_decided", own.id: "own_order", second.id: ""}
    assert [stage(database, each.id) for each in (first, second, own)] == [
        Stage.QUEUED,
        Stage.QUEUED,
        Stage.AWAITING_APPROVAL,
    ]
    for wrong in ([], [f"{n:036}" for n in range(approvals.MOST + 1)]):
        with pytest.raises(errors.InvalidRequest):
            decide_many(database, ana, wrong)
    assert broken_rules(database) == []


def test_table_keeps_its_week_in_line(database: Database, person: Member) -> None:
    """Orders of a table wait for approval as one, and once approved may wait for their provider as long as before."""
    ana, ben, _cas = asking_team(database, person, 2 * PRICE)
    create_project(database, ben, "Lakes")
    sheet = sheets.keep(database, ben, sheets.csv_of("Prompt,Project", "a,Lakes", "b,Lakes", "c,Lakes"))
    sheets.order(database, ben, sheet)
    with database.read_session() as session:
        ids = session.scalars(select(Generation.id).order_by(Generation.id)).all()
    assert [stage(database, each) for each in ids] == [Stage.AWAITING_APPROVAL] * 3
    assert [each.refused for each in decide_many(database, ana, ids)] == [None] * 3
    deadline = load_generation(ids[0], database).deadline_at
    assert deadline is not None
    assert abs(deadline - utc_now() - timedelta(days=7)) < timedelta(minutes=5)
    assert broken_rules(database) == []


def test_list_says_what_a_manager_needs(database: Database, person: Member) -> None:
    """Who asks, where, why, until when, and what is left of budgets and balance with it; a page at a time."""
    ana, ben, _cas = asking_team(database, person, PRICE)
    project = create_project(database, ben, "Lakes")
    limit(database, ana, 300, BudgetScope.PROJECT, project.id, mode=BudgetMode.WARN)
    rows = batch(database, ben, [build_order(project.id, prompt=f"take {n}") for n in range(2)])
    with database.read_session() as session:
        [first] = approval_list.decidable(session, ana, limit=1)
        [second] = approval_list.decidable(session, ana, after_id=first.row.id)
        assert approval_list.decidable(session, ana, after_id=second.row.id) == []
        assert approval_list.count(session, ana) == 2
        assert approval_list.of_others(session, ana) == []
        told = approval_list.of_clip(session, first.row)

    assert [first.row.id, second.row.id] == [row.id for row in rows]  # type: ignore[attr-defined]  # generations
    assert (first.maker, first.project, first.workspace) == ("ben", "Lakes", "Lakes")
    assert (first.press_credits, first.available_credits, first.is_inside) == (100, 9_900, True)
    assert [(each.scope, each.taken_credits, each.left_credits) for each in first.limits] == [("project", 100, 200)]
    assert told is not None
    assert (told.cause, told.decision, told.lapses_at) == (ApprovalCause.PRICE, None, first.lapses_at)


def test_only_managers_set_when_it_is_asked(database: Database, person: Member) -> None:
    """The change is in the audit log, from what to what; setting the same again leaves none. No price is refused."""
    ana, ben, _cas = asking_team(database, person, 100)
    with pytest.raises(errors.Forbidden):
        ask(database, ben, 5)
    with pytest.raises(errors.InvalidRequest) as refused:
        ask(database, ana, -1)
    assert set(refused.value.fields) == {"aboveCredits"}
    for _ in range(2):
        ask(database, ana, None, over_budget=True)
    with database.read_session() as session:
        rule = approval_rules.of(session, ana.workspace_id)
        rows = session.scalars(select(AuditLogEntry).where(AuditLogEntry.action == "approval.rule_changed")).all()
        changes = [(row.before, row.after) for row in sorted(rows, key=lambda row: row.id)]
    assert (rule.above_credits, rule.over_budget) == (None, True)
    assert changes == [
        ({"above_credits": None, "over_budget": "not_asked"}, {"above_credits": 100, "over_budget": "not_asked"}),
        ({"above_credits": 100, "over_budget": "not_asked"}, {"above_credits": None, "over_budget": "asked"}),
    ]


def test_rule_holds_from_the_next_order_on(database: Database, person: Member) -> None:
    """What waits goes on waiting when nothing is asked any more."""
    ana, ben, _cas = asking_team(database, person)
    row = create_generation(database, ben)
    ask(database, ana, None)
    assert create_generation(database, ben).stage is Stage.QUEUED
    assert stage(database, row.id) is Stage.AWAITING_APPROVAL


def test_refused_press_asks_nobody(database: Database, person: Member) -> None:
    """Where the price is another one than was shown, nothing is left: no order, no hold, no question."""
    _ana, ben, _cas = asking_team(database, person)
    project = create_project(database, ben)
    with pytest.raises(errors.PriceChanged), database.write_session() as session:
        batches.submit_batch(
            session,
            ben,
            [build_order(project.id)] * 2,
            configured=CONFIGURED,
            quota_bytes=QUOTA_BYTES,
            shown_credits=1,
        )
    assert held(database, ben) == 0
    with database.read_session() as session:
        assert session.scalars(select(Generation)).all() == []


def test_press_for_two_workspaces_asks_where_it_is_to_be_asked(database: Database, person: Member) -> None:
    """Each looks at what it pays: one lets its part wait, the other lets it pass."""
    ana, ben, _cas = asking_team(database, person)
    other = create_team_of(database, ben, name="Free")
    strict, free = create_project(database, ben), create_project(database, now(database, ben, other))
    both = now(database, ben, ana.workspace_id)
    rows = batch(database, both, [build_order(strict.id), build_order(free.id)])
    assert [row.stage for row in rows] == [Stage.AWAITING_APPROVAL, Stage.QUEUED]  # type: ignore[attr-defined]  # generations


Move = Callable[[Database, Member, Member, str], object]

MOVES: dict[str, Move] = {
    "approve": lambda database, ana, _ben, each: decide(database, ana, each),
    "approve again": lambda database, ana, _ben, each: decide(database, ana, each),
    "decline": lambda database, ana, _ben, each: decide(database, ana, each, approve=False),
    "cancel": lambda database, _ana, ben, each: _cancel(database, ben, each),
    "lapse": lambda database, _ana, _ben, _each: _lapse(database),
}


def _cancel(database: Database, ben: Member, generation_id: str) -> None:
    with database.write_session() as session:
        commands.cancel(session, ben, generation_id)


def _lapse(database: Database) -> None:
    if not sweep(database):
        raise errors.AlreadyDecided


@pytest.mark.both_databases
def test_exactly_one_decides(database: Database) -> None:
    """Of yes, no, cancel and lapse at once one wins and the others are told; the hold is kept or released once."""
    ana, ben, cas = asking_team(database, create_member(database))
    deciders = {"approve again": cas, "decline": cas}
    for _round in range(6):
        row = create_generation(database, ben)
        let_time_pass(database, row.id)

        def attempt(name: str, generation_id: str = row.id) -> str:
            try:
                MOVES[name](database, deciders.get(name, ana), ben, generation_id)
            except errors.Conflict:
                return ""
            return name

        with ThreadPoolExecutor(len(MOVES)) as threads:
            won = [name for name in threads.map(attempt, MOVES) if name]

        found = load_generation(row.id, database)
        if "cancel" in won and len(won) == 2:  # who approved came first, and its maker cancelled it in line
            assert won[0].startswith("approve")
        else:
            assert len(won) == 1, won
        kept = found.status is Status.PENDING
        assert held(database, ben) == (PRICE if kept else 0)
        if kept:
            cancel(database, ben, row)
        assert sum(taken(database, ben.workspace_id).values()) == 0
    assert broken_rules(database) == []


@pytest.mark.both_databases
def test_exactly_those_beyond_a_budget_wait(database: Database) -> None:
    """Of many orders at once just as many stand in line as fit the budget that warns; all others wait."""
    ana, ben, _cas = asking_team(database, create_member(database), None, over_budget=True)
    project = create_project(database, ben)
    limit(database, ana, 4 * PRICE + PRICE - 1, mode=BudgetMode.WARN)

    def order(_number: int) -> Stage:
        return create_generation(database, ben, project_id=project.id).stage

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(order, range(16)))
    assert found.count(Stage.QUEUED) == 4
    assert found.count(Stage.AWAITING_APPROVAL) == 12
    assert broken_rules(database) == []


@pytest.mark.both_databases
def test_many_deciders_of_many_orders(database: Database) -> None:
    """Two managers who decide the same many at once, and a maker who cancels: nobody waits for ever, each ends once."""
    ana, ben, cas = asking_team(database, create_member(database))
    project = create_project(database, ben)
    ids = [create_generation(database, ben, project_id=project.id).id for _ in range(12)]

    def act(which: int) -> int:
        if which == 2:
            for each in ids[::3]:
                try:
                    _cancel(database, ben, each)
                except errors.Conflict:
                    continue
            return 0
        member, turned = (ana, ids) if which == 0 else (cas, ids[::-1])
        outcomes = decide_many(database, member, turned, approve=which == 0)
        return sum(each.refused is None for each in outcomes)

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(act, range(3)))
    rows = [load_generation(each, database) for each in ids]
    assert all(row.stage is not Stage.AWAITING_APPROVAL for row in rows)
    assert held(database, ben) == PRICE * sum(row.status is Status.PENDING for row in rows)
    assert broken_rules(database) == []


def test_audit_finds_what_was_handed_over_without(database: Database, person: Member) -> None:
    """A row that somebody pushed on past its approval breaks the rule."""
    _ana, ben, _cas = asking_team(database, person)
    row = create_generation(database, ben)
    with database.write_session() as session:
        rewrite(session, Generation.id == row.id, stage=Stage.QUEUED)
    finish(database, row.id)
    assert broken_rules(database) == ["approved_by_another"]


def test_press_price_counts_only_what_is_new(database: Database, person: Member) -> None:
    """An old clip that is done asks for nothing, whatever the rule says by now."""
    ana, ben, _cas = asking_team(database, person, None)
    done = create_completed(database, ben)
    ask(database, ana)
    with database.read_session() as session:
        assert approval_list.of_clip(session, done) is None
    with pytest.raises(errors.AlreadyDecided) as refused:
        decide(database, ana, done.id)
    assert refused.value.message.code == "approval_not_asked"


def test_foreseen_is_what_happens(database: Database, person: Member) -> None:
    """What is said before the press is what the press does, for prices and budgets."""
    ana, ben, _cas = asking_team(database, person, 2 * PRICE, over_budget=True)
    project = create_project(database, ben)
    limit(database, ana, PRICE, BudgetScope.MEMBER, ben.id, mode=BudgetMode.WARN)

    def foreseen(credits: int, at: datetime) -> ApprovalCause | None:
        with database.read_session() as session:
            reason = approval_requests.foreseen(session, ben, {project.id: credits}, at=at)
        return None if reason is None else reason.cause

    assert foreseen(PRICE, utc_now()) is None
    assert create_generation(database, ben, project_id=project.id).stage is Stage.QUEUED
    assert foreseen(PRICE, utc_now()) is ApprovalCause.BUDGET
    assert create_generation(database, ben, project_id=project.id).stage is Stage.AWAITING_APPROVAL
    assert foreseen(3 * PRICE, utc_now()) is ApprovalCause.PRICE
    assert foreseen(0, utc_now()) is None


def test_token_gets_back_what_was_not_approved(database: Database, person: Member) -> None:
    """An order by a token counts against its cap while it waits, and no longer once it is declined."""
    ana, ben, _cas = asking_team(database, person)
    with database.write_session() as session:
        api_tokens.create(session, ben.user, name="script", workspace_id=ben.workspace_id, cap_credits=PRICE)
        token_id = session.scalars(select(ApiToken.id)).one()
    script = replace(ben, token_id=token_id)
    project = create_project(database, ben)

    def order() -> Generation:
        with database.write_session() as session:
            return submit(session, script, build_order(project.id), configured=CONFIGURED, quota_bytes=QUOTA_BYTES)

    row = order()
    with pytest.raises(errors.TokenCapReached):
        order()
    decide(database, ana, row.id, approve=False)
    assert order().stage is Stage.AWAITING_APPROVAL


def test_other_teams_ask_for_nothing(database: Database, person: Member) -> None:
    """The rule of one workspace is none of another."""
    asking_team(database, person)
    [ana] = create_team(database, (person, WorkspaceRole.MANAGER), name="Free")
    assert create_generation(database, ana).stage is Stage.QUEUED
