"""A question to the usage explorer and its answer, as values; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core import errors
from core.catalog import price_list
from core.db.enums import Status
from core.messages import message
from core.usage.dimensions import Dimension, Interval, Value
from core.usage.periods import Period
from core.usage.reports import UsageQuery


class Measure(StrEnum):
    """What a view is about: it is charted, compared and sorted by; the other figures stand beside it."""

    SPENT = "spent"
    RETURNED = "returned"
    CLIPS = "clips"
    """However they ended."""
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class ExploreQuery:
    """What is asked for: the days and what of them, one or two dimensions, and steps of time or none.

    `everywhere` is all workspaces of the person, where `selection` says the present one; `compared` the days that each
    row is compared with. InvalidRequest for dimensions that are not one or two different ones, or for both of these
    at once: all workspaces of theirs, and everybody's.
    """

    selection: UsageQuery
    by: tuple[Dimension, ...]
    over: Interval | None = None
    measure: Measure = Measure.SPENT
    everywhere: bool = False
    compared: Period | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.by) <= 2 or len(set(self.by)) < len(self.by):
            raise errors.InvalidRequest(fields={"by": message("one_or_two_dimensions")})

    @property
    def is_wide(self) -> bool:
        """Whether figures of several workspaces stand together."""
        return self.everywhere or self.selection.everybody


@dataclass(frozen=True, slots=True)
class Amounts:
    """Figures of clips that ended. Dollars are what the rupiah came to at the rate that each day began with."""

    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    spent_credits: int = 0
    returned_credits: int = 0
    video_seconds: int = 0
    spent_microusd: int = 0
    returned_microusd: int = 0

    @property
    def clips(self) -> int:
        """However they ended."""
        return self.completed + self.failed + self.cancelled

    @property
    def spent_idr(self) -> int:
        """What was charged, in rupiah."""
        return self.spent_credits * price_list.IDR_PER_CREDIT

    def of(self, measure: Measure) -> int:
        """The figure of a measure: credits, clips or seconds."""
        return {
            Measure.SPENT: self.spent_credits,
            Measure.RETURNED: self.returned_credits,
            Measure.CLIPS: self.clips,
            Measure.SECONDS: self.video_seconds,
        }[measure]


@dataclass(frozen=True, slots=True)
class ClipFilter:
    """What the library is asked for to show the clips of a row; dates are those of the period."""

    since: date
    until: date
    everywhere: bool = False
    project_id: str | None = None
    maker_id: str | None = None
    model_id: str | None = None
    provider: str | None = None
    tag: str | None = None
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One combination of values; with steps of time there is one a step, too.

    `share` is its part of the measure's total, None of nothing; `previous` its figures in the time before, None where
    that was not asked for; `clips` leads to them where the library of this person can show them.
    """

    values: tuple[Value, ...]
    amounts: Amounts
    share: float | None = None
    previous: Amounts | None = None
    clips: ClipFilter | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """The figures of a row in one step of time: a day, the Monday of a week, or a month as `2026-11`."""

    at: str
    values: tuple[Value, ...]
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class Exploration:
    """The answer: rows with most of the measure first, and the same by steps of time where there are any.

    `totals` are of all clips, each counted once; `adds_up` is False by tags, of which a clip may have several.
    """

    asked: ExploreQuery
    rows: Sequence[Row]
    steps: Sequence[Step]
    totals: Amounts
    previous_totals: Amounts | None

    @property
    def adds_up(self) -> bool:
        """Whether the rows come to the totals."""
        return Dimension.TAG not in self.asked.by
