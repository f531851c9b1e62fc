"""Services refuse whoever's role does not allow what they ask, by the workspace of what is touched.

Every door is tried by `tests/api/test_permissions.py`; here is what no door shows.
"""

import pytest

from core import errors
from core.billing import ledger
from core.db import Database
from core.db.enums import WorkspaceRole
from core.db.tables import Generation, WorkspaceMember
from core.generations import batches, commands
from core.generations.submit import submit
from core.projects import drafts, presets
from core.workspaces.access import Member
from tests.factories.generations import (
    CONFIGURED,
    QUOTA_BYTES,
    build_order,
    build_spec,
    create_completed,
    create_generation,
)
from tests.factories.projects import create_project
from tests.factories.users import create_member
from tests.factories.workspaces import create_team

HOW = {"configured": CONFIGURED, "quota_bytes": QUOTA_BYTES}


@pytest.fixture
def ana(database: Database) -> Member:
    """Somebody with no credits of her own, who makes clips in a team that has 10,000."""
    return create_team(database, (create_member(database, credits=0), WorkspaceRole.MAKER))[0]


def joined(database: Database, team: Member, email: str, role: WorkspaceRole) -> Member:
    """Somebody else in the same team."""
    person = create_member(database, email, credits=0)
    with database.write_session() as session:
        session.add(WorkspaceMember(workspace_id=team.workspace_id, user_id=person.id, role=role))
    return Member(person.user, team.workspace_id, {**person.roles, team.workspace_id: role})


def test_batch_when_a_team_pays(database: Database, ana: Member) -> None:
    """Several clips at once are paid by the workspace of their project, whatever the person has of their own."""
    project = create_project(database, ana)
    with database.write_session() as session:
        rows = batches.submit_batch(session, ana, [build_order(project.id)] * 2, **HOW)  # type: ignore[arg-type]
        assert ledger.balance(session, ana.workspace_id) == ledger.Balance(9_900, 100)
    assert {row.workspace_id for row in rows} == {ana.workspace_id}

    with database.write_session() as session:
        ledger.adjust(session, ana.workspace_id, credits=-9_850, key="spent", actor="test", reason="spent")
    with database.write_session() as session, pytest.raises(errors.InsufficientCredits) as short:
        batches.submit_batch(session, ana, [build_order(project.id)] * 2, **HOW)  # type: ignore[arg-type]
    assert (short.value.needed_credits, short.value.available_credits) == (100, 50)


def test_key_that_a_colleague_has_used(database: Database, ana: Member) -> None:
    """A key is its person's own: the same word from a colleague orders anew."""
    ben = joined(database, ana, "ben@example.org", WorkspaceRole.MAKER)
    project = create_project(database, ana)
    made: list[Generation] = []
    for person in (ana, ben):
        with database.write_session() as session:
            made += batches.submit_batch(session, person, [build_order(project.id)] * 2, key="monday", **HOW)  # type: ignore[arg-type]
    assert [row.user_id for row in made] == [ana.id, ana.id, ben.id, ben.id]
    assert len({row.id for row in made}) == 4


def test_repeat_from_outside(database: Database, ana: Member) -> None:
    """Who has left a workspace learns nothing of what they ordered there, also not by its key."""
    row = create_generation(database, ana, idempotency_key="monday")
    outside = Member(ana.user, ana.id, {ana.id: WorkspaceRole.MANAGER})
    order = build_order(row.project_id)
    with database.write_session() as session, pytest.raises(errors.NotFound):
        submit(session, outside, order, configured=CONFIGURED, quota_bytes=QUOTA_BYTES, idempotency_key="monday")
    with database.write_session() as session, pytest.raises(errors.NotFound):
        batches.submit_batch(session, outside, [order], key="monday", **HOW)  # type: ignore[arg-type]


def test_deleting_several_that_have_not_ended(database: Database, ana: Member) -> None:
    """Who may not delete is refused before it is looked at whether there is something to delete."""
    row = create_generation(database, ana)
    with database.write_session() as session, pytest.raises(errors.Forbidden):
        commands.delete_many(session, ana, [row.id])


def test_deleting_clips_of_two_workspaces(database: Database, ana: Member) -> None:
    """A manager here who is a maker there deletes none of both."""
    own = Member(ana.user, ana.id, ana.roles)
    here, there = create_generation(database, ana), None
    with database.write_session() as session:
        ledger.grant(session, ana.id, credits=100, key="own", actor="test", reason="to begin with")
    there = create_completed(database, own)
    with database.write_session() as session, pytest.raises(errors.Forbidden):
        commands.delete_many(session, ana, [here.id, there.id])
    with database.write_session() as session:
        assert commands.delete_many(session, ana, [there.id]) == 1


def test_viewer_keeps_nothing(database: Database, ana: Member) -> None:
    """A viewer has neither draft nor preset, and one that they made before stays as it is."""
    with database.write_session() as session:
        preset = presets.create(session, ana, name="Reels", spec=build_spec())
    viewer = Member(ana.user, ana.workspace_id, {ana.workspace_id: WorkspaceRole.VIEWER})
    with database.write_session() as session:
        with pytest.raises(errors.Forbidden):
            drafts.save(session, viewer, "generate", {"prompt": "A lake"}, written_by="")
        with pytest.raises(errors.Forbidden):
            presets.delete(session, viewer, preset.id)
        assert presets.get(session, viewer, preset.id).name == "Reels"
