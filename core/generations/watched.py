"""What those in charge do with a clip that is late: have its provider asked at once, or cancel it.

Each is done once however often it is pressed, and written down in the audit log. Whose clips they are is said by
`core.workspaces.access.Charge`; makers cancel their own by `commands.cancel`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from core import audit_log, db, errors
from core.audit_log import Act
from core.db import WriteSession
from core.db.enums import ENDED_STATUSES, Stage, Status
from core.db.tables import Generation
from core.generations import commands, flights, lifecycle
from core.generations.queries import NOT_FOUND
from core.insights import late_clips
from core.messages import Message, message, plain
from core.providers import registry
from core.workspaces.access import Member
from core.workspaces.permissions import Action


@dataclass(frozen=True, slots=True)
class Look:
    """When a provider is asked about a clip next; `is_sooner` if that has just been changed."""

    at: datetime
    is_sooner: bool


@dataclass(frozen=True, slots=True)
class Cancelling:
    """Whether a clip can be cancelled where it stands, and what that costs or why not."""

    is_possible: bool
    meaning: Message


def look_again(session: WriteSession, member: Member, generation_id: str, *, poll_seconds: float) -> Look:
    """Have the provider asked about a clip at once, as a press within the pause that it asks for changes nothing.

    NotFound for a clip of workspaces that one neither manages nor is in, Forbidden for who does not manage it, Conflict
    where there is no job to ask about.
    """
    row = _attended(session, member, generation_id)
    if row.stage is not Stage.WAITING:
        raise errors.Conflict(message("nothing_to_look_at"))
    pause = max(poll_seconds, registry.provider_class(row.provider).min_poll_seconds)
    is_sooner = flights.expedite(session, row.id, pause=timedelta(seconds=pause))
    if is_sooner:
        _record(session, member, Act.CLIP_LOOKED_AT, row)
    flight = flights.current(session, row.id)
    return Look(flight.next_at if flight else db.now(session), is_sooner)


def cancel(session: WriteSession, member: Member, generation_id: str) -> Generation:
    """Cancel a clip of somebody whose workspace one manages, or from outside one that is late; as `commands.cancel`.

    NotFound and Forbidden as in `look_again`; Conflict when it has ended, cannot be cancelled, or is not late and one
    is not in its workspace.
    """
    row = _attended(session, member, generation_id)
    if not member.may(Action.ATTEND, row.workspace_id):
        member.require(Action.CANCEL_LATE)
        if row.status not in ENDED_STATUSES and late_clips.find(session, row.id, db.now(session)) is None:
            raise errors.Conflict(message("not_late"))
    if commands.stop(session, row, actor=member.email):
        _record(session, member, Act.CLIP_CANCELLED, row)
    session.flush()
    return row


def cancelling(status: Status, stage: Stage, provider_name: str) -> Cancelling:
    """What cancelling a clip that stands there comes to; for what is shown beside the button."""
    if status is Status.PENDING:
        return Cancelling(is_possible=True, meaning=message("cancel_is_free"))
    provider = registry.provider_class(provider_name)
    if provider.can_cancel and stage in (Stage.READY_TO_DOWNLOAD, Stage.DOWNLOADING):
        return Cancelling(is_possible=False, meaning=message("already_made"))
    return Cancelling(is_possible=provider.can_cancel, meaning=plain(provider.cancel_note))


def _attended(session: WriteSession, member: Member, generation_id: str) -> Generation:
    """The row, locked, of a clip that this person is in charge of."""
    workspace_id = session.scalar(select(Generation.workspace_id).where(Generation.id == generation_id))
    is_known = workspace_id in member.roles
    if workspace_id is None or not (is_known or member.may(Action.OPERATE)):
        raise errors.NotFound(NOT_FOUND)
    if not member.may(Action.OPERATE):
        member.require(Action.ATTEND, workspace_id)
    row = lifecycle.locked(session, generation_id)
    if row is None or row.deleted_at is not None:
        raise errors.NotFound(NOT_FOUND)
    if row.status in ENDED_STATUSES:
        raise errors.Conflict(message("already_ended", status=lifecycle.status_word(row.status)))
    return row


def _record(session: WriteSession, member: Member, act: Act, row: Generation) -> None:
    """Not the prompt, which who runs the installation does not see."""
    audit_log.record(
        session,
        member.user,
        act,
        target=row.model_name,
        target_id=row.id,
        workspace_id=row.workspace_id,
        after={"credits": row.credits, "provider": row.provider},
    )
