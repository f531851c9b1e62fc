"""Budgets that stop: exactly what fits is taken, by whichever door it comes, and what comes back makes room again."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from core import errors
from core.billing import ledger
from core.db import Database, WriteSession
from core.db.enums import BudgetMode, BudgetScope, WorkspaceRole
from core.db.tables import AuditLogEntry, BudgetMonth, Generation
from core.generations import batches, commands, lifecycle
from core.generations.submit import submit
from core.projects import projects, transfer
from core.usage import budgets, limits
from core.workspaces import merging, months
from core.workspaces.access import Member
from tests.factories import sheets
from tests.factories.books import broken_rules
from tests.factories.generations import (
    CONFIGURED,
    QUOTA_BYTES,
    build_order,
    create_completed,
    create_generation,
    finish,
)
from tests.factories.projects import create_project
from tests.factories.users import create_member
from tests.factories.workspaces import create_admin, create_team, create_team_of, now

PRICE = 50
NOVEMBER = datetime(2026, 11, 30, 16, 59, 59, tzinfo=UTC)
DECEMBER = datetime(2026, 11, 30, 17, 0, tzinfo=UTC)
"""The last second of November in Jakarta, and the first one of December."""

Door = Callable[[Database, Member, str, Generation], object]


def limit(
    database: Database,
    person: Member,
    credits: int | None,
    scope: BudgetScope = BudgetScope.WORKSPACE,
    subject_id: str | None = None,
    *,
    mode: BudgetMode = BudgetMode.STOP,
) -> None:
    """Set a budget, of the workspace unless another one is named."""
    with database.write_session() as session:
        budgets.set_limit(session, person, scope, subject_id or person.workspace_id, credits=credits, mode=mode)


def order_at(database: Database, person: Member, project_id: str, at: datetime) -> Generation:
    """Order one clip as of a moment."""
    with database.write_session() as session:
        session.info["now"] = at
        order = build_order(project_id)
        return submit(session, person, order, configured=CONFIGURED, quota_bytes=QUOTA_BYTES)


def cancel(database: Database, person: Member, row: Generation) -> None:
    """Let an order that waits come back."""
    with database.write_session() as session:
        commands.cancel(session, person, row.id)


def taken(database: Database, workspace_id: str, scope: BudgetScope = BudgetScope.WORKSPACE) -> dict[str, int]:
    """Month -> what was counted in it, by all subjects of a scope together."""
    with database.read_session() as session:
        rows = session.scalars(
            select(BudgetMonth).where(BudgetMonth.workspace_id == workspace_id, BudgetMonth.scope == scope)
        )
        found: dict[str, int] = {}
        for row in rows:
            found[row.month] = found.get(row.month, 0) + row.taken_credits
        return {month: credits for month, credits in found.items() if credits}


@pytest.mark.parametrize("scope", list(BudgetScope))
def test_order_over_a_budget_takes_nothing(database: Database, person: Member, scope: BudgetScope) -> None:
    """It is refused with what says which budget and how much is left, and no row, hold or count is left of it."""
    project = create_project(database, person, "Lakes")
    subject = {"project": project.id, "member": person.id}.get(scope, person.workspace_id)
    limit(database, person, 2 * PRICE + 10, scope, subject)
    rows = [create_generation(database, person, project_id=project.id) for _ in range(2)]

    with pytest.raises(errors.BudgetExceeded) as refused:
        create_generation(database, person, project_id=project.id)

    assert (refused.value.code, refused.value.http_status) == ("budget_exceeded", 402)
    assert (refused.value.scope, refused.value.subject_id, refused.value.month) == (
        scope,
        subject,
        rows[0].budget_month,
    )
    figures = (refused.value.needed_credits, refused.value.left_credits, refused.value.limit_credits)
    assert figures == (PRICE, 10, 2 * PRICE + 10)
    assert refused.value.message.code == f"budget_stops_{scope}"
    assert sum(taken(database, person.workspace_id, scope).values()) == 2 * PRICE
    with database.read_session() as session:
        assert ledger.balance(session, person.id).held_credits == 2 * PRICE
        assert len(session.scalars(select(Generation)).all()) == 2
    assert broken_rules(database) == []


def test_budget_stops_nobody_else(database: Database, person: Member) -> None:
    """A project's budget leaves other projects alone, and a member's the other members."""
    ana, ben = create_team(
        database, (person, WorkspaceRole.MANAGER), (create_member(database, "ben@example.org"), WorkspaceRole.MAKER)
    )
    full, free = create_project(database, ana, "Full"), create_project(database, ana, "Free")
    limit(database, ana, PRICE, BudgetScope.PROJECT, full.id)
    limit(database, ana, 2 * PRICE, BudgetScope.MEMBER, ben.id)
    create_generation(database, ana, project_id=full.id)

    with pytest.raises(errors.BudgetExceeded):
        create_generation(database, ben, project_id=full.id)
    for _ in range(2):
        create_generation(database, ben, project_id=free.id)
    with pytest.raises(errors.BudgetExceeded):
        create_generation(database, ben, project_id=free.id)
    create_generation(database, ana, project_id=free.id)


def test_budget_that_warns_refuses_nothing(database: Database, person: Member) -> None:
    """What goes beyond is taken and counted; once it stops, with that count, nothing is taken any more."""
    limit(database, person, PRICE, mode=BudgetMode.WARN)
    project = create_project(database, person)
    for _ in range(3):
        create_generation(database, person, project_id=project.id)

    limit(database, person, 3 * PRICE)
    with pytest.raises(errors.BudgetExceeded):
        create_generation(database, person, project_id=project.id)
    limit(database, person, 4 * PRICE)
    create_generation(database, person, project_id=project.id)
    limit(database, person, None)
    create_generation(database, person, project_id=project.id)


def test_what_comes_back_makes_room_again(database: Database, person: Member) -> None:
    """A cancelled and a failed order free the budget, a completed one does not."""
    limit(database, person, 2 * PRICE)
    project = create_project(database, person)
    create_completed(database, person, project_id=project.id)
    cancel(database, person, create_generation(database, person, project_id=project.id))
    row = create_generation(database, person, project_id=project.id)
    with database.write_session() as session:
        found = lifecycle.locked(session, row.id)
        assert found is not None
        assert lifecycle.fail(session, found, errors.GenerationFailed())
    create_generation(database, person, project_id=project.id)

    with pytest.raises(errors.BudgetExceeded):
        create_generation(database, person, project_id=project.id)
    assert broken_rules(database) == []


def test_month_ends_where_the_workspace_is(database: Database, person: Member) -> None:
    """A second decides in whose month an order counts; what ends later leaves the month it was ordered in."""
    with database.write_session() as session:
        months.set_zone(session, person, "Asia/Jakarta")
    limit(database, person, PRICE)
    project = create_project(database, person)
    row = order_at(database, person, project.id, NOVEMBER)
    with pytest.raises(errors.BudgetExceeded) as refused:
        order_at(database, person, project.id, NOVEMBER)
    assert refused.value.month == "2026-11"
    order_at(database, person, project.id, DECEMBER)

    with database.write_session() as session:
        session.info["now"] = DECEMBER
        commands.cancel(session, person, row.id)

    assert taken(database, person.workspace_id) == {"2026-12": PRICE}
    with pytest.raises(errors.BudgetExceeded):
        order_at(database, person, project.id, DECEMBER)
    order_at(database, person, project.id, NOVEMBER)
    assert broken_rules(database) == []


def batch(database: Database, person: Member, orders: Sequence[object], **options: object) -> object:
    """Order several with one press."""
    with database.write_session() as session:
        return batches.submit_batch(
            session,
            person,
            orders,  # type: ignore[arg-type]  # orders as the factory makes them
            configured=CONFIGURED,
            quota_bytes=QUOTA_BYTES,
            **options,  # type: ignore[arg-type]  # its own
        )


def test_batch_is_taken_whole_or_not_at_all(database: Database, person: Member) -> None:
    """The refusal names the price of all; what fits in all is taken in all."""
    limit(database, person, 3 * PRICE)
    project = create_project(database, person)
    orders = [build_order(project.id, prompt=f"take {n}") for n in range(4)]

    with pytest.raises(errors.BudgetExceeded) as refused:
        batch(database, person, orders)

    assert (refused.value.needed_credits, refused.value.left_credits) == (4 * PRICE, 3 * PRICE)
    assert taken(database, person.workspace_id) == {}
    batch(database, person, orders[:3])
    assert sum(taken(database, person.workspace_id).values()) == 3 * PRICE


def test_table_is_taken_whole_or_not_at_all(database: Database, person: Member) -> None:
    """A table of orders for several projects is refused where one project's budget is too small for its part."""
    lakes, hills = create_project(database, person, "Lakes"), create_project(database, person, "Hills")
    sheet = sheets.keep(database, person, sheets.csv_of("Prompt,Project", "a,Lakes", "b,Lakes", "c,Hills"))
    limit(database, person, 3 * PRICE)
    limit(database, person, 2 * PRICE - 1, BudgetScope.PROJECT, lakes.id)
    with pytest.raises(errors.BudgetExceeded) as refused:
        sheets.order(database, person, sheet)
    assert (refused.value.scope, refused.value.needed_credits) == ("project", 2 * PRICE)
    assert taken(database, person.workspace_id) == {}

    limit(database, person, 2 * PRICE, BudgetScope.PROJECT, lakes.id)
    sheets.order(database, person, sheet)
    assert sum(taken(database, person.workspace_id).values()) == 3 * PRICE
    with pytest.raises(errors.BudgetExceeded):
        create_generation(database, person, project_id=hills.id)
    assert broken_rules(database) == []


