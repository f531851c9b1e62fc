import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from core import errors
from core.audit import runs
from core.audit.scope import Since
from core.clock import utc_now
from core.db import Database
from core.db.enums import WorkspaceRole
from core.db.tables import (
    AuditLogEntry,
    Generation,
    GenerationTag,
    Project,
    ShareLink,
    ShareLinkClip,
    Upload,
    UsageDay,
    User,
    Workspace,
)
from core.generations import commands, queries, review
from core.generations.list_filter import ListFilter, ReviewStatus
from core.projects import projects, transfer
from core.spec import Reference
from core.workspaces import credits as credit_bookings
from core.workspaces import merging
from core.workspaces.access import Member
from tests.factories.books import broken_rules
from tests.factories.generations import CONFIGURED, QUOTA_BYTES, create_completed, create_generation, load_generation
from tests.factories.models import able_demo
from tests.factories.projects import create_project
from tests.factories.users import create_member
from tests.factories.workspaces import create_admin, create_team_of, join, now
from tests.said import codes


@pytest.fixture
def root(database: Database) -> Member:
    """An administrator."""
    return create_admin(database)


@pytest.fixture
def team(database: Database, root: Member) -> str:
    """The id of a team that Ana manages."""
    return create_team_of(database, create_member(database))


@pytest.fixture
def ana(database: Database, team: str) -> Member:
    """In her personal workspace, and manager of the team."""
    return now(database, create_member(database))


def move(
    database: Database, who: Member, project_id: str, to: str, quota_bytes: int | None = None
) -> transfer.Transferred:
    """Transfer a project."""
    with database.write_session() as session:
        return transfer.transfer(session, who, project_id, to_workspace_id=to, quota_bytes=quota_bytes)


def incremental(database: Database) -> list[str]:
    """The rules that a look at everything new since the beginning finds broken."""
    with database.read_session() as session:
        return [result.code for result in runs.run(session, since=Since(0, 0)) if not result.holds]


def figures(database: Database, workspace_id: str) -> list[tuple[object, ...]]:
    """The roll-ups of a workspace but for the project, summed."""
    with database.read_session() as session:
        rows = session.execute(
            select(
                UsageDay.day,
                UsageDay.user_id,
                UsageDay.model_id,
                func.sum(UsageDay.completed),
                func.sum(UsageDay.settled_credits),
                func.sum(UsageDay.kept_count),
            )
            .where(UsageDay.workspace_id == workspace_id)
            .group_by(UsageDay.day, UsageDay.user_id, UsageDay.model_id)
        )
        return sorted(tuple(row) for row in rows)


def test_project_goes_and_its_charges_stay(database: Database, ana: Member, team: str) -> None:
    """Clips, tags and names are in the other workspace; every figure of both is as before, and the books are right."""
    project = create_project(database, ana)
    clip = create_completed(database, ana, project_id=project.id)
    with database.write_session() as session:
        review.update(session, ana, clip.id, review.Changes(tags=["lake"], verdict=ReviewStatus.KEPT))
    before = [figures(database, each) for each in (ana.id, team)]

    done = move(database, ana, project.id, team)

    assert (done.project.workspace_id, done.project.spent_credits, done.clip_count) == (team, 0, 1)
    assert done.left_behind is not None
    assert (done.left_behind.name, done.left_behind.spent_credits) == ("Lakes", clip.credits)
    assert done.left_behind.archived_at is not None
    assert [figures(database, each) for each in (ana.id, team)] == before
    assert load_generation(clip.id, database).workspace_id == team
    there = now(database, ana, team)
    with database.read_session() as session:
        assert list(projects.names(session, there).values()) == ["Lakes"]
        assert projects.names(session, ana) == {}
        assert list(projects.names(session, ana, archived=True).values()) == ["Lakes"]
        assert [row.id for row in queries.list_page(session, there, ListFilter()).rows] == [clip.id]
        assert queries.list_page(session, ana, ListFilter()).rows == []
        assert session.scalars(select(GenerationTag.workspace_id)).all() == [team]
    assert broken_rules(database) == incremental(database) == []


