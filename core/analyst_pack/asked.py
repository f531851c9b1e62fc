"""Which pack is asked for: whose figures, of which days, and whether people and things have pseudonyms in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Self

from core import errors
from core.messages import message
from core.usage import periods
from core.workspaces.access import Member, all_rows_for_analyst
from core.workspaces.permissions import Action


@dataclass(frozen=True, slots=True)
class Asked:
    """`workspace_id` is None for the whole installation; `since` and `until` are days (UTC, both included).

    None for either is the beginning or the end of all that there is.
    """

    workspace_id: str | None
    since: date | None = None
    until: date | None = None
    is_pseudonymous: bool = False

    @property
    def begin(self) -> datetime | None:
        """The first moment."""
        return None if self.since is None else datetime.combine(self.since, time(), UTC)

    @property
    def end(self) -> datetime | None:
        """The first moment after it."""
        return None if self.until is None else datetime.combine(self.until + timedelta(days=1), time(), UTC)

    @property
    def file_name(self) -> str:
        """What a pack is saved as, without an ending."""
        days = "everything" if self.since is None and self.until is None else f"{self.since}-to-{self.until}"
        return f"analyst-pack-{days}{'-pseudonymous' if self.is_pseudonymous else ''}"

    def to_json(self) -> Mapping[str, Any]:
        """As it is kept with a job and told in a pack."""
        return {
            "workspace_id": self.workspace_id,
            "since": None if self.since is None else self.since.isoformat(),
            "until": None if self.until is None else self.until.isoformat(),
            "pseudonymous": self.is_pseudonymous,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """The same again."""
        since, until = (None if (day := kept[name]) is None else date.fromisoformat(day) for name in ("since", "until"))
        return cls(kept["workspace_id"], since, until, bool(kept["pseudonymous"]))


def days(period: str | None, since: date | None, until: date | None, today: date) -> tuple[date | None, date | None]:
    """First and last day of what is asked for by a period's name or by days, (None, None) for everything.

    One day alone is completed by the beginning of time or today. Raises InvalidRequest.
    """
    if period is not None:
        if since is not None or until is not None:
            raise errors.InvalidRequest(fields={"period": message("period_or_days")})
        return periods.named(period, today)
    if since is None and until is None:
        return None, None
    first, last = since or date(2000, 1, 1), until or today
    if first > last:
        raise errors.InvalidRequest(fields={"since": message("period_backwards")})
    if last == date.max:
        raise errors.InvalidRequest(fields={"until": message("period_to_come")})
    return first, last


def check(member: Member, asked: Asked) -> None:
    """Return when they may have it; else Forbidden. All figures are for analysts, a workspace's for its managers."""
    if asked.workspace_id is None:
        all_rows_for_analyst(member)
    else:
        member.require(Action.TAKE_PACK, asked.workspace_id)


def prompts_of(member: Member, asked: Asked) -> tuple[str, ...]:
    """The workspaces whose prompts they read in it: those that they are in, of those that it is about."""
    if asked.is_pseudonymous:
        return ()
    return tuple(sorted(each for each in member.workspace_ids if asked.workspace_id in (None, each)))
