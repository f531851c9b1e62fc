"""What a provider answers while the database cannot be written is kept, and nothing is bought twice for it."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
from sqlalchemy import select

from core.db import Database, copies, identity
from core.db.enums import Stage, Status
from core.db.tables import GenerationEvent
from core.worker.journal import Journal
from core.worker.lease_watch import LEASE
from tests import postgres, simulators
from tests.system.installation import Installation, installed, kill_tree

pytestmark = pytest.mark.process

OUTAGE_SECONDS = 3.0


@pytest.fixture
def vendor() -> Iterator[str]:
    """A ModelsLab stand-in whose jobs take a second and that takes any number at once."""
    with simulators.running("modelslab", seconds=1, limit=1000) as url:
        yield url


@contextmanager
def held_answers(site: Installation, count: int) -> Iterator[list[str]]:
    """Orders that have reached a vendor which does not answer before the block ends."""
    living = [each for each in psutil.Process().children() if each.status() != psutil.STATUS_ZOMBIE]
    (stand_in,) = [each for each in living if "tests.simulators" in each.cmdline()]
    stand_in.suspend()
    try:
        orders = [site.order(f"lake {n}") for n in range(count)]
        site.until_stage(orders[-1], Stage.SUBMITTING)
        port = urlsplit(site.vendor_url).port

        def all_are_on_their_way() -> bool:
            family = [member for worker in site.workers for member in psutil.Process(worker.pid).children(True)]
            family += [psutil.Process(worker.pid) for worker in site.workers]
            calls = [call for member in family for call in member.net_connections(kind="tcp")]
            return (
                sum(call.status == "ESTABLISHED" and call.raddr.port == port for call in calls if call.raddr) >= count
            )

        site.until(all_are_on_their_way, "the requests are at the vendor")
        yield orders
    finally:
        stand_in.resume()


def told(site: Installation, generation_id: str) -> list[Status]:
    """The statuses that its timeline tells."""
    with site.database.read_session() as session:
        of = GenerationEvent.generation_id == generation_id
        return list(session.scalars(select(GenerationEvent.status).where(of).order_by(GenerationEvent.id)))


def check_completed_once(site: Installation, orders: list[str]) -> None:
    """All are done, bought once, and nobody was told that anything was uncertain."""
    site.until(site.settled, "all are at an end")
    assert [site.row(generation_id).status for generation_id in orders] == [Status.COMPLETED] * len(orders)
    assert site.submits() == dict.fromkeys(orders, 1)
    assert not any(Status.UNCERTAIN in told(site, generation_id) for generation_id in orders)
    site.check_books()


def test_sqlite_locked_while_the_vendor_answers(vendor: str) -> None:
    """For longer than a lease nobody can write: the answer is kept meanwhile, and counts as if nothing had been."""
    with installed(vendor) as site:
        site.start_redis()
        site.start_worker()
        name = str(site.database.engine.url.database)
        with closing(sqlite3.connect(name, isolation_level=None)) as other:
            with held_answers(site, 1) as orders:
                other.execute("BEGIN IMMEDIATE")
            time.sleep(LEASE.total_seconds() + 8)
            assert site.row(orders[0]).stage is Stage.SUBMITTING
            other.execute("ROLLBACK")
        check_completed_once(site, orders)


@pytest.mark.only_postgresql
def test_postgresql_restarted_while_the_vendor_answers(vendor: str, database_url: str) -> None:
    """A server that is away while the answers come takes them when it is back, on fresh connections."""
    del database_url  # of a server that others use, too; it says where this test is run
    with postgres.stoppable() as server:
        with psycopg.connect(server.address.format("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE studio")
        with installed(vendor, server.address.format("studio")) as site:
            site.start_redis()
            site.start_worker("--submit", "3")
            with held_answers(site, 3) as orders:
                server.stop()
            time.sleep(OUTAGE_SECONDS)
            server.start()
            check_completed_once(site, orders)


def test_worker_killed_while_it_keeps_an_answer(vendor: str) -> None:
    """An answer that could not be written before everything was killed is written at the next start."""
    with installed(vendor) as site:
        site.start_redis()
        worker = site.start_worker()
        journal = Journal(Path(site.environ["DATA_DIR"]) / "journal")
        with closing(sqlite3.connect(str(site.database.engine.url.database), isolation_level=None)) as other:
            with held_answers(site, 1) as orders:
                other.execute("BEGIN IMMEDIATE")

            def is_kept() -> bool:
                send = journal.find(orders[0])
                return send is not None and send.outcome is not None

            site.until(is_kept, "the answer is beside the database")
            kill_tree(worker)
            site.workers.remove(worker)
            other.execute("ROLLBACK")
        assert site.row(orders[0]).stage is Stage.SUBMITTING
        site.start_worker()
        check_completed_once(site, orders)


def test_copy_that_is_put_back(vendor: str, tmp_path: Path) -> None:
    """What was sent after a copy was made is not sent again when it is put back, nor is what came after it lost."""
    with installed(vendor) as site:
        site.start_redis()
        in_line = [site.order(f"lake {n}") for n in range(4)]
        made = site.admin("backup", str(tmp_path / "copy"))
        assert made.returncode == 0, made.stderr
        worker = site.start_worker()
        ordered_later = site.order("ordered later")
        orders = [*in_line, ordered_later]
        site.until(site.settled, "all are done")
        busy = site.admin("restore", str(tmp_path / "copy"))
        assert (busy.returncode, "running" in busy.stderr) == (2, True)
        kill_tree(worker)
        site.workers.remove(worker)
        site.database.dispose()
        put_back = site.admin("restore", str(tmp_path / "copy"))
        assert put_back.returncode == 0, put_back.stderr
        site.start_worker()
        site.until(site.settled, "all are done again")

        assert [site.row(generation_id).status for generation_id in orders] == [Status.COMPLETED] * 5
        assert site.submits() == dict.fromkeys(orders, 1)
        site.check_books()


def test_copy_that_is_put_to_use_elsewhere(vendor: str, tmp_path: Path) -> None:
    """A machine that knows of no sends sends nothing that waited in the copy, though nobody has said that it is one."""
    with installed(vendor) as site:
        site.start_redis()
        orders = [site.order(f"lake {n}") for n in range(3)]
        assert site.admin("backup", str(tmp_path / "copy")).returncode == 0
        site.start_worker()
        site.until(site.settled, "all are done")
        elsewhere = Database(f"sqlite:///{tmp_path / 'copy' / 'studio.db'}")
        with installed(vendor, str(elsewhere.engine.url)) as other:
            other.start_redis()
            other.start_worker()
            other.until(lambda: all(row.status is Status.UNCERTAIN for row in other.rows()), "all are uncertain")
            elsewhere.dispose()

        assert site.submits() == dict.fromkeys(orders, 1)


def test_newest_part_that_is_lost(vendor: str, tmp_path: Path) -> None:
    """When SQLite has lost its newest orders (a damaged side file), the journal puts them back, and none is sent."""
    with installed(vendor) as site:
        site.start_redis()
        worker = site.start_worker()
        site.until(lambda: identity_is_known(site), "the worker has looked where it is")
        name = Path(str(site.database.engine.url.database))
        copies.copy_sqlite(name, tmp_path / "before.db")
        orders = [site.order(f"lake {n}") for n in range(3)]
        site.until(lambda: all(site.row(each).provider_job_id for each in orders), "all are at the vendor")
        kill_tree(worker)
        site.workers.remove(worker)
        site.database.dispose()
        for end in ("-wal", "-shm"):
            Path(f"{name}{end}").unlink(missing_ok=True)
        name.write_bytes((tmp_path / "before.db").read_bytes())
        assert site.rows() == []
        site.start_worker()
        site.until(lambda: len(site.rows()) == 3 and site.settled(), "they are back")

        assert site.submits() == dict.fromkeys(orders, 1)
        assert [site.row(each).status for each in orders] == [Status.COMPLETED] * 3
        site.check_books()


def identity_is_known(site: Installation) -> bool:
    """Whether the database remembers its place."""
    with site.database.read_session() as session:
        return identity.is_at(session, identity.place(site.database))
