"""The one way to tell the time, so that every time is aware and UTC."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Now, aware, UTC."""
    return datetime.now(UTC)
