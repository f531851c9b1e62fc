"""Erases a person step by step: each is short, may be killed anywhere and be done again, and says how far it is.

A step is claimed by moving `next_at`; what it does in the database and how far it is then are one transaction. Files go
before the row that names them says so. Name and addresses stay with the person until the last step, since by them the
others know what to look for.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from core import db, errors
from core.audit import log_names
from core.db import ReadSession, WriteSession, update_where
from core.db.enums import ErasureState, Status, WorkspaceKind
from core.db.tables import Erasure, Generation, Identity, User, Workspace, is_live
from core.installation import Installation
from core.messages import Message, message
from core.personal_data import books, files, scanning, words
from core.personal_data.names import Names

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
AGAIN_AFTER = timedelta(minutes=1)

_NEXT = dict(zip(list(ErasureState)[:-1], list(ErasureState)[1:], strict=True))


@dataclass(frozen=True, slots=True)
class Claim:
    """An erasure that is this process's for a while."""

    user_id: str
    state: ErasureState
    place: str
    next_at: Any


class Lost(Exception):
    """Somebody else has taken it meanwhile."""


def work_down(opened: Installation, is_over: Callable[[], bool] = lambda: False) -> None:
    """Do step after step until none is due, or until it `is_over`."""
    while not is_over():
        with db.read_session() as session:
            if session.scalar(_due(session).limit(1)) is None:
                return
        with db.write_session() as session:
            claim = _claim(session)
        if claim is None:
            return
        work(opened, claim)


def work(opened: Installation, claim: Claim) -> None:
    """Do one step."""
    try:
        _STEPS[claim.state](opened, claim)
    except Lost:
        log.info("the erasure of %s is another process's", claim.user_id)
    except errors.AppError as refused:
        log.warning("the erasure of %s does not go on now: %s", claim.user_id, refused.detail or refused.message)
        with db.write_session() as session:
            _put_off(session, claim, refused.message)


def names_of(session: ReadSession, user_id: str) -> Names:
    """By what a person is told of: their address, those that they had, and those that providers know; their name."""
    person = session.get_one(User, user_id)
    found = {person.email, *session.scalars(select(Identity.email).where(Identity.user_id == user_id))}
    found |= log_names.former_addresses(session, user_id)
    return Names(frozenset(found - {""}), person.name, made_up(user_id))


def made_up(user_id: str) -> str:
    """What stands where an address stood."""
    return f"erased-{user_id}"


def _due(session: ReadSession) -> Select[str]:
    return select(Erasure.user_id).where(Erasure.next_at <= db.now(session)).order_by(Erasure.next_at, Erasure.user_id)


def _claim(session: WriteSession) -> Claim | None:
    row = session.scalar(
        select(Erasure)
        .where(Erasure.user_id.in_(_due(session).limit(1)))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if row is None or row.next_at is None or row.next_at > db.now(session):
        return None
    row.next_at = db.now(session) + LEASE
    session.flush()
    return Claim(row.user_id, row.state, row.place, row.next_at)


def _go_on(
    session: WriteSession, claim: Claim, place: str | None, *, counts: dict[str, int] | None = None, done: bool = False
) -> None:
    """Note how far it is, in the transaction that did it; with no `place` the state is over. Lost if it was taken."""
    row = session.scalar(
        select(Erasure)
        .where(Erasure.user_id == claim.user_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None or (row.state, row.place, row.next_at) != (claim.state, claim.place, claim.next_at):
        session.rollback()
        raise Lost
    row.error = None
    if counts:
        row.counts = {**row.counts, **{name: row.counts.get(name, 0) + number for name, number in counts.items()}}
    if place is None:
        row.state, row.place = _NEXT[row.state], ""
    else:
        row.place = place
    now = db.now(session)
    row.next_at, row.ended_at = (None, now) if done else (now, None)
    session.flush()


def _put_off(session: WriteSession, claim: Claim, error: Message) -> None:
    update_where(
        session,
        Erasure,
        Erasure.user_id == claim.user_id,
        Erasure.state == claim.state,
        Erasure.next_at == claim.next_at,
        error=error,
        next_at=db.now(session) + AGAIN_AFTER,
    )


def is_of(user_id: str) -> ColumnElement[bool]:
    """Clips that the person has made, and all in their personal workspace."""
    personal = select(Workspace.id).where(Workspace.id == user_id, Workspace.kind == WorkspaceKind.PERSONAL)
    return or_(Generation.user_id == user_id, Generation.workspace_id.in_(personal))


def _wait(_opened: Installation, claim: Claim) -> None:
    """Until all that is under way has ended: what a vendor makes is paid, and is not lost from the books."""
    with db.write_session() as session:
        rows = session.execute(
            select(Generation.status, func.count()).where(is_live(), is_of(claim.user_id)).group_by(Generation.status)
        ).all()
        if not rows:
            _go_on(session, claim, None)
            return
        numbers = {row[0]: int(row[1]) for row in rows}
        uncertain = numbers.get(Status.UNCERTAIN, 0)
        said = message("erase_waits", clips=sum(numbers.values()))
        if uncertain:
            said = message("erase_waits_for_decision", clips=uncertain)
        _put_off(session, claim, said)


def _remove_files(opened: Installation, claim: Claim) -> None:
    removed = files.remove_some(opened, claim.user_id)
    with db.write_session() as session:
        counts = removed.record(session)
        _go_on(session, claim, None if removed.is_last else claim.place, counts=counts)


def _remove_words(_opened: Installation, claim: Claim) -> None:
    with db.write_session() as session:
        counts = words.remove_some(session, claim.user_id, is_of(claim.user_id), made_up(claim.user_id))
        _go_on(session, claim, claim.place if counts else None, counts=counts)


def _replace_names(_opened: Installation, claim: Claim) -> None:
    with db.write_session() as session:
        names = names_of(session, claim.user_id)
        scanning.check_may(session)
        place, counts = scanning.replace_some(session, names, claim.user_id, after=claim.place)
        _go_on(session, claim, place, counts=counts)


def _seal_anew(_opened: Installation, claim: Claim) -> None:
    """The last step: closed months, and then the person, all in one transaction."""
    with db.write_session() as session:
        names = names_of(session, claim.user_id)
        asked = session.get_one(Erasure, claim.user_id)
        books.replace(session, names)
        files.let_packed_expire(session, claim.user_id)
        words.remove_person(session, claim.user_id, names, asked_by=asked.asked_by, asked_by_id=asked.asked_by_id)
        _go_on(session, claim, None, done=True)


_STEPS: dict[ErasureState, Callable[[Installation, Claim], None]] = {
    ErasureState.WAITING: _wait,
    ErasureState.FILES: _remove_files,
    ErasureState.WORDS: _remove_words,
    ErasureState.NAMES: _replace_names,
    ErasureState.BOOKS: _seal_anew,
}
