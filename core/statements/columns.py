"""Which columns of a vendor's statement say what, guessed from their heads and what stands below them; pure.

No vendor of ours has published what its statement looks like (`VENDOR_WORDS`), so that a person looks at the guess.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self
from zoneinfo import ZoneInfo, available_timezones

from core import errors
from core.generations.sheets.columns import key
from core.messages import message
from core.statements import cells

UTC_ZONE = "UTC"
CURRENCIES = ("USD", "IDR")


class Field(StrEnum):
    """What a column of a statement says."""

    JOB = "job"
    """The vendor's id of the job."""
    MODEL = "model"
    TIME = "time"
    """When the vendor took it, made it or billed it."""
    AMOUNT = "amount"
    CURRENCY = "currency"


_WORDS: Mapping[Field, tuple[str, ...]] = {
    Field.JOB: (
        *("job id", "jobid", "job", "request id", "prediction id", "task id", "generation id", "public id"),
        *("operation", "operation name", "video id", "prompt id", "id pekerjaan", "id permintaan", "id"),
    ),
    Field.MODEL: ("model", "model id", "model name", "endpoint", "endpoint id", "app", "product", "sku", "nama model"),
    Field.TIME: (
        *("created at", "created", "timestamp", "time", "date", "datetime", "started at", "usage date", "completed at"),
        *("billed at", "when", "waktu", "tanggal", "dibuat"),
    ),
    Field.AMOUNT: (
        *("amount", "cost", "charge", "price", "total cost", "total", "cost usd", "amount usd", "cost in usd"),
        *("usage cost", "spend", "biaya", "jumlah", "harga", "amount idr", "cost idr"),
    ),
    Field.CURRENCY: ("currency", "mata uang"),
}
"""The words that stand over them, the best first."""

VENDOR_WORDS: Mapping[str, Mapping[Field, tuple[str, ...]]] = {
    "modelslab": {Field.JOB: ("id",), Field.MODEL: ("model_id",)},
    "edenai": {Field.JOB: ("public_id", "job_id"), Field.TIME: ("created_at",), Field.AMOUNT: ("cost",)},
    "replicate": {Field.JOB: ("id",), Field.MODEL: ("model", "version"), Field.TIME: ("created_at",)},
    "fal": {Field.JOB: ("request_id",), Field.MODEL: ("endpoint_id", "app")},
    "openrouter": {Field.JOB: ("id",), Field.MODEL: ("model",), Field.AMOUNT: ("usage.cost", "usage_cost", "cost")},
    "byteplus": {Field.JOB: ("id",), Field.MODEL: ("model",), Field.TIME: ("created_at",)},
    "kling": {Field.JOB: ("task_id",), Field.TIME: ("created_at",)},
    "gemini": {Field.JOB: ("id",), Field.MODEL: ("model",)},
    "minimax": {Field.JOB: ("id",)},
    "openaivideo": {Field.JOB: ("id",), Field.MODEL: ("model",), Field.TIME: ("created_at",)},
    "comfyui": {Field.JOB: ("prompt_id",)},
}
"""Vendor -> the names that its own API has for these, by its documentation. Those of its statements are not published:
they are what its API calls them where it exports what the API tells, and else an administrator says it once."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a statement is read: field -> head of its column, and how amounts and times are written in it.

    `currency` holds where the line names none. InvalidRequest for what cannot be.
    """

    columns: Mapping[Field, str] = field(default_factory=dict)
    currency: str = "USD"
    time_zone: str = UTC_ZONE
    decimal: str = "."
    day_first: bool = True

    def __post_init__(self) -> None:
        wrong = {}
        if self.currency not in CURRENCIES:
            wrong["currency"] = message("statement_currency_unknown", value=cells.short(self.currency))
        if self.decimal not in (".", ","):
            wrong["decimal"] = message("statement_decimal_unknown")
        if self.time_zone != UTC_ZONE and self.time_zone not in available_timezones():
            wrong["timeZone"] = message("statement_zone_unknown", value=cells.short(self.time_zone))
        if wrong:
            raise errors.InvalidRequest(fields=wrong)

    @property
    def zone(self) -> ZoneInfo:
        """Where times without a zone are."""
        return ZoneInfo(self.time_zone)

    def places(self, heads: Sequence[str]) -> Mapping[Field, int]:
        """Where each column stands. InvalidRequest for a head that is not there or chosen twice, and for too few."""
        found: dict[Field, int] = {}
        wrong = {}
        for which, head in self.columns.items():
            if head not in heads:
                wrong[_field(which)] = message("statement_column_missing", head=cells.short(head))
            elif heads.index(head) in found.values():
                wrong[_field(which)] = message("statement_column_twice", head=cells.short(head))
            else:
                found[which] = heads.index(head)
        if Field.AMOUNT not in self.columns:
            wrong[_field(Field.AMOUNT)] = message("statement_without_amounts")
        if not {Field.JOB, Field.TIME} & set(self.columns):
            wrong[_field(Field.JOB)] = message("statement_without_jobs")
        if wrong:
            raise errors.InvalidRequest(fields=wrong)
        return found

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "columns": {which.value: head for which, head in self.columns.items()},
            "currency": self.currency,
            "time_zone": self.time_zone,
            "decimal": self.decimal,
            "day_first": self.day_first,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """As it was kept."""
        known = {Field(which): str(head) for which, head in kept["columns"].items()}
        others = {name: kept[name] for name in ("currency", "time_zone", "decimal", "day_first")}
        return cls(known, **others)


