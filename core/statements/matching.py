"""Which line of a statement is which clip of ours, one to one; pure, and the same whatever the order of the lines.

First by the vendor's job id. What has none is matched by model, price and time, the nearest times first, and only then
at another price where the times are the same. It reads streams and holds what lies within one window of time.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import NamedTuple

from core.billing.quote import idr_of_microusd
from core.db.enums import LineOutcome

TOLERANCE_PERCENT = 1
TOLERANCE_MICROUSD = 5_000
"""A price is the same within one percent of ours, or half a cent: vendors round to cents."""


@dataclass(frozen=True, slots=True)
class Billed:
    """A line: `model_id` is empty where it names none that we know, `amount_micro` None where it cannot be read.

    `digest` is the same for lines that say the same; it orders those of one time.
    """

    id: str
    digest: str
    job_id: str
    model_id: str
    begins_at: datetime | None
    ends_at: datetime | None
    currency: str
    amount_micro: int | None

    def idr(self, idr_per_usd: int) -> int:
        """Its amount in rupiah, half up."""
        return idr_of_microusd(self.amount_micro or 0, idr_per_usd if self.currency == "USD" else 1)


@dataclass(frozen=True, slots=True)
class Sent:
    """A clip that was sent to the vendor, and until when it was there.

    `cost_idr` is None where nobody knows what it costs. `is_expected`: a line is missing if there is none.
    """

    id: str
    model_id: str
    job_id: str
    sent_at: datetime
    until_at: datetime
    cost_idr: int | None
    idr_per_usd: int
    has_ended: bool = True
    is_expected: bool = True


class By(StrEnum):
    """What a line was matched by."""

    JOB = "job"
    TIME = "time"


class Match(NamedTuple):
    """What became of a line; with `clip` what it was matched with."""

    line: Billed
    outcome: LineOutcome
    clip: Sent | None = None
    by: By | None = None


def is_near(theirs_idr: int, clip: Sent) -> bool:
    """Whether an amount is what we have counted for a clip, but for rounding."""
    ours = clip.cost_idr or 0
    percent, cent = ceil(abs(ours) * TOLERANCE_PERCENT / 100), ceil(TOLERANCE_MICROUSD * clip.idr_per_usd / 1_000_000)
    return abs(theirs_idr - ours) <= max(percent, cent)


def of_clip(line: Billed, clip: Sent, by: By) -> Match:
    """What a line says of the clip that it is for."""
    if line.amount_micro is None:
        return Match(line, LineOutcome.UNREADABLE, clip, by)
    if not clip.has_ended:
        return Match(line, LineOutcome.UNCLEAR, clip, by)
    if line.model_id and line.model_id != clip.model_id:
        return Match(line, LineOutcome.OTHER_MODEL, clip, by)
    near = is_near(line.idr(clip.idr_per_usd), clip)
    return Match(line, LineOutcome.MATCHED if near else LineOutcome.PRICE_DIFFERS, clip, by)


def of_job(lines: Sequence[Billed], clip: Sent | None, *, is_taken: bool = False) -> Iterator[Match]:
    """The lines of one job: the one that is nearest to our price is it, the others bill it again.

    `is_taken`: the job was billed before these. Without a clip its first line is theirs only.
    """
    readable = [line for line in lines if line.amount_micro is not None]
    yield from (Match(line, LineOutcome.UNREADABLE, clip, By.JOB) for line in lines if line.amount_micro is None)

    def rank(line: Billed) -> tuple[int, str, str, str]:
        away = abs(line.idr(clip.idr_per_usd) - (clip.cost_idr or 0)) if clip else 0
        return away, line.begins_at.isoformat() if line.begins_at else "", line.digest, line.id

    first = None if is_taken else min(readable, key=rank, default=None)
    for line in readable:
        if line is not first:
            yield Match(line, LineOutcome.DUPLICATE, clip, By.JOB)
        elif clip is None:
            yield Match(line, LineOutcome.THEIRS_ONLY)
        else:
            yield of_clip(line, clip, By.JOB)


class Anchor(StrEnum):
    """Which moment of a clip a window lies around."""

    SENT = "sent_at"
    UNTIL = "until_at"
    BOTH = "both"
    """From the one to the other."""


class Window(NamedTuple):
    """How near a line's time has to be to a clip's; `any_price` where the price need not be ours."""

    anchor: Anchor
    slack: timedelta
    any_price: bool = False

    def of(self, clip: Sent) -> tuple[datetime, datetime]:
        """From when to when a line may lie."""
        begin = clip.until_at if self.anchor is Anchor.UNTIL else clip.sent_at
        end = clip.sent_at if self.anchor is Anchor.SENT else clip.until_at
        return begin - self.slack, end + self.slack

    def fits(self, line: Billed, clip: Sent) -> bool:
        """Whether a line in the window may be a clip, by what else it says."""
        if line.model_id and line.model_id != clip.model_id:
            return False
        if line.job_id and clip.job_id:  # they are others, or they would have been matched by these
            return False
        return self.any_price or is_near(line.idr(clip.idr_per_usd), clip)


WINDOWS = (
    *(Window(anchor, timedelta(seconds=2)) for anchor in (Anchor.SENT, Anchor.UNTIL)),
    *(Window(anchor, timedelta(minutes=1)) for anchor in (Anchor.SENT, Anchor.UNTIL)),
    Window(Anchor.BOTH, timedelta(minutes=5)),
    *(Window(anchor, timedelta(seconds=2), any_price=True) for anchor in (Anchor.SENT, Anchor.UNTIL)),
    *(Window(anchor, timedelta(minutes=1), any_price=True) for anchor in (Anchor.SENT, Anchor.UNTIL)),
)
"""One after the other, each over what the ones before have left."""


def in_time(lines: Iterable[Billed], clips: Iterable[Sent], window: Window) -> Iterator[Match]:
    """Lines with clips of theirs by time: lines by (time, digest, id), clips by the window's begin and id.

    A line takes the clip that fits and goes first out of the window: no other choice leaves fewer without.
    """
    waiting: list[Sent] = []
    following = iter(clips)
    ahead = next(following, None)
    for line in lines:
        begins_at, ends_at = _times(line)
        while ahead is not None and window.of(ahead)[0] <= ends_at:
            waiting.append(ahead)
            ahead = next(following, None)
        waiting = [clip for clip in waiting if window.of(clip)[1] >= begins_at]
        fitting = [clip for clip in waiting if window.fits(line, clip)]
        if fitting:
            clip = min(fitting, key=lambda one: (window.of(one)[1], one.sent_at, one.id))
            waiting.remove(clip)
            yield of_clip(line, clip, By.TIME)


def begin_order(window: Window) -> Callable[[Sent], tuple[datetime, str]]:
    """By what clips are ordered for a window."""
    return lambda clip: (window.of(clip)[0], clip.id)


def line_order(line: Billed) -> tuple[datetime, str, str]:
    """By what lines are ordered for one."""
    return _times(line)[0], line.digest, line.id


def _times(line: Billed) -> tuple[datetime, datetime]:
    if line.begins_at is None or line.ends_at is None:
        raise ValueError("a line without a time is matched by its job alone")
    return line.begins_at, line.ends_at


class Compared(NamedTuple):
    """Everything that was found: a match for each line, and clips that have none."""

    matches: Sequence[Match]
    ours_only: Sequence[Sent]


def compare(lines: Sequence[Billed], clips: Sequence[Sent]) -> Compared:
    """All of it in memory, by the same steps that `core.statements.comparing` takes through the database."""
    by_job: dict[str, list[Billed]] = {}
    for line in lines:
        if line.job_id:
            by_job.setdefault(line.job_id, []).append(line)
    of_jobs = {clip.job_id: clip for clip in clips if clip.job_id}
    found: dict[str, Match] = {}
    taken: set[str] = set()
    for job_id, some in by_job.items():
        for match in of_job(some, of_jobs.get(job_id)):
            found[match.line.id] = match
        if job_id in of_jobs:
            taken.add(of_jobs[job_id].id)
    for window in WINDOWS:
        left = [line for line in lines if is_open(line, found.get(line.id))]
        free = [clip for clip in clips if clip.id not in taken]
        for match in in_time(sorted(left, key=line_order), sorted(free, key=begin_order(window)), window):
            assert match.clip is not None, "what time matches has a clip"  # noqa: S101 -- for the type checker
            found[match.line.id] = match
            taken.add(match.clip.id)
    outcome = {True: LineOutcome.UNREADABLE, False: LineOutcome.THEIRS_ONLY}
    every = [found.get(line.id) or Match(line, outcome[line.amount_micro is None]) for line in lines]
    return Compared(every, [clip for clip in clips if clip.is_expected and clip.id not in taken])


def is_open(line: Billed, match: Match | None) -> bool:
    """Whether a line may still be matched by its time."""
    is_theirs = match is None or match.outcome is LineOutcome.THEIRS_ONLY
    return is_theirs and line.begins_at is not None and line.amount_micro is not None
