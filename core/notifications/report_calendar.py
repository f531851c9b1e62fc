"""When a scheduled view of usage goes out, and for which period; pure.

It goes out at eight in the morning of a time zone. Days of usage are UTC, so a week or a month is over on the first
morning on which it is over in UTC, too: in Tokyo, where eight is still yesterday in UTC, that is a day later.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.db.enums import ReportEvery

HOUR = 8


def newest(zone: ZoneInfo, now: datetime) -> datetime:
    """The newest morning that has come, in UTC."""
    mornings = (_morning(now.astimezone(zone).date() - timedelta(days=back), zone) for back in range(3))
    return next(morning for morning in mornings if morning <= now)


def following(every: ReportEvery, zone: ZoneInfo, now: datetime) -> datetime:
    """The first morning after now on which a report goes out, in UTC: of another period than the newest morning."""
    present = period(every, zone, newest(zone, now))
    return next(morning for morning in _mornings(zone, now) if period(every, zone, morning) > present)


def period(every: ReportEvery, zone: ZoneInfo, morning: datetime) -> str:
    """What tells apart what goes out on a morning: `2026-11-30` there, or in UTC `2026-W49` or `2026-12`; they grow."""
    if every is ReportEvery.DAILY:
        return morning.astimezone(zone).date().isoformat()
    day = morning.astimezone(UTC).date()
    if every is ReportEvery.WEEKLY:
        year, week, _weekday = day.isocalendar()
        return f"{year:04}-W{week:02}"
    return f"{day:%Y-%m}"


def _mornings(zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    day = after.astimezone(zone).date()
    while True:
        if (morning := _morning(day, zone)) > after:
            yield morning
        day += timedelta(days=1)


def _morning(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(HOUR), zone).astimezone(UTC)
