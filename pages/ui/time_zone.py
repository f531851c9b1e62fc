"""The time zone of who looks, as their browser says; books, days and what others check stay in UTC."""

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

import streamlit as st


def own() -> tzinfo:
    """The zone of the browser; UTC outside of a page, and where the browser names none that is known."""
    return named(st.context.timezone or "UTC")


@lru_cache(maxsize=512)
def named(name: str) -> tzinfo:
    """The zone of this name; UTC for none."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # a browser may say anything
        return UTC


def name(when: datetime) -> str:
    """What the zone of this moment is called: `WIB`, `UTC`, and `UTC+04` where it has no name of its own."""
    short = when.tzname() or "UTC"
    return f"UTC{short}" if short[0] in "+-" else short
