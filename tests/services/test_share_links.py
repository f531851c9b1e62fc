import hashlib
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from core import errors
from core.clock import utc_now
from core.db import Database, WriteSession
from core.db.enums import VisitKind, WorkspaceRole
from core.db.tables import (
    AuditLogEntry,
    Generation,
    ShareLink,
    ShareLinkClip,
    ShareLinkVisit,
    User,
    Workspace,
    WorkspaceMember,
)
from core.generations import commands, share_links, share_visits
from core.generations.share_links import LinkState, Made
from core.generations.share_visits import SharedSet, Visitor
from core.messages import message
from core.workspaces.access import Member
from tests.factories.generations import create_completed, create_generation, rewrite
from tests.factories.users import create_member
from tests.factories.workspaces import put_in

STRANGER = Visitor("203.0.113.7", "Some browser")


@pytest.fixture
def ben(database: Database) -> Member:
    """Somebody else."""
    return create_member(database, "ben@example.org")


def share(database: Database, member: Member, *rows: Generation, **choices: Any) -> Made:
    """A link to these clips."""
    with database.write_session() as session:
        return share_links.make(session, member, [row.id for row in rows], **choices)


def look(database: Database, token: str) -> SharedSet:
    """What a stranger with this token sees."""
    with database.read_session() as session:
        return share_visits.look(session, token)


def opens(database: Database, token: str) -> bool:
    """Whether a link opens; what does not, says the same whatever the cause."""
    try:
        look(database, token)
    except errors.NotFound as gone:
        return gone.message != message("not_found")
    return True


def fields(refused: pytest.ExceptionInfo[errors.InvalidRequest]) -> dict[str, str]:
    """Field -> code of what is wrong with it."""
    return {name: wrong.code for name, wrong in refused.value.fields.items()}


def acts(database: Database) -> list[str]:
    """What is written down of links."""
    with database.read_session() as session:
        return list(
            session.scalars(
                select(AuditLogEntry.action)
                .where(AuditLogEntry.action.startswith("share_link."))
                .order_by(AuditLogEntry.id)
            )
        )


@pytest.mark.both_databases
def test_link_when_it_is_made(database: Database, person: Member) -> None:
    """It opens its clips in the chosen order; of its token only a hash is kept, and the act is written down."""
    rows = [create_completed(database, person, prompt=f"clip {number}") for number in range(3)]
    made = share(database, person, rows[2], rows[0], rows[1], rows[0], title="  For  the client ", lifetime_hours=48)

    seen = look(database, made.token)
    assert seen.title == "For the client"
    assert [(clip.place, clip.generation_id) for clip in seen.clips] == [
        (1, rows[2].id),
        (2, rows[0].id),
        (3, rows[1].id),
    ]
    assert {clip.prompt for clip in seen.clips} == {""}, "a prompt is shown only where that was chosen"
    assert (seen.allow_download, seen.password_hash) == (False, None)
    assert seen.expires_at - made.link.created_at == timedelta(hours=48)
    with database.read_session() as session:
        kept = session.get_one(ShareLink, made.link.id)
        assert kept.token_hash == hashlib.sha256(made.token.encode()).hexdigest()
        entry = session.scalars(select(AuditLogEntry).where(AuditLogEntry.action == "share_link.made")).one()
        assert (entry.actor, entry.target_id, entry.workspace_id) == (person.email, kept.id, person.workspace_id)
        assert made.token not in repr(entry.after)
        assert entry.after is not None
        assert entry.after["clips"] == 3


def test_prompt_when_it_may_be_shown(database: Database, person: Member) -> None:
    """With the maker's tick strangers read what the clip was made from."""
    row = create_completed(database, person, prompt="a lake at dusk")
    made = share(database, person, row, show_prompt=True)
    assert [clip.prompt for clip in look(database, made.token).clips] == ["a lake at dusk"]


@pytest.mark.parametrize(
    ("choices", "wrong"),
    [
        ({"lifetime_hours": 0}, {"lifetimeHours": "share_lifetime"}),
        ({"lifetime_hours": 90 * 24 + 1}, {"lifetimeHours": "share_lifetime"}),
        ({"title": "x" * 121}, {"title": "text_too_long"}),
        ({"title": "a\x00b"}, {"title": "control_characters"}),
    ],
)
def test_link_when_a_field_is_wrong(
    database: Database, person: Member, choices: dict[str, Any], wrong: dict[str, str]
) -> None:
    """What is wrong is said of its field, and nothing is made."""
    row = create_completed(database, person)
    with pytest.raises(errors.InvalidRequest) as refused:
        share(database, person, row, **choices)
    assert fields(refused) == wrong
    assert acts(database) == []


