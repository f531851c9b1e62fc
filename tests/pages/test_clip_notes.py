import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from core import db
from core.db.enums import WorkspaceRole
from core.db.tables import User, WorkspaceMember
from core.generations import notes
from core.generations.notes import Note
from pages.elements import moments
from tests.factories.studio import Studio
from tests.factories.users import create_member
from tests.factories.workspaces import put_in
from tests.pages.conftest import Open, sent, turned_to


def shown(at: AppTest) -> str:
    """All HTML of a page."""
    return "\n".join(part.proto.body for part in at.get("html"))


def notes_on(studio: Studio, generation_id: str) -> list[Note]:
    """What is written on a clip."""
    with db.read_session() as session:
        return list(notes.list_page(session, studio.person, generation_id).notes)


def field(at: AppTest, kind: str, generation_id: str) -> str:
    """The key of a field of the form as it stands."""
    found = [str(each.key) for each in (*at.text_area, *at.number_input) if each.key]
    return next(key for key in found if key.startswith(f"clip_note_{kind}_{generation_id}"))


def press(at: AppTest, label: str) -> AppTest:
    """Press the button of this name."""
    return next(button for button in at.button if button.label == label).click().run()


def test_note_is_written_at_a_moment(open_page: Open, studio: Studio) -> None:
    """It is there for everybody, as a text and no markup; the next form is an empty one."""
    row = studio.complete(studio.order(studio.project()))
    at = turned_to(open_page("history", clip=row.id), "Notes")
    at.text_area(key=field(at, "new", row.id)).set_value("<b>Too dark</b> **here**")
    at.number_input(key=field(at, "at", row.id)).set_value(2.5)
    press(at, "Add note")

    assert not at.error
    assert [(note.text, note.at_seconds) for note in notes_on(studio, row.id)] == [("<b>Too dark</b> **here**", 2.5)]
    assert "&lt;b&gt;Too dark&lt;/b&gt; **here**" in shown(at)
    assert "at 0:02.5" in shown(at)
    assert at.text_area(key=field(at, "new", row.id)).value == ""
    assert (sent(at, "clip_moments") or {})["moments"] == [{"at": 2.5, "label": "Go to 0:02.5"}]


def test_note_that_is_empty_is_refused(open_page: Open, studio: Studio) -> None:
    """The reason is said, and nothing is written."""
    row = studio.complete(studio.order(studio.project()))
    at = turned_to(open_page("history", clip=row.id), "Notes")
    press(at, "Add note")
    assert [error.value for error in at.error] == ["Write something."]
    assert notes_on(studio, row.id) == []


def test_own_note_is_edited_and_deleted(open_page: Open, studio: Studio) -> None:
    """Its writer changes it, which shows, and takes it back; nobody else's has these buttons."""
    row = studio.complete(studio.order(studio.project()))
    ben = create_member(db.default(), "ben@example.org")
    maker = put_in(db.default(), ben, studio.person.workspace_id, WorkspaceRole.MAKER)
    with db.write_session() as session:
        own = notes.add(session, studio.person, row.id, text="First")
        other = notes.add(session, maker, row.id, text="Of Ben")
    at = turned_to(open_page("history", clip=row.id), "Notes")
    keys = [button.key for button in at.button]
    assert f"clip_note_save_{other.id}" not in keys
    next(area for area in at.text_area if (area.key or "").startswith(f"clip_note_text_{own.id}")).set_value("Second")
    at.button(key=f"clip_note_save_{own.id}").click().run()
    assert [note.text for note in notes_on(studio, row.id)] == ["Second", "Of Ben"]
    assert "edited" in shown(at)
    at.button(key=f"clip_note_delete_{own.id}").click().run()
    assert [note.text for note in notes_on(studio, row.id)] == ["Of Ben"]


def test_viewer_reads_and_does_not_write(open_page: Open, studio: Studio) -> None:
    """Everybody in the workspace reads, with the writer's name as it is now; a viewer has no form."""
    row = studio.complete(studio.order(studio.project()))
    with db.write_session() as session:
        notes.add(session, studio.person, row.id, text="Keep this one")
        session.execute(update(User).where(User.id == studio.person.id).values(name="Ana & Co"))
        session.execute(update(WorkspaceMember).values(role=WorkspaceRole.VIEWER))
    at = turned_to(open_page("history", clip=row.id), "Notes")
    assert "Keep this one" in shown(at)
    assert "Ana &amp; Co" in shown(at)
    assert "Add note" not in [button.label for button in at.button]
    assert not [area for area in at.text_area if (area.key or "").startswith("clip_note")]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0:00"), (2.5, "0:02.5"), (59.96, "1:00"), (61, "1:01"), (605.04, "10:05")]
)
def test_clock(seconds: float, words: str) -> None:
    """A moment is written as players write it."""
    assert moments.clock(seconds) == words
