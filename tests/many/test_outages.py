"""PostgreSQL and the store of files go away and come back while clips are under way and scripts ask."""

import time

import pytest

from core.db.enums import Stage, Status
from tests.many import load
from tests.many.company import Company
from tests.many.test_workers import lakes

pytestmark = [pytest.mark.process, pytest.mark.timeout(900)]

UNAVAILABLE = 503


def test_database_is_restarted_and_killed(company: Company) -> None:
    """Who asks meanwhile is told to come back (503); every order that was taken is completed, once."""
    began = time.monotonic()
    database = company.stack.database
    ids: list[str] = []
    with load.running(company, allowed=frozenset({UNAVAILABLE})) as asked:
        for end in (database.stop, database.kill):
            before, succeeded = asked.answers[UNAVAILABLE], asked.answers[200]
            company.until(lambda before=succeeded: asked.answers[200] > before + 20, "scripts are at work")  # type: ignore[misc]  # bound at once
            ids += company.order(*lakes("under way", 5))
            end()
            company.until(lambda before=before: asked.answers[UNAVAILABLE] > before, "they are told so")  # type: ignore[misc]  # bound at once
            database.start()
    ids += asked.ids + company.order(*lakes("afterwards", 2))
    what = "PostgreSQL restarted, then killed, under load"
    count = company.count(what, ids, began=began, load=asked)

    assert asked.failures == []
    assert (count.completed, count.lost, count.twice, count.stuck) == (len(ids), 0, 0, 0)
    assert company.broken_rules() == []


def test_store_is_stopped_while_clips_are_fetched(company: Company) -> None:
    """What is finished at the vendor is tried again until the store is back; nothing is refunded, nothing lost."""
    began = time.monotonic()
    store = company.stack.store
    ids = company.order(*lakes("no room", 8))
    company.until(lambda: any(row.stage is Stage.DOWNLOADING for row in company.rows(ids)) or _some(company, ids), "on")
    store.stop()
    late = company.order(*lakes("ordered meanwhile", 2))
    company.until(lambda: all(row.collect_attempt for row in company.rows(late)), "each was tried")
    assert {row.status for row in company.rows(late)} == {Status.PROCESSING}
    store.start()
    count = company.count("store stopped while clips are fetched", ids + late, began=began)

    assert (count.completed, count.lost, count.twice, count.stuck) == (len(ids + late), 0, 0, 0)
    assert company.broken_rules() == []


def _some(company: Company, ids: list[str]) -> bool:
    return any(row.status is Status.COMPLETED for row in company.rows(ids))
