"""What is killed, and where, changes nothing about what was bought and charged."""

import random
import signal
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import psutil
import pytest

from core.billing import ledger
from core.db.enums import Stage, Status
from core.worker import endings
from tests import simulators
from tests.factories.generations import (
    DISPATCHED,
    DOWNLOADING,
    READY_TO_DOWNLOAD,
    SUBMITTING,
    WAITING,
    advance,
    make_due,
)
from tests.system.installation import Installation, installed, kill_tree

pytestmark = pytest.mark.process


@pytest.fixture
def vendor() -> Iterator[str]:
    """A ModelsLab stand-in whose jobs take two seconds and that takes any number at once."""
    with simulators.running("modelslab", seconds=2, limit=1000) as url:
        yield url


def is_connected(process: psutil.Process, vendor_url: str) -> bool:
    """Whether a process, or one that it has started, speaks to the vendor."""
    port = urlsplit(vendor_url).port
    family = [process, *process.children(recursive=True)]
    connections = [connection for member in family for connection in member.net_connections(kind="tcp")]
    return any(connection.raddr and connection.raddr.port == port for connection in connections)


@pytest.fixture
def installation_at_work(vendor: str) -> Iterator[Installation]:
    """An installation with Redis, and no worker yet."""
    with installed(vendor) as found:
        found.start_redis()
        yield found


def test_submit_killed_around_the_post(installation_at_work: Installation) -> None:
    """Before the POST: uncertain, the hold kept. Between answer and record: the answer was kept, and counts once."""
    site = installation_at_work
    before, between = site.order("before the post"), site.order("between post and record")
    for generation_id, when, nth in ((before, "after", 1), (between, "before", 2)):
        advance(site.database, generation_id, DISPATCHED)
        site.run_job_killed_at("submit", generation_id, when, nth)
        assert site.row(generation_id).stage is Stage.SUBMITTING
    site.start_worker()
    site.until(lambda: site.row(before).status is Status.UNCERTAIN, "what had no answer is uncertain")
    site.until(lambda: site.row(between).status is Status.COMPLETED, "what had an answer is done")
    later = site.order("after both")  # a worker that would send again does so before it has brought this one to its end
    site.until(lambda: site.row(later).status is Status.COMPLETED, "the later one is done")

    assert site.submits() == {between: 1, later: 1}
    with site.database.read_session() as session:
        assert ledger.balance(session, site.user.id).held_credits == 400
    site.check_books()


def test_collect_killed_around_its_commits(installation_at_work: Installation) -> None:
    """A worker that dies while it fetches, or between file and commit, is replaced: the clip comes, charged once."""
    site = installation_at_work
    dispatcher = site.start_worker("--role", "dispatcher")
    submitter = site.start_worker("--role", "submit")
    fetching, storing = site.order("while fetching"), site.order("between file and commit")
    for generation_id in (fetching, storing):
        site.until_stage(generation_id, Stage.READY_TO_DOWNLOAD)
    for process in (dispatcher, submitter):
        kill_tree(process)
    site.flush_redis()
    site.run_job_killed_at("collect", fetching, "after", 1)
    site.run_job_killed_at("collect", storing, "before", 2)
    assert [row.stage for row in site.rows()] == [Stage.DOWNLOADING] * 2
    site.start_worker()
    site.until(site.settled, "both are done")

    assert [row.status for row in site.rows()] == [Status.COMPLETED] * 2
    assert site.submits() == {fetching: 1, storing: 1}
    site.check_books()


def test_preview_killed_around_its_commits(installation_at_work: Installation) -> None:
    """A worker that dies before or after it stored a preview harms no clip, and another makes it, counted once."""
    site = installation_at_work
    dispatcher = site.start_worker("--role", "dispatcher")
    site.start_worker("--role", "submit")
    generation_id = site.order()
    site.until_stage(generation_id, Stage.READY_TO_DOWNLOAD)
    kill_tree(dispatcher)
    site.flush_redis()
    site.run_job("ingest", generation_id)
    for when, nth in (("after", 1), ("before", 2)):
        make_due(generation_id, site.database)
        site.run_job_killed_at("preview", generation_id, when, nth)
        row = site.row(generation_id)
        assert (row.status, row.preview_key) == (Status.COMPLETED, None)
    make_due(generation_id, site.database)
    site.start_worker()
    site.until(lambda: site.row(generation_id).preview_key is not None, "another worker made it")

    row = site.row(generation_id)
    storage = site.storage()
    kept = (row.output_key, row.thumbnail_key, row.preview_key)
    assert row.stored_bytes == sum(storage.stat(str(key)).size_bytes for key in kept)
    site.check_books()


def test_check_killed_around_its_commits(installation_at_work: Installation) -> None:
    """A worker that dies while it looks a clip over, or before that is written down, harms nothing: another does it."""
    site = installation_at_work
    dispatcher = site.start_worker("--role", "dispatcher")
    site.start_worker("--role", "submit")
    generation_id = site.order()
    site.until_stage(generation_id, Stage.READY_TO_DOWNLOAD)
    kill_tree(dispatcher)
    site.flush_redis()
    site.run_job("ingest", generation_id)
    stored_bytes = []
    for when, nth in (("after", 2), ("before", 2)):  # the preview was stored; and then only the check is left
        make_due(generation_id, site.database)
        site.run_job_killed_at("preview", generation_id, when, nth)
        row = site.row(generation_id)
        assert (row.status, row.findings) == (Status.COMPLETED, None)
        stored_bytes.append(row.stored_bytes)
    make_due(generation_id, site.database)
    site.start_worker()
    site.until(lambda: site.row(generation_id).findings is not None, "another worker looked it over")
    site.until(lambda: site.row(generation_id).next_at is None, "nothing is due any more")

    assert {*stored_bytes, site.row(generation_id).stored_bytes} == {stored_bytes[0]}
    site.check_books()


