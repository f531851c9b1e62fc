from datetime import timedelta
from typing import Any

import pytest

from core import errors
from core.clock import utc_now
from core.db import Database
from core.db.enums import Status
from core.db.tables import Generation
from core.generations import batches, commands, queries, review
from core.generations.list_filter import ListFilter, ReviewStatus
from core.generations.queries import Count, Neighbours, Take
from core.generations.review import Changes
from core.generations.submit import submit
from core.projects import projects
from core.workspaces.access import Member
from tests.factories.generations import (
    CONFIGURED,
    QUOTA_BYTES,
    build_order,
    create_completed,
    create_generation,
    rewrite,
)
from tests.factories.users import create_member, ensure_member

pytestmark = pytest.mark.both_databases  # lists are put together around the search


def ids(database: Database, user: Member, limit: int = 50, **chosen: Any) -> list[str]:
    """The ids that a filter shows, walked a page at a time."""
    found: list[str] = []
    cursor = None
    while True:
        with database.read_session() as session:
            page = queries.list_page(session, user, ListFilter(**chosen), cursor=cursor, limit=limit)
        found += [row.id for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            return found


def change(database: Database, user: Member, row: Generation, **changes: Any) -> None:
    """Change a clip as its person."""
    with database.write_session() as session:
        review.update(session, user, row.id, Changes(**changes))


def test_browse_when_rows_are_added(database: Database, person: Member) -> None:
    """Pages neither repeat nor miss a row while newer ones arrive, with words and without."""
    made = [create_generation(database, person).id for _ in range(7)]
    for text in ("", "lake"):
        seen: list[str] = []
        cursor = None
        while True:
            with database.read_session() as session:
                page = queries.list_page(session, person, ListFilter(text=text), cursor=cursor, limit=3)
            seen += [row.id for row in page.rows if row.id in made]
            create_generation(database, person)
            cursor = page.next_cursor
            if cursor is None:
                break
        assert seen == made[::-1]


def test_browse_when_filtered(database: Database, person: Member) -> None:
    """Filters narrow by status, model, provider, project, favourite, verdict, tag and time; and they combine."""
    rain = create_generation(database, person, prompt="100% rain_drops")
    lake = create_completed(database, person)
    hill = create_completed(database, person, prompt="a hill and a lake")
    change(database, person, lake, favourite=True, verdict=ReviewStatus.KEPT, tags=["Intro", "night"])
    change(database, person, hill, verdict=ReviewStatus.REJECTED, tags=["night"])
    hour = timedelta(hours=1)

    def found(**chosen: Any) -> list[str]:
        return ids(database, person, **chosen)

    assert found(statuses=(Status.COMPLETED,)) == [hill.id, lake.id]
    assert found(statuses=(Status.PENDING, Status.PROCESSING)) == [rain.id]
    assert found(project_id=lake.project_id) == [lake.id]
    assert found(model_id="veo3") == []
    assert found(provider="demo") == [hill.id, lake.id, rain.id]
    assert found(favourite=True) == [lake.id]
    assert found(favourite=False) == [hill.id, rain.id]
    assert found(verdict=ReviewStatus.KEPT) == [lake.id]
    assert found(verdict=ReviewStatus.REJECTED) == [hill.id]
    assert found(verdict=ReviewStatus.UNDECIDED) == [rain.id]
    assert found(tag="night") == [hill.id, lake.id]
    assert found(tag="intro", favourite=True, verdict=ReviewStatus.KEPT, text="lake") == [lake.id]
    assert found(tag="night", text="hill") == [hill.id]
    assert found(oldest_first=True) == [rain.id, lake.id, hill.id]
    assert found(since=utc_now() - hour) == [hill.id, lake.id, rain.id]
    assert found(until=utc_now() - hour) == []
    assert found(since=utc_now() + hour) == []


@pytest.mark.parametrize("oldest_first", [False, True])
@pytest.mark.parametrize("chosen", [{}, {"text": "lake"}, {"tag": "t"}, {"text": "lake", "tag": "t"}])
def test_browse_pages_in_both_directions(
    database: Database, person: Member, chosen: dict[str, str], oldest_first: bool
) -> None:
    """Pages of every size add up to the whole listing, whichever way it is walked, with words and tags."""
    made = [create_generation(database, person) for _ in range(5)]
    for row in made:
        change(database, person, row, tags=["t"])
    expected = [row.id for row in made] if oldest_first else [row.id for row in reversed(made)]

    for limit in (1, 2, 5, 6):
        assert ids(database, person, limit=limit, oldest_first=oldest_first, **chosen) == expected


def test_browse_when_rows_have_the_same_time(database: Database, person: Member) -> None:
    """A limit of time takes what lies within it, to the moment, whatever the ids say."""
    rows = [create_generation(database, person) for _ in range(2)]
    now = utc_now()
    with database.write_session() as session:
        rewrite(session, Generation.id == rows[0].id, created_at=now)

    assert rows[0].id in ids(database, person, since=now)
    assert rows[0].id not in ids(database, person, until=now)


@pytest.mark.parametrize("oldest_first", [False, True])
@pytest.mark.parametrize("chosen", [{}, {"text": "lake"}, {"favourite": True}])
def test_neighbours_follow_the_listing(
    database: Database, person: Member, chosen: dict[str, Any], oldest_first: bool
) -> None:
    """Before and after a clip stand those that the listing shows beside it; what does not fit is stepped over."""
    for number in range(6):
        row = create_generation(database, person, prompt="a lake" if number % 2 else "a hill")
        change(database, person, row, favourite=bool(number % 2))
    listing = ids(database, person, oldest_first=oldest_first, **chosen)

    with database.read_session() as session:
        found = [
            queries.neighbours(session, person, ListFilter(oldest_first=oldest_first, **chosen), row_id)
            for row_id in listing
        ]

    around = [None, *listing, None]
    assert found == [Neighbours(around[n], around[n + 2]) for n in range(len(listing))]


def test_several_when_some_are_not_theirs(database: Database, person: Member) -> None:
    """Of a list of ids, a person's own come back in the order asked for, each once."""
    with database.write_session() as session:
        stranger = ensure_member(session, "eve@example.org", signup_credits=10_000)
    first, second = create_generation(database, person), create_completed(database, person)
    foreign, gone = create_generation(database, stranger), create_completed(database, person)
    with database.write_session() as session:
        commands.delete(session, person, gone.id)
        wanted = [second.id, foreign.id, first.id, gone.id, second.id]

        assert [row.id for row in queries.get_many(session, person, wanted)] == [second.id, first.id]


def test_browse_when_words_are_sought_among_few(database: Database, person: Member) -> None:
    """With words, too, a filter shows what it shows without them, whatever has been done to the clips since."""
    done, doubted = create_completed(database, person), create_completed(database, person)
    live, gone = create_generation(database, person), create_generation(database, person)
    with database.write_session() as session:
        commands.cancel(session, person, gone.id)
    change(database, person, done, favourite=True, verdict=ReviewStatus.REJECTED)
    change(database, person, done, verdict=ReviewStatus.KEPT)
    change(database, person, doubted, favourite=True, verdict=ReviewStatus.REJECTED)
    change(database, person, doubted, favourite=False)
    expected: list[tuple[dict[str, Any], list[str]]] = [
        ({"statuses": (Status.COMPLETED,)}, [doubted.id, done.id]),
        ({"statuses": (Status.CANCELLED, Status.FAILED)}, [gone.id]),
        ({"statuses": (Status.PENDING,)}, [live.id]),
        ({"statuses": (Status.PENDING, Status.CANCELLED)}, [gone.id, live.id]),
        ({"favourite": True}, [done.id]),
        ({"favourite": False}, [gone.id, live.id, doubted.id]),
        ({"verdict": ReviewStatus.KEPT}, [done.id]),
        ({"verdict": ReviewStatus.REJECTED}, [doubted.id]),
        ({"verdict": ReviewStatus.UNDECIDED, "statuses": (Status.COMPLETED,)}, []),
        ({"verdict": ReviewStatus.KEPT, "favourite": True, "project_id": done.project_id}, [done.id]),
    ]
    for chosen, shown in expected:
        assert ids(database, person, **chosen) == shown, chosen
        assert ids(database, person, text="lake", **chosen) == shown, chosen


def test_browse_when_the_project_is_not_theirs(database: Database, person: Member) -> None:
    """A project of somebody else does not exist, with words and without."""
    with database.write_session() as session:
        stranger = ensure_member(session, "eve@example.org", signup_credits=10_000)
    row = create_generation(database, person)
    for text in ("", "lake"):
        with pytest.raises(errors.NotFound), database.read_session() as session:
            queries.list_page(session, stranger, ListFilter(project_id=row.project_id, text=text))
    assert ids(database, stranger, text="lake") == []


def test_browse_after_a_move(database: Database, person: Member) -> None:
    """A clip that was moved is found by its words in the new project, and no longer in the old one."""
    row = create_completed(database, person)
    with database.write_session() as session:
        other = projects.create(session, person, name="Other")
    change(database, person, row, project_id=other.id)

    for text in ("", "lake"):
        assert ids(database, person, project_id=other.id, text=text) == [row.id]
        assert ids(database, person, project_id=row.project_id, text=text) == []
    with database.write_session() as session:
        wanted = build_order(other.id)
        submit(session, person, wanted, configured=CONFIGURED, quota_bytes=QUOTA_BYTES)
    assert len(ids(database, person, project_id=other.id, text="dusk lake")) == 2


def counted(database: Database, user: Member, most: int = queries.WALKED_ROWS, **chosen: Any) -> Count:
    """How many clips a filter shows, `most` rows looked at."""
    with database.read_session() as session:
        return queries.count(session, user, ListFilter(**chosen), walked_rows=most)


def test_count_follows_the_listing(database: Database, person: Member) -> None:
    """Whatever is asked for, the figure is that of the clips that are listed, deleted ones and other people's not."""
    ben = create_member(database, "ben@example.org")
    lake, hill = create_completed(database, person), create_generation(database, person, prompt="a hill")
    gone, other = create_completed(database, person), create_completed(database, person, model_id="seedance-t2v")
    create_completed(database, ben)
    change(database, person, lake, favourite=True, verdict=ReviewStatus.KEPT, tags=["night"])
    change(database, person, other, favourite=True, tags=["night"])
    with database.write_session() as session:
        commands.delete(session, person, gone.id)
    filters: list[dict[str, Any]] = [
        {},
        {"everywhere": True},
        {"project_id": lake.project_id},
        {"project_id": lake.project_id, "favourite": True},
        {"favourite": True},
        {"favourite": True, "verdict": ReviewStatus.KEPT},
        {"favourite": False},
        {"verdict": ReviewStatus.UNDECIDED},
        {"statuses": (Status.PENDING,)},
        {"statuses": (Status.COMPLETED,), "model_id": "seedance-t2v"},
        {"statuses": (Status.FAILED,)},
        {"tag": "night"},
        {"tag": "night", "verdict": ReviewStatus.KEPT, "everywhere": True},
        {"text": "hill"},
        {"text": "lake", "favourite": True},
        {"provider": "demo", "maker_id": person.id},
        {"since": hill.created_at, "oldest_first": True},
    ]
    for chosen in filters:
        assert counted(database, person, **chosen) == Count(len(ids(database, person, **chosen))), chosen
    assert counted(database, person, favourite=True).number == 2
    with pytest.raises(errors.NotFound):
        counted(database, ben, project_id=lake.project_id)


def test_count_when_there_are_too_many(database: Database, person: Member) -> None:
    """Only so many rows are looked at, and the figure says that there may be more."""
    rows = [create_completed(database, person) for _ in range(5)]
    change(database, person, rows[-1], favourite=True)
    change(database, person, rows[0], favourite=True)
    assert counted(database, person, 4, model_id="demo-film") == Count(4, is_exact=False)
    assert counted(database, person, 4, provider="demo", verdict=ReviewStatus.UNDECIDED) == Count(4, is_exact=False)
    assert counted(database, person, 4, favourite=True, model_id="demo-film") == Count(2)
    assert counted(database, person, 4, text="lake") == Count(4, is_exact=False)
    assert counted(database, person, 4) == Count(5)


@pytest.mark.parametrize("chosen", [{}, {"text": "lake"}, {"oldest_first": True}, {"everywhere": True}])
def test_page_before_ends_where_a_page_begins(database: Database, person: Member, chosen: dict[str, Any]) -> None:
    """Its cursor shows the rows just before, and the first page has none."""
    for _ in range(7):
        create_generation(database, person)
    whole = ids(database, person, **chosen)
    with database.read_session() as session:

        def before(first_id: str) -> str | None:
            return queries.page_before(session, person, ListFilter(**chosen), first_id=first_id, limit=3)

        cursor = before(whole[6])
        assert cursor is not None
        page = queries.list_page(session, person, ListFilter(**chosen), cursor=cursor, limit=3)
        assert [row.id for row in page.rows] == whole[3:6]
        assert before(whole[3]) is None
        assert before(whole[2]) is None


def test_takes_are_numbered_as_they_were_ordered(database: Database, person: Member) -> None:
    """Those of one press have their places, also when one of them is gone; a clip ordered alone has none."""
    alone = create_generation(database, person)
    orders = [build_order(alone.project_id, prompt=f"take {number}") for number in (1, 2, 3)]
    with database.write_session() as session:
        together = batches.submit_batch(session, person, orders, configured=CONFIGURED, quota_bytes=QUOTA_BYTES)
        made = [row.id for row in together]
    with database.write_session() as session:
        commands.cancel(session, person, made[0])
    with database.write_session() as session:
        commands.delete(session, person, made[0])
    with database.read_session() as session:
        rows = queries.list_page(session, person, ListFilter()).rows
        found = queries.takes(session, rows)
    assert [found.get(row.id) for row in rows] == [Take(3, 3), Take(2, 3), None]
