import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from core import db, errors, installation
from core.clock import utc_now
from core.db.enums import BulkKind, BulkState, Status, WorkspaceRole
from core.db.tables import AuditLogEntry, BulkItem, BulkJob, Generation, GenerationTag, Project, UsageDay
from core.generations import bulk_batches, bulk_jobs, queries, review
from core.generations.bulk_jobs import Progress, Task
from core.generations.filters import KeptFilter
from core.generations.list_filter import ListFilter, ReviewStatus
from core.generations.review import Changes
from core.identity import api_tokens
from core.installation import Installation
from core.messages import message
from core.projects import projects
from core.worker import bulk_changes
from core.workspaces import members
from core.workspaces.access import Member
from tests.factories.generations import create_completed, create_generation
from tests.factories.projects import create_project
from tests.factories.users import create_member, deactivate
from tests.factories.workspaces import create_team, remove

TAGGED = Task(BulkKind.TAG, tags=["Night ", "spring"])


@pytest.fixture
def ana(site: Installation) -> Member:
    """Somebody who manages their own workspace."""
    return create_member(site.database)


def clips(member: Member, count: int, project: Project | None = None, **changes: Any) -> list[str]:
    """The ids of so many finished clips."""
    project = project or create_project(db.default(), member)
    return [create_completed(db.default(), member, project_id=project.id, **changes).id for _ in range(count)]


def start(member: Member, task: Task, chosen: ListFilter | None = None) -> str:
    """The id of a job over all that matches."""
    with db.write_session() as session:
        settings = installation.current().settings
        return bulk_jobs.start(session, member, task, KeptFilter(chosen or ListFilter()), settings=settings).id


def get(member: Member, job_id: str) -> Progress:
    """A job as it is now."""
    with db.read_session() as session:
        return bulk_jobs.get(session, member, job_id)


def outcome(member: Member, job_id: str) -> tuple[BulkState, int, int]:
    """Its state, and how many were done and left."""
    job = get(member, job_id).job
    return job.state, job.done_count, job.left_count


def rows(ids: Sequence[str]) -> list[Generation]:
    """Generations as they are now."""
    with db.read_session() as session:
        return [session.get_one(Generation, id_) for id_ in ids]


def tags(id_: str) -> set[str]:
    """The tags of a clip."""
    with db.read_session() as session:
        return set(session.scalars(select(GenerationTag.tag).where(GenerationTag.generation_id == id_)))


@pytest.mark.both_databases
def test_job_changes_what_matched_when_it_was_asked_for(ana: Member) -> None:
    """Neither what is made later nor what comes to match later is touched, and what no longer matches still is."""
    ids = clips(ana, 3)
    with db.write_session() as session:
        review.update(session, ana, ids[2], Changes(verdict=ReviewStatus.KEPT))
    job_id = start(ana, TAGGED, ListFilter(verdict=ReviewStatus.UNDECIDED))
    with db.write_session() as session:
        review.update(session, ana, ids[0], Changes(verdict=ReviewStatus.KEPT))
        review.update(session, ana, ids[2], Changes(verdict=ReviewStatus.UNDECIDED))
    later = clips(ana, 1)
    bulk_changes.work_down()

    assert [tags(id_) for id_ in (*ids, *later)] == [{"night", "spring"}, {"night", "spring"}, set(), set()]
    assert outcome(ana, job_id) == (BulkState.DONE, 2, 0)


@pytest.mark.both_databases
def test_job_over_what_words_find(ana: Member) -> None:
    """Words find clips for a job as they do in a list, also where they find none."""
    [found] = clips(ana, 1, prompt="a lantern in the fog")
    [other] = clips(ana, 1)
    job_id = start(ana, TAGGED, ListFilter(text="lantern fog"))
    with pytest.raises(errors.InvalidRequest) as nothing:
        start(ana, TAGGED, ListFilter(text="wombat"))
    bulk_changes.work_down()

    assert nothing.value.fields["filter"].code == "bulk_nothing"
    assert [tags(found), tags(other)] == [{"night", "spring"}, set()]
    assert outcome(ana, job_id) == (BulkState.DONE, 1, 0)