def test_life_goes_on_there(database: Database, ana: Member, team: str) -> None:
    """Orders are paid by the other workspace from then on; verdicts are counted where the clip was charged."""
    project = create_project(database, ana)
    clip = create_completed(database, ana, project_id=project.id)
    move(database, ana, project.id, team)
    there = now(database, ana, team)

    more = create_completed(database, there, project_id=project.id)
    with database.write_session() as session:
        review.update(session, there, clip.id, review.Changes(verdict=ReviewStatus.KEPT))
        review.update(session, there, more.id, review.Changes(verdict=ReviewStatus.REJECTED))
        commands.delete(session, there, clip.id)

    with database.read_session() as session:
        assert session.get_one(Project, project.id).spent_credits == more.credits
        counted = session.execute(select(UsageDay.workspace_id, UsageDay.kept_count, UsageDay.rejected_count))
        assert sorted(tuple(row) for row in counted) == sorted([(ana.id, 1, 0), (team, 0, 1)])
    assert broken_rules(database) == incremental(database) == []


def test_there_and_back_with_clips_that_were_moved(database: Database, ana: Member, team: str) -> None:
    """However often it goes, and whatever came into it or left it before, each charge stays where it was booked."""
    project, other = create_project(database, ana), create_project(database, ana, "Hills")
    clips = [create_completed(database, ana, project_id=each.id) for each in (project, other, project)]
    with database.write_session() as session:
        review.update(session, ana, clips[0].id, review.Changes(project_id=other.id))
        review.update(session, ana, clips[1].id, review.Changes(project_id=project.id))

    move(database, ana, project.id, team)
    create_completed(database, now(database, ana, team), project_id=project.id)
    back = move(database, now(database, ana, team), project.id, ana.id)
    move(database, ana, other.id, team)

    assert back.project.workspace_id == ana.id
    with database.read_session() as session:
        spent = session.execute(
            select(Project.workspace_id, func.sum(Project.spent_credits)).group_by(Project.workspace_id)
        )
        assert {row[0]: row[1] for row in spent} == {ana.id: 3 * clips[0].credits, team: clips[0].credits}
    assert broken_rules(database) == incremental(database) == []


def bring(database: Database, person: Member, key: str, sha256: str, size_bytes: int) -> None:
    """Write down an image of a person's."""
    with database.write_session() as session:
        session.add(
            Upload(
                workspace_id=person.id,
                user_id=person.id,
                storage_key=key,
                original_sha256=sha256,
                file_name="lake.png",
                size_bytes=size_bytes,
                width=64,
                height=48,
            )
        )


def test_images_come_along_for_a_retry(database: Database, ana: Member, team: str) -> None:
    """A clip that was made from an image can be ordered again there, and the copy counts against the quota there."""
    bring(database, ana, "images/ab/lake.jpg", "a" * 64, 700)
    project = create_project(database, ana)
    row = create_generation(
        database, ana, project_id=project.id, model_id="kling-2.5", start_image_key="images/ab/lake.jpg"
    )
    with database.write_session() as session:
        commands.cancel(session, ana, row.id)
    move(database, ana, project.id, team)
    there = now(database, ana, team)

    with database.write_session() as session:
        again = commands.retry(session, there, row.id, configured=CONFIGURED, quota_bytes=QUOTA_BYTES)

    assert again.workspace_id == team
    with database.read_session() as session:
        assert session.get_one(Workspace, team).storage_bytes == 700
        assert len(session.scalars(select(Upload)).all()) == 2
    move(database, there, create_project(database, ana).id, team)  # what is there already is not copied again
    with database.read_session() as session:
        assert session.get_one(Workspace, team).storage_bytes == 700


