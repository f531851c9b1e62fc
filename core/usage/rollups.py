"""Adds to the daily roll-up of usage; the only module that writes it, always in the transaction it tells of."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Self

from core.db import WriteSession, types, update_where
from core.db.tables import UsageDay, User


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Which row: the day (UTC) on which a generation ended, and whose and what it was."""

    day: str
    user_id: str
    project_id: str
    provider: str
    model_id: str

    @classmethod
    def of(cls, ended_at: datetime, user_id: str, project_id: str, provider: str, model_id: str) -> Self:
        """The row of a generation; `project_id` is the one it is charged in."""
        return cls(ended_at.astimezone(UTC).date().isoformat(), user_id, project_id, provider, model_id)


def add(session: WriteSession, key: Key, **added: int) -> None:
    """Add figures (columns of UsageDay, negative to take away) to a row, which is made if it is not there.

    Who adds to several rows in one transaction does so in the order of their keys, so that two cannot deadlock; the
    person's own row goes first, as it does where storage is counted.
    """
    update_where(session, User, User.id == key.user_id, usage_version=User.usage_version + 1)
    row = types.insert(session, UsageDay).values(**asdict(key), **added)
    session.execute(
        row.on_conflict_do_update(
            index_elements=list(asdict(key)),
            set_={name: getattr(UsageDay, name) + getattr(row.excluded, name) for name in added},
        )
    )
