"""A view of the usage explorer as addresses, queries and saved views name it, and what it asks today; pure.

A period by name moves with the calendar, so that a saved "last month" is always the last one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from core import errors
from core.messages import message
from core.usage import periods
from core.usage.dimensions import Dimension, Interval
from core.usage.exploration import ExploreQuery, Measure
from core.usage.periods import Period
from core.usage.reports import UsageQuery

DEFAULT_BY = (Dimension.PERSON, Dimension.PROJECT)
"""Who spent what on which project."""

Word = TypeVar("Word", bound=StrEnum)


class Whose(StrEnum):
    """The present workspace, all of one's own, or, for analysts and administrators, all there are."""

    PRESENT = "present"
    MINE = "mine"
    ALL = "all"


class Unit(StrEnum):
    """What money is shown in."""

    CREDITS = "credits"
    IDR = "idr"
    USD = "usd"


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at; `since` and `until` stand in place of a `period` that has a name."""

    period: str | None = None
    since: date | None = None
    until: date | None = None
    by: tuple[Dimension, ...] = DEFAULT_BY
    over: Interval | None = None
    measure: Measure = Measure.SPENT
    unit: Unit = Unit.CREDITS
    whose: Whose = Whose.PRESENT
    project_id: str | None = None
    provider: str | None = None
    model_id: str | None = None
    user_id: str | None = None

    def days(self, today: date) -> Period:
        """First and last day; InvalidRequest for a name that is none, or where both are given."""
        if self.since is None and self.until is None:
            return periods.named(self.period or periods.LAST_MONTH, today)
        if self.period is not None or self.since is None or self.until is None:
            raise errors.InvalidRequest(fields={"period": message("period_or_days")})
        return Period(self.since, self.until)

    def question(self, today: date, *, compare: bool = True) -> ExploreQuery:
        """What is asked of the explorer; InvalidRequest for what cannot be asked."""
        days = self.days(today)
        selection = UsageQuery(
            *days,
            self.project_id,
            self.provider,
            self.model_id,
            everybody=self.whose is Whose.ALL,
            user_id=self.user_id,
        )
        return ExploreQuery(
            selection,
            self.by,
            self.over,
            self.measure,
            everywhere=self.whose is Whose.MINE,
            compared=periods.before(days, today) if compare else None,
        )

    def address(self, days: Period) -> Mapping[str, str]:
        """The parameters with which the page Usage shows this view of just these days."""
        found = {
            "show": "explore",
            "when": "own",
            "since": days.since.isoformat(),
            "until": days.until.isoformat(),
            "by": self.by[0],
            "and": self.by[1] if len(self.by) > 1 else "nothing",
            "over": self.over or "flat",
            "what": self.measure,
            "in": self.unit,
            "of": self.whose,
        }
        return {name: str(value) for name, value in found.items()}

    def query(self, days: Period) -> Sequence[tuple[str, str]]:
        """The parameters with which `GET /usage/explore` gives the same as CSV."""
        over = [("over", str(self.over))] if self.over else []
        return [
            *(("since", days.since.isoformat()), ("until", days.until.isoformat())),
            *(("by", str(each)) for each in self.by),
            *over,
            *(("measure", str(self.measure)), ("workspaces", str(self.whose)), ("format", "csv")),
        ]

    def to_json(self) -> dict[str, Any]:
        """As it is kept, and as an address names it: texts, without what is usual."""
        found = {
            "period": self.period,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "by": ",".join(self.by),
            "over": self.over,
            "measure": self.measure if self.measure is not Measure.SPENT else None,
            "unit": self.unit if self.unit is not Unit.CREDITS else None,
            "whose": self.whose if self.whose is not Whose.PRESENT else None,
            "project": self.project_id,
            "provider": self.provider,
            "model": self.model_id,
            "person": self.user_id,
        }
        return {name: str(value) for name, value in found.items() if value is not None}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "View":
        """As it was kept; a word that this release does not know is what is usual."""
        by = [known for word in str(kept.get("by", "")).split(",") if (known := _word(Dimension, word))]
        return cls(
            period=kept.get("period"),
            since=_day(kept.get("since")),
            until=_day(kept.get("until")),
            by=tuple(dict.fromkeys(by))[:2] or DEFAULT_BY,
            over=_word(Interval, kept.get("over")),
            measure=_word(Measure, kept.get("measure")) or Measure.SPENT,
            unit=_word(Unit, kept.get("unit")) or Unit.CREDITS,
            whose=_word(Whose, kept.get("whose")) or Whose.PRESENT,
            project_id=kept.get("project"),
            provider=kept.get("provider"),
            model_id=kept.get("model"),
            user_id=kept.get("person"),
        )


def _word(words: type[Word], value: object) -> Word | None:
    return next((word for word in words if word.value == value), None)


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value)) if value else None
    except ValueError:
        return None