def _submit(database: Database, person: Member, **options: object) -> object:
    with database.write_session() as session:
        order = options.pop("order")
        return submit(session, person, order, configured=CONFIGURED, quota_bytes=QUOTA_BYTES, **options)  # type: ignore[arg-type]  # its own


def _retry(database: Database, person: Member, _project_id: str, row: Generation) -> object:
    with database.write_session() as session:
        return commands.retry(session, person, row.id, configured=CONFIGURED, quota_bytes=QUOTA_BYTES)


DOORS: dict[str, Door] = {
    "one": lambda database, person, project_id, _row: create_generation(database, person, project_id=project_id),
    "key": lambda database, person, project_id, _row: create_generation(
        database, person, project_id=project_id, idempotency_key="one"
    ),
    "takes": lambda database, person, project_id, _row: batch(database, person, [build_order(project_id)] * 2),
    "batch of one": lambda database, person, project_id, _row: batch(database, person, [build_order(project_id)]),
    "table": lambda database, person, _project_id, _row: sheets.order(
        database, person, sheets.keep(database, person, sheets.csv_of("Prompt,Project", "a,Full"))
    ),
    "retry": _retry,
    "extension": lambda database, person, project_id, row: _submit(
        database, person, order=build_order(project_id), extends_id=row.id
    ),
    "final": lambda database, person, project_id, row: _submit(
        database, person, order=replace(build_order(project_id), final_of_id=row.id)
    ),
}