def test_worker_killed_while_waiting(installation_at_work: Installation) -> None:
    """A whole worker that dies while the vendor works is replaced by any other; nothing is bought again."""
    site = installation_at_work
    first = site.start_worker()
    ids = [site.order(f"[sim:slow] lake {n}") for n in range(3)]
    for generation_id in ids:
        site.until_stage(generation_id, Stage.WAITING)
    kill_tree(first)
    site.start_worker()
    site.until(site.settled, "all are done")

    assert [row.status for row in site.rows()] == [Status.COMPLETED] * 3
    assert site.submits() == dict.fromkeys(ids, 1)
    site.check_books()


def test_lease_runs_out_under_a_frozen_worker(installation_at_work: Installation, vendor: str) -> None:
    """A submit that is frozen past its lease is called uncertain; when it wakes, its answer still counts."""
    site = installation_at_work
    site.start_worker("--role", "dispatcher")
    submitter = psutil.Process(site.start_worker("--role", "submit").pid)
    (stand_in,) = [p for p in psutil.Process().children() if "tests.simulators" in p.cmdline()]
    stand_in.suspend()
    generation_id = site.order()
    site.until_stage(generation_id, Stage.SUBMITTING)
    site.until(lambda: is_connected(submitter, vendor), "the request is on its way to a vendor that does not read yet")
    submitter.suspend()
    site.until(lambda: site.row(generation_id).status is Status.UNCERTAIN, "the lease has run out")
    stand_in.resume()
    submitter.resume()
    site.until_stage(generation_id, Stage.WAITING)
    site.start_worker("--role", "collect")
    site.until(site.settled, "it is done")

    assert site.row(generation_id).status is Status.COMPLETED
    assert site.submits() == {generation_id: 1}
    site.check_books()


def test_redis_lost_and_gone_for_a_minute(installation_at_work: Installation) -> None:
    """Redis loses all, then is away for a minute: orders are taken, all arrives, nothing is bought twice."""
    site = installation_at_work
    site.start_worker()
    early = [site.order(f"early {n}") for n in range(6)]
    site.until_stage(early[0], Stage.WAITING)
    site.flush_redis()
    site.until(lambda: all(row.stage is not Stage.DISPATCHED for row in site.rows()), "handed over again")
    site.kill_redis()
    late = [site.order(f"late {n}") for n in range(4)]
    time.sleep(60)  # the minute that is tried
    site.start_redis()
    site.until(site.settled, "all are done", seconds=150)

    assert {row.status for row in site.rows()} == {Status.COMPLETED}
    assert site.submits() == dict.fromkeys(early + late, 1)
    site.check_books()


@pytest.mark.both_databases
def test_worker_killed_six_times_at_random(vendor: str, database_url: str) -> None:
    """Twenty clips while the worker is killed six times: each at an end, none bought twice, most delivered."""
    with installed(vendor, database_url) as site:
        site.start_redis()
        ids = [site.order(f"lake {n}") for n in range(20)]
        worker = site.start_worker()
        for _ in range(6):
            time.sleep(random.uniform(0.5, 5))
            kill_tree(worker)
            worker = site.start_worker()
        site.until(site.settled, "all are settled", seconds=180)

        rows = site.rows()
        assert set(site.submits()) <= set(ids)
        assert all(count == 1 for count in site.submits().values())
        assert sum(row.status is Status.COMPLETED for row in rows) >= 14
        site.check_books()


def test_part_killed_is_started_again(installation_at_work: Installation) -> None:
    """The worker starts a part again that dies, and ends all of them when it is told to end."""
    site = installation_at_work
    worker = site.start_worker()
    site.until(lambda: len(psutil.Process(worker.pid).children()) == 3, "three parts run")
    for part in psutil.Process(worker.pid).children():
        part.send_signal(signal.SIGKILL)
    generation_id = site.order()
    site.until(site.settled, "it is done by the parts started again")
    family = psutil.Process(worker.pid).children(recursive=True)
    worker.terminate()
    worker.wait(endings.WHOLE_SECONDS)

    assert site.row(generation_id).status is Status.COMPLETED
    assert not psutil.wait_procs(family, timeout=10)[1]


def test_lease_when_it_runs_out_twice(installation_at_work: Installation) -> None:
    """A download whose worker vanishes twice is fetched a third time and charged once."""
    site = installation_at_work
    dispatcher = site.start_worker("--role", "dispatcher")
    site.start_worker("--role", "submit")
    generation_id = site.order()
    site.until_stage(generation_id, Stage.READY_TO_DOWNLOAD)
    kill_tree(dispatcher)
    site.flush_redis()
    for _ in range(2):
        site.run_job_killed_at("collect", generation_id, "after", 1)
        advance(site.database, generation_id, READY_TO_DOWNLOAD)
    site.start_worker()
    site.until(site.settled, "it is done")

    assert site.row(generation_id).status is Status.COMPLETED
    assert site.row(generation_id).collect_attempt == 3
    assert {SUBMITTING, WAITING, DOWNLOADING}.isdisjoint({(row.status, row.stage) for row in site.rows()})
    site.check_books()
