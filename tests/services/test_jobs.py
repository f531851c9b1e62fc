import pytest

from core import db
from core.db.enums import Stage
from core.db.tables import Generation
from core.installation import Installation, current
from core.redis.job_queue import DOWNLOAD, SUBMIT, Ring
from core.worker import claims, jobs
from core.worker.bulkheads import Bulkheads, Job
from core.workspaces.access import Member
from tests.factories.generations import (
    DISPATCHED,
    READY_TO_DOWNLOAD,
    SUBMITTING,
    WAITING,
    advance,
    create_generation,
    load_generation,
    make_due,
)
from tests.factories.users import create_member


class Seen(Bulkheads):
    """Bulkheads that run nothing and keep what they are handed."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[Job] = []

    def take(self, job: Job) -> None:
        """Keep it."""
        self.jobs.append(job)


@pytest.fixture
def seen(installation: Installation) -> Seen:
    """What the rings led to."""
    return Seen()


@pytest.fixture
def ana(installation: Installation) -> Member:
    """Somebody with credits in the installation."""
    return create_member(db.default(), credits=100_000)


def handed_over(ana: Member) -> Generation:
    """An order that a worker is to send."""
    return advance(db.default(), create_generation(db.default(), ana).id, DISPATCHED)


def finished(ana: Member, link: str | None) -> Generation:
    """A clip that a worker is to fetch from there."""
    moves = (DISPATCHED, SUBMITTING, WAITING, READY_TO_DOWNLOAD)
    return advance(db.default(), create_generation(db.default(), ana).id, *moves, provider_video_url=link)


def test_ring_for_an_order(seen: Seen, ana: Member) -> None:
    """An order takes a place of its vendor's."""
    row = handed_over(ana)
    jobs.taker(seen)(Ring(SUBMIT, row.id, row.version))

    (job,) = seen.jobs
    assert (job.key, job.owner, job.places) == (row.id, "demo", {"demo": jobs.SUBMITS_PER_PROVIDER})


@pytest.mark.parametrize(
    ("link", "host"),
    [
        ("https://files.example:8443/a.mp4?b", "files.example"),
        ("http://[::1]:1/a", "::1"),
        (None, ""),
        ("https://[broken/a", ""),
    ],
)
def test_ring_for_a_clip(seen: Seen, ana: Member, link: str | None, host: str) -> None:
    """A clip takes a place of its vendor's, and one of its file host's."""
    row = finished(ana, link)
    jobs.taker(seen)(Ring(DOWNLOAD, row.id, row.version))

    (job,) = seen.jobs
    assert job.places == {"demo": jobs.DOWNLOADS_PER_PROVIDER, f"demo {host}": jobs.DOWNLOADS_PER_HOST}


def test_ring_that_the_row_does_not_bear_out(seen: Seen, ana: Member) -> None:
    """What is unknown, moved on, claimed anew or of the other queue leads to nothing."""
    order, clip = handed_over(ana), finished(ana, None)
    rings = (
        Ring(SUBMIT, "no-such-generation", 1),
        Ring(SUBMIT, order.id, order.version - 1),
        Ring(SUBMIT, order.id, 10**17),
        Ring(DOWNLOAD, order.id, order.version),
        Ring(SUBMIT, clip.id, clip.version),
    )
    for ring in rings:
        jobs.taker(seen)(ring)

    assert seen.jobs == []


def test_job_when_the_row_was_claimed_anew(seen: Seen, ana: Member) -> None:
    """What waited for its place so long that it was handed over again is left to the later ring."""
    row = handed_over(ana)
    jobs.taker(seen)(Ring(SUBMIT, row.id, row.version))
    make_due(row.id)
    (again,) = claims.claim_submits(current().settings, lambda _provider: True)
    seen.jobs[0].run()

    assert again.version > row.version
    assert load_generation(row.id).stage is Stage.DISPATCHED


def test_ring_for_previews(seen: Seen) -> None:
    """Previews have a place of their own, one at a time."""
    jobs.taker(seen)(Ring(DOWNLOAD, None))

    assert [(job.key, job.places) for job in seen.jobs] == [(jobs.PREVIEWS, {jobs.PREVIEWS: 1})]
