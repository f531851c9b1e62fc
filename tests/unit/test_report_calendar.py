"""When a scheduled view of usage goes out: at eight there, once a period, and not before the period is over in UTC."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.db.enums import ReportEvery
from core.notifications import report_calendar

ZONES = [
    "UTC",
    "Asia/Jakarta",
    "Asia/Tokyo",
    "Pacific/Auckland",
    "America/Los_Angeles",
    "Europe/Berlin",
    "Pacific/Apia",
]


@pytest.mark.parametrize(
    ("every", "zone", "now", "goes_out"),
    [
        (ReportEvery.DAILY, "Asia/Jakarta", "2026-11-30T00:30", "2026-11-30T01:00"),
        (ReportEvery.DAILY, "Asia/Jakarta", "2026-11-30T01:00", "2026-12-01T01:00"),
        (ReportEvery.WEEKLY, "UTC", "2026-11-30T07:00", "2026-11-30T08:00"),
        (ReportEvery.WEEKLY, "UTC", "2026-11-30T08:00", "2026-12-07T08:00"),
        (ReportEvery.MONTHLY, "Asia/Jakarta", "2026-11-30T12:00", "2026-12-01T01:00"),
        (ReportEvery.MONTHLY, "Asia/Tokyo", "2026-11-30T12:00", "2026-12-01T23:00"),
        (ReportEvery.MONTHLY, "Europe/Berlin", "2026-03-15T12:00", "2026-04-01T06:00"),
        (ReportEvery.MONTHLY, "Europe/Berlin", "2026-12-01T12:00", "2027-01-01T07:00"),
    ],
)
def test_next_morning(every: ReportEvery, zone: str, now: str, goes_out: str) -> None:
    """Eight there, also across a change of the clocks; in Tokyo a day later, when the month is over in UTC."""
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    found = report_calendar.following(every, ZoneInfo(zone), moment)
    assert found == datetime.fromisoformat(goes_out).replace(tzinfo=UTC)


@given(
    every=st.sampled_from(list(ReportEvery)),
    zone=st.sampled_from(ZONES),
    now=st.datetimes(datetime(2011, 6, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- made aware
    late=st.timedeltas(timedelta(), timedelta(days=70)),
)
def test_each_period_once(every: ReportEvery, zone: str, now: datetime, late: timedelta) -> None:
    """However late it is looked, the next report is of a later period than the one just written, and none is early."""
    there = ZoneInfo(zone)
    due = report_calendar.following(every, there, now)
    looked = due + late
    written = report_calendar.newest(there, looked)
    assert due <= written <= looked < written + timedelta(days=2)
    after = report_calendar.following(every, there, looked)
    assert after > looked
    assert after.astimezone(there).hour == 8
    assert report_calendar.period(every, there, after) > report_calendar.period(every, there, written)
    if every is ReportEvery.MONTHLY:
        assert due.date() >= (now.replace(day=1) + timedelta(days=31)).date().replace(day=1) or due.day == 1