def test_references_come_along_for_a_retry(database: Database, ana: Member, team: str) -> None:
    """Images that a clip refers to are copied too, each once, in their roles."""
    for letter, size_bytes in (("a", 300), ("b", 40)):
        bring(database, ana, f"images/ab/{letter}.jpg", letter * 64, size_bytes)
    project = create_project(database, ana)
    referred = tuple(Reference("image", "style", f"images/ab/{letter}.jpg") for letter in "aba")
    with able_demo():
        row = create_generation(database, ana, project_id=project.id, references=referred)
        with database.write_session() as session:
            commands.cancel(session, ana, row.id)
        move(database, ana, project.id, team)
        there = now(database, ana, team)
        with database.write_session() as session:
            again = commands.retry(session, there, row.id, configured=CONFIGURED, quota_bytes=QUOTA_BYTES)

    assert (again.workspace_id, again.spec.references) == (team, referred)
    with database.read_session() as session:
        assert session.get_one(Workspace, team).storage_bytes == 340


def test_storage_is_counted_where_the_files_are(database: Database, ana: Member, team: str) -> None:
    """It moves with the clips, and one that has no room refuses them."""
    project = create_project(database, ana)
    clip = create_completed(database, ana, project_id=project.id)

    with pytest.raises(errors.StorageFull):
        move(database, ana, project.id, team, quota_bytes=clip.stored_bytes - 1)
    move(database, ana, project.id, team, quota_bytes=clip.stored_bytes)

    with database.read_session() as session:
        used = {row.id: row.storage_bytes for row in session.scalars(select(Workspace))}
    assert (used[ana.id], used[team]) == (0, clip.stored_bytes)


def test_refused_while_under_way(database: Database, ana: Member, team: str) -> None:
    """Its hold is on the account of the old workspace, so it ends first."""
    project = create_project(database, ana)
    row = create_generation(database, ana, project_id=project.id)

    with pytest.raises(errors.Conflict) as refused:
        move(database, ana, project.id, team)
    assert codes(refused.value.message) == {"project_under_way"}

    with database.write_session() as session:
        commands.cancel(session, ana, row.id)
    move(database, ana, project.id, team)
    assert broken_rules(database) == incremental(database) == []


def test_only_managers_of_both(database: Database, root: Member, ana: Member, team: str) -> None:
    """A maker here or there may not, and where somebody is not, there is no project and no workspace for them."""
    ben = create_member(database, "ben@example.org")
    in_team = join(database, ana, team, ben)
    other = create_team_of(database, ben, name="Other")
    bens = now(database, ben)
    theirs, hers = create_project(database, now(database, ben, other)), create_project(database, ana)
    of_team = create_project(database, now(database, ana, team))

    for who, project, to, refused in (
        (bens, theirs.id, team, errors.Forbidden),
        (bens, of_team.id, other, errors.Forbidden),
        (bens, hers.id, other, errors.NotFound),
        (ana, hers.id, other, errors.NotFound),
        (root, hers.id, team, errors.NotFound),
        (ana, hers.id, ana.id, errors.Conflict),
    ):
        with pytest.raises(refused):
            move(database, who, project, to)
    assert in_team.roles[team] is WorkspaceRole.MAKER


def test_links_for_people_outside(database: Database, ana: Member, team: str) -> None:
    """One that shows only what goes along goes with it; another loses these clips, and shows none of a foreign team."""
    project, other = create_project(database, ana), create_project(database, ana, "Hills")
    gone, stays = (create_completed(database, ana, project_id=each.id) for each in (project, other))
    with database.write_session() as session:
        for name, clips in (("whole", [gone]), ("mixed", [gone, stays]), ("else", [stays])):
            link = ShareLink(
                workspace_id=ana.id,
                user_id=ana.id,
                title=name,
                token_hash=name,
                expires_at=utc_now() + timedelta(days=1),
            )
            session.add(link)
            session.flush()
            session.add_all(ShareLinkClip(link_id=link.id, generation_id=clip.id, place=0) for clip in clips)

    move(database, ana, project.id, team)

    with database.read_session() as session:
        found = session.execute(
            select(ShareLink.title, ShareLink.workspace_id, ShareLinkClip.generation_id).join(
                ShareLinkClip, ShareLinkClip.link_id == ShareLink.id
            )
        )
        assert sorted(tuple(row) for row in found) == sorted(
            [("whole", team, gone.id), ("mixed", ana.id, stays.id), ("else", ana.id, stays.id)]
        )


