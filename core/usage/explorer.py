"""The usage explorer: figures of any days by one or two dimensions, with totals, shares, the time before and the clips.

One answer feeds page, file and API. Its totals are those of the roll-ups, which the ledger's own transaction writes;
what a part cannot tell (no tag, a reason that was not counted) is a row of its own, so that nothing is left out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import add
from typing import Any

from sqlalchemy import ColumnElement, case, literal_column, select

from core import errors
from core.catalog import price_list
from core.db import ReadSession
from core.db.enums import Status
from core.db.tables import GenerationTag, UndeliveredDay, UsageDay
from core.messages import message
from core.usage import dimensions, exchange_rates, reports
from core.usage.cache import UsageCache
from core.usage.dimensions import ENDS, UNKNOWN, Dimension, Interval, Source, Value
from core.usage.exploration import Amounts, ClipFilter, Exploration, ExploreQuery, Row, Step
from core.usage.periods import Period
from core.workspaces.access import Member, Owned, all_rows_for_analyst, in_workspace, visible_to

ROWS_LIMIT = 100_000
"""More are refused: they are neither read by anybody nor a chart."""

MICROUSD = 1_000_000


def explore(session: ReadSession, member: Member, asked: ExploreQuery, cache: UsageCache | None = None) -> Exploration:
    """Answer a question, with a cache by figures that it has while they are current.

    Forbidden for everybody's figures asked for by others than analysts and administrators, NotFound for a project that
    they may not see, InvalidRequest for more rows than there may be.
    """
    chosen = asked.selection
    if chosen.project_id is not None:
        reports.project_name(session, member, chosen)
    reader = _Reader(session, member, asked, cache)
    axis: tuple[Dimension | Interval, ...] = () if asked.over is None else (asked.over,)
    raw = reader.read((*axis, *asked.by), Period(chosen.since, chosen.until))
    flat = _without(raw, len(axis))
    totals = reader.total(flat, Period(chosen.since, chosen.until))
    before: Mapping[Key, Amounts] = {}
    previous_totals = None
    if asked.compared is not None:
        earlier = reader.read(asked.by, asked.compared)
        before, previous_totals = _amounts(earlier), reader.total(earlier, asked.compared)
    amounts = _amounts(flat)  # what was there before and is not any more is told, too
    amounts |= {key: Amounts() for key in before.keys() - amounts.keys()}
    values = _named(session, member, asked, amounts)
    whole = totals.of(asked.measure)
    rows = [
        Row(
            values[key],
            figures,
            share=figures.of(asked.measure) / whole if whole else None,
            previous=None if asked.compared is None else before.get(key, Amounts()),
            clips=_clips(member, asked, key),
        )
        for key, figures in amounts.items()
    ]
    rows.sort(key=lambda row: (-row.amounts.of(asked.measure), [(value.name, value.key) for value in row.values]))
    steps = [Step(key[0], values[key[1:]], figures) for key, figures in sorted(_amounts(raw).items())] if axis else []
    return Exploration(asked, rows, steps, totals, previous_totals)


Key = tuple[str, ...]
Raw = dict[tuple[Key, int], tuple[int, ...]]
"""Sums by key and by the dollar's rate, which is its place among those of the period."""

_NONE = (0,) * 6


_OWNED: Mapping[Source, Owned] = {
    Source.DAYS: UsageDay,
    Source.UNDELIVERED: UndeliveredDay,
    Source.TAGGED: GenerationTag,
}


