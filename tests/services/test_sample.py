import dataclasses
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from core import errors
from core.audit import runs
from core.billing import ledger
from core.clock import utc_now
from core.db import Database, WriteSession
from core.db.enums import Role, Status, WorkspaceRole
from core.db.tables import (
    AuditLogEntry,
    Generation,
    LedgerEntry,
    Project,
    ProviderLine,
    User,
    Workspace,
    WorkspaceMember,
)
from core.db.types import Base
from core.files.storage import LocalStorage, ObjectInfo
from core.generations import lifecycle
from core.generations.list_filter import ListFilter
from core.generations.queries import list_page
from core.generations.timeline import Tail
from core.identity import api_tokens
from core.installation import Installation
from core.projects import transfer
from core.sample import company, make, plan, presence, projects, remove
from core.sample.presence import Presence
from core.spec import GenerationSpec
from core.workspaces import credits, members, merging, workspaces
from core.workspaces.access import Member
from tests.factories import installations
from tests.factories.books import broken_rules
from tests.factories.generations import (
    DISPATCHED,
    DOWNLOADING,
    READY_TO_DOWNLOAD,
    SUBMITTING,
    WAITING,
    advance,
    build_output,
    create_completed,
    create_generation,
    rewrite,
)
from tests.factories.studio import Studio
from tests.factories.users import ensure_member
from tests.factories.workspaces import create_team_of

FEW = 8
"""So many takes need six scenes, which are filmed in seconds."""
NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


@pytest.fixture
def owner(site: Installation) -> Member:
    """Who sits in front of the machine, with a clip of their own."""
    person = Studio(site.settings).person
    create_completed(site.database, person, prompt="My own lake")
    return person


def table_rows(database: Database) -> dict[str, list[Any]]:
    """Every row of every table, SQLite's index of words included, but of the log and of how far lines have come."""
    kept = (AuditLogEntry.__tablename__, ProviderLine.__tablename__)
    names = [table.name for table in Base.metadata.sorted_tables if table.name not in kept]
    if database.engine.dialect.name == "sqlite":
        names.append("generation_words")
    with database.read_session() as session:
        return {
            name: sorted(map(repr, session.execute(text(f"SELECT * FROM {name}"))))  # noqa: S608 -- our own names
            for name in names
        }


def stored(opened: Installation) -> set[str]:
    """Everything below the folder of the media, folders too."""
    root = opened.storage.folder
    assert root is not None
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def acts(database: Database) -> list[str]:
    """What the audit log tells of the company."""
    with database.read_session() as session:
        return [
            str(row.action)
            for row in session.scalars(select(AuditLogEntry).order_by(AuditLogEntry.id))
            if str(row.action).startswith("sample.")
        ]


def sample_member(database: Database, name: str) -> Member:
    """One of its people, where they were last at work."""
    with database.read_session() as session:
        user = session.scalars(select(User).where(User.name == name)).one()
        return members.at_work(session, user, user.last_workspace_id)


def how_much(database: Database) -> Presence:
    """How much of the company there is."""
    with database.read_session() as session:
        return presence.presence(session)


class Dying(LocalStorage):
    """A storage in whose middle of `what` the process ends."""

    def __init__(self, root: Path, what: str) -> None:
        super().__init__(root)
        self._what, self._left = what, 2

    def copy_many(self, copies: Iterable[tuple[str, str]]) -> None:
        """The first two, then the end."""
        if self._what == "copy":
            super().copy_many(list(copies)[:2])
            raise SystemExit
        super().copy_many(copies)

    def delete_below(self, prefix: str) -> None:
        """Two times, then the end."""
        self._left -= 1
        if self._what == "delete" and self._left < 0:
            raise SystemExit
        super().delete_below(prefix)


class Full(LocalStorage):
    """A storage without room."""

    def put_file(self, key: str, path: Path, *, media_type: str) -> ObjectInfo:
        """Refused."""
        raise errors.StorageUnavailable(detail="OSError(28, 'No space left on device')")


def with_storage(opened: Installation, kind: Callable[[Path], LocalStorage]) -> Installation:
    """The installation with another storage in the same folder."""
    assert opened.storage.folder is not None
    return dataclasses.replace(opened, storage=kind(opened.storage.folder))