def test_link_when_the_clips_cannot_be_shared(database: Database, person: Member, ben: Member) -> None:
    """None, too many, unfinished, deleted, other people's, or of two workspaces: no link."""
    done, waiting, gone = create_completed(database, person), create_generation(database, person), None
    with pytest.raises(errors.InvalidRequest) as nothing:
        share(database, person)
    assert fields(nothing) == {"generationIds": "share_without_clips"}
    with database.write_session() as session, pytest.raises(errors.InvalidRequest) as many:
        share_links.make(session, person, [f"id {number}" for number in range(201)])
    assert fields(many) == {"generationIds": "share_too_many_clips"}
    with pytest.raises(errors.InvalidRequest) as unfinished:
        share(database, person, done, waiting)
    assert fields(unfinished) == {"generationIds": "share_not_completed"}

    gone = create_completed(database, person)
    with database.write_session() as session:
        commands.delete(session, person, gone.id)
    with pytest.raises(errors.NotFound):
        share(database, person, done, gone)
    with pytest.raises(errors.NotFound):
        share(database, ben, done)
    in_both = put_in(database, ben, person.workspace_id, WorkspaceRole.MAKER)
    bens = create_completed(database, ben)
    with pytest.raises(errors.InvalidRequest) as mixed:
        share(database, in_both, done, bens)
    assert fields(mixed) == {"generationIds": "share_one_workspace"}
    with database.read_session() as session:
        assert session.scalar(select(func.count()).select_from(ShareLink)) == 0


@pytest.mark.parametrize("role", list(WorkspaceRole))
def test_sharing_when_the_role_differs(database: Database, person: Member, ben: Member, role: WorkspaceRole) -> None:
    """Makers and managers make, list and revoke links of their workspace; viewers may do none of that."""
    row = create_completed(database, person)
    made = share(database, person, row)
    other = put_in(database, ben, person.workspace_id, role)
    if role is WorkspaceRole.VIEWER:
        with pytest.raises(errors.Forbidden):
            share(database, other, row)
        with database.write_session() as session, pytest.raises(errors.Forbidden):
            share_links.list_page(session, other)
        with database.write_session() as session, pytest.raises(errors.Forbidden):
            share_links.revoke(session, other, made.link.id)
        assert opens(database, made.token)
        return
    with database.write_session() as session:
        share_links.revoke(session, other, made.link.id)
    with database.read_session() as session:
        page = share_links.list_page(session, other)
    assert [(row.link.id, row.maker, row.state) for row in page.rows] == [
        (made.link.id, person.user.name, LinkState.REVOKED)
    ]
    assert opens(database, share(database, other, row).token)


def test_link_when_it_is_of_others(database: Database, person: Member, ben: Member) -> None:
    """Who is not in the workspace finds no link of it."""
    made = share(database, person, create_completed(database, person))
    with database.write_session() as session:
        assert share_links.list_page(session, ben).rows == []
        with pytest.raises(errors.NotFound):
            share_links.get(session, ben, made.link.id)
        with pytest.raises(errors.NotFound):
            share_links.revoke(session, ben, made.link.id)
    assert opens(database, made.token)


def test_list_when_there_are_several_pages(database: Database, person: Member) -> None:
    """Newest first, a page at a time, each once, with the clips that it still shows."""
    rows = [create_completed(database, person) for _ in range(2)]
    made = [share(database, person, *rows).link.id for _ in range(5)]
    with database.write_session() as session:
        commands.delete(session, person, rows[0].id)
    found: list[share_links.LinkRow] = []
    cursor = None
    with database.read_session() as session:
        for _ in range(3):
            page = share_links.list_page(session, person, cursor=cursor, limit=2)
            found += page.rows
            cursor = page.next_cursor
    assert cursor is None
    assert [row.link.id for row in found] == sorted(made, reverse=True)  # two of one millisecond are in either order
    assert {row.clip_count for row in found} == {1}


@pytest.mark.both_databases
def test_revoking_when_it_is_done_twice(database: Database, person: Member) -> None:
    """It ends at once; the second time changes nothing and is no act."""
    made = share(database, person, create_completed(database, person))
    for _ in range(2):
        with database.write_session() as session:
            share_links.revoke(session, person, made.link.id)
        assert not opens(database, made.token)
    assert acts(database) == ["share_link.made", "share_link.revoked"]


def test_link_when_nobody_was_given_it(database: Database) -> None:
    """A token that was made up, cut off or lengthened is not there."""
    for token in ("", "x", "A" * 43, "A" * 44, "../../etc", "A" * 42 + "\n"):
        assert not opens(database, token)


def expire(session: Any, made: Made, person: Member) -> None:
    """Let its time pass."""
    session.execute(update(ShareLink).values(expires_at=utc_now() - timedelta(seconds=1)))


def delete_clips(session: Any, made: Made, person: Member) -> None:
    """Delete all it shows."""
    ids = list(session.scalars(select(ShareLinkClip.generation_id)))
    commands.delete_many(session, person, ids)


