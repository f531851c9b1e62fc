from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from core import errors
from core.db import Database
from core.db.enums import WorkspaceRole
from core.projects import presets
from core.workspaces import named
from core.workspaces.access import Member
from tests.factories.generations import build_spec
from tests.factories.users import create_member
from tests.factories.workspaces import create_team

SPEC = build_spec("kling-2.5", resolution="1080p", duration_seconds=10, aspect_ratio="9:16")


@pytest.fixture
def stranger(database: Database) -> Member:
    """Somebody else."""
    return create_member(database, "eve@example.org", credits=0)


def names(database: Database, user: Member) -> list[str]:
    """What somebody can choose from."""
    with database.read_session() as session:
        return [preset.name for preset in presets.list_visible(session, user)]


def test_save_when_the_name_is_new(database: Database, person: Member) -> None:
    """What was saved is what is applied, to the field."""
    with database.write_session() as session:
        saved = presets.create(session, person, name="  Reels ", spec=SPEC)
    with database.read_session() as session:
        found = presets.get(session, person, saved.id)

    assert found.name == "Reels"
    assert found.spec == SPEC


def test_browse_when_others_share(database: Database, person: Member, stranger: Member) -> None:
    """One's own come first, then what others of the workspace share; what they do not share stays theirs."""
    alone = person
    person, stranger = create_team(database, (person, WorkspaceRole.MAKER), (stranger, WorkspaceRole.MAKER))
    with database.write_session() as session:
        for user, name, shared in (
            (person, "Reels", False),
            (person, "Ads", True),
            (stranger, "Atlas", True),
            (stranger, "Private", False),
        ):
            presets.create(session, user, name=name, spec=SPEC, shared=shared)

    assert names(database, person) == ["Ads", "Reels", "Atlas"]
    assert names(database, stranger) == ["Atlas", "Private", "Ads"]
    assert names(database, alone) == [], "another workspace sees nothing of it"


def test_everything_when_it_is_not_theirs(database: Database, person: Member, stranger: Member) -> None:
    """A shared preset can be applied by others and changed by nobody but its person; a private one does not exist."""
    person, stranger = create_team(database, (person, WorkspaceRole.MAKER), (stranger, WorkspaceRole.MAKER))
    with database.write_session() as session:
        shared = presets.create(session, person, name="Reels", spec=SPEC, shared=True)
        private = presets.create(session, person, name="Ads", spec=SPEC)
    with database.read_session() as session:
        assert presets.get(session, stranger, shared.id).id == shared.id
    for attempt in (
        lambda s: presets.get(s, stranger, private.id),
        lambda s: presets.update(s, stranger, shared.id, name="Mine"),
        lambda s: presets.delete(s, stranger, shared.id),
    ):
        with pytest.raises(errors.NotFound), database.write_session() as session:
            attempt(session)
    assert names(database, person) == ["Ads", "Reels"]


def test_save_when_the_name_is_used(database: Database, person: Member, stranger: Member) -> None:
    """Nothing is replaced by accident; another person may use the same name."""
    with database.write_session() as session:
        first = presets.create(session, person, name="Reels", spec=SPEC)
        other = presets.create(session, person, name="Ads", spec=SPEC)
        presets.create(session, stranger, name="Reels", spec=SPEC)
    with pytest.raises(errors.Conflict), database.write_session() as session:
        presets.create(session, person, name="Reels", spec=replace(SPEC, prompt=""))
    with pytest.raises(errors.Conflict), database.write_session() as session:
        presets.update(session, person, other.id, name="Reels")
    with database.read_session() as session:
        assert presets.get(session, person, first.id).spec == SPEC


def test_change_when_it_is_theirs(database: Database, person: Member) -> None:
    """Name, sharing and settings change each by itself."""
    with database.write_session() as session:
        saved = presets.create(session, person, name="Reels", spec=SPEC)
        presets.update(session, person, saved.id, name="Reels")
        presets.update(session, person, saved.id, name="Stories", shared=True)
        presets.update(session, person, saved.id, spec=replace(SPEC, duration_seconds=5))
    with database.read_session() as session:
        found = presets.get(session, person, saved.id)

    assert (found.name, found.shared) == ("Stories", True)
    assert found.spec.duration_seconds == 5


def test_delete_when_it_is_theirs(database: Database, person: Member) -> None:
    """What is deleted is gone, and its name free."""
    with database.write_session() as session:
        saved = presets.create(session, person, name="Reels", spec=SPEC)
        presets.delete(session, person, saved.id)
        presets.create(session, person, name="Reels", spec=SPEC)
    assert names(database, person) == ["Reels"]


@pytest.mark.parametrize(
    ("name", "changes", "field"),
    [
        (" ", {}, "name"),
        ("x" * 81, {}, "name"),
        ("a\x00b", {}, "name"),
        ("Reels", {"model_id": "nobody"}, "modelId"),
        ("Reels", {"duration_seconds": 7}, "duration"),
        ("Reels", {"resolution": "4K"}, "resolution"),
        ("Reels", {"negative_prompt": "rain"}, "negativePrompt"),
        ("Reels", {"prompt": "x" * 2_001}, "prompt"),
    ],
)
def test_save_when_it_cannot_be_used(
    database: Database, person: Member, name: str, changes: dict[str, object], field: str
) -> None:
    """A preset that no order could use is refused on its field."""
    with pytest.raises(errors.InvalidRequest) as raised, database.write_session() as session:
        presets.create(session, person, name=name, spec=replace(SPEC, **changes))  # type: ignore[arg-type]  # a table
    assert field in raised.value.fields


def test_save_when_the_model_needs_an_image(database: Database, person: Member) -> None:
    """Images come with the order, so a model that cannot do without one has presets all the same."""
    with database.write_session() as session:
        saved = presets.create(session, person, name="Still", spec=build_spec("svd", duration_seconds=4))
    assert saved.spec.model_id == "svd"


def test_save_when_there_are_too_many(database: Database, person: Member) -> None:
    """Nobody fills the table."""
    with database.write_session() as session:
        for number in range(named.MOST):
            presets.create(session, person, name=f"Preset {number}", spec=SPEC)
        with pytest.raises(errors.InvalidRequest):
            presets.create(session, person, name="One more", spec=SPEC)


def test_spec_when_written_by_another_version(database: Database, person: Member) -> None:
    """A field that nobody knows today does not make a preset unusable."""
    with database.write_session() as session:
        saved = presets.create(session, person, name="Reels", spec=SPEC)
        saved.settings = {**saved.settings, "mood": "calm"}
    assert saved.spec == SPEC


def test_browse_uses_the_index_of_shared_ones(sqlite_template: Path) -> None:
    """The shared presets of a large installation are not searched among all."""
    database = Database(f"sqlite:///{sqlite_template}")
    with database.read_session() as session:
        query = "EXPLAIN QUERY PLAN SELECT id FROM presets WHERE presets.shared AND user_id != 'x' ORDER BY name, id"
        plan = " ".join(str(row) for row in session.execute(text(query)))
    database.dispose()
    assert "ix_presets_shared" in plan


@pytest.mark.parametrize("name", ["cafe\u0301 night", "CAFÉ NIGHT", "Cafe night"])
def test_save_when_the_name_is_used_in_another_spelling(database: Database, person: Member, name: str) -> None:
    """A name that people would read as the same is taken; one's own may change its spelling."""
    with database.write_session() as session:
        first = presets.create(session, person, name="Café night", spec=SPEC)
        with pytest.raises(errors.Conflict):
            presets.create(session, person, name=name, spec=SPEC)
        assert presets.update(session, person, first.id, name=name).name == name
