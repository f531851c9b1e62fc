from datetime import timedelta

import pytest
from sqlalchemy import event

from core import errors
from core.clock import utc_now
from core.db import Database
from core.db.tables import Generation
from core.generations import progress
from core.generations.progress import InFlightItem
from core.insights.model_stats import TimeRange
from core.workspaces.access import Member
from tests.factories.generations import (
    DISPATCHED,
    SUBMITTING,
    WAITING,
    advance,
    create_completed,
    create_generation,
    lose_submit,
    rewrite,
)
from tests.factories.users import create_member

SECRET = b"a secret of this test"


def somebody_else(database: Database) -> Member:
    """Another person with credits."""
    return create_member(database, "ben@example.org")


def test_token_tells_person_workspace_and_language() -> None:
    """What was signed is what is read."""
    now = utc_now()
    token = progress.sign_token("0198c0de-0000-7000-8000-000000000000", "lakes", "id", secret=SECRET, now=now)
    assert progress.check_token(token, secrets=[SECRET], now=now) == (
        "0198c0de-0000-7000-8000-000000000000",
        "lakes",
        "id",
        "",
    )


def test_token_stays_the_same_when_a_page_is_drawn_again() -> None:
    """Two tokens of one quarter of an hour are one, so that a rerun sends nothing new."""
    now = utc_now().replace(minute=3, second=0, microsecond=0)
    later = now + timedelta(minutes=10)
    assert progress.sign_token("ana", "lakes", "en", secret=SECRET, now=now) == progress.sign_token(
        "ana", "lakes", "en", secret=SECRET, now=later
    )


def test_token_holds_an_hour_and_ends_within_a_quarter_more() -> None:
    """An expired token opens nothing."""
    now = utc_now()
    token = progress.sign_token("ana", "lakes", "en", secret=SECRET, now=now)
    progress.check_token(token, secrets=[SECRET], now=now + timedelta(minutes=59))
    with pytest.raises(errors.Unauthorized):
        progress.check_token(token, secrets=[SECRET], now=now + timedelta(minutes=76))


@pytest.mark.parametrize("spoil", ["", "x", "1.ana.lakes.en.", "4102444800.ana.lakes.en.forged", "ü.é.í.ó.á"])
def test_forged_token_is_refused(spoil: str) -> None:
    """Whatever was not signed with the secret is refused in the same way."""
    with pytest.raises(errors.Unauthorized):
        progress.check_token(spoil, secrets=[SECRET], now=utc_now())


def test_token_of_another_person_cannot_be_made_from_ones_own() -> None:
    """The person is part of what is signed, and so is the secret."""
    now = utc_now()
    token = progress.sign_token("ana", "lakes", "en", secret=SECRET, now=now)
    for forged in (token.replace("ana", "ben"), progress.sign_token("ana", "lakes", "en", secret=b"another", now=now)):
        with pytest.raises(errors.Unauthorized):
            progress.check_token(forged, secrets=[SECRET], now=now)


def test_ids_are_those_of_the_person_that_have_not_ended(database: Database, person: Member) -> None:
    """Ended ones and other people's are not watched."""
    ben = somebody_else(database)
    create_completed(database, person)
    moving = create_generation(database, person)
    create_generation(database, ben)
    with database.read_session() as session:
        assert progress.live_ids_of(session, person) == [moving.id]
        assert [each.row.id for each in progress.ProgressBoard().snapshots(session, person.id)] == [moving.id]


def test_ids_by_token_are_the_same_and_nobody_has_none(database: Database, person: Member) -> None:
    """Who has nothing under way is told so; who is not in the workspace is refused."""
    ben = somebody_else(database)
    create_completed(database, person)
    moving = [create_generation(database, person).id for _ in range(2)]
    with database.read_connection() as connection:
        assert progress.live_ids(connection, person.id, person.workspace_id) == moving
        assert progress.live_ids(connection, ben.id, ben.workspace_id) == []
        with pytest.raises(errors.Unauthorized):
            progress.live_ids(connection, ben.id, person.workspace_id)


def test_ended_tells_only_of_ones_own_that_ended(database: Database, person: Member) -> None:
    """An id of somebody else, or of one that still moves, tells nothing."""
    foreign = create_completed(database, somebody_else(database))
    done, moving = create_completed(database, person), create_generation(database, person)
    with database.read_session() as session:
        found = progress.ended(session, person, {foreign.id, done.id, moving.id})
        assert [row.id for row in found] == [done.id]


def test_newest_is_ones_own_whether_it_ended_or_not(database: Database, person: Member) -> None:
    """What began after another is found by its id, also when it has ended; somebody without any has none."""
    ben = somebody_else(database)
    with database.read_session() as session:
        assert progress.newest_id(session, person.id) == ""
    first, second = create_generation(database, person), create_completed(database, person)
    create_generation(database, ben)
    with database.read_session() as session:
        assert progress.newest_id(session, person.id) == second.id
        assert progress.ids_after(session, person, first.id) == [second.id]
        assert progress.ids_after(session, person, "") == [first.id, second.id]
        assert progress.ids_after(session, person, second.id) == []


def test_fingerprint_changes_with_the_set_alone(database: Database, person: Member) -> None:
    """A move keeps it; a new order changes it."""
    row = create_generation(database, person)
    with database.read_session() as session:
        before = progress.fingerprint(progress.live_ids_of(session, person))
    advance(database, row.id, DISPATCHED, SUBMITTING)
    with database.read_session() as session:
        assert progress.fingerprint(progress.live_ids_of(session, person)) == before
    create_generation(database, person)
    with database.read_session() as session:
        assert progress.fingerprint(progress.live_ids_of(session, person)) != before


