"""A person's movements of credits as CSV for spreadsheets; pure."""

import csv
import io
from collections.abc import Iterable

from core.billing.ledger import EFFECT
from core.db.tables import LedgerEntry
from core.usage.export import harmless

COLUMNS = (
    "time_utc",
    "kind",
    "amount_credits",
    "available_change",
    "held_change",
    "available_after",
    "held_after",
    "generation_id",
    "actor",
    "reason",
)


def write(rows: Iterable[LedgerEntry]) -> bytes:
    """A line a movement, as given; UTF-8 with the mark by which spreadsheets know it (RFC 4180 line ends)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        available, held = (sign * row.amount_credits for sign in EFFECT[row.kind])
        writer.writerow(
            [
                row.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                row.kind.value,
                row.amount_credits,
                available,
                held,
                row.available_after,
                row.held_after,
                row.generation_id or "",
                harmless(row.actor),
                harmless(row.reason),
            ]
        )
    return text.getvalue().encode("utf-8-sig")
