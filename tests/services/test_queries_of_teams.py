import uuid
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text

from core import errors
from core.clock import utc_now
from core.db import Database
from core.db.enums import Status, WorkspaceRole
from core.db.tables import Generation
from core.generations import lifecycle, prompt_search, queries, review
from core.generations.list_filter import ListFilter
from core.generations.queries import Neighbours
from core.generations.review import Changes
from core.workspaces.access import Member
from tests.factories.generations import create_completed, create_generation, values_of
from tests.factories.projects import create_project
from tests.factories.users import create_member
from tests.factories.workspaces import create_team

pytestmark = pytest.mark.both_databases  # lists are put together around the search, and each plans for itself

Team = tuple[Member, Member, Member]


@pytest.fixture
def team(database: Database) -> Team:
    """Ana and Ben at work in a team, and Ana in another one, which she is in alone."""
    ana, ben = create_member(database), create_member(database, "ben@example.org")
    (alone,) = create_team(database, (ana, WorkspaceRole.MAKER), name="Hills")
    ana, ben = create_team(database, (ana, WorkspaceRole.MAKER), (ben, WorkspaceRole.MAKER), name="Lakes")
    return ana, ben, ana.moved_to(alone.workspace_id)


def ids(database: Database, member: Member, limit: int = 50, **chosen: Any) -> list[str]:
    """The ids that a filter shows, walked a page at a time."""
    found: list[str] = []
    cursor = None
    while True:
        with database.read_session() as session:
            page = queries.list_page(session, member, ListFilter(**chosen), cursor=cursor, limit=limit)
        found += [row.id for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            return found


def change(database: Database, member: Member, row: Generation, **changes: Any) -> None:
    """Change a clip as somebody of its workspace."""
    with database.write_session() as session:
        review.update(session, member, row.id, Changes(**changes))


def test_everybody_sees_what_the_workspace_has(database: Database, team: Team) -> None:
    """Clips of all stand in one listing, each with who made it and where it is."""
    ana, ben, _alone = team
    made = [create_generation(database, person) for person in (ana, ben, ana)]
    create_generation(database, ben.moved_to(ben.id))

    for member in (ana, ben):
        with database.read_session() as session:
            rows = queries.list_page(session, member, ListFilter()).rows
        assert [(row.id, row.user_id, row.workspace_id) for row in rows] == [
            (one.id, one.user_id, ana.workspace_id) for one in reversed(made)
        ]


@pytest.mark.parametrize("words", ["", "lake"])
def test_listing_by_maker(database: Database, team: Team, words: str) -> None:
    """A maker's clips are theirs alone, with words and without, beside every other filter."""
    ana, ben, _alone = team
    project = create_project(database, ana).id
    first, second = create_completed(database, ana), create_generation(database, ben, project_id=project)
    third = create_generation(database, ana, project_id=project)
    change(database, ben, first, favourite=True, tags=["night"])

    def found(**chosen: Any) -> list[str]:
        return ids(database, ana, text=words, **chosen)

    assert found(maker_id=ana.id) == [third.id, first.id]
    assert found(maker_id=ben.id) == [second.id]
    assert found(maker_id=ana.id, project_id=project) == [third.id]
    assert found(maker_id=ana.id, favourite=True) == [first.id]
    assert found(maker_id=ana.id, tag="night", statuses=(Status.COMPLETED,)) == [first.id]
    assert found(maker_id=ben.id, tag="night") == []
    assert found(maker_id=str(uuid.uuid4())) == []


def test_words_find_the_maker_of_what_is_older_than_teams(database: Database, person: Member) -> None:
    """Words of a clip that were taken down before makers were are found by its maker, where only it can lie."""
    row = create_generation(database, person)
    with database.write_session() as session:
        if session.get_bind().dialect.name == "sqlite":
            session.execute(
                text("UPDATE generation_words SET keys = replace(keys, :mark, '')"),
                {"mark": f" xu{person.id.replace('-', '')}"},
            )

    assert ids(database, person, text="lake", maker_id=person.id) == [row.id]
    assert ids(database, person, text="lake", maker_id=str(uuid.uuid4())) == []


@pytest.mark.parametrize("oldest_first", [False, True])
@pytest.mark.parametrize("chosen", [{}, {"text": "lake"}, {"tag": "t"}, {"text": "lake", "tag": "t"}, {"mine": True}])
def test_listing_of_all_workspaces(database: Database, team: Team, chosen: dict[str, Any], oldest_first: bool) -> None:
    """Pages of every size add up to all that is in reach, in the order of its age, and to nothing else."""
    ana, ben, alone = team
    own = ana.moved_to(ana.id)
    mine_only = "mine" in chosen
    chosen = {"maker_id": ana.id} if mine_only else chosen
    made = [create_generation(database, member) for member in (ana, own, ben, alone, own, ana, ben)]
    create_generation(database, ben.moved_to(ben.id))  # out of reach
    for row in made:
        change(database, ana, row, tags=["t"])
    expected = [row.id for row in made if not mine_only or row.user_id == ana.id]
    expected = expected if oldest_first else expected[::-1]

    for limit in (1, 2, 5, 7, 8):
        for member in (ana, own):
            found = ids(database, member, limit, everywhere=True, oldest_first=oldest_first, **chosen)
            assert found == expected
    with database.read_session() as session:
        around = [None, *expected, None]
        for place, row_id in enumerate(expected):
            listing = ListFilter(everywhere=True, oldest_first=oldest_first, **chosen)
            beside = queries.neighbours(session, own, listing, row_id)
            assert beside == Neighbours(around[place], around[place + 2])


def test_listing_of_a_project_is_the_same_everywhere(database: Database, team: Team) -> None:
    """A project has its clips, wherever its reader is at work."""
    ana, ben, alone = team
    row = create_generation(database, ben)
    create_generation(database, alone)

    for words in ("", "lake"):
        for member in (ana, alone):
            assert ids(database, member, project_id=row.project_id, text=words, everywhere=True) == [row.id]


def copies(database: Database, pattern: Generation, count: int) -> list[str]:
    """So many clips like this one, each newer than the one before; their ids."""
    kept = values_of(database, pattern.id)
    begin = uuid.UUID(pattern.id).int + 1
    rows = [kept | {"id": str(uuid.UUID(int=begin + number)), "idempotency_key": None} for number in range(count)]
    with database.write_session() as session:
        session.execute(insert(Generation), rows)
    return [row["id"] for row in rows]


def test_words_behind_many_newer_clips_of_another_workspace(database: Database, team: Team) -> None:
    """What stands in one workspace behind very many newer clips of another one is found all the same."""
    ana, _ben, alone = team
    wanted = create_generation(database, alone, prompt="a quokka")
    pattern = create_generation(database, ana)
    rows = copies(database, pattern, prompt_search.WALKED_ROWS + 10)

    assert ids(database, ana, text="quok", everywhere=True) == [wanted.id]
    assert ids(database, ana, 2000, text="lake", everywhere=True)[:3] == rows[:-4:-1]


def plans_of(database: Database, member: Member, **chosen: Any) -> list[str]:
    """How each statement of a page is run among thousands of clips, most of them like the newest."""
    with database.read_session() as session:
        pattern = session.scalars(select(Generation).order_by(Generation.id.desc())).first()
    assert pattern is not None
    copies(database, pattern, 3000)
    plans: list[str] = []
    is_sqlite = database.engine.dialect.name == "sqlite"

    def explain(_connection: object, cursor: Any, statement: str, parameters: Any, *_rest: object) -> None:
        if not statement.startswith(("SELECT", "WITH")):
            return
        asked = cursor.connection.cursor()
        asked.execute(f"EXPLAIN {'QUERY PLAN ' if is_sqlite else ''}{statement}", parameters)
        plans.append("\n".join(str(line[3] if is_sqlite else line[0]) for line in asked.fetchall()))

    with database.write_session() as session:
        session.execute(text("ANALYZE generations" if not is_sqlite else "SELECT 1"))
    with database.read_session() as session:
        session.connection()
        event.listen(database.read_engine, "before_cursor_execute", explain)
        queries.list_page(session, member, ListFilter(**chosen), cursor=str(uuid.uuid4()))
        event.remove(database.read_engine, "before_cursor_execute", explain)
    return plans


def test_page_of_a_maker_walks_their_own_index(database: Database, team: Team) -> None:
    """A page of one person's clips reads theirs only, however many the others have made."""
    ana, ben, _alone = team
    create_generation(database, ben)
    create_generation(database, ana)

    (plan,) = plans_of(database, ana, maker_id=ben.id)

    assert "ix_generations_maker_newest" in plan, plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


@pytest.mark.parametrize(
    ("chosen", "index"),
    [
        ({}, "ix_generations_workspace_newest"),
        ({"statuses": (Status.FAILED,)}, "ix_generations_status"),
        ({"maker_id": "me"}, "ix_generations_maker_newest"),
        ({"since": utc_now()}, "ix_generations_workspace_newest"),
    ],
)
def test_page_of_all_workspaces_walks_an_index_of_each(
    database: Database, team: Team, chosen: dict[str, Any], index: str
) -> None:
    """Each workspace is walked by its own index, and only what was walked is sorted: none is read through."""
    ana, ben, alone = team
    if "statuses" in chosen:  # among the thousands some hundreds have failed
        failed = create_generation(database, ana)
        with database.write_session() as session:
            assert lifecycle.fail(session, failed, errors.GenerationFailed())
        copies(database, failed, 400)
    for member in (ana, alone, ana.moved_to(ana.id), ben):
        create_generation(database, member)
    if "maker_id" in chosen:
        chosen = {"maker_id": ana.id}

    (plan,) = plans_of(database, ana, everywhere=True, **chosen)

    if database.engine.dialect.name == "sqlite":
        assert plan.count(index) == len(ana.roles), plan
        assert "SCAN generations" not in plan
    else:  # it may walk the ids of all for a workspace that has almost all of them
        assert index in plan
        assert "Merge Append" in plan
        assert "Seq Scan on generations" not in plan


def test_words_of_all_workspaces_are_one_walk(database: Database, team: Team) -> None:
    """Words, workspaces and maker are asked of the index of words together; PostgreSQL walks the newest first."""
    ana, _ben, _alone = team
    create_generation(database, ana)

    (plan,) = plans_of(database, ana, everywhere=True, text="lake", maker_id=ana.id)

    if database.engine.dialect.name == "sqlite":
        assert "VIRTUAL TABLE INDEX" in plan, plan
        assert "SCAN generations" not in plan
        assert "TEMP B-TREE" not in plan
    else:
        assert "Seq Scan on generations" not in plan, plan
