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


def test_draft_of_another_session_is_set_aside(database: Database, person: Member) -> None:
    """The newest wins, and what the other tab had written since is not lost: it can be taken back, and back again."""

    def save(prompt: str, tab: str, based_on: drafts.Saved | None) -> drafts.Saved:
        with database.write_session() as session:
            kept = drafts.save(
                session,
                person,
                "generate",
                {"prompt": prompt},
                written_by=tab,
                based_on=based_on.at if based_on else None,
            )
        assert kept is not None
        return kept

    first = save("of both", "one", None)
    theirs = save("of two", "two", first)  # the second tab took up what the first one had
    assert theirs.set_aside_at is None
    ours = save("of one", "one", first)
    assert ours.set_aside_at == theirs.at
    assert save("of one, longer", "one", ours).set_aside_at == theirs.at
    with database.write_session() as session:
        found = drafts.take_back(session, person, "generate", written_by="one")
        assert found is not None
        assert (found.content, found.set_aside) == ({"prompt": "of two"}, {"prompt": "of one, longer"})
        drafts.leave_aside(session, person, "generate")
        assert drafts.take_back(session, person, "generate", written_by="one") is None
    with database.read_session() as reading:
        found = drafts.find(reading, person, "generate")
    assert found is not None
    assert (found.content, found.set_aside, found.set_aside_at) == ({"prompt": "of two"}, None, None)


def test_draft_that_comes_late_is_put_beside_the_newer_one(database: Database, person: Member) -> None:
    """What a tab could not tell in time takes nobody's place, and can be taken back; without a draft nothing is put."""
    with database.write_session() as session:
        assert drafts.put_aside(session, person, "generate", {"prompt": "late"}) is None
        drafts.save(session, person, "generate", WRITTEN, written_by="tab")
        at = drafts.put_aside(session, person, "generate", {"prompt": "late"})
        assert drafts.put_aside(session, person, "generate", {"prompt": "x" * drafts.LIMIT_CHARS}) is None
    with database.read_session() as session:
        found = drafts.find(session, person, "generate")
        assert found is not None
        assert (found.content, found.set_aside, found.set_aside_at) == (WRITTEN, {"prompt": "late"}, at)
    with database.write_session() as session:
        taken = drafts.take_back(session, person, "generate", written_by="tab")
        assert taken is not None
        assert taken.content == {"prompt": "late"}