class _Reader:
    """Reads sums by keys, from whichever sources know them."""

    def __init__(
        self, session: ReadSession, member: Member, asked: ExploreQuery, cache: UsageCache | None = None
    ) -> None:
        self.cache = cache
        self.session, self.member, self.asked = session, member, asked
        self.is_postgresql = session.get_bind().dialect.name == "postgresql"
        self.whole: dict[Period, ByKey] = {}

    def read(self, keys: Sequence[Dimension | Interval], days: Period) -> "ByKey":
        """Key -> rupiah for a dollar -> sums."""
        changes = exchange_rates.changes(self.session, days.since, days.until)

        def anew() -> _Figures:
            rows = _by_rate(self._split(keys, days, changes), changes)
            return _Figures(rows, self.whole.get(days))

        if self.cache is None:
            return anew().rows
        what = (tuple(keys), days, tuple(changes))
        chosen, everywhere = self.asked.selection, self.asked.everywhere
        kept = self.cache.figures(self.session, self.member, chosen, what, anew, everywhere=everywhere)
        if kept.whole is not None:
            self.whole[days] = kept.whole
        return kept.rows

    def total(self, rows: "ByRate", days: Period) -> Amounts:
        """Of all clips, each once: the sum of rows where they are parts of it, else as it was found beside them."""
        rows = self.whole.get(days, rows)
        width = max((len(key) for key in rows), default=0)
        return _amounts(_without(rows, width)).get((), Amounts())

    def _split(
        self, keys: Sequence[Dimension | Interval], days: Period, changes: Sequence[exchange_rates.Change]
    ) -> Raw:
        if Dimension.TAG in keys:
            return self._with_tags(keys, days, changes)
        if not ENDS & set(keys):
            return self._query(Source.DAYS, keys, days, changes)
        base = [key for key in keys if key not in ENDS]
        whole = self._query(Source.DAYS, base, days, changes)
        found: Raw = {}
        left: Raw = {}
        for (of, place), (completed, failed, cancelled, spent, returned, seconds) in whole.items():
            found[_filled(keys, of, Status.COMPLETED.value), place] = (completed, 0, 0, spent, 0, seconds)
            left[of, place] = (0, failed, cancelled, 0, returned, 0)
        for (of, place), figures in self._query(Source.UNDELIVERED, keys, days, changes).items():
            found[of, place] = figures
            own = tuple(value for key, value in zip(keys, of, strict=True) if key not in ENDS)
            left[own, place] = _minus(left.get((own, place), _NONE), figures)
        for (of, place), figures in left.items():
            _into(found, (_filled(keys, of, UNKNOWN), place), figures)
        return found

    def _with_tags(
        self, keys: Sequence[Dimension | Interval], days: Period, changes: Sequence[exchange_rates.Change]
    ) -> Raw:
        """Each clip under each of its tags, and all that has none under none: what is left of the roll-ups."""
        others = [key for key in keys if key is not Dimension.TAG]
        at = list(keys).index(Dimension.TAG)
        found = self._query(Source.TAGGED, keys, days, changes)
        untagged = self._split(others, days, changes)
        self.whole[days] = _by_rate(untagged, changes)
        for key, figures in self._query(Source.TAGGED, others, days, changes).items():
            untagged[key] = _minus(untagged.get(key, _NONE), figures)
        for (of, place), figures in untagged.items():
            _into(found, ((*of[:at], UNKNOWN, *of[at:]), place), figures)
        return found

    def _query(
        self,
        source: Source,
        keys: Sequence[Dimension | Interval],
        days: Period,
        changes: Sequence[exchange_rates.Change],
    ) -> Raw:
        columns = [dimensions.column(source, key, is_postgresql=self.is_postgresql) for key in keys]
        if len(changes) > 1:
            columns.append(self._rate(source, changes))
        sums = dimensions.sums(source)
        conditions = [self._whose(source), *self._narrowed(source), *self._days(source, days)]
        if source is Source.TAGGED:
            conditions.append(dimensions.is_told_by_tag())
            conditions += [] if Dimension.TAG in keys else [dimensions.is_first_tag()]
        figures = [column.label(f"figure_{place}") for place, column in enumerate(sums.columns)]
        width, last = len(keys), len(columns)
        places = sorted(range(last), key=lambda place: _rank(keys, place))
        by = columns if self.is_postgresql or last < 2 else [_as_one([columns[place] for place in places])]
        query = select(*by, *figures).select_from(sums.table).where(*conditions).group_by(*by)
        rows = self.session.execute(query.limit(ROWS_LIMIT + 1)).all()
        if len(rows) > ROWS_LIMIT:
            raise errors.InvalidRequest(fields={"by": message("too_many_rows", limit=ROWS_LIMIT)})
        found: Raw = {}
        for row in rows:
            key = list(row[: len(by)])
            if len(by) < last:
                parts = dict(zip(places, key[0].split(_BETWEEN), strict=True))
                key = [parts[place] for place in range(last)]
            figures_of = tuple(int(figure or 0) for figure in row[len(by) :])
            found[tuple(key[:width]), int(key[width]) if last > width else 0] = figures_of
        return found

    def _rate(self, source: Source, changes: Sequence[exchange_rates.Change]) -> ColumnElement[Any]:
        """The place of the rate that a day began with; days are ours, so they may stand in the statement."""
        day = dimensions.day_column(source)
        return case(
            *(
                (day < literal_column(f"'{change.first_day.isoformat()}'"), literal_column(str(place)))
                for place, change in enumerate(changes[1:])
            ),
            else_=literal_column(str(len(changes) - 1)),
        )

    def _whose(self, source: Source) -> ColumnElement[bool]:
        chosen, table = self.asked.selection, _OWNED[source]
        if chosen.everybody:
            return all_rows_for_analyst(self.member)
        if self.asked.everywhere or chosen.project_id is not None:
            return visible_to(table, self.member)
        return in_workspace(table, self.member)

    def _narrowed(self, source: Source) -> list[ColumnElement[bool]]:
        chosen = self.asked.selection
        narrowed = {
            Dimension.PROJECT: chosen.project_id,
            Dimension.PROVIDER: chosen.provider,
            Dimension.MODEL: chosen.model_id,
            Dimension.PERSON: chosen.user_id,
        }
        return [
            dimensions.column(source, name, is_postgresql=self.is_postgresql) == value
            for name, value in narrowed.items()
            if value is not None
        ]

    def _days(self, source: Source, days: Period) -> list[ColumnElement[bool]]:
        day = dimensions.day_column(source)
        return [day >= days.since.isoformat(), day <= days.until.isoformat()]


