import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from core.clock import utc_now
from core.db.enums import Stage, Status
from core.db.tables import Generation
from core.generations.progress import InFlightItem
from core.insights.model_stats import TimeRange
from pages.sections import progress_text
from pages.ui import wording

NOW = utc_now()
USUAL = TimeRange(p50_seconds=120, p90_seconds=600, based_on=50)


def at(
    status: Status, stage: Stage, *, ago_seconds: float | None = None, ahead: int = 0, **values: object
) -> InFlightItem:
    """A generation that stands somewhere, sent so long ago."""
    facts = {"progress": 0.0, "progress_is_estimate": True, "credits": 50, "provider": "demo"} | values
    row = Generation(id="x", status=status, stage=stage, **facts)
    if ago_seconds is not None:
        row.submitted_at = NOW - timedelta(seconds=ago_seconds)
    return InFlightItem(row, USUAL, ahead)


WAITING = (Status.PROCESSING, Stage.WAITING)


@pytest.mark.parametrize(
    ("standing_at", "words"),
    [
        (
            replace(at(Status.PENDING, Stage.QUEUED, ahead=50), pace_seconds=12),
            "Number 51 in line. With those before it, 7 min to 60 min",
        ),
        (at(*WAITING, progress=0.3, ago_seconds=60), "The provider is making it, about 30%, 60 s to 9 min left"),
    ],
)
def test_line_ahead_is_part_of_the_range(standing_at: InFlightItem, words: str) -> None:
    """A clip that comes after others is promised for when they are done; without a worker nothing is promised."""
    said = progress_text.where(standing_at, NOW).replace(wording.NO_BREAK, " ")
    assert said == words
    assert " to " not in progress_text.where(standing_at, NOW, waits=True)


@pytest.mark.parametrize(
    ("standing_at", "words"),
    [
        (at(Status.PENDING, Stage.QUEUED), "Next in line. Usually takes 2 min to 10 min"),
        (at(Status.PENDING, Stage.QUEUED, ahead=1), "Number 2 in line. Usually takes 2 min to 10 min"),
        (
            at(Status.PENDING, Stage.DISPATCHED, ahead=1200),
            "About to be sent, number 1,201 in line. Usually takes 2 min to 10 min",
        ),
        (at(Status.PENDING, Stage.DISPATCHED), "About to be sent. Usually takes 2 min to 10 min"),
        (
            at(*WAITING, ahead=1, ago_seconds=300),
            "Waiting at the provider, number 2 in line. Usually takes 2 min to 10 min",
        ),
        (
            replace(at(*WAITING, progress_is_estimate=False), pace_seconds=60, in_making=2),
            "Waiting at the provider, next in line. With those before it, 2 min to 20 min",
        ),
        (at(Status.PROCESSING, Stage.SUBMITTING), "Being sent to the provider"),
        (at(*WAITING, progress=0.3), "The provider is making it, about 30%"),
        (at(*WAITING, progress=0.3, ago_seconds=60), "The provider is making it, about 30%, 60 s to 9 min left"),
        (
            at(*WAITING, progress=0.5, progress_is_estimate=False, ago_seconds=60),
            "The provider is making it, 50%, about 60 s left",
        ),
        (at(*WAITING, progress=0.97, ago_seconds=700), "The provider is making it, about 97%, longer than usual"),
        (at(*WAITING, cancel_requested_at=NOW, ago_seconds=5), "Being cancelled"),
        (at(Status.PROCESSING, Stage.DOWNLOADING, progress=1.0, ago_seconds=5), "Being fetched and checked"),
    ],
)
def test_where_it_stands_is_said_in_words(standing_at: InFlightItem, words: str) -> None:
    """Stage, place in line, share and the rest of the time, each only where it is known."""
    assert progress_text.where(standing_at, NOW).replace(wording.NO_BREAK, " ") == words


def test_rest_counts_from_when_the_provider_began() -> None:
    """Minutes in a line before it say nothing of how long the making takes."""
    sent = at(*WAITING, progress=0.5, progress_is_estimate=False, ago_seconds=600)
    began = replace(sent, begun_at=NOW - timedelta(seconds=60))
    said = progress_text.where(began, NOW).replace(wording.NO_BREAK, " ")
    assert said == "The provider is making it, 50%, about 60 s left"


def test_rest_of_those_behind_is_longer() -> None:
    """Of clips in one line each is promised for later than the one before it, soonest and latest alike."""
    line = [replace(at(*WAITING, ahead=ahead), pace_seconds=30, in_making=1).until_done for ahead in range(9)]
    for before, behind in itertools.pairwise(line):
        assert behind.p50_seconds > before.p50_seconds
        assert behind.p90_seconds > before.p90_seconds


def test_rest_does_not_jump_when_the_provider_begins_to_count() -> None:
    """A clip of fourteen seconds whose provider counts slowly at first: the rest that is told never grows by much."""
    usual, looks = TimeRange(10, 20, 50), [(2, 0.05), (4, 0.2), (7, 0.45), (10, 0.7), (12, 0.85), (13, 0.93)]
    told = [
        progress_text._rest_seconds(progress, elapsed_seconds, usual)  # the words round it
        for elapsed_seconds, progress in looks
    ]
    assert told[0] < 12, "by its share alone it would be 38"
    assert all(after < before + 1 for before, after in itertools.pairwise(told))
    assert told[-1] < 3


def test_without_history_the_guess_says_so() -> None:
    """A first guess is not sold as experience."""
    first = InFlightItem(at(Status.PENDING, Stage.QUEUED).row, TimeRange(10, 20, 0), 0)
    said = progress_text.where(first, NOW).replace(wording.NO_BREAK, " ")
    assert said == "Next in line. May take 10 s to 20 s; there is no history yet"


@pytest.mark.parametrize(
    ("standing_at", "can"),
    [
        (at(Status.PENDING, Stage.QUEUED), True),
        (at(*WAITING), True),
        (at(*WAITING, provider="modelslab"), False),
        (at(Status.PROCESSING, Stage.DOWNLOADING), None),
        (at(*WAITING, cancel_requested_at=NOW), None),
        (at(Status.UNCERTAIN, Stage.WAITING), None),
    ],
)
def test_cancelling_is_offered_where_it_can_be_done(standing_at: InFlightItem, can: bool | None) -> None:
    """Before it is sent always; afterwards only where the provider can stop it, with a word on why not."""
    offered = progress_text.cancelling(standing_at.row)
    assert (offered and offered["can"]) == can
    assert offered is None or offered["text"].endswith(".")