@pytest.mark.parametrize("door", DOORS)
def test_no_door_leads_around_a_budget(database: Database, person: Member, door: str) -> None:
    """Whatever way an order comes, the budget refuses it whole; with room it is taken and counted."""
    project = create_project(database, person, "Full")
    ended = create_generation(database, person, project_id=project.id)
    cancel(database, person, ended)
    limit(database, person, PRICE - 1)
    with pytest.raises(errors.BudgetExceeded):
        DOORS[door](database, person, project.id, ended)
    assert taken(database, person.workspace_id) == {}

    limit(database, person, 2 * PRICE)
    DOORS[door](database, person, project.id, ended)
    assert sum(taken(database, person.workspace_id).values()) == (2 * PRICE if door == "takes" else PRICE)
    assert broken_rules(database) == []


def test_repeat_with_one_key_counts_once(database: Database, person: Member) -> None:
    """The first order's answer is given again, also when the budget is used up by now."""
    limit(database, person, PRICE)
    project = create_project(database, person)
    rows = [create_generation(database, person, project_id=project.id, idempotency_key="one") for _ in range(2)]

    assert rows[0].id == rows[1].id
    assert sum(taken(database, person.workspace_id).values()) == PRICE


@pytest.mark.both_databases
@pytest.mark.parametrize("scope", list(BudgetScope))
def test_exactly_as_many_as_fit_of_fifty_at_once(database: Database, scope: BudgetScope) -> None:
    """Half of fifty come in the last second of a month and half in the first of the next: each takes what fits it.

    Some are cancelled meanwhile, and each of those makes room for exactly one more.
    """
    person = create_member(database)
    with database.write_session() as session:
        months.set_zone(session, person, "Asia/Jakarta")
    project = create_project(database, person)
    subject = {"project": project.id, "member": person.id}.get(scope, person.workspace_id)
    limit(database, person, 7 * PRICE + PRICE - 1, scope, subject)
    early = [order_at(database, person, project.id, NOVEMBER) for _ in range(2)]

    def order(number: int) -> str:
        if number in (10, 30):
            cancel(database, person, early.pop())
        try:
            return str(order_at(database, person, project.id, (NOVEMBER, DECEMBER)[number % 2]).budget_month)
        except errors.BudgetExceeded:
            return ""

    with ThreadPoolExecutor(10) as pool:
        came = list(pool.map(order, range(50)))
    came += [order(100) for _ in range(3)]  # what was cancelled late has made room all the same

    assert (came.count("2026-11"), came.count("2026-12")) == (7, 7)
    assert taken(database, person.workspace_id, scope) == {"2026-11": 7 * PRICE, "2026-12": 7 * PRICE}
    assert broken_rules(database) == []