@pytest.mark.parametrize("kind", [kind for kind in BulkKind if kind is not BulkKind.FETCH])
def test_each_kind_of_job(ana: Member, kind: BulkKind) -> None:
    """It is done to every clip that it can be done to; those it cannot be done to are left and counted."""
    origin, target = create_project(db.default(), ana, "From"), create_project(db.default(), ana, "To")
    done = clips(ana, 3, origin)
    waiting = create_generation(db.default(), ana, project_id=origin.id).id
    with db.write_session() as session:
        session.execute(update(Generation).where(Generation.id == done[0]).values(favourite=True))
        review.update(session, ana, done[0], Changes(verdict=ReviewStatus.KEPT, tags=["night"]))
    task = Task(kind, tags=["night"] if kind in (BulkKind.TAG, BulkKind.UNTAG) else (), project_id=target.id)
    job_id = start(ana, task)
    bulk_changes.work_down()

    everything = kind in (BulkKind.TAG, BulkKind.UNTAG, BulkKind.FAVOURITE, BulkKind.UNFAVOURITE)
    assert outcome(ana, job_id) == (BulkState.DONE, 4 if everything else 3, 0 if everything else 1)
    shown = rows([*done, waiting])
    expected = {
        BulkKind.TAG: lambda: [tags(row.id) for row in shown] == [{"night"}] * 4,
        BulkKind.UNTAG: lambda: [tags(row.id) for row in shown] == [set()] * 4,
        BulkKind.MOVE: lambda: [row.project_id for row in shown] == [target.id] * 3 + [origin.id],
        BulkKind.KEEP: lambda: [row.kept for row in shown] == [True] * 3 + [None],
        BulkKind.REJECT: lambda: [row.kept for row in shown] == [False] * 3 + [None],
        BulkKind.UNDECIDE: lambda: [row.kept for row in shown] == [None] * 4,
        BulkKind.FAVOURITE: lambda: all(row.favourite for row in shown),
        BulkKind.UNFAVOURITE: lambda: not any(row.favourite for row in shown),
        BulkKind.DELETE: lambda: [row.deleted_at is None for row in shown] == [False] * 3 + [True],
    }
    assert expected[kind]()


def test_deleting_is_in_the_audit_log(ana: Member) -> None:
    """Who asked for it and for how many, and each clip by itself."""
    clips(ana, 2)
    job_id = start(ana, Task(BulkKind.DELETE))
    bulk_changes.work_down()
    with db.read_session() as session:
        found = session.scalars(select(AuditLogEntry).where(AuditLogEntry.noun == "clip").order_by(AuditLogEntry.id))
        acts = [(row.action, row.target_id == job_id, row.actor) for row in found]
    assert acts == [("clip.deletion_started", True, ana.email), *[("clip.deleted", False, ana.email)] * 2]


def test_tags_where_there_is_no_room(ana: Member) -> None:
    """A clip that would get too many is left; the others are tagged."""
    full, other = clips(ana, 2)
    with db.write_session() as session:
        review.update(session, ana, full, Changes(tags=[f"tag {number}" for number in range(review.TAGS_LIMIT)]))
    job_id = start(ana, TAGGED)
    bulk_changes.work_down()

    assert outcome(ana, job_id) == (BulkState.DONE, 1, 1)
    assert tags(other) == {"night", "spring"}


@pytest.mark.parametrize(
    ("task", "field", "code"),
    [
        (Task(BulkKind.TAG), "tags", "bulk_tags_missing"),
        (Task(BulkKind.TAG, tags=["a,b"]), "tags", "comma_in_tag"),
        (Task(BulkKind.MOVE), "projectId", "bulk_project_missing"),
        (Task(BulkKind.FETCH, names="{nonsense}"), "names", "names_unknown_field"),
    ],
)
def test_job_that_lacks_something(ana: Member, task: Task, field: str, code: str) -> None:
    """It is refused when it is asked for, on the field, and nothing is written."""
    clips(ana, 1)
    with pytest.raises(errors.InvalidRequest) as refused:
        start(ana, task)
    assert refused.value.fields[field].code == code


