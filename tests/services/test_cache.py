from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import event

from core import errors
from core.clock import utc_now
from core.db import Database
from core.db.enums import Role
from core.generations import review
from core.generations.list_filter import ReviewStatus
from core.generations.review import Changes
from core.projects import projects
from core.usage import reports
from core.usage.cache import UsageCache
from core.usage.reports import Group, UsageQuery
from core.workspaces.access import Member
from tests.factories.generations import create_completed
from tests.factories.users import create_member, ensure_member
from tests.factories.workspaces import create_team_of, join, now


def days() -> UsageQuery:
    """Yesterday to tomorrow."""
    today = utc_now().date()
    return UsageQuery(today - timedelta(days=1), today + timedelta(days=1))


def test_same_question_reads_the_roll_ups_once(database: Database, person: Member) -> None:
    """While nothing was added, figures are not added up again."""
    cache = UsageCache()
    create_completed(database, person)
    asked: list[str] = []
    with database.read_session() as session:
        first = cache.aggregate(session, person, days(), [Group.MODEL])
        assert first == list(reports.aggregate(session, person, days(), [Group.MODEL]))
        event.listen(database.read_engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
        assert cache.aggregate(session, person, days(), [Group.MODEL]) == first
    assert not any("usage_days" in statement for statement in asked)


def test_what_changes_is_seen_at_once(database: Database, person: Member) -> None:
    """A charge, a verdict and a new name of a project each change the figures of the next look."""
    cache = UsageCache()
    row = create_completed(database, person)

    def look() -> list[reports.Row]:
        with database.read_session() as session:
            found = list(cache.aggregate(session, person, days(), [Group.PROJECT]))
            assert found == list(reports.aggregate(session, person, days(), [Group.PROJECT]))
        return found

    before = look()
    create_completed(database, person)
    assert sum(each.figures.completed for each in look()) == sum(each.figures.completed for each in before) + 1
    with database.write_session() as session:
        review.update(session, person, row.id, Changes(verdict=ReviewStatus.KEPT))
    assert sum(each.figures.kept_count for each in look()) == 1
    with database.write_session() as session:
        projects.update(session, person, row.project_id, name="Another name")
    assert "Another name" in [each.keys["project_name"] for each in look()]


def test_who_was_charged_most_is_seen_at_once_and_read_once(database: Database, person: Member) -> None:
    """The order of people in a project follows their charges; another project of the list is asked for by itself."""
    cache = UsageCache()
    team_id = create_team_of(database, person)
    ada = now(database, person, team_id)
    ben = join(database, person, team_id, create_member(database, "ben@example.org"))
    project_id = create_completed(database, ada).project_id

    def look() -> Mapping[str, tuple[str, ...]]:
        with database.read_session() as session:
            return cache.spenders(session, ada, [project_id])

    assert look() == {project_id: (ada.id,)}
    for _ in range(2):
        create_completed(database, ben, project_id=project_id)
    assert look() == {project_id: (ben.id, ada.id)}
    asked: list[str] = []
    event.listen(database.read_engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    assert look() == {project_id: (ben.id, ada.id)}
    assert not any("usage_days" in statement for statement in asked)
    with database.read_session() as session:
        assert cache.spenders(session, ada, []) == {}


def test_everybodys_figures_follow_everybody_and_are_for_administrators(database: Database, person: Member) -> None:
    """What another person is charged is in them at the next look; who is no administrator is refused."""
    cache = UsageCache()
    with database.write_session() as session:
        ben = ensure_member(session, "ben@example.org", signup_credits=10_000)
        admin = ensure_member(session, "boss@example.org", signup_credits=0, role=Role.ADMIN)
    everybody = UsageQuery(days().since, days().until, everybody=True)
    create_completed(database, person)
    with database.read_session() as session:
        assert cache.total(session, admin, everybody).completed == 1
    create_completed(database, ben)
    with database.read_session() as session:
        assert cache.total(session, admin, everybody).completed == 2
        with pytest.raises(errors.Forbidden):
            cache.total(session, ben, everybody)


def test_somebody_elses_project_is_not_found(database: Database, person: Member) -> None:
    """Also when its figures were read before, by its owner."""
    cache = UsageCache()
    row = create_completed(database, person)
    with database.write_session() as session:
        ben = ensure_member(session, "ben@example.org", signup_credits=10_000)
    chosen = UsageQuery(days().since, days().until, project_id=row.project_id)
    with database.read_session() as session:
        assert cache.total(session, person, chosen).completed == 1
        with pytest.raises(errors.NotFound):
            cache.total(session, ben, chosen)