def test_year_is_a_year_of_believable_work() -> None:
    """Everybody who may order does, in every project, over the whole year, and all of it has ended."""
    year = plan.play(NOW)

    may_order = {n for n, each in enumerate(company.PEOPLE) if {*each.teams.values()} - {WorkspaceRole.VIEWER}}
    assert {take.person for take in year.takes} == may_order
    assert {take.project for take in year.takes} == set(range(len(projects.PROJECTS)))
    assert 1_800 <= len(year.takes) <= 2_100
    assert all(take.ended_at < NOW for take in year.takes)
    assert (NOW - year.takes[0].created_at).days > 330
    assert len({take.created_at.month for take in year.takes}) == 12
    shares = [sum(take.status is status for take in year.takes) / len(year.takes) for status in (Status.FAILED,)]
    assert 0.04 < shares[0] < 0.1
    assert any(take.retry_of_id for take in year.takes)


def test_same_moment_gives_the_same_year() -> None:
    """Chance has a seed, so a company is the same wherever it is made at a moment."""
    assert plan.play(NOW, takes=50).takes[:20] != []
    first, second = plan.play(NOW, takes=50), plan.play(NOW, takes=50)
    assert [(take.id, take.spec, take.status) for take in first.takes] == [
        (take.id, take.spec, take.status) for take in second.takes
    ]


def test_whole_company_passes_the_audit(installation: Installation, record_property: Callable[..., None]) -> None:
    """Made in full, every rule of the books holds, every clip plays from storage, and its people see their work."""
    owner = Studio(installation.settings).person
    began = datetime.now(UTC)
    assert make.make(installation, owner)
    record_property("table", f"The sample company was made in {(datetime.now(UTC) - began).total_seconds():.1f} s.")

    with installation.database.read_session() as session:
        results = runs.run(session, storage=installation.storage)
        assert [result.code for result in results if not result.holds] == []
        assert next(result for result in results if result.code == "files_present").checked > 1_500
        assert len(presence.people(session)) == 12
    producer = sample_member(installation.database, "Dimas Prasetyo")
    with installation.database.read_session() as session:
        found = list_page(session, producer, ListFilter(text="kopi"))
        assert found.rows
        assert {row.status for row in list_page(session, producer, ListFilter(), limit=500).rows} == {
            Status.COMPLETED,
            Status.FAILED,
            Status.CANCELLED,
        }


@pytest.mark.both_databases
def test_removed_company_leaves_no_trace(site: Installation, owner: Member) -> None:
    """Every table but the audit log and every file are as they were before it was made, and so is what comes next."""
    rows, files = table_rows(site.database), stored(site)

    assert make.make(site, owner, takes=FEW)
    assert broken_rules(site.database) == []
    assert how_much(site.database) is Presence.THERE
    assert remove.remove(site, owner)

    assert table_rows(site.database) == rows
    assert stored(site) - {"videos"} == files - {"videos"}
    assert acts(site.database) == ["sample.made", "sample.removed"]
    assert broken_rules(site.database) == []
    assert not remove.remove(site, owner)


@pytest.mark.both_databases
def test_what_was_made_in_it_goes_with_it(site: Installation, owner: Member) -> None:
    """Projects, orders, clips, tokens and teams of its people leave no trace either; what waits is cancelled."""
    rows = table_rows(site.database)
    make.make(site, owner, takes=FEW)
    producer = sample_member(site.database, "Bima Saputra")
    create_completed(site.database, producer, prompt="Made meanwhile")
    waiting = create_generation(site.database, producer, prompt="Still in line")
    with site.database.write_session() as session:
        api_tokens.create(session, producer.user, name="script")
        team = Workspace(name="A team of their own")
        session.add(team)
        session.flush()
        ledger.open_account(session, team.id)
        session.add(WorkspaceMember(workspace_id=team.id, user_id=producer.id, role=WorkspaceRole.MANAGER))

    assert waiting.status is Status.PENDING
    assert remove.remove(site, owner)
    assert table_rows(site.database) == rows
    assert broken_rules(site.database) == []


def test_company_stays_while_a_provider_makes_a_clip_of_it(site: Installation, owner: Member) -> None:
    """What a provider has cannot be taken back, so nothing goes until it has ended; then all of it does."""
    make.make(site, owner, takes=FEW)
    row = create_generation(site.database, sample_member(site.database, "Bima Saputra"))
    advance(site.database, row.id, DISPATCHED, SUBMITTING, WAITING)

    with pytest.raises(errors.Conflict) as refused:
        remove.remove(site, owner)
    assert refused.value.message.code == "sample_is_at_work"
    assert how_much(site.database) is Presence.THERE

    row = advance(site.database, row.id, READY_TO_DOWNLOAD, DOWNLOADING)
    with site.database.write_session() as session:
        lifecycle.complete(session, row, build_output(row.id))
    assert remove.remove(site, owner)


