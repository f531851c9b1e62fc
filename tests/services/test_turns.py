"""The stored turn is the order of a line: each person's first before anybody's second, however many somebody orders."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, update

from core.db import Database
from core.db.tables import Workspace
from core.generations import turns
from core.generations.progress import ProgressBoard
from core.installation import Installation
from core.worker import claims
from core.workspaces.access import Member
from tests.factories.generations import create_generation, load_flight
from tests.factories.users import create_member


def hand_over(site: Installation) -> list[str]:
    """What one round hands over."""
    return [flight.id for flight in claims.claim_submits(site.settings, lambda _provider: True)]


def people(database: Database, *names: str) -> list[Member]:
    """Somebody of each name."""
    return [create_member(database, f"{name}@example.org", credits=100_000) for name in names]


@pytest.mark.both_databases
def test_line_is_shown_as_it_is_taken(site: Installation) -> None:
    """Places on pages are those of the hand-over, for everybody; who comes later stands behind what was taken."""
    ana, ben = people(site.database, "ana", "ben")
    anas = [create_generation(site.database, ana).id for _ in range(5)]
    bens = [create_generation(site.database, ben).id for _ in range(2)]
    expected = [anas[0], bens[0], anas[1], bens[1], *anas[2:]]
    places = {}
    with site.database.read_session() as session:
        for member in (ana, ben):
            for item in ProgressBoard().snapshots(session, member.workspace_id):
                places[item.row.id] = item.ahead
    assert sorted(places, key=lambda id_: places[id_]) == expected
    assert hand_over(site) == expected

    cas = people(site.database, "cas")[0]
    late = create_generation(site.database, cas).id
    assert load_flight(late, site.database).turn > load_flight(anas[-1], site.database).turn


def test_a_heavier_workspace_has_more_of_the_same_time(site: Installation) -> None:
    """Of weight 3, three are taken for each one of weight 1."""
    ana, ben = people(site.database, "ana", "ben")
    with site.database.write_session() as session:
        session.execute(update(Workspace).where(Workspace.id == ana.workspace_id).values(turn_weight=3))
    anas = {create_generation(site.database, ana).id for _ in range(8)}
    bens = {create_generation(site.database, ben).id for _ in range(8)}
    handed = hand_over(site)
    assert len(handed) == claims.MAX_OUTSTANDING_SUBMITS
    assert (len(anas & set(handed)), len(bens & set(handed))) == (6, 2)


def test_what_comes_back_into_the_line_keeps_its_place(site: Installation) -> None:
    """A provider that refuses for now sends it back to where it stood."""
    [ana] = people(site.database, "ana")
    rows = [create_generation(site.database, ana).id for _ in range(10)]
    first = hand_over(site)
    assert first == rows[: claims.MAX_OUTSTANDING_SUBMITS]
    turn = load_flight(first[0], site.database).turn
    from core.db.enums import Stage, Status
    from tests.factories.generations import SUBMITTING, advance

    advance(site.database, first[0], SUBMITTING, (Status.PENDING, Stage.QUEUED))
    assert load_flight(first[0], site.database).turn == turn


@pytest.mark.both_databases
def test_rounds_and_looks_read_no_line_from_end_to_end(site: Installation) -> None:
    """Whatever is asked of flights names an index, however few rows there are: nothing reads all that waits."""
    [ana] = people(site.database, "ana")
    rows = [create_generation(site.database, ana) for _ in range(3)]
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        if "flights" in statement and statement.startswith(("SELECT", "UPDATE flights")):
            asked.append((statement, parameters))

    engines = {site.database.engine, site.database.read_engine}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    hand_over(site)
    claims.claim_polls(lambda _provider: 9)
    claims.claim_downloads(9)
    with site.database.read_session() as session:
        ProgressBoard().of(session, rows)
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)
    assert len(asked) > 10
    explain = "EXPLAIN " if site.database.engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    with site.database.engine.connect() as connection:
        if site.database.engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET enable_seqscan = off")
        for statement, parameters in asked:
            plan = str(connection.exec_driver_sql(explain + statement, parameters).all())
            assert "Seq Scan on flights" not in plan, plan
            assert "SCAN flights'" not in plan, plan


@given(orders=st.lists(st.integers(0, 3), max_size=25))
def test_nobodys_second_comes_before_anybodys_first(orders: list[int]) -> None:
    """By the rule alone: among what waits at once, the n-th of each person goes before the n+1-th of anybody."""
    last: dict[int, int] = {}
    line = []
    for number, person in enumerate(orders):
        last[person] = turns.following(0, last.get(person, 0), 1)
        line.append((last[person], number, person))
    seen: dict[int, int] = {}
    rounds = []
    for _turn, _number, person in sorted(line):
        seen[person] = seen.get(person, 0) + 1
        rounds.append(seen[person])
    assert rounds == sorted(rounds)
