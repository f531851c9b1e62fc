"""What vendors' own lists of models tell: the last one of each is kept, and a difference is a note for administrators.

Nothing is changed by a list: a vendor that answers wrongly for a day must not end models here. Who reads a list claims
it first, so that several dispatchers read it once a day.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.exc import IntegrityError

from core import audit_log, db, errors
from core.audit_log import Act
from core.catalog.records import LifeState
from core.catalog_changes import asked, current
from core.config import Settings
from core.db import Reader, ReadSession, WriteSession
from core.db.enums import NoteKind
from core.db.tables import ModelList, ModelNote
from core.messages import message
from core.workspaces.access import Member
from core.workspaces.permissions import Action

EVERY = timedelta(days=1)
AGAIN_AFTER_FAILURE = timedelta(hours=1)
LEASE = timedelta(minutes=10)
LONGEST_NAME = 300
MOST_MODELS = 5_000
"""A list of more is not taken for one of video models."""
MOST_SHOWN = 200
"""So many notes are shown at once."""


def claim(session: WriteSession, provider: str) -> bool:
    """Whether it is this caller that reads the list now; nobody else does within `LEASE`."""
    now = db.now(session)
    known = session.get(ModelList, provider, with_for_update=True)
    if known is None:
        try:
            with session.begin_nested():
                session.add(ModelList(provider=provider, next_at=now + LEASE))
        except IntegrityError:  # another one came first
            return False
        return True
    too_far = now + 2 * EVERY  # was written before the clock was set back
    taken = update(ModelList).where(
        ModelList.provider == provider, or_(ModelList.next_at <= now, ModelList.next_at > too_far)
    )
    return session.scalar(taken.values(next_at=now + LEASE).returning(ModelList.provider)) is not None


def is_due(session: ReadSession, provider: str) -> bool:
    """Whether nobody has read the list lately; a look that changes nothing."""
    now = db.now(session)
    next_at = session.scalar(select(ModelList.next_at).where(ModelList.provider == provider))
    return next_at is None or not now < next_at <= now + 2 * EVERY


def ours(session: ReadSession, settings: Settings, provider: str) -> dict[str, str]:
    """Vendor's id -> our id of the models of a provider that are offered now."""
    now = db.now(session)
    entries = current.of(session).entries.values()
    offered = [each for each in entries if each.model.provider == provider and each.state(now) is LifeState.AVAILABLE]
    return {asked.named(each, settings, now).upstream_id: each.model.id for each in offered}


def record(
    session: WriteSession, settings: Settings, provider: str, listed: Mapping[str, str], *, is_whole: bool
) -> Sequence[ModelNote]:
    """Keep what a vendor lists, its id -> its name, and note what differs; the notes that are new.

    A list that is not whole has only models that we offer, each of which was asked for.
    """
    now, before = db.now(session), session.get_one(ModelList, provider)
    earlier: Mapping[str, str] = before.models or {}
    offered = ours(session, settings, provider)
    session.execute(
        update(ModelNote)  # what is there again needs nobody
        .where(
            ModelNote.provider == provider,
            ModelNote.dismissed_at.is_(None),
            or_(
                (ModelNote.kind == NoteKind.APPEARED) & ModelNote.vendor_id.not_in(list(listed)),
                (ModelNote.kind != NoteKind.APPEARED) & ModelNote.vendor_id.in_(list(listed)),
            ),
        )
        .values(dismissed_at=now)
    )
    found: list[tuple[NoteKind, str, str]] = []
    if before.models is not None and is_whole:
        found += [(NoteKind.APPEARED, id, name) for id, name in listed.items() if id not in earlier]
        found += [(NoteKind.VANISHED, id, name) for id, name in earlier.items() if id not in listed]
    for id in offered:
        if id not in listed and (NoteKind.VANISHED, id, earlier.get(id, "")) not in found:
            found.append((NoteKind.VANISHED if id in earlier else NoteKind.NOT_LISTED, id, earlier.get(id, "")))
    before.models, before.read_at, before.failure = dict(listed), now, None
    before.next_at = now + EVERY
    notes = [
        ModelNote(provider=provider, kind=kind, vendor_id=id, name=name, model_id=offered.get(id), noted_at=now)
        for kind, id, name in found
        if _is_news(session, provider, kind, id)
    ]
    session.add_all(notes)
    session.flush()
    return notes


def fail(session: WriteSession, provider: str, failure: str) -> None:
    """Keep why a list could not be read; it is tried again in an hour, and nothing is taken for gone."""
    known = session.get_one(ModelList, provider)
    known.failure, known.next_at = failure, db.now(session) + AGAIN_AFTER_FAILURE


def has_none(session: WriteSession, provider: str) -> None:
    """A vendor without any list: it is asked again tomorrow, when it may have learned to tell."""
    session.get_one(ModelList, provider).next_at = db.now(session) + EVERY


def count_open(session: Reader) -> int:
    """How many notes wait for an administrator."""
    return session.scalar(_OPEN) or 0


def list_open(session: ReadSession, member: Member) -> Sequence[ModelNote]:
    """The notes that wait, oldest first; first those of models that we offer. Forbidden for no administrator."""
    member.require(Action.MANAGE_CATALOGUE)
    waiting = select(ModelNote).where(ModelNote.dismissed_at.is_(None))
    return session.scalars(waiting.order_by(ModelNote.model_id.is_(None), ModelNote.id).limit(MOST_SHOWN)).all()


def lists(session: ReadSession, member: Member) -> Sequence[ModelList]:
    """When each vendor's list was read last, and why it could not be; Forbidden for no administrator."""
    member.require(Action.MANAGE_CATALOGUE)
    return session.scalars(select(ModelList).order_by(ModelList.provider)).all()


def dismiss(session: WriteSession, member: Member, note_id: int) -> ModelNote:
    """Put a note aside; a repeat changes nothing. NotFound for none, Forbidden for no administrator."""
    member.require(Action.MANAGE_CATALOGUE)
    note = session.get(ModelNote, note_id, with_for_update=True)
    if note is None:
        raise errors.NotFound(message("model_note_not_found"))
    if note.dismissed_at is None:
        note.dismissed_at = db.now(session)
        audit_log.record(
            session,
            member.user,
            Act.MODEL_NOTE_DISMISSED,
            target=note.name or note.vendor_id,
            target_id=note.vendor_id,
            before={"provider": note.provider, "note": note.kind},
        )
    return note


def _is_news(session: ReadSession, provider: str, kind: NoteKind, vendor_id: str) -> bool:
    """Not what waits already; and what was never in the list is told once, not every day."""
    same = select(ModelNote.id).where(
        ModelNote.provider == provider, ModelNote.kind == kind, ModelNote.vendor_id == vendor_id
    )
    if kind is not NoteKind.NOT_LISTED:
        same = same.where(ModelNote.dismissed_at.is_(None))
    return session.scalar(same.limit(1)) is None


_OPEN = select(func.count()).select_from(ModelNote).where(ModelNote.dismissed_at.is_(None))