_BETWEEN = "\x1f"
"""Stands in no id, word or tag."""


_FEW: Mapping[Dimension | Interval, int] = {
    name: place
    for place, name in enumerate(
        (Dimension.PROJECT, Dimension.PERSON, Dimension.TAG, Dimension.MODEL, Dimension.WORKSPACE, Dimension.PROVIDER),
        1,
    )
}
"""The fewer values there are of it, the later it stands, so that texts soon differ."""


def _rank(keys: Sequence[Dimension | Interval], place: int) -> int:
    return _FEW.get(keys[place], len(_FEW)) if place < len(keys) else len(_FEW) + 1


def _as_one(columns: Sequence[ColumnElement[str]]) -> ColumnElement[str]:
    """Several columns as one text: SQLite sorts what it groups, and by one text in two thirds of the time."""
    one, *others = columns
    for other in others:
        one = one.op("||")(literal_column(f"'{_BETWEEN}'")).op("||")(other)
    return one


def _by_rate(found: Raw, changes: Sequence[exchange_rates.Change]) -> "ByKey":
    by_key: ByKey = defaultdict(dict)
    for (key, place), figures in found.items():
        if any(figures):
            rate = changes[place].idr_per_usd
            by_key[key][rate] = _plus(by_key[key].get(rate, _NONE), figures)
    return dict(by_key)


def _filled(keys: Sequence[Dimension | Interval], of: Key, end: str) -> Key:
    """A key of the others with the value of how it ended in its places."""
    left = iter(of)
    return tuple(end if key in ENDS else next(left) for key in keys)


