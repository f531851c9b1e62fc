"""A compared statement as a file: its own lines with what each was matched with, clips without a line at the end.

It also writes the example that a person begins with.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from core.billing import months
from core.statements.cells import MICRO
from core.statements.columns import VENDOR_WORDS, Field
from core.statements.listing import Line
from core.usage.spreadsheet import Line as Row

HEADS = (
    "row",
    "outcome",
    "accepted",
    "job_id",
    "model",
    "time_utc",
    "amount",
    "currency",
    "amount_idr",
    "our_cost_idr",
    "difference_idr",
    "matched_by",
    "generation_id",
    "our_model",
    "problems",
)


def rows(lines: Iterable[Line], worded: Callable[[Any], str] = str) -> Iterator[Row]:
    """Heads, then a row a line; `worded` says a message."""
    yield HEADS
    for line in lines:
        row = line.row
        yield [
            row.number,
            row.outcome.value if row.is_present else f"{row.outcome.value} (not in the newest file)",
            "yes" if line.is_accepted else "no",
            row.job_id,
            row.model_name,
            row.begins_at,
            None if row.amount_micro is None else row.amount_micro / MICRO,
            row.currency,
            row.amount_idr,
            row.cost_idr,
            row.difference_idr,
            row.matched_by,
            row.generation_id or "",
            line.clip_model or row.model_id,
            "; ".join(f"{head}: {worded(why)}" for head, why in line.problems),
        ]


def example(provider: str, month: str, models: Iterable[str]) -> Iterator[Row]:
    """A statement of a provider with invented lines, under the names that its API has for what they say."""
    words = VENDOR_WORDS.get(provider, {})
    plain = {
        Field.JOB: "job_id",
        Field.MODEL: "model",
        Field.TIME: "created_at",
        Field.AMOUNT: "cost",
        Field.CURRENCY: "currency",
    }
    yield [words.get(which, (plain[which],))[0] for which in Field]
    at: datetime = months.bounds(month)[0].astimezone(UTC) + timedelta(days=2, hours=9, minutes=30)
    for number, model in enumerate(models, start=1):
        sent_at = at + timedelta(hours=number)
        yield [f"example-job-{number}", model, f"{sent_at:%Y-%m-%dT%H:%M:%SZ}", 0.35 * number, "USD"]
