from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select

from core import errors
from core.billing import ledger
from core.db import Database
from core.db.enums import Scope
from core.db.tables import ApiToken, Generation
from core.generations import batches, commands, lifecycle
from core.identity import api_tokens
from core.workspaces import members
from core.workspaces.access import Member
from tests.factories.books import broken_rules
from tests.factories.generations import CONFIGURED, QUOTA_BYTES, build_order, create_completed, create_generation
from tests.factories.projects import create_project
from tests.factories.users import create_member
from tests.factories.workspaces import create_team_of, now

PRICE = 50


def with_token(database: Database, person: Member, **settings: object) -> Member:
    """The same person, who comes with a token of these settings."""
    with database.write_session() as session:
        secret = api_tokens.create(session, person.user, name="cron", **settings)  # type: ignore[arg-type]  # its own
        user, row = api_tokens.by_token(session, secret)
        return members.with_token(session, user, row)


def spent(database: Database, person: Member) -> int:
    """What was ordered with the token that somebody comes with."""
    with database.read_session() as session:
        return session.scalars(select(ApiToken.spent_credits).where(ApiToken.id == person.token_id)).one()


def test_order_counts_against_the_token_it_came_with(database: Database, person: Member) -> None:
    """With a cap or without; an order in the browser counts against none."""
    free, capped = with_token(database, person), with_token(database, person, cap_credits=1_000)
    project = create_project(database, person)
    for who in (person, free, capped, capped):
        row = create_generation(database, who, project_id=project.id)
        assert (row.credits, row.token_id) == (PRICE, who.token_id)

    assert (spent(database, free), spent(database, capped)) == (PRICE, 2 * PRICE)


def test_order_over_the_cap_takes_nothing(database: Database, person: Member) -> None:
    """It is refused with its own code, and no row, hold or count is left of it; one that just fits is taken."""
    capped = with_token(database, person, cap_credits=2 * PRICE)
    project = create_project(database, person)
    for _ in range(2):
        create_generation(database, capped, project_id=project.id)

    with pytest.raises(errors.TokenCapReached) as refused:
        create_generation(database, capped, project_id=project.id)

    assert (refused.value.code, refused.value.http_status) == ("token_cap_reached", 402)
    assert spent(database, capped) == 2 * PRICE
    with database.read_session() as session:
        assert ledger.balance(session, person.id) == ledger.Balance(10_000 - 2 * PRICE, 2 * PRICE)
        assert len(session.scalars(select(Generation)).all()) == 2
    create_generation(database, person, project_id=project.id)  # the person themselves goes on


def test_what_comes_back_makes_room_again(database: Database, person: Member) -> None:
    """A cancelled and a failed order free the cap, a completed one does not; a retry counts anew."""
    capped = with_token(database, person, cap_credits=2 * PRICE)
    project = create_project(database, person)
    create_completed(database, capped, project_id=project.id)
    cancelled = create_generation(database, capped, project_id=project.id)
    with database.write_session() as session:
        commands.cancel(session, capped, cancelled.id)
    assert spent(database, capped) == PRICE
    with database.write_session() as session:
        again = commands.retry(session, capped, cancelled.id, configured=CONFIGURED, quota_bytes=QUOTA_BYTES)
    assert spent(database, capped) == 2 * PRICE
    with database.write_session() as session:
        assert lifecycle.fail(session, again, errors.GenerationFailed())
    assert spent(database, capped) == PRICE
    assert broken_rules(database) == []


def test_repeat_with_one_key_counts_once(database: Database, person: Member) -> None:
    """The first order's answer is given again, also when the cap is used up by now."""
    capped = with_token(database, person, cap_credits=PRICE)
    project = create_project(database, person)

    rows = [create_generation(database, capped, project_id=project.id, idempotency_key="one") for _ in range(2)]

    assert rows[0].id == rows[1].id
    assert spent(database, capped) == PRICE


def test_batch_over_the_cap_is_refused_whole(database: Database, person: Member) -> None:
    """Clips that are ordered with one press are all taken or none of them."""
    capped = with_token(database, person, cap_credits=2 * PRICE)
    project = create_project(database, person)
    orders = [build_order(project.id, prompt=f"take {n}") for n in range(3)]

    with pytest.raises(errors.TokenCapReached), database.write_session() as session:
        batches.submit_batch(session, capped, orders, configured=CONFIGURED, quota_bytes=QUOTA_BYTES)

    assert spent(database, capped) == 0