def _plus(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(map(add, one, other))


def _minus(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a - b for a, b in zip(one, other, strict=True))


def _into(found: Raw, key: tuple[Key, int], figures: tuple[int, ...]) -> None:
    if any(figures):
        found[key] = _plus(found.get(key, _NONE), figures)


ByKey = dict[Key, dict[int, tuple[int, ...]]]


@dataclass(frozen=True, slots=True)
class _Figures:
    """What is read for a period: by its keys, and beside tags that of all clips, each once."""

    rows: ByKey
    whole: ByKey | None

    def __len__(self) -> int:
        return len(self.rows)


ByRate = Mapping[Key, Mapping[int, tuple[int, ...]]]


def _without(raw: ByRate, axis: int) -> ByRate:
    """The same without its steps of time."""
    if not axis:
        return raw
    found: dict[Key, dict[int, tuple[int, ...]]] = defaultdict(dict)
    for key, by_rate in raw.items():
        own = found[key[axis:]]
        for rate, figures in by_rate.items():
            own[rate] = _plus(own.get(rate, _NONE), figures)
    return found


def _amounts(raw: ByRate) -> dict[Key, Amounts]:
    return {key: _amount(by_rate) for key, by_rate in raw.items()}


def _amount(by_rate: Mapping[int, tuple[int, ...]]) -> Amounts:
    total: tuple[int, ...] = _NONE
    for figures in by_rate.values():
        total = _plus(total, figures)
    completed, failed, cancelled, spent_credits, returned_credits, seconds = total
    spent, returned = (_microusd({rate: figures[at] for rate, figures in by_rate.items()}) for at in (3, 4))
    return Amounts(completed, failed, cancelled, spent_credits, returned_credits, seconds, spent, returned)


def _microusd(credits: Mapping[int, int]) -> int:
    """Credits by rate in millionths of a dollar, half up; rounded once, so that it does not matter how it was cut."""
    over, under = 0, 1  # a fraction as two whole numbers: there may be thousands of rows
    for rate, amount in credits.items():
        if amount:
            over, under = over * rate + amount * price_list.IDR_PER_CREDIT * MICROUSD * under, under * rate
    return (2 * over + under) // (2 * under)


def _named(
    session: ReadSession, member: Member, asked: ExploreQuery, keys: Iterable[Key]
) -> Mapping[Key, tuple[Value, ...]]:
    every = list(keys)
    found: list[Mapping[str, Value]] = []
    for place, dimension in enumerate(asked.by):
        known = {key[place] for key in every}
        found.append(
            dimensions.values(
                session, member, dimension, known, everybody=asked.selection.everybody, wide=asked.is_wide
            )
        )
    return {key: tuple(of[value] for of, value in zip(found, key, strict=True)) for key in every}


def _clips(member: Member, asked: ExploreQuery, key: Key) -> ClipFilter | None:
    """Where the library has no such filter, or what is shown is not this person's to see, there is none."""
    chosen = asked.selection
    value = dict(zip(asked.by, key, strict=True))
    here = value.get(Dimension.WORKSPACE, member.workspace_id)
    if (
        chosen.everybody
        or Dimension.WEEKDAY in value
        or value.get(Dimension.TAG) == UNKNOWN
        or here != member.workspace_id
    ):
        return None
    end = value.get(Dimension.OUTCOME)
    reason = value.get(Dimension.REASON)
    if reason is not None:
        end = reason if reason in (Status.COMPLETED, Status.CANCELLED) else Status.FAILED.value
    return ClipFilter(
        chosen.since,
        chosen.until,
        everywhere=asked.everywhere and Dimension.WORKSPACE not in value,
        project_id=value.get(Dimension.PROJECT, chosen.project_id),
        maker_id=value.get(Dimension.PERSON, chosen.user_id),
        model_id=value.get(Dimension.MODEL, chosen.model_id),
        provider=value.get(Dimension.PROVIDER, chosen.provider),
        tag=value.get(Dimension.TAG),
        status=Status(end) if end else None,
    )
