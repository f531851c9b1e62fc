"""Deleted clips below the library."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from core import db
from core.db.tables import Generation
from core.generations import commands, review
from core.generations.list_filter import ReviewStatus
from core.generations.review import Changes
from pages.sections.history import trash
from tests.factories import installations
from tests.factories.generations import load_generation
from tests.factories.studio import Studio
from tests.pages.conftest import Open


def test_deleted_clip_is_brought_back(open_page: Open, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without days there is no trash; with some, a press takes a clip out of it."""
    row = studio.complete(studio.order(studio.project()))
    with db.write_session() as session:
        commands.delete(session, studio.person, row.id)
    assert "history_trash" not in open_page("history").session_state

    monkeypatch.setenv("TRASH_DAYS", "14")
    installations.reopen()
    at = open_page("history")
    at.session_state["history_trash"] = True
    at.run()
    at.button(key=f"history_trash_{row.id}").click().run()

    assert not at.exception
    assert load_generation(row.id).deleted_at is None


def test_deleting_says_whether_a_clip_can_come_back(
    open_page: Open, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gone for good where there is no trash, else for how long it can be brought back."""
    row = studio.complete(studio.order(studio.project()))
    at = open_page("history", clip=row.id)
    assert at.button(key=f"clip_delete_{row.id}").label == "Delete for good"

    monkeypatch.setenv("TRASH_DAYS", "1")
    installations.reopen()
    at = open_page("history", clip=row.id)
    assert any("brought back for 1 day," in text.value for text in at.markdown)
    assert at.button(key=f"clip_delete_{row.id}").label == "Move to the trash"
    at.button(key=f"clip_delete_{row.id}").click().run()
    assert [toast.value for toast in at.toast] == ["The clip is in the trash, at the end of History."]


def test_clip_says_when_it_leaves(open_page: Open, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once its people were told, and only while it would go: whoever keeps it sees that it stays."""
    for name in ("TRASH_DAYS", "UNDECIDED_CLIP_DAYS"):
        monkeypatch.setenv(name, "14")
    installations.reopen()
    row = studio.complete(studio.order(studio.project()))

    def told() -> bool:
        return any(
            "Goes to the trash on 7 Jan 2030" in each.value for each in open_page("history", clip=row.id).caption
        )

    assert not told()
    with db.write_session() as session:
        session.execute(update(Generation).values(leaves_at=datetime(2030, 1, 7, 12, tzinfo=UTC)))
    assert told()
    with db.write_session() as session:
        review.update(session, studio.person, row.id, Changes(verdict=ReviewStatus.KEPT))
    assert not told()


def test_trash_is_turned_a_page_at_a_time(open_page: Open, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is on the next page; when it came back, the first page is shown again."""
    monkeypatch.setenv("TRASH_DAYS", "14")
    installations.reopen()
    project, ids = studio.project(), []
    for _ in range(trash.PAGE_SIZE + 1):
        row = studio.order(project)
        with db.write_session() as session:
            commands.cancel(session, studio.person, row.id)
            commands.delete(session, studio.person, row.id)
        ids.append(row.id)
    at = open_page("history")
    at.session_state["history_trash"] = True
    at.run()
    assert shown(at) == set(ids[1:])
    at.button(key="history_trash_next").click().run()
    assert shown(at) == {ids[0]}
    at.button(key=f"history_trash_{ids[0]}").click().run()
    assert shown(at) == set(ids[1:])


def shown(at: AppTest) -> set[str]:
    """Ids of the clips that can be brought back on this page."""
    keys = (button.key or "" for button in at.button if button.label == "Bring back")
    return {key.removeprefix("history_trash_") for key in keys}
