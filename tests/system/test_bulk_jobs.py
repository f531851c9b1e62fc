"""What is done to thousands of clips goes on wherever it was killed, and is done to each of them once."""

import pytest
from sqlalchemy import func, insert, select

from core.config import load
from core.db.enums import BulkKind, BulkState
from core.db.tables import BulkItem, BulkJob, Generation, UsageDay, table_of
from core.generations import bulk_jobs
from core.generations.bulk_jobs import Task
from core.generations.filters import KeptFilter
from core.generations.list_filter import ListFilter
from core.ids import new_id
from tests.factories.generations import create_completed, values_of
from tests.system.installation import Installation, installed, kill_tree

pytestmark = pytest.mark.process

CLIPS = 2_000


def add_clips(site: Installation, count: int) -> None:
    """So many finished clips of the person; copies, since each by itself would take a while."""
    first = create_completed(site.database, site.user, project_id=site.project.id)
    values = values_of(site.database, first.id) | {"prompt_words": "a lake"}
    copies = [values | {"id": new_id(), "idempotency_key": None} for _ in range(count - 1)]
    with site.database.write_session() as session:
        session.execute(insert(table_of(Generation)), copies)


def job_of(site: Installation, job_id: str) -> BulkJob:
    """The job as it is now."""
    with site.database.read_session() as session:
        return session.get_one(BulkJob, job_id)


def test_job_when_its_workers_are_killed() -> None:
    """Killed in the middle, twice, and gone on with by two at once: 2,000 clips are kept, each counted once."""
    with installed("http://127.0.0.1:9") as site:
        add_clips(site, CLIPS)
        with site.database.write_session() as session:
            settings = load({"DATA_DIR": site.environ["DATA_DIR"]}, providers=[])
            kept = KeptFilter(ListFilter())
            job_id = bulk_jobs.start(session, site.user, Task(BulkKind.KEEP), kept, settings=settings).id
        assert job_of(site, job_id).matched_count == CLIPS

        seen = 0
        for _ in range(2):
            worker = site.start_worker("--role", "dispatcher")
            before = seen
            site.until(lambda before=before: job_of(site, job_id).done_count > before, "it goes on")  # type: ignore[misc]  # bound at once
            kill_tree(worker)
            seen = job_of(site, job_id).done_count
            assert seen < CLIPS, "it was killed in the middle"
            with site.database.read_session() as session:
                left = session.scalar(select(func.count()).select_from(BulkItem).where(BulkItem.job_id == job_id))
                judged = session.scalar(select(func.count()).select_from(Generation).where(Generation.kept.is_(True)))
            assert (judged, left) == (seen, CLIPS - seen)
        for _ in range(2):
            site.start_worker("--role", "dispatcher")
        site.until(lambda: job_of(site, job_id).state is BulkState.DONE, "it is done")

        assert job_of(site, job_id).done_count == CLIPS
        with site.database.read_session() as session:
            assert (
                session.scalar(select(func.count()).select_from(Generation).where(Generation.kept.is_(True))) == CLIPS
            )
            assert session.scalar(select(func.sum(UsageDay.kept_count))) == CLIPS
