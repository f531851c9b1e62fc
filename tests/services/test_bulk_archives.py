import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from core import db, errors, installation
from core.clock import utc_now
from core.db.enums import BulkKind, BulkState, WorkspaceRole
from core.db.tables import AuditLogEntry, BulkFile, BulkItem, BulkJob, Workspace
from core.files.storage import LocalStorage
from core.generations import bulk_jobs, stored_files
from core.generations.bulk_jobs import Progress, Task
from core.generations.filters import KeptFilter
from core.generations.list_filter import ListFilter
from core.installation import Installation
from core.messages import message
from core.worker import bulk_archives
from core.worker.bulk_archives import Limits
from core.workspaces.access import Member
from tests.factories.generations import create_completed, create_generation
from tests.factories.projects import create_project
from tests.factories.users import create_member
from tests.factories.workspaces import create_team, remove

CLIP = b"clip" * 250
SMALL = Limits(part_bytes=2_500, part_clips=10)
"""Two clips of a thousand bytes a file."""


@pytest.fixture
def ana(site: Installation) -> Member:
    """Somebody who manages their own workspace."""
    return create_member(site.database)


def clips(member: Member, count: int) -> list[str]:
    """The ids of so many finished clips whose files are in storage."""
    project = create_project(db.default(), member)
    rows = [create_completed(db.default(), member, project_id=project.id) for _ in range(count)]
    for row in rows:
        installation.current().storage.put_bytes(str(row.output_key), CLIP, media_type="video/mp4")
    return [row.id for row in rows]


def start(member: Member, names: str | None = None) -> str:
    """The id of a job that fetches everything."""
    with db.write_session() as session:
        settings = installation.current().settings
        task = Task(BulkKind.FETCH, names=names)
        return bulk_jobs.start(session, member, task, KeptFilter(ListFilter()), settings=settings).id


def get(member: Member, job_id: str) -> Progress:
    """A job as it is now."""
    with db.read_session() as session:
        return bulk_jobs.get(session, member, job_id)


def archives(files: Sequence[BulkFile]) -> list[zipfile.ZipFile]:
    """What a reader finds in the files of a job."""
    return [zipfile.ZipFile(io.BytesIO(installation.current().storage.read_bytes(file.storage_key))) for file in files]


def used_bytes(member: Member) -> int:
    """What their workspace keeps."""
    with db.read_session() as session:
        return session.get_one(Workspace, member.workspace_id).storage_bytes


def come_due(job_id: str, **values: object) -> None:
    """Let a job's time come, since a test cannot wait for it."""
    with db.write_session() as session:
        session.execute(update(BulkJob).where(BulkJob.id == job_id).values({"next_at": utc_now(), **values}))


@pytest.mark.both_databases
def test_everything_that_matches_is_packed(ana: Member, site: Installation) -> None:
    """Whole clips under names of the person's template, a sheet beside them; what has no file is named and counted."""
    ids = clips(ana, 2)
    waiting = create_generation(db.default(), ana).id
    before = used_bytes(ana)
    job_id = start(ana, names="{take}-{id}")
    bulk_archives.work_down(site)

    progress = get(ana, job_id)
    assert (progress.job.state, progress.job.done_count, progress.job.left_count) == (BulkState.DONE, 2, 1)
    [file], [found] = progress.files, archives(progress.files)
    names = [f"1-{id_[-6:]}.mp4" for id_ in ids]
    assert found.testzip() is None
    assert found.namelist() == [*names, "clips.csv", "not-included.txt"]
    assert [found.read(name) for name in names] == [CLIP, CLIP]
    sheet = list(csv.DictReader(io.StringIO(found.read("clips.csv").decode("utf-8-sig"))))
    assert [(line["file_name"], line["generation_id"]) for line in sheet] == list(zip(names, ids, strict=True))
    assert f"1-{waiting[-6:]}.mp4: it is pending" in found.read("not-included.txt").decode()
    assert used_bytes(ana) == before + file.size_bytes
    assert bulk_jobs.file_name(progress, file) == f"clips-{utc_now():%Y-%m-%d}.zip"
    with db.read_session() as session:
        exported = session.scalars(select(AuditLogEntry).where(AuditLogEntry.action == "export.made")).one()
    assert (exported.target_id, exported.after) == (job_id, {"clips": 3})


