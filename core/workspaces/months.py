"""The calendar months of a workspace, which begin and end in its own time zone."""

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import bindparam, select

from core import audit_log, errors
from core.audit_log import Act
from core.db import Reader, WriteSession
from core.db.tables import Workspace
from core.messages import message
from core.workspaces.access import Member
from core.workspaces.permissions import Action

_ZONE = select(Workspace.time_zone).where(Workspace.id == bindparam("workspace_id"))


@cache
def zones() -> tuple[str, ...]:
    """The names of all time zones that can be chosen: `UTC`, then those of regions and cities."""
    places = (name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    return "UTC", *sorted(places)


def zone_of(session: Reader, workspace_id: str) -> ZoneInfo:
    """The time zone of a workspace."""
    return ZoneInfo(session.scalar(_ZONE, {"workspace_id": workspace_id}) or "UTC")


def month_of(moment: datetime, zone: ZoneInfo) -> str:
    """The calendar month that a moment is in, such as `2026-11`."""
    return moment.astimezone(zone).strftime("%Y-%m")


def month_in(session: Reader, workspace_id: str, moment: datetime) -> str:
    """The calendar month that a moment is in, in a workspace."""
    return month_of(moment, zone_of(session, workspace_id))


def begin_of(month: str, zone: ZoneInfo) -> datetime:
    """The first moment of a month."""
    return datetime.fromisoformat(f"{month}-01").replace(tzinfo=zone)


def end_of(month: str, zone: ZoneInfo) -> datetime:
    """The first moment of the month after."""
    within_next = (datetime.fromisoformat(f"{month}-01") + timedelta(days=31)).replace(day=1)
    return within_next.replace(tzinfo=zone)


def set_zone(session: WriteSession, member: Member, zone: str) -> None:
    """Let the months of the workspace begin and end in this time zone, from the next order on; for its managers.

    InvalidRequest for a name that is none.
    """
    member.require(Action.SET_BUDGET)
    if zone not in zones():
        raise errors.InvalidRequest(fields={"timeZone": message("time_zone_unknown")})
    workspace = session.get_one(Workspace, member.workspace_id, with_for_update={"key_share": True})
    before, workspace.time_zone = workspace.time_zone, zone
    if before != zone:
        audit_log.record(
            session,
            member.user,
            Act.TIME_ZONE_SET,
            target=workspace.name,
            target_id=workspace.id,
            workspace_id=workspace.id,
            before={"zone": before},
            after={"zone": zone},
        )
