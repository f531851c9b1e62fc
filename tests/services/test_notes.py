import pytest
from sqlalchemy import update

from core import errors
from core.db import Database
from core.db.enums import WorkspaceRole
from core.db.tables import User
from core.generations import commands, notes
from core.workspaces.access import Member
from tests.factories.generations import create_completed
from tests.factories.users import create_member
from tests.factories.workspaces import put_in


@pytest.fixture
def ben(database: Database) -> Member:
    """Somebody else."""
    return create_member(database, "ben@example.org")


def texts(database: Database, member: Member, generation_id: str) -> list[str]:
    """The notes that somebody reads on a clip."""
    with database.read_session() as session:
        return [note.text for note in notes.list_page(session, member, generation_id).notes]


@pytest.mark.both_databases
def test_note_when_it_is_written(database: Database, person: Member, ben: Member) -> None:
    """Everybody in the workspace reads it, at its moment, under its writer's name as it is now."""
    row = create_completed(database, person)
    viewer = put_in(database, ben, person.workspace_id, WorkspaceRole.VIEWER)
    with database.write_session() as session:
        first = notes.add(session, person, row.id, text=" <b>Too</b> dark ", at_seconds=2.5)
        notes.add(session, person, row.id, text="Keep this one")
    with database.write_session() as session:
        session.execute(update(User).where(User.id == person.id).values(name="Ana Married"))
    with database.read_session() as session:
        read = notes.list_page(session, viewer, row.id).notes
        assert notes.count(session, viewer, row.id) == 2
    assert [(note.text, note.at_seconds, note.writer.name, note.is_own) for note in read] == [
        ("<b>Too</b> dark", 2.5, "Ana Married", False),
        ("Keep this one", None, "Ana Married", False),
    ]
    assert first.is_own
    assert first.edited_at is None


def test_note_when_the_role_differs(database: Database, person: Member, ben: Member) -> None:
    """Viewers write none; who is not in the workspace finds no clip to write on or to read of."""
    row = create_completed(database, person)
    with database.write_session() as session:
        with pytest.raises(errors.NotFound):
            notes.add(session, ben, row.id, text="Hello")
        with pytest.raises(errors.NotFound):
            notes.list_page(session, ben, row.id)
    viewer = put_in(database, ben, person.workspace_id, WorkspaceRole.VIEWER)
    with database.write_session() as session, pytest.raises(errors.Forbidden):
        notes.add(session, viewer, row.id, text="Hello")
    assert texts(database, person, row.id) == []


@pytest.mark.both_databases
def test_note_when_its_writer_changes_it(database: Database, person: Member, ben: Member) -> None:
    """Own notes are edited, which shows, and taken back; those of others, managers' hands included, are not."""
    row = create_completed(database, person)
    maker = put_in(database, ben, person.workspace_id, WorkspaceRole.MAKER)
    with database.write_session() as session:
        note = notes.add(session, maker, row.id, text="First", at_seconds=1)
    for act in (
        lambda session: notes.edit(session, person, row.id, note.id, text="Mine"),
        lambda session: notes.delete(session, person, row.id, note.id),
    ):
        with database.write_session() as session, pytest.raises(errors.NotFound):
            act(session)
    with database.write_session() as session:
        edited = notes.edit(session, maker, row.id, note.id, text="Second")
    assert (edited.text, edited.at_seconds, edited.edited_at is not None) == ("Second", 1, True)
    assert texts(database, person, row.id) == ["Second"]
    with database.write_session() as session:
        notes.delete(session, maker, row.id, note.id)
    assert texts(database, person, row.id) == []
    for act in (
        lambda session: notes.edit(session, maker, row.id, note.id, text="Third"),
        lambda session: notes.delete(session, maker, row.id, note.id),
    ):
        with database.write_session() as session, pytest.raises(errors.NotFound):
            act(session)


def test_note_when_it_is_asked_for_by_another_clip(database: Database, person: Member) -> None:
    """A note is found on its own clip only."""
    row, other = create_completed(database, person), create_completed(database, person)
    with database.write_session() as session:
        note = notes.add(session, person, row.id, text="Here")
        with pytest.raises(errors.NotFound):
            notes.edit(session, person, other.id, note.id, text="There")
    assert texts(database, person, row.id) == ["Here"]


@pytest.mark.parametrize(
    ("text", "at_seconds", "wrong"),
    [
        ("  ", None, {"text": "note_is_empty"}),
        ("x" * 2001, None, {"text": "text_too_long"}),
        ("a\x00b", None, {"text": "control_characters"}),
        ("fine", -0.1, {"atSeconds": "note_beyond_clip"}),
        ("fine", 5.1, {"atSeconds": "note_beyond_clip"}),
        ("fine", float("nan"), {"atSeconds": "note_beyond_clip"}),
        ("fine", float("inf"), {"atSeconds": "note_beyond_clip"}),
    ],
)
def test_note_when_it_cannot_be_kept(
    database: Database, person: Member, text: str, at_seconds: float | None, wrong: dict[str, str]
) -> None:
    """What is wrong is said of its field."""
    row = create_completed(database, person)
    with database.write_session() as session, pytest.raises(errors.InvalidRequest) as refused:
        notes.add(session, person, row.id, text=text, at_seconds=at_seconds)
    assert {name: said.code for name, said in refused.value.fields.items()} == wrong


def test_notes_when_there_are_several_pages(database: Database, person: Member) -> None:
    """Oldest first, each once."""
    row = create_completed(database, person)
    with database.write_session() as session:
        for number in range(5):
            notes.add(session, person, row.id, text=str(number))
    read: list[str] = []
    cursor = None
    with database.read_session() as session:
        for _ in range(3):
            page = notes.list_page(session, person, row.id, cursor=cursor, limit=2)
            read += [note.text for note in page.notes]
            cursor = page.next_cursor
    assert cursor is None
    assert read == ["0", "1", "2", "3", "4"]


def test_notes_when_their_clip_is_deleted(database: Database, person: Member) -> None:
    """They go out of sight with it."""
    row = create_completed(database, person)
    with database.write_session() as session:
        notes.add(session, person, row.id, text="Here")
        commands.delete(session, person, row.id)
    with database.read_session() as session, pytest.raises(errors.NotFound):
        notes.list_page(session, person, row.id)
