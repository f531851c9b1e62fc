"""What one vendor or file host does holds up nobody else's clips."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest

from core.db.enums import ENDED_STATUSES, Stage, Status
from core.worker import jobs
from tests import simulators
from tests.system.installation import Installation, installed

pytestmark = pytest.mark.process

BAD, GOOD = "modelslab", "edenai"
SOON_SECONDS = 100
"""Much longer than four clips take, also on a busy machine, and far less than six that hang, one after the other."""


@pytest.fixture
def vendors() -> Iterator[Mapping[str, str]]:
    """Two vendors whose jobs take a second: name -> address."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(simulators.running(name, seconds=1, limit=1000)) for name in (BAD, GOOD)}


@pytest.fixture
def site(vendors: Mapping[str, str]) -> Iterator[Installation]:
    """An installation that uses both, with Redis and one worker of each kind, as the demo has them."""
    environ = {"MODELSLAB_MAX_IN_FLIGHT": "1000"}
    for name, url in vendors.items():
        environ |= {f"{name.upper()}_BASE_URL": url, f"{name.upper()}_API_KEY": "key-for-tests"}
    with installed(vendors[BAD], environ=environ) as found:
        found.start_redis()
        found.start_worker()
        yield found


def ordered(site: Installation, vendor: str, kind: str, count: int) -> list[str]:
    """So many orders of a vendor that go in this way; their ids."""
    model_id = simulators.MODELS[vendor]
    return [site.order(f"[sim:{kind}] lake {n}", model_id=model_id) for n in range(count)]


def are_done(site: Installation, ids: list[str]) -> bool:
    """Whether all of these are delivered."""
    return all(site.row(generation_id).status is Status.COMPLETED for generation_id in ids)


def test_orders_while_another_vendor_hangs(site: Installation) -> None:
    """Six orders whose vendor takes them and says nothing delay no order of another vendor."""
    stuck = ordered(site, BAD, "hang", 6)
    for generation_id in stuck[:2]:
        site.until_stage(generation_id, Stage.SUBMITTING)
    good = ordered(site, GOOD, "ok", 4)
    site.until(lambda: are_done(site, good), "the other vendor's clips are done", seconds=SOON_SECONDS)

    rows = [site.row(generation_id) for generation_id in stuck]
    assert any(row.status in (Status.PENDING, Status.PROCESSING) for row in rows), "they hang still"
    sent = [row for row in rows if (row.status, row.stage) == (Status.PROCESSING, Stage.SUBMITTING)]
    assert len(sent) <= jobs.SUBMITS_PER_PROVIDER, "no more than a kill may make uncertain"
    site.check_books()


@pytest.mark.parametrize("kind", ["drip", "silent", "babble"])
def test_downloads_while_a_file_host_misbehaves(site: Installation, kind: str) -> None:
    """Six clips whose file host drips, is silent or speaks nonsense delay no clip of another vendor."""
    stuck = ordered(site, BAD, kind, 6)
    for generation_id in stuck:
        site.until_stage(generation_id, Stage.READY_TO_DOWNLOAD, Stage.DOWNLOADING)
    good = ordered(site, GOOD, "ok", 4)
    site.until(lambda: are_done(site, good), "the other vendor's clips are done", seconds=SOON_SECONDS)
    assert not {site.row(generation_id).status for generation_id in stuck} & set(ENDED_STATUSES)

    def one_is_given_up() -> bool:
        rows = [site.row(generation_id) for generation_id in stuck]
        return any(row.collect_attempt and row.stage is Stage.READY_TO_DOWNLOAD for row in rows)

    site.until(one_is_given_up, "what hangs goes to the back", seconds=SOON_SECONDS)
    site.check_books()
