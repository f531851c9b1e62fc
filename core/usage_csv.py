"""Usage as CSV for spreadsheets, the same from page and API; pure."""

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


def write(rows: Sequence[usage.Row], totals: usage.Totals) -> bytes:
    """The rows and a line of totals; UTF-8 with the mark by which spreadsheets know it (RFC 4180 line ends)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([row.day.isoformat(), harmless(row.provider), harmless(row.model_id), *_figures(row)])
    writer.writerow(["total", "", "", *_figures(totals)])
    return text.getvalue().encode("utf-8-sig")


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula (OWASP, "CSV Injection")."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text


def _figures(row: usage.Row | usage.Totals) -> list[int]:
    return [
        row.completed,
        row.failed,
        row.cancelled,
        row.settled_credits,
        row.settled_credits * pricing.IDR_PER_CREDIT,
        row.released_credits,
        row.video_seconds,
        row.estimated_cost_idr,
    ]
