"""The one way to tell the time, so that every time is aware and UTC."""

from datetime import UTC, datetime, timedelta

CLOCKS_DIFFER = timedelta(minutes=1)
"""So far may the clocks of two machines be apart when both are well."""


def utc_now() -> datetime:
    """Now, aware, UTC."""
    return datetime.now(UTC)


def is_within(span: timedelta, moment: datetime | None, *, now: datetime) -> bool:
    """Whether it happened in the span that ends now. What lies far ahead did not: the clock was set back since."""
    return moment is not None and now - span < moment <= now + CLOCKS_DIFFER
