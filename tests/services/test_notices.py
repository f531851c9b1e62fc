"""Who is told of what, once each, and with its cause: clips, credits, storage, budgets, and where people belong."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import delete

from core import errors
from core.billing import ledger
from core.clock import utc_now
from core.db import Database, WriteSession
from core.db.enums import NoticeAudience, NoticeKind, Role, WorkspaceRole
from core.db.tables import Generation, Notice
from core.generations import lifecycle
from core.notices import causes
from core.notifications import inbox
from core.usage import budgets
from core.workspaces import credits, invitations, members, people, quota
from core.workspaces.access import Member
from tests.factories import generations as made
from tests.factories import workspaces as teams
from tests.factories.generations import DISPATCHED, DOWNLOADING, READY_TO_DOWNLOAD, SUBMITTING, WAITING
from tests.factories.notices import all_notices, press, titles, told
from tests.factories.projects import create_project
from tests.factories.users import create_member

pytestmark = pytest.mark.both_databases


def fail(database: Database, generation_id: str) -> None:
    """Let an order that waits fail."""
    with database.write_session() as session:
        row = lifecycle.locked(session, generation_id)
        assert row is not None
        assert lifecycle.fail(session, row, errors.GenerationFailed())


def cancel(database: Database, generation_id: str, person: Member) -> None:
    """Let its person cancel an order."""
    with database.write_session() as session:
        row = lifecycle.locked(session, generation_id)
        assert row is not None
        assert lifecycle.cancel(session, row, actor=person.email)


def find(database: Database, generation_id: str) -> None:
    """Let the job of an order whose submit was lost be found, and its clip be fetched."""
    made.advance(database, generation_id, WAITING, READY_TO_DOWNLOAD, DOWNLOADING)
    with database.write_session() as session:
        row = lifecycle.locked(session, generation_id)
        assert row is not None
        assert lifecycle.complete(session, row, made.build_output(row.id))


def test_clip_that_its_person_was_told_of_is_read(database: Database, person: Member) -> None:
    """What a page has said needs no reading in the inbox: of a press with its last clip, of a failure never."""
    stranger = create_member(database, "eve@example.org")
    one = made.create_completed(database, person).id
    first, last = press(database, person, 2)
    [failed] = press(database, person, 1)

    def mark(who: Member, *ids: str) -> int:
        with database.write_session() as session:
            rows = [session.get_one(Generation, id) for id in ids]
            found = inbox.are_unread(session, who, rows)
            number = inbox.mark_told(session, who, rows)
        assert found is (number > 0)
        return number

    made.advance(database, first, DISPATCHED, SUBMITTING)
    find(database, first)
    assert mark(person, first) == 0, "the other is still under way, and nothing was told"
    made.advance(database, last, DISPATCHED, SUBMITTING)
    find(database, last)
    fail(database, failed)
    assert mark(stranger, one, first, last) == 0
    assert mark(person) == 0
    assert mark(person, failed) == 0
    assert mark(person, one) == 1
    assert mark(person, one, last) == 1
    assert [notice.kind for notice in told(database, person) if notice.is_unread] == [NoticeKind.CLIPS_FAILED]


def test_clip_that_is_finished(database: Database, person: Member) -> None:
    """Who ordered it is told, with the clip to look at and its prompt, which they see in the product anyway."""
    row = made.create_completed(database, person)
    (one,) = told(database, person)
    assert (one.kind, one.title.code) == (NoticeKind.CLIPS_DONE, "notice_clip_done")
    assert (one.generation_id, one.project_id, one.prompt) == (row.id, row.project_id, row.prompt)
    assert one.is_unread


def test_clip_that_failed(database: Database, person: Member) -> None:
    """The reason is told, and how many credits came back."""
    row = made.create_generation(database, person)
    fail(database, row.id)
    (one,) = told(database, person)
    assert one.kind is NoticeKind.CLIPS_FAILED
    assert one.body is not None
    assert one.body.params["credits"] == row.credits


def test_clip_that_its_person_cancelled(database: Database, person: Member) -> None:
    """Nobody is told of what they have just done themselves."""
    row = made.create_generation(database, person)
    cancel(database, row.id, person)
    assert told(database, person) == []


def test_cause_that_is_undone(database: Database, person: Member) -> None:
    """A move that is rolled back tells nobody."""
    row = made.create_generation(database, person)

    def undone() -> None:
        with database.write_session() as session:
            locked = lifecycle.locked(session, row.id)
            assert locked is not None
            lifecycle.fail(session, locked, errors.GenerationFailed())
            raise LookupError

    with pytest.raises(LookupError):
        undone()
    assert all_notices(database) == []


def test_forty_clips_of_one_press(database: Database, person: Member) -> None:
    """They are one notice, with the last end and not before, however the ends lie apart."""
    ids = press(database, person, 40)
    for place, generation_id in enumerate(ids):
        assert told(database, person) == []
        if place % 20 == 7:
            fail(database, generation_id)
        else:
            made.finish(database, generation_id)
    (one,) = told(database, person)
    assert (one.kind, one.clip_count) == (NoticeKind.CLIPS_FAILED, 40)
    assert str(one.title).startswith("38 of 40 clips are finished")
    assert str(one.body) == "2 failed, and 100 credits came back."


def test_press_that_is_cancelled_in_part(database: Database, person: Member) -> None:
    """What was cancelled is not counted, and where all of it was there is nothing to tell."""
    first, second, third = press(database, person, 3)
    made.finish(database, first)
    cancel(database, second, person)
    made.finish(database, third)
    for generation_id in press(database, person, 2):
        cancel(database, generation_id, person)
    assert [one.clip_count for one in told(database, person)] == [2]


def test_press_of_which_a_clip_is_unclear(database: Database, person: Member) -> None:
    """It holds up nothing: the rest is told, and it is told of once it has come to its end."""
    first, second = press(database, person, 2)
    made.lose_submit(database, first)
    made.finish(database, second)
    assert [one.title.code for one in told(database, person)] == ["notice_clips_mixed", "notice_clip_unclear"]
    find(database, first)
    assert told(database, person)[0].title.code == "notice_clips_late"
    assert len(told(database, person)) == 3


def test_clips_of_one_press_that_become_unclear(database: Database, person: Member) -> None:
    """They are one notice that says how many, unread again with each."""
    ids = press(database, person, 3)
    made.lose_submit(database, ids[0])
    with database.write_session() as session:
        inbox.mark_all_read(session, person)
    for generation_id in ids[1:]:
        made.lose_submit(database, generation_id)
    (one,) = told(database, person)
    assert (one.clip_count, one.is_unread) == (3, True)
    assert str(one.title).startswith("3 clips need review")


def test_two_workers_end_a_press(database: Database, person: Member) -> None:
    """Ends at the same time tell once, and the last is never missed."""
    ids = press(database, person, 16)
    for generation_id in ids:
        made.advance(database, generation_id, DISPATCHED, SUBMITTING, WAITING, READY_TO_DOWNLOAD, DOWNLOADING)
    together = threading.Barrier(4)

    def work(some: list[str]) -> None:
        for generation_id in some:
            together.wait(60)
            with database.write_session() as session:
                row = lifecycle.locked(session, generation_id)
                assert row is not None
                assert lifecycle.complete(session, row, made.build_output(row.id))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, [ids[start::4] for start in range(4)]))
    (one,) = told(database, person)
    assert one.clip_count == 16


def test_unclear_clip_in_a_team(database: Database) -> None:
    """Its maker, the managers and the administrators are told; administrators nothing of what is in it."""
    ana, boss, viewer = (create_member(database, f"{name}@example.org") for name in ("ana", "boss", "viewer"))
    root = teams.create_admin(database)
    at = teams.create_team(
        database, (ana, WorkspaceRole.MAKER), (boss, WorkspaceRole.MANAGER), (viewer, WorkspaceRole.VIEWER)
    )
    row = made.create_generation(database, at[0])
    made.lose_submit(database, row.id)
    assert [len(titles(database, each)) for each in (*at, root)] == [1, 1, 0, 1]
    (for_root,) = told(database, root)
    assert (for_root.audience, for_root.generation_id, for_root.prompt) == (NoticeAudience.OPERATOR, None, None)


def test_who_has_left_sees_nothing_of_it(database: Database) -> None:
    """Notices of a workspace are gone with the membership, and those of an administrator with the role."""
    ana, boss = (create_member(database, f"{name}@example.org") for name in ("ana", "boss"))
    root = create_member(database, "root@example.org", credits=0, role=Role.ADMIN)
    other = create_member(database, "other@example.org", credits=0, role=Role.ADMIN)
    at, manager = teams.create_team(database, (ana, WorkspaceRole.MAKER), (boss, WorkspaceRole.MANAGER))
    made.lose_submit(database, made.create_generation(database, at).id)
    with database.write_session() as session:
        members.remove(session, manager, at.workspace_id, ana.id)
        people.set_role(session, other, root.id, Role.USER)
    assert titles(database, teams.now(database, ana)) == []
    assert [one.audience for one in told(database, teams.now(database, root))] == [NoticeAudience.SELF]
    with database.read_session() as session:
        assert inbox.unread_count(session, ana.id) == 0


def test_balance_that_falls(database: Database, person: Member) -> None:
    """The managers are told when it falls below each mark, once a day, and not while it is above."""
    for place, moved in enumerate((-4_000, -1_500, 1_000, -1_000, -4_100, -100)):
        with database.write_session() as session:
            booking = {"credits": moved, "key": f"test:{place}", "actor": "test", "reason": "a test"}
            ledger.adjust(session, person.workspace_id, **booking)  # type: ignore[arg-type]  # they are what they are called
        expected = ["notice_balance_nearly_nothing"] * (place >= 4) + ["notice_balance_low"] * (place >= 1)
        assert [one.title.code for one in told(database, person)] == expected


def test_credits_that_come_in(database: Database) -> None:
    """Managers are told of a grant and of a transfer, but not of their own act, nor twice of one."""
    root = teams.create_admin(database)
    boss = create_member(database, "boss@example.org")
    (at,) = teams.create_team(database, (boss, WorkspaceRole.MANAGER))
    with database.write_session() as session:
        for _ in range(2):
            credits.grant(session, root, at.workspace_id, credits=500, reason="Spring", grant_id="one")
        credits.grant(session, root, at.workspace_id, credits=-100, reason="Spring")
        credits.transfer(session, at, from_id=boss.id, to_id=at.workspace_id, credits=5, reason="a gift")
    assert titles(database, at) == ["500 credits were added: Lakes"]


def test_where_somebody_belongs(database: Database) -> None:
    """Being put into a team, another role in it or in the installation, and an invitation are told."""
    root = teams.create_admin(database)
    boss, ana = (create_member(database, f"{name}@example.org") for name in ("boss", "ana"))
    (at,) = teams.create_team(database, (boss, WorkspaceRole.MANAGER))
    with database.write_session() as session:
        invitations.create(
            session, at, email=ana.email, workspace_id=at.workspace_id, workspace_role=WorkspaceRole.MAKER
        )
        members.add(session, at, at.workspace_id, email=ana.email, role=WorkspaceRole.VIEWER)
    with database.write_session() as session:
        members.change_role(session, at, at.workspace_id, ana.id, WorkspaceRole.MAKER)
        people.set_role(session, root, ana.id, Role.ANALYST)
    assert titles(database, teams.now(database, ana)) == [
        "You are now analyst in this installation",
        "You are now maker in Lakes",
        "You are now in the team Lakes, as viewer",
        "You are invited to the team Lakes",
    ]


def test_storage_that_is_nearly_full(database: Database, person: Member) -> None:
    """The managers are told when it passes nine tenths of the quota, and not again while it is beyond."""

    def keep(session: WriteSession) -> None:
        session.info[causes.STORAGE_QUOTA] = 1_000
        quota.reserve(session, person.workspace_id, size_bytes=450, quota_bytes=1_000)

    for _ in range(2):
        with database.write_session() as session:
            keep(session)
    (one,) = told(database, person)
    assert one.title.code == "notice_storage"


def test_budget_that_is_reached(database: Database, person: Member) -> None:
    """Once a month and mark, however often it is said."""
    said = {"budget_id": "b-1", "name": "Spring", "used_credits": 810, "budget_credits": 1_000}
    for month, percent in ((1, 80), (1, 80), (1, 100), (2, 80)):
        with database.write_session() as session:
            causes.budget_reached(session, person.workspace_id, month=date(2026, month, 1), percent=percent, **said)  # type: ignore[arg-type]  # they are what they are called
    assert titles(database, person) == [f"{percent} % of the budget is used: Spring" for percent in (80, 100, 80)]


def test_orders_that_pass_marks_of_budgets(database: Database, person: Member) -> None:
    """Each mark once a month, of several at once the highest; what is given back and taken again says nothing new."""
    project = create_project(database, person, name="Spring")
    with database.write_session() as session:
        budgets.set_workspace(session, person, credits=1_000)
        budgets.set_project(session, person, project.id, credits=200)
    first = made.create_generation(database, person, project_id=project.id)
    assert titles(database, person) == []
    made.create_generation(database, person, project_id=project.id)
    assert titles(database, person) == ["50 % of the budget is used: Spring"]
    cancel(database, first.id, person)
    for _order in range(3):
        made.create_generation(database, person, project_id=project.id)

    assert set(titles(database, person)) == {f"{mark} % of the budget is used: Spring" for mark in (50, 100)}


def test_clips_ordered_before_there_were_notices(database: Database, person: Member) -> None:
    """What had ended by then is counted in, and the rest of its press is told with its last end."""
    first, second, third = press(database, person, 3)
    made.finish(database, first)
    with database.write_session() as session:
        session.execute(delete(Notice))
    for generation_id in (second, third):
        assert told(database, person) == []
        made.finish(database, generation_id)
    (one,) = told(database, person)
    assert one.clip_count == 3


def test_reading(database: Database, person: Member) -> None:
    """One notice or all are read, one can be made unread, and a stranger's is not there."""
    stranger = create_member(database, "stranger@example.org")
    for _ in range(3):
        made.create_completed(database, person)

    def unread() -> int:
        with database.read_session() as session:
            return inbox.unread_count(session, person.id)

    first = told(database, person)[0].id
    with database.write_session() as session:
        assert not inbox.mark_read(session, person, first).is_unread
    assert unread() == 2
    with database.write_session() as session:
        assert inbox.mark_read(session, person, first, is_read=False).is_unread
        assert inbox.mark_all_read(session, person) == 3
    assert unread() == 0
    with database.write_session() as session, pytest.raises(errors.NotFound):
        inbox.mark_read(session, stranger, first)


def test_pages_of_an_inbox(database: Database, person: Member) -> None:
    """Page by page comes everything, each once and newest first."""
    for _ in range(5):
        made.create_completed(database, person)
    everything = [one.id for one in told(database, person)]
    found: list[str] = []
    with database.read_session() as session:
        while page := inbox.list_page(session, person, before_id=found[-1] if found else None, limit=2):
            found += [one.id for one in page]
        assert inbox.list_page(session, person, is_unread=True, limit=2)
    assert found == everything
    assert len(set(found)) == 5


def test_old_notices_are_removed(database: Database, person: Member) -> None:
    """What is older than the setting says goes, also from before the last end of a press."""
    made.create_completed(database, person)
    made.finish(database, press(database, person, 2)[0])
    with database.write_session() as session:
        inbox.prune(session, days=1)
    assert len(all_notices(database)) == 2
    with database.write_session() as session:
        for one in all_notices(database):
            session.merge(one).created_at = utc_now() - timedelta(days=2)
    with database.write_session() as session:
        inbox.prune(session, days=1)
    assert all_notices(database) == []
