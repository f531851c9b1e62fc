"""Adds to the daily roll-ups of usage; the only module that writes them, always in the transaction they tell of."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, String, case, cast, func, select, update

from core.db import ReadSession, WriteSession, types, update_where
from core.db.enums import ENDED_STATUSES, Status
from core.db.tables import Generation, GenerationTag, Project, UndeliveredDay, UsageDay, Workspace


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Which row: the day (UTC) on which a generation ended, and whose and what it was; charged in `project_id`."""

    day: str
    workspace_id: str
    user_id: str
    project_id: str
    provider: str
    model_id: str


def paid_by(session: ReadSession, clips: Iterable[Generation]) -> Mapping[str, str]:
    """Project that clips were charged in -> its workspace, which may be another one than where the clips are now."""
    ids = {clip.charged_in_id for clip in clips}
    found = session.execute(select(Project.id, Project.workspace_id).where(Project.id.in_(ids)))
    return {row.id: row.workspace_id for row in found}


def day_of(ended_at: datetime) -> str:
    """The day (UTC) that a clip which ended then is counted on."""
    return ended_at.astimezone(UTC).date().isoformat()


def add(session: WriteSession, key: Key, **added: int) -> None:
    """Add figures (columns of UsageDay, negative to take away) to a row, which is made if it is not there.

    Who adds to several rows in one transaction does so in the order of their keys, so that two cannot deadlock; the
    workspace's own row goes first, as it does where storage is counted.
    """
    note_change(session, [key.workspace_id])
    row = types.insert(session, UsageDay).values(**asdict(key), **added)
    session.execute(
        row.on_conflict_do_update(
            index_elements=list(asdict(key)),
            set_={name: getattr(UsageDay, name) + getattr(row.excluded, name) for name in added},
        )
    )


def note_change(session: WriteSession, workspace_ids: Iterable[str]) -> None:
    """Let figures of these workspaces be read anew where they were kept (`core.usage.cache`)."""
    for workspace_id in sorted(set(workspace_ids)):
        update_where(session, Workspace, Workspace.id == workspace_id, usage_version=Workspace.usage_version + 1)


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


def describe_tags(session: WriteSession, generation_ids: Collection[str]) -> None:
    """Write beside the tags of those of these clips that have ended what usage by tag is told from.

    After the move that ends one, and after tags were put on any, in the same transaction.
    """
    is_failed = Generation.status == Status.FAILED
    status = cast(Generation.status, String)
    statement = (
        update(GenerationTag)
        .where(
            GenerationTag.generation_id.in_(generation_ids),
            Generation.id == GenerationTag.generation_id,
            Generation.status.in_(ENDED_STATUSES),
            Generation.ended_at.is_not(None),
        )
        .values(
            ended_on=_day_of_clip(session),
            maker_id=Generation.user_id,
            charged_in_id=Generation.charged_in_id,
            provider=Generation.provider,
            model_id=Generation.model_id,
            outcome=status,
            reason=case((is_failed, func.coalesce(Generation.error_code, "")), else_=status),
            credits=Generation.credits,
            seconds=Generation.duration_seconds,
        )
    )
    session.execute(statement.execution_options(synchronize_session=False))


def _day_of_clip(session: WriteSession) -> ColumnElement[str]:
    if session.get_bind().dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", Generation.ended_at), "YYYY-MM-DD")
    return func.substr(cast(Generation.ended_at, String), 1, 10)