@pytest.mark.both_databases
def test_batches_at_once_are_whole(database: Database) -> None:
    """Of many batches of three at once, just those pass that fit whole."""
    person = create_member(database)
    project = create_project(database, person)
    limit(database, person, 10 * PRICE)

    def order(number: int) -> bool:
        try:
            batch(database, person, [build_order(project.id, prompt=f"{number} {n}") for n in range(3)])
        except errors.BudgetExceeded:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(order, range(12))) == 3
    assert sum(taken(database, person.workspace_id).values()) == 9 * PRICE
    assert broken_rules(database) == []


@pytest.mark.both_databases
def test_orders_and_cancels_at_once(database: Database) -> None:
    """Nobody waits for each other for ever, and the count is what is under way in the end."""
    person = create_member(database)
    project = create_project(database, person)
    limit(database, person, 4 * PRICE)

    def come_and_go(_number: int) -> None:
        for _ in range(3):
            try:
                row = create_generation(database, person, project_id=project.id)
            except errors.BudgetExceeded:
                continue
            cancel(database, person, row)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(come_and_go, range(6)))
    assert taken(database, person.workspace_id) == {}
    assert broken_rules(database) == []


def test_only_managers_set_budgets(database: Database, person: Member) -> None:
    """Makers and viewers may not, nor who is elsewhere; whose budget it would be has to be there."""
    ben = create_member(database, "ben@example.org")
    ana, maker = create_team(database, (person, WorkspaceRole.MANAGER), (ben, WorkspaceRole.MAKER))
    with pytest.raises(errors.Forbidden):
        limit(database, maker, 100)
    with pytest.raises(errors.Forbidden):
        limit(database, maker, 100, BudgetScope.MEMBER, maker.id)
    with pytest.raises(errors.Forbidden), database.write_session() as session:
        months.set_zone(session, maker, "Asia/Jakarta")
    with pytest.raises(errors.NotFound):
        limit(database, ana, 100, BudgetScope.MEMBER, create_member(database, "cleo@example.org").id)
    with pytest.raises(errors.NotFound):
        limit(database, ana, 100, BudgetScope.PROJECT, create_project(database, ben).id)
    with pytest.raises(errors.NotFound):
        limit(database, ana, 100, BudgetScope.WORKSPACE, ben.id)
    with pytest.raises(errors.InvalidRequest) as refused, database.write_session() as session:
        months.set_zone(session, ana, "Mars/Olympus")
    assert set(refused.value.fields) == {"timeZone"}


def test_each_change_is_in_the_audit_log(database: Database, person: Member) -> None:
    """Who set what from what to what; setting the same again leaves no entry."""
    for credits, mode in (
        (100, BudgetMode.WARN),
        (200, BudgetMode.STOP),
        (200, BudgetMode.STOP),
        (None, BudgetMode.STOP),
    ):
        limit(database, person, credits, mode=mode)
    with database.write_session() as session:
        for _ in range(2):
            months.set_zone(session, person, "Asia/Jakarta")
    with database.read_session() as session:
        rows = session.scalars(select(AuditLogEntry).where(AuditLogEntry.noun == "budget").order_by(AuditLogEntry.id))
        acts = [(row.action, (row.after or {}).get("credits"), (row.after or {}).get("mode")) for row in rows]
    assert acts == [
        ("budget.changed", 100, "warn"),
        ("budget.changed", 200, "stop"),
        ("budget.mode_changed", 200, "stop"),
        ("budget.changed", None, None),
        ("budget.time_zone_set", None, None),
    ]