def test_archive_in_several_files(ana: Member, site: Installation) -> None:
    """Each is bounded, lies in a folder of its own, and every clip is in exactly one."""
    ids = clips(ana, 5)
    job_id = start(ana, names="{id}")
    bulk_archives.work_down(site, limits=SMALL)

    progress = get(ana, job_id)
    assert [file.clip_count for file in progress.files] == [2, 2, 1]
    packed = [name for found in archives(progress.files) for name in found.namelist() if name.endswith(".mp4")]
    folders = ["part-1", "part-1", "part-2", "part-2", "part-3"]
    assert packed == [f"{folder}/{id_[-6:]}.mp4" for folder, id_ in zip(folders, ids, strict=True)]
    assert bulk_jobs.file_name(progress, progress.files[1]).endswith("-part-2.zip")


@pytest.mark.both_databases
def test_packer_that_dies_is_replaced(ana: Member, site: Installation) -> None:
    """What it had packed stays, the rest is packed by another when its lease is over; each clip is there once."""
    ids = clips(ana, 4)
    job_id = start(ana, names="{id}")
    with db.write_session() as session:
        job = bulk_archives._claim(session)
    assert job is not None
    bulk_archives.work_down(site, limits=SMALL)
    assert get(ana, job_id).job.state is BulkState.RUNNING, "the lease of who died is not over"
    come_due(job_id)
    bulk_archives.work_down(site, limits=SMALL)

    progress = get(ana, job_id)
    assert (progress.job.state, progress.job.done_count) == (BulkState.DONE, 4)
    packed = [name for found in archives(progress.files) for name in found.namelist() if name.endswith(".mp4")]
    assert [name[-10:-4] for name in packed] == [id_[-6:] for id_ in ids]


