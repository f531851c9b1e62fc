"""Usage as CSV, safe to open in a spreadsheet; pure."""

import csv
import io
from collections.abc import Sequence

from core import pricing, usage

COLUMNS = (
    "day",
    "provider",
    "model",
    "completed",
    "failed",
    "cancelled",
    "spent_credits",
    "spent_idr",
    "returned_credits",
    "video_seconds",
    "estimated_cost_idr",
)


def of(rows: Sequence[usage.Row]) -> bytes:
    """The rows as CSV that a spreadsheet opens without running anything in it."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {
                "day": row.day.isoformat(),
                "provider": harmless(row.provider),
                "model": harmless(row.model_id),
                "completed": row.completed,
                "failed": row.failed,
                "cancelled": row.cancelled,
                "spent_credits": row.settled_credits,
                "spent_idr": row.settled_credits * pricing.IDR_PER_CREDIT,
                "returned_credits": row.released_credits,
                "video_seconds": row.video_seconds,
                "estimated_cost_idr": row.estimated_cost_idr,
            }
        )
    return text.getvalue().encode("utf-8-sig")


def harmless(text: str) -> str:
    """A text that a spreadsheet does not take for a formula (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text