def test_transfer_of_a_project(database: Database, person: Member) -> None:
    """Its budget goes along and begins anew; what it has taken stays with the workspace that paid for it."""
    project = create_project(database, person)
    create_completed(database, person, project_id=project.id)
    limit(database, person, PRICE, BudgetScope.PROJECT, project.id)
    team = create_team_of(database, person)
    both = now(database, person)
    with database.write_session() as session:
        transfer.transfer(session, both, project.id, to_workspace_id=team, quota_bytes=None)

    there = both.moved_to(team)
    create_generation(database, there, project_id=project.id)
    with pytest.raises(errors.BudgetExceeded):
        create_generation(database, there, project_id=project.id)
    assert sum(taken(database, person.id).values()) == sum(taken(database, team).values()) == PRICE
    assert broken_rules(database) == []


def test_merge_of_two_people(database: Database, person: Member) -> None:
    """A budget goes over to who stays, unless they had one; nobody gets around it by being merged."""
    ben = create_member(database, "ben@example.org")
    ana, maker = create_team(database, (person, WorkspaceRole.MANAGER), (ben, WorkspaceRole.MAKER))
    into = create_member(database, "benjamin@example.org")
    limit(database, ana, PRICE, BudgetScope.MEMBER, maker.id)
    with database.write_session() as session:
        merging.merge(session, create_admin(database), gone_id=ben.id, into_id=into.id)

    there = now(database, into, ana.workspace_id)
    project = create_project(database, ana)
    create_generation(database, there, project_id=project.id)
    with pytest.raises(errors.BudgetExceeded):
        create_generation(database, there, project_id=project.id)


def test_budget_goes_with_its_project(database: Database, person: Member) -> None:
    """Nothing is left of a project that is deleted."""
    project = create_project(database, person)
    limit(database, person, PRICE, BudgetScope.PROJECT, project.id)
    with database.write_session() as session:
        projects.delete(session, person, project.id)
        left = limits.of_order(
            session, workspace_id=person.workspace_id, project_id=project.id, user_id=person.id, at=NOVEMBER
        )
        assert left == []


@given(st.lists(st.tuples(st.sampled_from("ocfdz"), st.integers(0, 5)), max_size=12))
def test_counters_are_what_the_ledger_says(database: Database, person: Member, steps: list[tuple[str, int]]) -> None:
    """Whatever comes, ends, fails or is sent back, in whatever month and time zone: counted anew it is the same."""
    team = create_team_of(database, person)
    who = now(database, person, team)
    places = [create_project(database, who) for _ in range(2)]
    limit(database, who, 3 * PRICE, BudgetScope.PROJECT, places[0].id)
    live: list[Generation] = []
    counted: dict[str, int] = {}
    for act, number in steps:
        if act == "o":
            project, at = places[number % 2], (NOVEMBER, DECEMBER)[number % 3 == 0]
            try:
                row = order_at(database, who, project.id, at)
            except errors.BudgetExceeded:
                continue
            live.append(row)
            counted[str(row.budget_month)] = counted.get(str(row.budget_month), 0) + PRICE
        elif act == "z":
            with database.write_session() as session:
                months.set_zone(session, now(database, who, team), ("UTC", "Asia/Jakarta", "America/Lima")[number % 3])
        elif live:
            row = live.pop(number % len(live))
            if act == "d":
                finish(database, row.id)
                continue
            with database.write_session() as session:
                _end(session, row, is_failure=act == "f")
            counted[str(row.budget_month)] -= PRICE
    expected = {month: credits for month, credits in counted.items() if credits}
    assert [taken(database, team, scope) for scope in BudgetScope] == [expected] * 3
    assert "budgets_counted" not in broken_rules(database)


def _end(session: WriteSession, row: Generation, *, is_failure: bool) -> None:
    found = lifecycle.locked(session, row.id)
    assert found is not None
    if is_failure:
        assert lifecycle.fail(session, found, errors.GenerationFailed())
    else:
        assert lifecycle.cancel(session, found, actor="test")