def test_job_over_nothing_and_over_too_much(ana: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are told, and leave nothing behind."""
    with pytest.raises(errors.InvalidRequest) as nothing:
        start(ana, TAGGED)
    clips(ana, 3)
    monkeypatch.setattr(bulk_jobs, "MAX_CLIPS", 2)
    with pytest.raises(errors.InvalidRequest) as too_many:
        start(ana, TAGGED)

    assert [why.value.fields["filter"].code for why in (nothing, too_many)] == ["bulk_nothing", "bulk_too_many"]
    with db.read_session() as session:
        assert session.scalar(select(func.count()).select_from(BulkJob)) == 0
        assert session.scalar(select(func.count()).select_from(BulkItem)) == 0


def test_too_many_jobs_at_once(ana: Member) -> None:
    """Somebody who has several under way waits for an end."""
    clips(ana, 1)
    for _ in range(bulk_jobs.MAX_LIVE_JOBS):
        start(ana, TAGGED)
    with pytest.raises(errors.Conflict):
        start(ana, TAGGED)
    bulk_changes.work_down()
    start(ana, TAGGED)


@pytest.mark.both_databases
def test_cancelled_job_stops_where_it_is(ana: Member) -> None:
    """What was done stays, the rest is never done, and it cannot be stopped twice."""
    ids = clips(ana, 4)
    job_id = start(ana, TAGGED)
    with db.write_session() as session:
        assert bulk_batches.work_next(session, size=2)
    with db.write_session() as session:
        bulk_jobs.cancel(session, ana, job_id)
    bulk_changes.work_down()

    assert [bool(tags(id_)) for id_ in ids] == [True, True, False, False]
    assert outcome(ana, job_id) == (BulkState.CANCELLED, 2, 0)
    with db.write_session() as session, pytest.raises(errors.Conflict):
        bulk_jobs.cancel(session, ana, job_id)
    with db.read_session() as session:
        assert session.scalar(select(func.count()).select_from(BulkItem)) == 0


def make_team() -> tuple[Member, Member, Member]:
    """A manager, a maker and a viewer of a team."""
    people = [create_member(db.default(), f"{name}@example.org") for name in ("mira", "ben", "cleo")]
    roles = (WorkspaceRole.MANAGER, WorkspaceRole.MAKER, WorkspaceRole.VIEWER)
    manager, maker, viewer = create_team(db.default(), *zip(people, roles, strict=True))
    return manager, maker, viewer


@pytest.mark.parametrize("how", ["left", "deactivated", "viewer", "token"])
def test_job_of_somebody_who_may_no_longer(site: Installation, how: str) -> None:
    """It ends and says why, and changes no clip more; nobody else's job is touched."""
    manager, maker, _viewer = make_team()
    ids = clips(manager, 3)
    with db.write_session() as session:
        if how == "token":
            token = api_tokens.create(session, maker.user, name="script", workspace_id=maker.workspace_id)
            maker = members.with_token(session, *api_tokens.by_token(session, token))
    job_id, of_manager = start(maker, TAGGED), start(manager, Task(BulkKind.FAVOURITE))
    with db.write_session() as session:
        assert bulk_batches.work_next(session, size=1)
    if how == "left":
        remove(maker)
    elif how == "deactivated":
        deactivate(maker)
    elif how == "viewer":
        with db.write_session() as session:
            members.change_role(session, manager, maker.workspace_id, maker.id, WorkspaceRole.VIEWER)
    else:
        assert maker.token_id is not None
        with db.write_session() as session:
            api_tokens.revoke(session, maker.user, maker.token_id, cache=site.callers)
    bulk_changes.work_down()

    with db.read_session() as session:
        job = session.get_one(BulkJob, job_id)
    assert (job.state, job.done_count) == (BulkState.FAILED, 1)
    assert job.error == message("bulk_departed")
    assert [bool(tags(id_)) for id_ in ids] == [True, False, False]
    assert outcome(manager, of_manager) == (BulkState.DONE, 3, 0)


def test_jobs_are_for_whom_they_may_be(ana: Member) -> None:
    """A viewer changes nothing and may fetch; a maker deletes nothing; jobs are seen by their own person alone."""
    manager, maker, viewer = make_team()
    clips(manager, 1)
    for person, task in ((viewer, TAGGED), (maker, Task(BulkKind.DELETE))):
        with pytest.raises(errors.Forbidden):
            start(person, task)
    job_id = start(viewer, Task(BulkKind.FETCH))
    assert get(viewer, job_id).job.details == {"names": "{words}-{id}"}
    for other in (manager, ana):
        with pytest.raises(errors.NotFound):
            get(other, job_id)
    with db.read_session() as session:
        assert [each.job.id for each in bulk_jobs.list_own(session, viewer)] == [job_id]
        assert bulk_jobs.list_own(session, manager) == []


def test_job_over_several_workspaces(ana: Member) -> None:
    """Clips of a workspace where its person only looks are left as they are."""
    _manager, _maker, viewer = make_team()
    [own] = clips(Member(viewer.user, viewer.id, viewer.roles), 1)
    [theirs] = clips(_manager, 1)
    at_home = Member(viewer.user, viewer.id, viewer.roles)
    job_id = start(at_home, TAGGED, ListFilter(everywhere=True))
    bulk_changes.work_down()

    assert outcome(at_home, job_id) == (BulkState.DONE, 1, 1)
    assert (bool(tags(own)), tags(theirs)) == (True, set())


def test_move_when_the_project_goes_meanwhile(ana: Member) -> None:
    """The job ends, and says that the project is not there."""
    target = create_project(db.default(), ana, "To")
    clips(ana, 2)
    job_id = start(ana, Task(BulkKind.MOVE, project_id=target.id))
    with db.write_session() as session:
        projects.delete(session, ana, target.id)
    bulk_changes.work_down()

    assert outcome(ana, job_id) == (BulkState.FAILED, 0, 0)
    assert get(ana, job_id).job.error is not None


def test_clip_that_is_deleted_meanwhile(ana: Member) -> None:
    """It is left, and the job comes to its end."""
    ids = clips(ana, 2)
    job_id = start(ana, TAGGED)
    with db.write_session() as session:
        session.execute(update(Generation).where(Generation.id == ids[0]).values(deleted_at=utc_now()))
    bulk_changes.work_down()

    assert outcome(ana, job_id) == (BulkState.DONE, 1, 1)


def test_job_whose_batch_breaks(ana: Member) -> None:
    """It waits, others go on, and after some tries it is ended; nothing of the broken batch is left."""
    clips(ana, 1)
    broken = start(ana, TAGGED)
    with db.write_session() as session:
        session.execute(update(BulkJob).where(BulkJob.id == broken).values(details={}))
    other = start(ana, Task(BulkKind.FAVOURITE))
    for _ in range(bulk_batches.TRIES):
        bulk_changes.work_down()
        with db.write_session() as session:
            due = update(BulkJob).where(BulkJob.id == broken, BulkJob.next_at.is_not(None))
            session.execute(due.values(next_at=utc_now()))

    assert outcome(ana, other) == (BulkState.DONE, 1, 0)
    assert outcome(ana, broken) == (BulkState.FAILED, 0, 0)


def work(*, size: int, dies: bool) -> None:
    """A batch of whichever worker has its turn, and whether it dies before it commits."""
    with db.write_session() as session:
        bulk_batches.work_next(session, size=size)
        if dies:
            session.rollback()


STEPS = st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=12)