def test_late_packer_changes_nothing(ana: Member, site: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes to an end after another has taken over leaves no file, no count and no bytes behind."""
    clips(ana, 2)
    before = used_bytes(ana)
    job_id = start(ana)
    taken_over = iter([True])
    put_file = LocalStorage.put_file

    def slow_put(storage: LocalStorage, key: str, *args: object, **named: object) -> object:
        if next(taken_over, False):
            come_due(job_id, version=BulkJob.version + 1)
        return put_file(storage, key, *args, **named)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(LocalStorage, "put_file", slow_put)
    bulk_archives.work_down(site)

    progress = get(ana, job_id)
    assert (progress.job.state, len(progress.files), progress.job.done_count) == (BulkState.DONE, 1, 2)
    assert used_bytes(ana) == before + progress.files[0].size_bytes
    folder = site.storage.folder
    assert folder is not None
    assert [path.name for path in (folder / "exports" / job_id).iterdir()] == [
        progress.files[0].storage_key.rpartition("/")[2]
    ]


def test_cancelled_while_it_is_packed(ana: Member, site: Installation) -> None:
    """Nothing more is packed, and the files that were are removed."""
    clips(ana, 4)
    job_id = start(ana)
    parts = iter([False, True])
    bulk_archives.work_down(site, lambda: next(parts, True), limits=SMALL)
    with db.write_session() as session:
        bulk_jobs.cancel(session, ana, job_id)
    bulk_archives.work_down(site)
    assert bulk_archives.remove_expired(site) == 1

    progress = get(ana, job_id)
    assert (progress.job.state, progress.files, progress.job.expires_at) == (BulkState.CANCELLED, (), None)
    with db.read_session() as session:
        assert session.scalar(select(func.count()).select_from(BulkItem)) == 0


def test_process_that_ends_gives_its_file_back(ana: Member, site: Installation) -> None:
    """It is due again at once, and that is no failed try."""
    clips(ana, 2)
    job_id = start(ana)
    stop = iter([False, True])
    bulk_archives.work_down(site, lambda: next(stop, True))

    job = get(ana, job_id).job
    assert (job.state, job.attempt, job.done_count) == (BulkState.RUNNING, 0, 0)
    assert job.next_at is not None
    assert job.next_at <= utc_now()


def test_packer_says_that_it_lives_and_how_far_it_is(ana: Member, site: Installation) -> None:
    """Its lease moves on with its progress; it learns that the job was stopped, and leaves it as it is."""
    ids = clips(ana, 4)
    job_id = start(ana)
    with db.write_session() as session:
        job = bulk_archives._claim(session)
    assert job is not None
    assert job.next_at is not None
    lease = bulk_archives._Lease(job, bulk_archives._Part(1, ids, (), is_only=True), expected_bytes=4_000)
    lease.written_bytes = 2_500
    lease.extend()
    progress = get(ana, job_id)
    assert (progress.job.under_way_count, progress.share, lease.is_lost) == (2, 0.5, False)
    assert progress.job.next_at is not None
    assert progress.job.next_at > job.next_at
    with db.write_session() as session:
        bulk_jobs.cancel(session, ana, job_id)
    lease.extend()
    assert (lease.is_lost, get(ana, job_id).job.state) == (True, BulkState.CANCELLED)


class Stuck(LocalStorage):
    """A storage that removes nothing of one job."""

    stuck = ""

    def delete_below(self, prefix: str) -> None:
        if prefix.endswith(self.stuck):
            raise errors.StorageUnavailable(detail="read-only file system")
        super().delete_below(prefix)


def test_files_that_cannot_be_removed_hold_up_no_others(ana: Member, site: Installation) -> None:
    """They go the next time."""
    clips(ana, 1)
    jobs = [start(ana) for _ in range(2)]
    bulk_archives.work_down(site)
    for job_id in jobs:
        come_due(job_id, next_at=None, expires_at=utc_now() - timedelta(seconds=1))
    root = site.storage.folder
    assert root is not None
    storage = Stuck(root)
    storage.stuck = jobs[0]

    assert bulk_archives.remove_expired(replace(site, storage=storage)) == 1
    assert [len(get(ana, job_id).files) for job_id in jobs] == [1, 0]
    assert bulk_archives.remove_expired(site) == 1


class Full(LocalStorage):
    """A storage that takes nothing more."""

    def put_file(self, *_args: object, **_named: object) -> object:  # type: ignore[override]  # it takes nothing
        raise errors.StorageUnavailable(detail="no space left on device")


def test_archive_when_the_disk_is_full(ana: Member, site: Installation) -> None:
    """It is tried again, says meanwhile what is wrong, and is given up with that sentence."""
    clips(ana, 1)
    job_id = start(ana)
    root = site.storage.folder
    assert root is not None
    full = replace(site, storage=Full(root))
    bulk_archives.work_down(full)
    assert get(ana, job_id).job.error == message("bulk_no_room")
    assert get(ana, job_id).is_live
    for _ in range(bulk_archives.TRIES):
        come_due(job_id)
        bulk_archives.work_down(full)

    job = get(ana, job_id).job
    assert (job.state, job.error) == (BulkState.FAILED, message("bulk_no_room"))


def test_archive_beyond_the_quota(ana: Member, site: Installation) -> None:
    """What is too much is told before anything is packed; what has become too much meanwhile ends the job."""
    clips(ana, 2)
    small = site.settings.model_copy(update={"storage_quota_bytes": used_bytes(ana) + 1_000})
    tiny = site.settings.model_copy(update={"archive_max_bytes": 1_999})
    for settings, refused in ((small, errors.StorageFull), (tiny, errors.InvalidRequest)):
        with db.write_session() as session, pytest.raises(refused):
            bulk_jobs.start(session, ana, Task(BulkKind.FETCH), KeptFilter(ListFilter()), settings=settings)
    job_id = start(ana)
    bulk_archives.work_down(replace(site, settings=small))

    job = get(ana, job_id).job
    assert (job.state, job.error) == (BulkState.FAILED, errors.StorageFull().message)


@pytest.mark.both_databases
def test_files_are_for_their_person_until_they_expire(ana: Member, site: Installation) -> None:
    """Nobody else of the workspace has them, who has left has them no more, and in time they go with their bytes."""
    mira, ben = (create_member(db.default(), f"{name}@example.org") for name in ("mira", "ben"))
    mira, ben = create_team(db.default(), (mira, WorkspaceRole.MANAGER), (ben, WorkspaceRole.VIEWER))
    clips(mira, 1)
    before = used_bytes(mira)
    job_id = start(ben)
    bulk_archives.work_down(site)
    [file] = get(ben, job_id).files

    def reaches(member: Member) -> bool:
        with db.read_connection() as reader:
            return stored_files.is_in_reach(reader, member.id, file.storage_key)

    assert [reaches(member) for member in (ben, mira, ana)] == [True, False, False]
    assert bulk_archives.remove_expired(site) == 0
    come_due(job_id, next_at=None, expires_at=utc_now() - timedelta(seconds=1))
    assert [bulk_archives.remove_expired(site) for _ in range(2)] == [1, 0]
    assert not site.storage.exists(file.storage_key)
    assert used_bytes(mira) == before
    progress = get(ben, job_id)
    assert (progress.job.state, progress.files, progress.job.expires_at) == (BulkState.DONE, (), None)
    remove(ben)
    assert not reaches(ben)


def test_jobs_of_long_ago_are_forgotten(ana: Member, site: Installation) -> None:
    """Their files first."""
    clips(ana, 1)
    job_id = start(ana)
    bulk_archives.work_down(site)
    long_ago = utc_now() - bulk_archives.KEPT - timedelta(days=1)
    come_due(job_id, next_at=None, ended_at=long_ago, expires_at=long_ago)
    for _ in range(2):
        bulk_archives.remove_expired(site)
    with pytest.raises(errors.NotFound):
        get(ana, job_id)