def places(database: Database, of: Member) -> dict[str, tuple[int, int]]:
    """By id how many go before it, and how many are in the making meanwhile."""
    with database.read_session() as session:
        found = progress.ProgressBoard().snapshots(session, of.id)
    return {each.row.id: (each.ahead, each.in_making) for each in found}


def test_place_in_line_counts_everybody_at_the_same_provider(database: Database, person: Member) -> None:
    """What the provider has not begun goes before what waits here, and there everybody's first before any second."""
    ben = somebody_else(database)
    lost, made, sent, first, second = (create_generation(database, ben) for _ in range(5))
    create_generation(database, ben, model_id="seedance-t2v")
    advance(database, made.id, DISPATCHED, SUBMITTING, WAITING, progress=0.2)
    advance(database, sent.id, DISPATCHED, SUBMITTING, WAITING)
    lose_submit(database, lost.id)
    mine = create_generation(database, person)
    assert places(database, person) == {mine.id: (2, 1)}
    theirs = places(database, ben)
    assert (theirs[made.id], theirs[sent.id], theirs[first.id], theirs[second.id]) == ((0, 0), (0, 1), (1, 1), (3, 1))


def test_clip_is_made_from_when_its_provider_began(database: Database, person: Member) -> None:
    """Time in the line of a provider is not time in which it made the clip, as far as somebody has looked."""
    row = create_generation(database, person)
    advance(database, row.id, DISPATCHED, SUBMITTING, WAITING, submitted_at=utc_now() - timedelta(minutes=5))
    board = progress.ProgressBoard()
    with database.read_session() as session:
        [waits] = board.snapshots(session, person.id)
    with database.write_session() as session:
        rewrite(session, Generation.id == row.id, progress=0.2)
    with database.read_session() as session:
        [moves] = board.snapshots(session, person.id)
        [unseen] = progress.ProgressBoard().snapshots(session, person.id)
    assert waits.begun_at is None
    assert moves.begun_at is not None
    assert unseen.begun_at is not None
    assert unseen.begun_at == unseen.row.submitted_at
    assert moves.begun_at > unseen.begun_at + timedelta(minutes=4)


def test_kept_board_asks_once_for_what_is_the_same_for_everybody(database: Database, person: Member) -> None:
    """The second look costs the person's own rows and nothing else."""
    create_generation(database, person)
    board = progress.ProgressBoard()
    asked: list[str] = []
    event.listen(database.read_engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    with database.read_session() as session:
        board.snapshots(session, person.id)
        first = len(asked)
        board.snapshots(session, person.id)
    assert len(asked) - first == 1 < first


def test_many_in_flight_are_told_of_up_to_a_limit(database: Database, person: Member) -> None:
    """However many there are, an answer stays small; the newest are in it."""
    rows = [create_generation(database, person) for _ in range(4)]
    with database.read_session() as session:
        told = progress.ProgressBoard().snapshots(session, person.id, limit=3)
    assert [each.row.id for each in told] == [row.id for row in reversed(rows)][:3]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # PostgreSQL plans by how full the tables are
def test_look_uses_the_index_of_what_is_under_way(database: Database, person: Member) -> None:
    """On SQLite the plan names the partial index: ended clips cost a look nothing, however many there are."""
    plans: list[str] = []

    def explain(connection: object, cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            told = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[attr-defined]  # sqlite3's own cursor
            plans.append(" ".join(str(line[3]) for line in told))

    with database.read_session() as session:
        session.connection()
        event.listen(database.read_engine, "before_cursor_execute", explain)
        progress.live_ids_of(session, person)
        progress.ProgressBoard().snapshots(session, person.id)
        progress.newest_id(session, person.id)
    newest = plans.pop()
    assert "COVERING INDEX ix_generations_workspace_newest" in newest, newest
    assert all("ix_flights_workspace" in plan for plan in plans), plans
    assert "COVERING" in plans[0]


def test_range_counts_the_line_ahead(database: Database, person: Member) -> None:
    """A clip that comes after fifty takes its own time and that of the line; the first of it only its own."""
    usual = TimeRange(12, 23, 50)
    first, last = (InFlightItem(Generation(), usual, ahead, pace_seconds=12) for ahead in (0, 50))
    assert first.until_done == usual
    assert last.until_done.p50_seconds == 12 + 300
    assert last.until_done.p90_seconds == pytest.approx(23 + 600 * 23 / 12)


def test_line_ahead_is_told_at_the_pace_of_its_provider(database: Database, person: Member) -> None:
    """What was delivered here lately says how fast the line goes; before that each is taken to follow the other."""
    for _ in range(3):
        create_generation(database, person)
    with database.read_session() as session:
        [last, *_others] = progress.ProgressBoard().snapshots(session, person.id)
        assert (last.ahead, last.pace_seconds) == (2, last.usual.p50_seconds)
    row = create_completed(database, person)
    start = utc_now() - timedelta(minutes=5)
    with database.write_session() as session:
        rewrite(session, Generation.id == row.id, submitted_at=start, ended_at=start + timedelta(seconds=40))
    with database.read_session() as session:
        [last, *_others] = progress.ProgressBoard().snapshots(session, person.id)
        assert (last.ahead, last.pace_seconds) == (2, 40)
