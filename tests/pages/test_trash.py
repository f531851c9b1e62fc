"""Deleted clips below the library."""

import pytest

from core import db
from core.generations import commands
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
