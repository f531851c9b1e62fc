"""The wall clock of all workers is set while they work: what is under way goes on, and nobody is taken for dead."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from core.db.enums import Stage, Status
from core.db.tables import GenerationEvent
from tests import simulators
from tests.fixtures.moved_clock import IS_POSSIBLE, WHY_NOT, Clock
from tests.system.installation import Installation, installed

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not IS_POSSIBLE, reason=WHY_NOT),
]

HOUR = 3600
YEAR = 365 * 24 * HOUR


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """A clock that the test sets."""
    return Clock(tmp_path)


@pytest.fixture
def site(clock: Clock) -> Iterator[Installation]:
    """An installation whose processes go by it; its vendor needs ten seconds for a job."""
    with (
        simulators.running("modelslab", seconds=10, limit=1000) as url,
        installed(url, environ=clock.environ) as found,
    ):
        found.start_redis()
        yield found


@pytest.mark.parametrize(("before", "after"), [(7 * HOUR, 0), (120, 0), (0, 2 * HOUR), (0, YEAR)])
def test_clock_is_set_while_vendors_work(site: Installation, clock: Clock, before: int, after: int) -> None:
    """Whichever way it is set: all are completed, sent once, and were never called uncertain."""
    clock.set(before)
    site.start_worker()
    orders = [site.order(f"a lake {n}") for n in range(3)]
    site.until(lambda: all(site.row(each).stage is Stage.WAITING for each in orders), "the vendor has all of them")
    clock.set(after)
    site.until(lambda: all(site.row(each).status is Status.COMPLETED for each in orders), "all are here")

    assert site.submits() == dict.fromkeys(orders, 1)
    with site.database.read_session() as session:
        seen = set(session.scalars(select(GenerationEvent.status)))
    assert seen == {Status.PENDING, Status.PROCESSING, Status.COMPLETED}
    site.check_books()
