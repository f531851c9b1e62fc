"""What the content credentials of a clip say, and those of a file that somebody brings along."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlalchemy import select

from core import db
from core.db import ReadSession
from core.db.tables import Generation
from core.files import content_credentials
from core.files.content_credentials import Unsigned
from core.files.credentials_report import Report
from core.generations import queries, signing_keys
from core.messages import Message
from core.workspaces.access import Member


class State(StrEnum):
    """Whether a clip has credentials of this installation."""

    SIGNED = "signed"
    UNSIGNED = "unsigned"
    """It was to be signed and could not be; it was delivered all the same."""
    NONE = "none"
    """It is from before clips were signed, or it is not there."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A clip's credentials as they were read back when it was signed; `reason` is why an unsigned one has none."""

    state: State
    reason: Message | None
    report: Report | None


def of(session: ReadSession, member: Member, generation_id: str) -> Credentials:
    """The credentials of a clip that is in a person's reach; else NotFound."""
    row = queries.get(session, member, generation_id)
    kept = session.scalar(select(Generation.credentials).where(Generation.id == row.id))
    if kept is not None:
        return Credentials(State.SIGNED, None, Report.from_json(kept))
    if row.unsigned_reason is not None:
        return Credentials(State.UNSIGNED, Unsigned.of(row.unsigned_reason).message, None)
    return Credentials(State.NONE, None, None)


def examine(path: Path) -> Report | None:
    """What the credentials of a file say, whoever made it; None where it has none.

    No service: it opens its own unit of work, since none may stay open while a file is read. Raises as
    `content_credentials.read`.
    """
    with db.read_session() as session:
        own = signing_keys.own(session)
    return content_credentials.read(path, own=own)
