import pytest

from core.db import Database
from core.projects import drafts
from core.workspaces.access import Member
from tests.factories.users import create_member

pytestmark = pytest.mark.both_databases  # keeping one is an upsert, in each database's words

WRITTEN = {"prompt": "Angin 🌊", "start_image": {"key": "images/a.jpg", "title": "a.jpg", "notes": []}}


def test_draft_is_kept_for_its_person_and_form(database: Database, person: Member) -> None:
    """What was written comes back as it was, by which session, and to nobody else and no other form."""
    other = create_member(database, "ben@example.org")
    with database.write_session() as session:
        assert drafts.save(session, person, "generate", WRITTEN, written_by="a tab")
    with database.read_session() as session:
        found = drafts.find(session, person, "generate")
        assert found is not None
        assert (found.content, found.written_by) == (WRITTEN, "a tab")
        assert drafts.find(session, person, "webhook") is None
        assert drafts.find(session, other, "generate") is None


def test_draft_written_again_takes_the_place_of_the_one_before(database: Database, person: Member) -> None:
    """There is one draft of a form, the latest, however many tabs write."""
    for tab in ("one", "two"):
        with database.write_session() as session:
            drafts.save(session, person, "generate", WRITTEN | {"prompt": tab}, written_by=tab)
    with database.read_session() as session:
        found = drafts.find(session, person, "generate")
    assert found is not None
    assert (found.content["prompt"], found.written_by) == ("two", "two")


def test_draft_too_long_is_not_kept_and_says_so(database: Database, person: Member) -> None:
    """A pasted book leaves what was kept before."""
    with database.write_session() as session:
        assert drafts.save(session, person, "generate", WRITTEN, written_by="tab")
        assert not drafts.save(session, person, "generate", {"prompt": "x" * drafts.LIMIT_CHARS}, written_by="tab")
    with database.read_session() as session:
        found = drafts.find(session, person, "generate")
    assert found is not None
    assert found.content == WRITTEN
