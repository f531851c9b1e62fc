from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from core import errors
from core.billing import ledger
from core.clock import utc_now
from core.db import Database
from core.db.enums import BudgetMode, BudgetScope
from core.db.tables import Generation
from core.generations import lifecycle, order_again
from core.generations.order_again import Retryable
from core.messages import message
from core.projects import projects
from core.usage import budgets
from core.usage.reports import UsageQuery
from core.workspaces.access import Member
from tests.factories.generations import DISPATCHED, SUBMITTING, WAITING, advance, create_generation
from tests.factories.users import ensure_member

pytestmark = pytest.mark.both_databases  # all or none, and who comes second finds what the first one did

CONFIGURED = frozenset({"demo", "modelslab"})
GIVEN: dict[str, Any] = {"configured": CONFIGURED, "quota_bytes": 10**9}


def fail(database: Database, user: Member, error: errors.AppError | None = None, **changes: object) -> str:
    """The id of a clip that its provider could not make."""
    row = create_generation(database, user, **changes)
    row = advance(database, row.id, DISPATCHED, SUBMITTING, WAITING)
    with database.write_session() as session:
        assert lifecycle.fail(session, row, error or errors.GenerationFailed())
    return row.id


def retryable(database: Database, user: Member, configured: frozenset[str] = CONFIGURED) -> Retryable:
    """What can be ordered again of today and yesterday."""
    today = utc_now().date()
    with database.read_session() as session:
        return order_again.retryable(session, user, UsageQuery(today - timedelta(days=1), today), configured=configured)


def count(database: Database) -> int:
    """How many generations there are."""
    with database.read_session() as session:
        return session.scalar(select(func.count()).select_from(Generation)) or 0


def test_what_failed_for_the_providers_fault_is_priced(database: Database, person: Member) -> None:
    """What was refused, cancelled, deleted or ordered again already is not in it; the newest stand first."""
    first, second = fail(database, person), fail(database, person, errors.ProviderUnavailable())
    fail(database, person, errors.ContentRefused())
    fail(database, person, errors.BadKey())
    gone, again = fail(database, person), fail(database, person)
    with database.write_session() as session:
        session.execute(update(Generation).where(Generation.id == gone).values(deleted_at=utc_now()))
        order_again.retry_all(session, person, [again], **GIVEN)

    assert retryable(database, person) == Retryable((second, first), 100, 0, {})


def test_what_cannot_be_ordered_any_more_is_told_apart(database: Database, person: Member) -> None:
    """A project in the archive and a provider without a key are reasons, and in no price."""
    with database.write_session() as session:
        put_away = projects.create(session, person, name="Put away").id
        here = projects.create(session, person, name="Here").id
    fail(database, person, project_id=put_away)
    stays = fail(database, person, project_id=here)
    fail(database, person, project_id=here, model_id="seedance-t2v")
    with database.write_session() as session:
        projects.update(session, person, put_away, archived=True)

    assert retryable(database, person, configured=frozenset({"demo"})) == Retryable(
        (stays,), 50, 0, {message("project_archived"): 1, errors.ProviderNotConfigured().message: 1}
    )


def test_all_are_ordered_for_the_price_that_was_shown(database: Database, person: Member) -> None:
    """Each is a retry of its own; the same key again buys nothing, and nothing is left over."""
    ids = [fail(database, person) for _ in range(3)]
    found = retryable(database, person)
    with database.write_session() as session:
        rows = order_again.retry_all(session, person, found.ids, **GIVEN, key="one-press", shown_credits=found.credits)
    with database.write_session() as session:
        repeated = order_again.retry_all(
            session, person, found.ids, **GIVEN, key="one-press", shown_credits=found.credits
        )
        held = ledger.balance(session, person.workspace_id).held_credits

    assert sorted(row.retry_of_id or "" for row in rows) == sorted(ids)
    assert [row.id for row in repeated] == [row.id for row in rows]
    assert held == found.credits == 150
    assert count(database) == 6
    assert retryable(database, person) == Retryable((), 0, 0, {})


def test_none_is_ordered_at_another_price(database: Database, person: Member) -> None:
    """One that somebody else has ordered meanwhile makes the total another one: the press is refused as a whole."""
    first, second = fail(database, person), fail(database, person)
    with database.write_session() as session:
        order_again.retry_all(session, person, [first], **GIVEN)
    before = count(database)

    with pytest.raises(errors.PriceChanged), database.write_session() as session:
        order_again.retry_all(session, person, [second, first], **GIVEN, key="late", shown_credits=100)

    assert count(database) == before


def test_none_is_ordered_when_the_balance_covers_only_some(database: Database) -> None:
    """The refusal names the price of all, and nothing is held."""
    with database.write_session() as session:
        poor = ensure_member(session, "poor@example.org", signup_credits=120)
    ids = [fail(database, poor) for _ in range(3)]

    with pytest.raises(errors.InsufficientCredits) as refused, database.write_session() as session:
        order_again.retry_all(session, poor, ids, **GIVEN)

    assert (refused.value.needed_credits, refused.value.available_credits) == (150, 120)
    assert count(database) == 3


def test_none_is_ordered_when_a_budget_allows_only_some(database: Database, person: Member) -> None:
    """A budget that stops names the price of all, and is touched by none."""
    ids = [fail(database, person) for _ in range(3)]
    with database.write_session() as session:
        budgets.set_limit(
            session, person, BudgetScope.WORKSPACE, person.workspace_id, credits=120, mode=BudgetMode.STOP
        )

    with pytest.raises(errors.BudgetExceeded), database.write_session() as session:
        order_again.retry_all(session, person, ids, **GIVEN)

    assert count(database) == 3


def test_batch_has_its_size(database: Database, person: Member) -> None:
    """Nothing, and more than one press orders, is a field error; somebody else's is not found."""
    stranger_made = fail(database, person)
    with database.write_session() as session:
        stranger = ensure_member(session, "ben@example.org", signup_credits=1000)
    for ids in ([], [str(number) for number in range(order_again.MOST + 1)]):
        with pytest.raises(errors.InvalidRequest), database.write_session() as session:
            order_again.retry_all(session, person, ids, **GIVEN)
    with pytest.raises(errors.NotFound), database.write_session() as session:
        order_again.retry_all(session, stranger, [stranger_made], **GIVEN)