def test_company_stays_while_others_figures_hold_its_work(site: Installation, owner: Member) -> None:
    """A clip that one of its people made in somebody's workspace is counted there, so removing says where to look."""
    make.make(site, owner, takes=FEW)
    guest = sample_member(site.database, "Bima Saputra")
    with site.database.write_session() as session:
        rewrite(session, Generation.workspace_id == owner.workspace_id, user_id=guest.id)

    with pytest.raises(errors.Conflict) as refused:
        remove.remove(site, owner)
    assert refused.value.message.code == "sample_is_elsewhere"
    assert how_much(site.database) is Presence.THERE


def test_company_stays_among_itself(site: Installation, owner: Member) -> None:
    """Neither people nor credits nor projects cross its border, so that it can always go; its teams are its own."""
    make.make(site, owner, takes=FEW)
    manager = sample_member(site.database, "Maya Lestari")
    admin = sample_member(site.database, "Arief Nugroho")
    with site.database.write_session() as session:
        own = workspaces.create(session, owner, name="Ours")
    with site.database.write_session() as session:
        project = session.scalars(select(Project).where(Project.workspace_id == manager.workspace_id)).first()
        assert project is not None
    both = dataclasses.replace(manager, roles={**manager.roles, own.id: WorkspaceRole.MANAGER})
    crossings: list[Callable[[WriteSession], object]] = [
        lambda session: members.add(session, owner, own.id, email=manager.email, role=WorkspaceRole.MAKER),
        lambda session: credits.transfer(
            session, owner, from_id=manager.workspace_id, to_id=owner.workspace_id, credits=10, reason="a gift"
        ),
        lambda session: transfer.transfer(session, both, project.id, to_workspace_id=own.id, quota_bytes=None),
        lambda session: merging.merge(session, owner, gone_id=manager.id, into_id=owner.id),
    ]

    for cross in crossings:
        with site.database.write_session() as session, pytest.raises(errors.Conflict) as refused:
            cross(session)
        assert refused.value.message.code == "sample_apart"
    with site.database.write_session() as session:
        assert workspaces.create(session, admin, name="A team of the sample").is_sample
    assert remove.remove(site, owner)


def test_team_in_which_others_have_worked_outlives_the_company(site: Installation, owner: Member) -> None:
    """A team that the owner has left to people of the company keeps the owner's clip."""
    make.make(site, owner, takes=FEW)
    guest = sample_member(site.database, "Bima Saputra")
    team = create_team_of(site.database, guest, name="Left to them")
    with site.database.write_session() as session:
        rewrite(session, Generation.user_id == owner.id, workspace_id=team)

    assert remove.remove(site, owner)
    with site.database.read_session() as session:
        assert session.get(Workspace, team) is not None
        assert session.scalars(select(Generation.prompt)).all() == ["My own lake"]


def test_second_press_makes_nothing(site: Installation, owner: Member) -> None:
    """One that is there is not made again, also when somebody of it was erased, whose workspace is put away."""
    assert make.make(site, owner, takes=FEW)
    rows = table_rows(site.database)

    assert not make.make(site, owner, takes=FEW)
    assert table_rows(site.database) == rows
    with site.database.write_session() as session:
        erased = select(User.id).where(User.is_sample).limit(1).scalar_subquery()
        session.execute(update(Workspace).where(Workspace.id == erased).values(archived_at=utc_now()))
    assert how_much(site.database) is Presence.THERE