@given(STEPS)
def test_any_interleaving_comes_to_the_same_end(site: Installation, steps: list[tuple[int, bool]]) -> None:
    """However often workers die, and whoever does which batch: each clip is judged once, and counted once."""
    person = create_member(site.database, f"{next(_NUMBERS)}@example.org")
    project = create_project(site.database, person)
    ids = clips(person, 6, project)
    target = create_project(site.database, person, "To")
    jobs = [start(person, Task(BulkKind.KEEP)), start(person, Task(BulkKind.MOVE, project_id=target.id))]
    for size, dies in steps:
        work(size=size, dies=dies)
    bulk_changes.work_down()

    assert [outcome(person, job_id) for job_id in jobs] == [(BulkState.DONE, 6, 0)] * 2
    assert {(row.kept, row.project_id) for row in rows(ids)} == {(True, target.id)}
    with site.database.read_session() as session:
        kept = session.scalar(select(func.sum(UsageDay.kept_count)).where(UsageDay.workspace_id == person.id))
        counts = [session.get_one(Project, each.id).generation_count for each in (project, target)]
        assert (kept, counts) == (6, [0, 6])
        assert session.scalar(select(func.count()).select_from(BulkItem)) == 0


_NUMBERS = itertools.count()


@pytest.mark.only_postgresql
def test_two_workers_at_once(ana: Member) -> None:
    """Who comes second while a batch is under way takes no clip of it, and does not wait for it either."""
    clips(ana, 4)
    job_id = start(ana, TAGGED)
    with db.write_session() as first:
        assert bulk_batches.work_next(first, size=2)
        with db.write_session() as second:
            assert not bulk_batches.work_next(second, size=2)
    bulk_changes.work_down()
    assert outcome(ana, job_id) == (BulkState.DONE, 4, 0)


def test_filter_of_a_job_finds_its_clips_again(ana: Member) -> None:
    """What was asked is kept with the job, so that it can be shown."""
    clips(ana, 1)
    chosen = ListFilter(statuses=(Status.COMPLETED,), text="lake")
    job = get(ana, start(ana, TAGGED, chosen)).job
    assert KeptFilter.from_json(job.asked).filter == chosen
    with db.read_connection() as reader:
        assert len(queries.list_page(reader, ana, KeptFilter.from_json(job.asked).filter).rows) == 1


def test_share_of_a_job() -> None:
    """What is packed just now counts, too."""
    job = BulkJob(matched_count=10, done_count=3, left_count=1, under_way_count=2, state=BulkState.RUNNING)
    assert (Progress(job, ()).share, Progress(job, ()).is_live) == (0.6, True)
