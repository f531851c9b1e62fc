"""Lays what administrators have changed over the catalogue that files describe; pure.

A change is one table of a record, dated. What is wrong with one is found out before it is kept (`read`), so that one
which cannot be laid over is of another release, or about a model that is not here any more: it is left out and told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from datetime import datetime
from typing import Any, TypeVar

from core.catalog import record_tables
from core.catalog.catalogue import Catalogue, Entry
from core.catalog.records import Cost, Life, Price, VendorId
from core.db.enums import ChangeKind
from core.providers import model_files
from core.providers.model_files import BadRecord

Dated = TypeVar("Dated", Price, Cost)

Said = Life | Price | Cost | VendorId
"""What is dated of a model."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is said of a model from a moment on. `value` is, by kind:

    the table of a record without its `since` (life, price, cost); `{"upstream_id": ...}` (vendor_id); `{"before": id of
    another model, or None for the end of the list}` (position); a whole record with its id and `provider` (record);
    `{"change": id}` (taken_back).
    """

    id: int
    model_id: str
    kind: ChangeKind
    since: datetime
    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Overlaid:
    """The catalogue with all changes, and the changes that could not be laid over, each with why."""

    catalogue: Catalogue
    left_out: tuple[tuple[Change, str], ...] = ()


def apply(base: Catalogue, changes: Sequence[Change]) -> Overlaid:
    """`base` with `changes`, given in the order in which they were made.

    A price or cost of an administrator holds against all that files say from its moment on, also against what a later
    release says. For the life of a model the newest word counts, whoever's it is: a vendor ends what it ends.
    """
    entries, left_out = dict(base.entries), list[tuple[Change, str]]()
    order = list(entries)
    gone = taken_back(changes)
    said: dict[str, list[Said]] = {}
    added: dict[str, Entry] = {}
    for change in changes:
        if change.id in gone or change.kind is ChangeKind.TAKEN_BACK:
            continue
        try:
            if change.kind is ChangeKind.RECORD:
                earlier, newer = added.get(change.model_id), entry_of(change.value)
                if earlier is not None:  # what was asked and taken before stays, and is changed one by one
                    newer = replace(newer, prices=earlier.prices, costs=earlier.costs, lives=earlier.lives)
                entries[change.model_id] = added[change.model_id] = newer
                if change.model_id not in order:
                    order.append(change.model_id)
            elif change.model_id not in entries:
                left_out.append((change, "there is no such model"))
            elif change.kind is ChangeKind.POSITION:
                _move(order, change.model_id, change.value.get("before"))
            else:
                said.setdefault(change.model_id, []).append(read(change.kind, change.value, change.since))
        except BadRecord as wrong:
            left_out.append((change, str(wrong)))
    for model_id, each in said.items():
        entries[model_id] = _with(entries[model_id], each)
    return Overlaid(Catalogue({model_id: entries[model_id] for model_id in order}), tuple(left_out))


def taken_back(changes: Sequence[Change]) -> frozenset[int]:
    """Ids of the changes that shall not begin."""
    return frozenset(change.value["change"] for change in changes if change.kind is ChangeKind.TAKEN_BACK)


def read(kind: ChangeKind, value: Mapping[str, Any], since: datetime) -> Said:
    """What a dated change says; raises BadRecord, whose field is one of `value`."""
    if "since" in value:
        raise BadRecord("A change says from when on beside this.", "since")
    table = {**value, "since": since}
    try:
        if kind is ChangeKind.LIFE:
            return record_tables.lives([table])[0]
        if kind is ChangeKind.PRICE:
            return record_tables.prices([table])[0]
        if kind is ChangeKind.COST:
            return record_tables.costs([table])[0]
    except BadRecord as wrong:
        raise BadRecord(wrong.sentence, wrong.field.partition("].")[2]) from None
    named = value.get("upstream_id")
    if not isinstance(named, str) or not 1 <= len(named) <= _LONGEST_ID or not named.isprintable():
        raise BadRecord(f"The vendor's id has 1 to {_LONGEST_ID} printable characters.", "upstream_id")
    if set(value) != {"upstream_id"}:
        raise BadRecord("There is no such field.", next(name for name in value if name != "upstream_id"))
    return VendorId(since, named)


def entry_of(record: Mapping[str, Any]) -> Entry:
    """The model of a record with its `provider`; raises BadRecord with the field that is wrong."""
    table = dict(record)
    provider = table.pop("provider", None)
    if not isinstance(provider, str):
        raise BadRecord("It is missing.", "provider")
    found = model_files.record(table, provider=provider)
    return replace(Entry.of(found.model, found.catalogue), added=True)


def _move(order: list[str], model_id: str, before: Any) -> None:
    order.remove(model_id)
    order.insert(order.index(before) if before in order else len(order), model_id)


def _with(entry: Entry, said: Sequence[Said]) -> Entry:
    prices = [each for each in said if isinstance(each, Price)]
    costs = [each for each in said if isinstance(each, Cost)]
    lives = {each.since: each for each in (*entry.lives, *(each for each in said if isinstance(each, Life)))}
    return replace(
        entry,
        prices=_over(entry.prices, prices),
        costs=_over(entry.costs, costs),
        lives=tuple(lives[since] for since in sorted(lives)),
        vendor_ids=tuple(sorted((each for each in said if isinstance(each, VendorId)), key=_since)),
    )


def _over(before: tuple[Dated, ...], said: Sequence[Dated]) -> tuple[Dated, ...]:
    if not said:
        return before
    newer = sorted(said, key=_since)
    return tuple([each for each in before if each.since < newer[0].since] + newer)


def _since(each: Said) -> datetime:
    return each.since


_LONGEST_ID = 300


def table_of(said: Said) -> dict[str, Any]:
    """What is said of a model, as the table of a record that says it; what is left at its default is left out."""
    table: dict[str, Any] = {"since": said.since.isoformat()}
    for each in fields(said):
        value = getattr(said, each.name)
        default = each.default_factory() if each.default_factory is not MISSING else each.default
        if each.name != "since" and value != default:
            table[each.name] = dict(value) if isinstance(value, Mapping) else value
    return table