def test_two_presses_at_once_make_one_company(site: Installation, owner: Member) -> None:
    """The second one waits for the first and finds the company there."""
    made: list[bool] = []
    threads = [threading.Thread(target=lambda: made.append(make.make(site, owner, takes=FEW))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(made) == [False, True]
    assert broken_rules(site.database) == []
    with site.database.read_session() as session:
        assert len(session.scalars(select(User).where(User.is_sample)).all()) == 12


def test_killed_making_is_begun_anew(site: Installation, owner: Member) -> None:
    """Nobody sees what a killed process has left, and the next press leaves exactly one whole company."""
    with pytest.raises(SystemExit):
        make.make(with_storage(site, lambda root: Dying(root, "copy")), owner, takes=FEW)
    assert how_much(site.database) is Presence.UNFINISHED
    with site.database.read_session() as session:
        assert presence.people(session) == []

    assert make.make(site, owner, takes=FEW)

    assert how_much(site.database) is Presence.THERE
    with site.database.read_session() as session:
        assert [result.code for result in runs.run(session, storage=site.storage) if not result.holds] == [
            "files_present"  # of the owner's own clip, which has none in this test
        ]
        known = {
            key
            for row in session.scalars(select(Generation).where(Generation.user_id != owner.id))
            for key in (row.output_key, row.thumbnail_key, row.preview_key)
            if key
        }
    assert {name for name in stored(site) if "." in name} == known


def test_killed_removing_goes_on_with_the_next_press(site: Installation, owner: Member) -> None:
    """What a killed removal has left is seen by nobody, and goes with the next one."""
    rows, files = table_rows(site.database), stored(site)
    make.make(site, owner, takes=FEW)

    with pytest.raises(SystemExit):
        remove.remove(with_storage(site, lambda root: Dying(root, "delete")), owner)
    assert how_much(site.database) is Presence.UNFINISHED

    assert remove.remove(site, owner)
    assert table_rows(site.database) == rows
    assert stored(site) - {"videos"} == files - {"videos"}


def test_full_disk_leaves_nothing_and_says_what_to_do(site: Installation, owner: Member) -> None:
    """A company without room for its files is not there, and the sentence says where room is needed."""
    rows = table_rows(site.database)

    with pytest.raises(errors.StorageUnavailable) as refused:
        make.make(with_storage(site, Full), owner, takes=FEW)

    assert refused.value.message.code == "sample_needs_room"
    assert table_rows(site.database) == rows


def test_only_administrators_make_and_remove(site: Installation, owner: Member) -> None:
    """It is a matter of the whole installation."""
    with site.database.write_session() as session:
        member = ensure_member(session, "ana@example.org")

    for act in (make.make, remove.remove):
        with pytest.raises(errors.Forbidden):
            act(site, member)


def test_company_is_for_local_mode_only(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where others can reach the pages nobody may be looked as, so there is none; one from before can be removed."""
    owner = Studio(installation.settings).person
    make.make(installation, owner, takes=FEW)
    monkeypatch.setenv("AUTH_MODE", "open")
    opened = installations.reopen()

    with pytest.raises(errors.Conflict) as refused:
        make.make(opened, owner, takes=FEW)
    assert refused.value.message.code == "sample_is_local"
    assert remove.remove(opened, owner)


def test_steps_of_the_past_are_news_to_nobody(site: Installation, owner: Member) -> None:
    """Who follows what happens is told of nothing when it is made, and of the next step when it is gone."""
    with site.database.read_session() as session:
        tail = Tail.at_present(session)
    make.make(site, owner, takes=FEW)
    with site.database.read_session() as session:
        assert tail.read(session) == []
    create_generation(site.database, sample_member(site.database, "Bima Saputra"))
    with site.database.read_session() as session:
        assert len(tail.read(session)) == 1

    remove.remove(site, owner)
    with site.database.read_session() as session:
        assert tail.read(session) == []
    row = create_generation(site.database, owner)
    with site.database.read_session() as session:
        assert [step.generation_id for step in tail.read(session)] == [row.id]


def test_audit_of_what_is_new_sees_what_comes_after_the_company(site: Installation, owner: Member) -> None:
    """SQLite gives ids of what went to what comes; it is checked all the same, by a pass over what is new."""
    make.make(site, owner, takes=FEW)
    create_completed(site.database, sample_member(site.database, "Bima Saputra"))
    with site.database.read_session() as session:
        found = runs.run_incremental(session, overlap_ids=0)
    with site.database.write_session() as session:
        runs.record(session, found)
    remove.remove(site, owner)

    create_completed(site.database, owner)
    with site.database.write_session() as session:
        newest = session.scalars(select(LedgerEntry).order_by(LedgerEntry.id.desc()).limit(1)).one()
        newest.available_after += 1
    with site.database.read_session() as session:
        broken = [each.code for each in runs.run_incremental(session, overlap_ids=0).results if not each.holds]
    assert "balance_chain" in broken


def test_people_of_the_company_have_their_roles(site: Installation, owner: Member) -> None:
    """There is one to look as for every role, makers first."""
    make.make(site, owner, takes=FEW)

    with site.database.read_session() as session:
        found = presence.people(session)
    assert found[0].workspace_role is WorkspaceRole.MAKER
    roles = {one.workspace_role if one.role is Role.USER else one.role for one in found}
    assert roles == {*WorkspaceRole, Role.ANALYST, Role.ADMIN}
    assert all(one.email.endswith("@sample.example") for one in found)


def test_spec_of_every_take_has_a_scene_of_its_shape() -> None:
    """A clip is shown in the shape that was ordered."""
    for take in plan.play(NOW, takes=200).takes:
        assert isinstance(take.spec, GenerationSpec)
        assert take.spec.aspect_ratio == projects.PROJECTS[take.project].scenes[take.scene].aspect_ratio