def _field(which: Field) -> str:
    """What the choice of a column is called in the API."""
    return f"{which.value}Column"


def guess(
    provider: str, month: str, heads: Sequence[str], rows: Sequence[Sequence[str]], kept: Settings | None
) -> Settings:
    """How a table is probably to be read: as the last one of this vendor where it has the same heads, else by words."""
    if kept is not None and all(head in heads for head in kept.columns.values()):
        return kept
    columns = _by_words(provider, heads)
    found = replace(kept or Settings(), columns=columns)

    def column(which: Field) -> list[str]:
        place = heads.index(columns[which]) if which in columns else None
        return [] if place is None else [row[place] for row in rows if place < len(row) and row[place]]

    head = columns.get(Field.AMOUNT, "")
    if kept is None and ("idr" in head.lower() or any(re.match(r"(?i)rp|idr", text) for text in column(Field.AMOUNT))):
        found = replace(found, currency="IDR")
    named = {text.strip().upper() for text in column(Field.CURRENCY)}
    if kept is None and named == {"IDR"}:
        found = replace(found, currency="IDR")
    found = replace(found, decimal=_decimal(column(Field.AMOUNT), found.currency))
    return replace(found, day_first=_day_first(column(Field.TIME), month))


def _by_words(provider: str, heads: Sequence[str]) -> dict[Field, str]:
    found: dict[Field, str] = {}
    own = VENDOR_WORDS.get(provider, {})
    for which in Field:
        for word in (*own.get(which, ()), *_WORDS[which]):
            head = next((head for head in heads if key(head) == key(word) and head not in found.values()), None)
            if head is not None:
                found[which] = head
                break
    return found


def _decimal(texts: Iterable[str], currency: str) -> str:
    """The sign before the decimals: the last one in an amount that has both, else one that cannot part thousands."""
    thousands = set()
    for text in texts:
        signs = [char for char in text if char in ".,"]
        if len(set(signs)) == 2:
            return signs[-1]
        if not signs:
            continue
        if len(signs) == 1 and not re.search(r"[.,]\d{3}(?!\d)", text):
            return signs[0]
        if len(signs) == 1 and re.match(r"\D*0[.,]", text):
            return signs[0]
        thousands.add(signs[0])
    if len(thousands) == 1 and currency == "IDR":
        return "," if "." in thousands else "."
    return "."


def _day_first(texts: Iterable[str], month: str) -> bool:
    """Whether days stand before months where both are figures: as most of them lie in the statement's month."""
    votes = 0
    for text in texts:
        if found := re.match(r"(\d{1,2})[./-](\d{1,2})[./-]\d{2,4}", text):
            one, two = int(found[1]), int(found[2])
            if two > 12 or one > 12:
                votes += 100 if one > 12 else -100
            elif one != two:
                number = int(month[5:7])
                votes += (two == number) - (one == number)
    return votes >= 0