def archive(session: Any, made: Made, person: Member) -> None:
    """Put its workspace away."""
    session.execute(update(Workspace).where(Workspace.id == made.link.workspace_id).values(archived_at=utc_now()))


def deactivate(session: Any, made: Made, person: Member) -> None:
    """Let the person whose own workspace it is go."""
    session.execute(update(User).where(User.id == person.id).values(deactivated_at=utc_now()))


def move_away(session: Any, made: Made, person: Member) -> None:
    """Hand its clips over to another workspace."""
    other = Workspace(name="Elsewhere")
    session.add(other)
    session.flush()
    rewrite(session, workspace_id=other.id)


@pytest.mark.parametrize("end", [expire, delete_clips, archive, deactivate, move_away])
def test_link_when_it_has_ended(database: Database, person: Member, end: Any) -> None:
    """Whatever ends a link, it is gone at the next look, and says nothing of why."""
    made = share(database, person, create_completed(database, person), create_completed(database, person))
    assert opens(database, made.token)
    with database.write_session() as session:
        end(session, made, person)
    assert not opens(database, made.token)


def test_link_when_one_of_its_clips_is_deleted(database: Database, person: Member) -> None:
    """The others keep their places, so that an address that was noted goes on meaning the same clip."""
    rows = [create_completed(database, person) for _ in range(3)]
    made = share(database, person, *rows)
    with database.write_session() as session:
        commands.delete(session, person, rows[1].id)
    assert [clip.place for clip in look(database, made.token).clips] == [1, 3]
    with database.read_session() as session, pytest.raises(errors.NotFound):
        share_visits.look(session, made.token, place=2)


@pytest.mark.both_databases
def test_visits_when_somebody_comes(database: Database, person: Member) -> None:
    """Each is a row with its time and from where; views are counted, refusals and downloads are not views."""
    row = create_completed(database, person)
    made = share(database, person, row)
    long = Visitor("203.0.113.7" * 10, "agent" * 100)
    with database.write_session() as session:
        seen = share_visits.look(session, made.token)
        share_visits.note_visit(session, seen, VisitKind.VIEW, STRANGER)
        share_visits.note_visit(session, seen, VisitKind.VIEW, long)
        share_visits.note_visit(session, seen, VisitKind.DOWNLOAD, STRANGER, generation_id=row.id)
    with database.read_session() as session:
        found = share_links.get(session, person, made.link.id)
        visits = share_links.visits(session, found.link)
        assert found.link.view_count == 2
        assert found.link.last_viewed_at is not None
        assert [visit.kind for visit in visits] == [VisitKind.DOWNLOAD, VisitKind.VIEW, VisitKind.VIEW]
        assert (visits[0].generation_id, visits[0].address, visits[0].agent) == (row.id, "203.0.113.7", "Some browser")
        older = share_links.visits(session, found.link, before_id=visits[0].id, limit=1)
        assert [visit.id for visit in older] == [visits[1].id]


def visited_and_killed(session: WriteSession, seen: SharedSet) -> None:
    """Note a visit, and then fail."""
    share_visits.note_visit(session, seen, VisitKind.VIEW, STRANGER)
    session.add(ShareLinkVisit(link_id=None, kind=VisitKind.VIEW, address=""))
    session.flush()


def test_visit_when_the_transaction_dies(database: Database, person: Member) -> None:
    """Row and count are there together or not at all."""
    made = share(database, person, create_completed(database, person))
    with pytest.raises(IntegrityError), database.write_session() as session:
        visited_and_killed(session, look(database, made.token))
    with database.read_session() as session:
        assert session.get_one(ShareLink, made.link.id).view_count == 0
        assert session.scalar(select(func.count()).select_from(ShareLinkVisit)) == 0


def test_making_when_the_transaction_dies(database: Database, person: Member) -> None:
    """Link, clips and the word about it are there together or not at all."""
    row = create_completed(database, person)
    with pytest.raises(ZeroDivisionError), database.write_session() as session:
        _ = share_links.make(session, person, [row.id]) and 1 / 0
    with database.read_session() as session:
        for table in (ShareLink, ShareLinkClip):
            assert session.scalar(select(func.count()).select_from(table)) == 0
    assert acts(database) == []


def test_maker_when_they_have_left(database: Database, person: Member, ben: Member) -> None:
    """A team's link outlives its maker's membership: the team sees whose it is and takes it back."""
    maker = put_in(database, ben, person.workspace_id, WorkspaceRole.MAKER)
    made = share(database, maker, create_completed(database, person))
    with database.write_session() as session:
        session.delete(session.get_one(WorkspaceMember, (person.workspace_id, ben.id)))
    assert opens(database, made.token)
    with database.write_session() as session:
        assert [row.maker for row in share_links.list_page(session, person).rows] == [ben.user.name]
        share_links.revoke(session, person, made.link.id)
    assert not opens(database, made.token)