@pytest.mark.both_databases
def test_exactly_as_many_as_fit_of_many_at_once(database: Database) -> None:
    """Of twelve orders at once just those pass that the cap pays for, while orders without the token go on."""
    person = create_member(database)
    capped = with_token(database, person, cap_credits=5 * PRICE + PRICE - 1)
    project = create_project(database, person)

    def order(number: int) -> bool:
        who = person if number % 4 == 3 else capped
        try:
            create_generation(database, who, project_id=project.id)
        except errors.TokenCapReached:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(order, range(16)))

    assert sum(taken) == 5 + 4
    assert spent(database, capped) == 5 * PRICE
    assert broken_rules(database) == []


@pytest.mark.both_databases
def test_orders_and_cancels_at_once(database: Database) -> None:
    """Nobody waits for each other for ever, and the count is what is under way in the end."""
    person = create_member(database)
    capped = with_token(database, person, cap_credits=4 * PRICE)
    project = create_project(database, person)

    def come_and_go(_number: int) -> int:
        kept = 0
        for _ in range(3):
            try:
                row = create_generation(database, capped, project_id=project.id)
            except errors.TokenCapReached:
                continue
            kept += 1
            with database.write_session() as session:
                commands.cancel(session, capped, row.id)
            kept -= 1
        return kept

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(come_and_go, range(6))) == 0

    assert spent(database, capped) == 0
    assert broken_rules(database) == []


def test_token_for_one_workspace(database: Database, person: Member) -> None:
    """It is at work there and reaches nothing else; one that is for none reaches all."""
    team = create_team_of(database, person)
    narrow, wide = with_token(database, person, workspace_id=team), with_token(database, person)

    assert (narrow.workspace_id, set(narrow.roles)) == (team, {team})
    assert (wide.workspace_id, set(wide.roles)) == (person.id, {team, person.id})
    with pytest.raises(errors.NotFound):
        create_generation(database, narrow, project_id=create_project(database, person).id)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"workspace_id": "0" * 36}, "workspaceId"),
        ({"cap_credits": 0}, "capCredits"),
        ({"cap_credits": -5}, "capCredits"),
        ({"cap_credits": 10**12 + 1}, "capCredits"),
    ],
)
def test_token_that_cannot_be_made(database: Database, person: Member, settings: dict[str, object], field: str) -> None:
    """What is wrong is said on its field, a team of other people as one that is not there."""
    with pytest.raises(errors.InvalidRequest) as refused:
        with_token(database, person, **settings)

    assert set(refused.value.fields) == {field}


def test_token_for_a_team_of_others(database: Database, person: Member) -> None:
    """Nobody makes one for where they are not, nor for where nobody is at work any more."""
    team = create_team_of(database, create_member(database, "ben@example.org"))
    with pytest.raises(errors.InvalidRequest):
        with_token(database, person, workspace_id=team)


def test_token_makes_none_that_reaches_further(database: Database, person: Member) -> None:
    """Whoever holds a narrow or capped token gets no wider one with it."""
    team, other = create_team_of(database, person), create_team_of(database, person, name="Other")
    narrow = with_token(database, person, workspace_id=team, scope=Scope.ADMIN)
    capped = with_token(database, person, cap_credits=100, scope=Scope.ADMIN)

    with pytest.raises(errors.Forbidden):
        with_token(database, person, made_with_id=capped.token_id)
    with pytest.raises(errors.InvalidRequest):
        with_token(database, person, workspace_id=other, made_with_id=narrow.token_id)
    assert set(with_token(database, person, made_with_id=narrow.token_id).roles) == {team}
    with database.read_session() as session:
        assert len(api_tokens.list_for_user(session, person.user)) == 3
        assert len(api_tokens.list_for_user(session, person.user, workspace_id=team)) == 2


def test_narrow_token_does_not_administer(database: Database, person: Member) -> None:
    """A token for one workspace is nobody in the installation, also an administrator's."""
    narrow = with_token(database, person, workspace_id=person.id)

    assert replace(narrow, user=person.user).is_confined
    assert not now(database, person).is_confined
