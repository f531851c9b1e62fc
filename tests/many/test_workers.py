"""Workers of two machines: each is killed, the queue forgets everything, two dispatchers share, one clock is wrong."""

import time
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

import psutil
import pytest

from core.config import API_PATH
from core.db.enums import Stage, Status
from tests.fixtures.moved_clock import IS_POSSIBLE, WHY_NOT, Clock
from tests.many.company import Company
from tests.system.sign_in import browser
from tools.stack.programs import Program

pytestmark = [pytest.mark.process, pytest.mark.timeout(900)]

HOUR = 3600
AT_WORK = {
    "dispatcher": (Stage.WAITING,),
    "collect": (Stage.READY_TO_DOWNLOAD, Stage.DOWNLOADING),
}
"""Role -> where a clip is whose next step is that role's."""


def lakes(what: str, count: int) -> list[str]:
    """Prompts."""
    return [f"a lake, {what} {number}" for number in range(count)]


def speaks_to(program: Program, url: str) -> bool:
    """Whether a process has a connection to the server at an address now."""
    port = urlsplit(url).port
    connections = psutil.Process(program.pid).net_connections(kind="tcp")
    return any(connection.raddr and connection.raddr.port == port for connection in connections)


def test_two_dispatchers_share(company: Company) -> None:
    """Both ask the vendor about what is under way, and no clip is handed over twice."""
    began = time.monotonic()
    ids = company.order(*lakes("of two", 24))
    dispatchers = company.stack.parts("dispatcher")
    seen: set[str] = set()

    def both_are_seen() -> bool:
        seen.update(each.name for each in dispatchers if speaks_to(each, company.vendor_url))
        return len(seen) == len(dispatchers)

    company.until(both_are_seen, "both dispatchers speak to the vendor")
    count = company.count("two dispatchers at once", ids, began=began)
    assert (count.completed, count.lost, count.twice, count.stuck) == (len(ids), 0, 0, 0)
    assert company.broken_rules() == []


def test_each_worker_is_killed(company: Company) -> None:
    """Of dispatchers and collectors nothing is seen; what the one that submits was sending is left to decide."""
    began = time.monotonic()
    ids: list[str] = []
    for role, stages in AT_WORK.items():
        for program in company.stack.parts(role):
            more = company.order(*lakes(f"{program.name} dies", 4))
            company.until(
                lambda more=more, stages=stages: any(row.stage in stages for row in company.rows(more)),  # type: ignore[misc]  # bound at once
                f"{program.name} has work",
            )
            program.kill()
            program.start()
            ids += more
    [submitter] = company.stack.parts("submit")
    [hanging] = company.order("[sim:hang] a lake whose answer never comes")
    company.until(lambda: company.submits()[hanging] == 1, "the vendor has begun what was sent")
    submitter.kill()
    submitter.start()
    ids += company.order(*lakes("after all", 2))
    count = company.count("kill -9 of each dispatcher, submit, collect", [*ids, hanging], began=began)

    assert [row.id for row in company.rows([*ids, hanging]) if row.status is Status.UNCERTAIN] == [hanging]
    assert (count.completed, count.lost, count.twice, count.stuck) == (len(ids), 0, 0, 0)
    assert company.broken_rules() == []


def test_valkey_forgets_everything(company: Company) -> None:
    """FLUSHALL while clips wait for submit, and again while they wait to be fetched: all are handed over again."""
    began = time.monotonic()
    ids = company.order(*lakes("forgotten", 10))
    company.until(lambda: any(row.stage is Stage.DISPATCHED for row in company.rows(ids)) or _begun(company, ids), "on")
    company.flush_redis()
    company.until_at(ids, Stage.WAITING, Stage.READY_TO_DOWNLOAD, Stage.DOWNLOADING)
    company.flush_redis()
    count = company.count("FLUSHALL of Valkey, twice", ids, began=began)

    assert (count.completed, count.lost, count.twice, count.stuck) == (len(ids), 0, 0, 0)
    assert company.broken_rules() == []


def _begun(company: Company, ids: list[str]) -> bool:
    return any(company.submits()[each] for each in ids)


@pytest.fixture(scope="module")
def clock(whole_company: Company, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clock]:
    """The clock of the second machine, whose processes are started anew with it."""
    found = Clock(tmp_path_factory.mktemp("clock"))
    stack = whole_company.stack
    second = [program for program in stack.parts() if program.name.endswith(" 2")]
    _start_with(second, found.environ)
    stack.until_web(2)
    yield found
    found.set(0)
    _start_with(second, dict.fromkeys(found.environ, ""))
    stack.until_web(2)


def _start_with(programs: list[Program], environ: dict[str, str]) -> None:
    for program in programs:
        program.ask_to_end()
    for program in programs:
        program.stop()
        program.environ |= environ
        program.start()


@pytest.mark.skipif(not IS_POSSIBLE, reason=WHY_NOT)
@pytest.mark.parametrize(("said", "seconds"), [("30 s ahead", 30), ("7 h back", -7 * HOUR)])
def test_clock_of_one_machine_is_wrong(company: Company, clock: Clock, said: str, seconds: int) -> None:
    """What is ordered at either machine goes its way once and without haste; who was signed in is so at both.

    A bucket refuses what was signed more than a quarter of an hour ago: the other machine fetches.
    """
    began = time.monotonic()
    stack = company.stack
    try:
        with browser(company.site, "ana") as client:
            clock.set(seconds)
            [session] = [str(each.value) for each in client.cookies.jar if each.name == "avg"]
            nodes = [f"{stack.node(number)}{API_PATH}/projects" for number in (1, 2)]
            assert [client.get(each, headers={"Cookie": f"avg={session}"}).status_code for each in nodes] == [200, 200]
        ids = [each for number in (1, 2) for each in company.order(*lakes(said, 5), address=stack.node(number))]
        count = company.count(f"clock of one machine {said}", ids, began=began)
    finally:
        clock.set(0)

    assert (count.completed, count.lost, count.twice, count.stuck) == (len(ids), 0, 0, 0)
    assert {row.collect_attempt for row in company.rows(ids)} == {1}, "no lease was taken for over"
    assert Status.UNCERTAIN not in company.events(ids)
    assert company.broken_rules() == []


def test_books_after_all_of_it(company: Company) -> None:
    """Whatever was ordered so far was sent once, and the audit that operators run finds nothing."""
    began = time.monotonic()
    ids = [*company.ids(), *company.order("a lake at last")]
    count = company.count("all of it together", ids, began=began)
    audited = company.audit()

    assert (count.lost, count.twice, count.stuck) == (0, 0, 0)
    assert company.submits() == Counter(ids), "the vendors have begun one job for each clip"
    assert audited.returncode == 0, audited.stdout + audited.stderr
