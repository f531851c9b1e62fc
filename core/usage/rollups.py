"""Adds to the daily roll-ups of usage; the only module that writes them, always in the transaction they tell of."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from core.db import WriteSession, types, update_where
from core.db.tables import UndeliveredDay, UsageDay, Workspace


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Which row: the day (UTC) on which a generation ended, and whose and what it was; charged in `project_id`."""

    day: str
    workspace_id: str
    user_id: str
    project_id: str
    provider: str
    model_id: str


def day_of(ended_at: datetime) -> str:
    """The day (UTC) that a clip which ended then is counted on."""
    return ended_at.astimezone(UTC).date().isoformat()


def add(session: WriteSession, key: Key, **added: int) -> None:
    """Add figures (columns of UsageDay, negative to take away) to a row, which is made if it is not there.

    Who adds to several rows in one transaction does so in the order of their keys, so that two cannot deadlock; the
    workspace's own row goes first, as it does where storage is counted.
    """
    update_where(session, Workspace, Workspace.id == key.workspace_id, usage_version=Workspace.usage_version + 1)
    row = types.insert(session, UsageDay).values(**asdict(key), **added)
    session.execute(
        row.on_conflict_do_update(
            index_elements=list(asdict(key)),
            set_={name: getattr(UsageDay, name) + getattr(row.excluded, name) for name in added},
        )
    )


def add_undelivered(session: WriteSession, key: Key, *, outcome: str, reason: str, released_credits: int) -> None:
    """Count one that gave no clip by how and why; after `add`, which takes the locks that order everybody."""
    of = {**asdict(key), "outcome": outcome, "reason": reason}
    row = types.insert(session, UndeliveredDay).values(**of, clips=1, released_credits=released_credits)
    session.execute(
        row.on_conflict_do_update(
            index_elements=list(of),
            set_={
                "clips": UndeliveredDay.clips + row.excluded.clips,
                "released_credits": UndeliveredDay.released_credits + row.excluded.released_credits,
            },
        )
    )
