import threading
from collections.abc import Callable, Mapping

import pytest
import sqlalchemy.exc

from core.worker import bulkheads
from core.worker.bulkheads import Bulkheads, Job

WAIT_SECONDS = 10


class Held:
    """Jobs that run until they are let go, and what has begun so far, in order."""

    def __init__(self, house: Bulkheads) -> None:
        self.house = house
        self.begun: list[str] = []
        self._changed = threading.Condition()
        self._over: dict[str, threading.Event] = {}

    def take(self, key: str, owner: str, places: Mapping[str, int]) -> None:
        """Hand over a job of this name."""
        over = self._over.setdefault(key, threading.Event())
        self.house.take(Job(key, owner, places, lambda: self._run(key, over)))

    def let_go(self, *keys: str) -> None:
        """End these."""
        for key in keys:
            self._over[key].set()

    def until(self, holds: Callable[[list[str]], bool]) -> None:
        """Wait until what has begun is as it should be."""
        with self._changed:
            assert self._changed.wait_for(lambda: holds(self.begun), WAIT_SECONDS), self.begun

    def _run(self, key: str, over: threading.Event) -> None:
        with self._changed:
            self.begun.append(key)
            self._changed.notify_all()
        over.wait(WAIT_SECONDS)


def test_take_when_one_owner_has_no_place_left() -> None:
    """What is too much for one waits in its order; another one's job begins at once."""
    jobs = Held(Bulkheads())
    for n in range(4):
        jobs.take(f"a{n}", "a", {"a": 2})
    jobs.take("b0", "b", {"b": 2})
    jobs.until(lambda begun: sorted(begun) == ["a0", "a1", "b0"])
    jobs.let_go("a1")
    jobs.until(lambda begun: begun[3:] == ["a2"])
    jobs.let_go("a0")
    jobs.until(lambda begun: begun[3:] == ["a2", "a3"])


def test_take_when_a_job_needs_two_places() -> None:
    """A full file host leaves its provider's other places to other hosts."""
    jobs = Held(Bulkheads())
    for n in range(3):
        jobs.take(f"slow{n}", "a", {"a": 3, "a slow.host": 1})
    jobs.take("quick", "a", {"a": 3, "a quick.host": 1})

    jobs.until(lambda begun: sorted(begun) == ["quick", "slow0"])


def test_take_when_it_waits_or_runs_already() -> None:
    """The same job is there once, keeps its turn, and may come again when it has ended."""
    jobs = Held(Bulkheads())
    for key in ("one", "two", "three", "two", "one"):
        jobs.take(key, "a", {"a": 1})
    jobs.let_go("one", "two", "three")
    jobs.until(lambda begun: begun == ["one", "two", "three"])
    while jobs.house.is_busy():
        threading.Event().wait(0.01)
    jobs.take("one", "a", {"a": 1})

    jobs.until(lambda begun: begun == ["one", "two", "three", "one"])


def test_take_when_too_many_wait() -> None:
    """One owner's endless line keeps nobody else out, and a place that is free is still used."""
    jobs = Held(Bulkheads())
    for n in range(bulkheads.MAX_WAITING + 50):
        jobs.take(f"a{n}", "a", {"a": 1})
    jobs.take("b", "b", {"b": 1})
    jobs.until(lambda begun: sorted(begun) == ["a0", "b"])
    jobs.let_go(*(f"a{n}" for n in range(bulkheads.MAX_WAITING + 50)))

    jobs.until(lambda begun: len(begun) == bulkheads.MAX_WAITING + 2)


def test_take_when_as_many_run_as_may() -> None:
    """All owners together have a bound; what is beyond it begins as others end."""
    jobs = Held(Bulkheads())
    for n in range(bulkheads.MAX_RUNNING + 1):
        jobs.take(f"job{n}", f"owner{n}", {f"owner{n}": 1})
    jobs.until(lambda begun: len(begun) == bulkheads.MAX_RUNNING)
    jobs.let_go("job0")

    jobs.until(lambda begun: begun[-1] == f"job{bulkheads.MAX_RUNNING}")


def test_take_when_a_job_breaks(caplog: pytest.LogCaptureFixture) -> None:
    """Its place is free again, and it is told."""
    house = Bulkheads()
    house.take(Job("broken", "a", {"a": 1}, lambda: 1 // 0))  # type: ignore[arg-type]  # it never returns
    jobs = Held(house)
    jobs.take("next", "a", {"a": 1})

    jobs.until(lambda begun: begun == ["next"])
    assert "broken broke" in caplog.text


def test_take_when_the_database_is_away(caplog: pytest.LogCaptureFixture) -> None:
    """A job that the database's absence has ended is told in one line: the outage stands in the log already."""

    def look() -> None:
        raise sqlalchemy.exc.OperationalError("SELECT 1", {}, OSError("connection is bad"))

    caplog.set_level("INFO")
    house = Bulkheads()
    house.take(Job("outed", "a", {"a": 1}, look))
    house.close()

    [told] = [record for record in caplog.records if "outed" in record.getMessage()]
    assert (told.levelname, told.exc_info) == ("INFO", None)


def test_take_when_a_job_never_ends() -> None:
    """After the limit others get its place; when it does end, no place is given back twice."""
    jobs = Held(Bulkheads(limit_seconds=0.0))
    jobs.take("stuck", "a", {"a": 1})
    jobs.until(lambda begun: begun == ["stuck"])
    jobs.take("next", "a", {"a": 1})
    jobs.until(lambda begun: begun == ["stuck", "next"])
    assert jobs.house.is_busy()
    jobs.let_go("stuck", "next")
    jobs.house.close()
    assert not jobs.house.is_busy()


def test_is_busy_besides_one() -> None:
    """Previews ask whether anything else is to be done."""
    jobs = Held(Bulkheads())
    jobs.take("previews", "previews", {"previews": 1})
    assert jobs.house.is_busy()
    assert not jobs.house.is_busy(besides="previews")
    jobs.take("clip", "a", {"a": 1})
    assert jobs.house.is_busy(besides="previews")


def test_close_when_jobs_run_and_wait() -> None:
    """What runs comes to its end, what waits is not begun, nothing more is taken."""
    jobs = Held(Bulkheads())
    for key in ("runs", "waits"):
        jobs.take(key, "a", {"a": 1})
    jobs.until(lambda begun: begun == ["runs"])
    closing = threading.Thread(target=jobs.house.close)
    closing.start()
    while jobs.house.is_busy(besides="runs"):
        threading.Event().wait(0.01)
    jobs.take("late", "b", {"b": 1})
    assert closing.is_alive()
    jobs.let_go("runs")
    closing.join(WAIT_SECONDS)

    assert not closing.is_alive()
    assert jobs.begun == ["runs"]


def test_close_when_something_takes_longer_than_one_waits() -> None:
    """Who may not wait for ever is told how much still runs; nothing that waited begins."""
    house = Bulkheads()
    jobs = Held(house)
    for n in range(3):
        jobs.take(f"a{n}", "a", {"a": 2})
    jobs.until(lambda begun: len(begun) == 2)
    assert house.close(within_seconds=0.05) == 2
    jobs.let_go("a0", "a1", "a2")
    assert house.close() == 0
    assert sorted(jobs.begun) == ["a0", "a1"]