def test_transfer_is_told_to_both(database: Database, ana: Member, team: str) -> None:
    """The log of each workspace says what went where."""
    project = create_project(database, ana)
    move(database, ana, project.id, team)

    with database.read_session() as session:
        rows = session.scalars(select(AuditLogEntry).where(AuditLogEntry.action == "project.transferred")).all()
    assert {row.workspace_id for row in rows} == {ana.id, team}
    assert rows[0].before == {"workspace": "ana", "workspace_id": ana.id}
    assert rows[0].after == {"workspace": "Film", "workspace_id": team, "clips": 0}


@pytest.mark.both_databases
def test_orders_while_it_goes(database: Database) -> None:
    """Every order is paid by the workspace that the project is in when it is taken, and the project is moved once."""
    team = create_team_of(database, create_member(database))
    ana = now(database, create_member(database))
    project = create_project(database, ana)

    def act(number: int) -> str:
        try:
            if number % 4 == 1:
                move(database, ana, project.id, team)
                return "moved"
            create_generation(database, ana, project_id=project.id)
        except errors.Conflict as refused:
            return str(next(iter(codes(refused.message))))
        return "ordered"

    with ThreadPoolExecutor(4) as pool:
        went = list(pool.map(act, range(8)))

    assert went.count("moved") <= 1
    assert went.count("ordered") == 6
    with database.read_session() as session:
        where = session.get_one(Project, project.id).workspace_id
        assert set(session.scalars(select(Generation.workspace_id))) == {where}
        assert session.get_one(Project, project.id).generation_count == 6
    assert broken_rules(database) == incremental(database) == []


@pytest.mark.both_databases
def test_clips_are_moved_and_judged_while_it_goes(database: Database) -> None:
    """Nobody waits for each other for ever, no clip ends between two workspaces, and the books are right."""
    team = create_team_of(database, create_member(database))
    ana = now(database, create_member(database))
    project, other = create_project(database, ana), create_project(database, ana, "Hills")
    clips = [create_completed(database, ana, project_id=project.id) for _ in range(4)]

    def act(number: int) -> None:
        if number == 2:
            move(database, ana, project.id, team)
            return
        changes = review.Changes(verdict=ReviewStatus.KEPT)
        if number % 2:
            changes = replace(changes, project_id=other.id)
        with contextlib.suppress(errors.InvalidRequest), database.write_session() as session:
            review.update(session, ana, clips[number % 4].id, changes)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(act, range(6)))

    with database.read_session() as session:
        astray = select(Generation.id).join(Project, Project.id == Generation.project_id)
        assert session.scalars(astray.where(Generation.workspace_id != Project.workspace_id)).all() == []
        for each in session.scalars(select(Project)):
            count = select(func.count()).where(Generation.project_id == each.id)
            assert each.generation_count == session.scalar(count)
    assert broken_rules(database) == incremental(database) == []


def test_sample_company_keeps_to_itself(database: Database, ana: Member, team: str) -> None:
    """What goes with one press of a button neither takes in nor gives away what belongs to others."""
    root, project = create_admin(database), create_project(database, ana)
    with database.write_session() as session:
        session.get_one(Workspace, team).is_sample = True
        session.get_one(User, ana.id).is_sample = True

    with pytest.raises(errors.Conflict) as refused:
        move(database, ana, project.id, team)
    assert codes(refused.value.message) == {"sample_apart"}
    with database.write_session() as session:
        with pytest.raises(errors.Conflict):
            credit_bookings.transfer(session, ana, from_id=ana.id, to_id=team, credits=1, reason="Gift")
        with pytest.raises(errors.Conflict):
            merging.merge(session, root, gone_id=ana.id, into_id=root.id)
