"""Forgets the words of clips: prompts and whatever repeats them. What was ordered, made and paid stays.

A row keeps its settings, its provider's job, its price and its end; it has no prompt, and nothing by which one could be
guessed. So it is found by no words, and is like no other order.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, update

from core import db
from core.db import ReadSession, WriteSession, update_where
from core.db.tables import Approval, Generation, GenerationEvent, User, WebhookDelivery, is_live
from core.generations import folding, prompt_search
from core.messages import Message, message

BATCH = 100

FORGOTTEN: dict[str, Any] = {
    "prompt": "",
    "prompt_words": "",
    "request_id": None,
    "negative_prompt": "",
    "provider_response": None,
    "provider_video_url": None,
    "error_detail": None,
    "idempotency_key": None,
    "request_hash": "",
    "recipe_hash": None,
}
"""What a row has instead."""


def forget(session: WriteSession, ids: Sequence[str]) -> None:
    """Forget the words of these clips, which have ended."""
    prompt_search.forget(session, ids)
    forgotten = update(Generation).where(Generation.id.in_(ids)).values(FORGOTTEN)
    session.execute(forgotten.execution_options(synchronize_session=False))
    _forget_errors(session, ids)
    _forget_steps(session, ids)
    told = delete(WebhookDelivery).where(WebhookDelivery.generation_id.in_(ids))
    session.execute(told.execution_options(synchronize_session=False))
    update_where(session, Approval, Approval.generation_id.in_(ids), note="")


def departed(session: ReadSession, *, days: int, limit: int) -> Sequence[str]:
    """People who were deactivated more than so many days ago, and whose prompts are still there; some of them."""
    return session.scalars(_departed(session, days).order_by(User.id).limit(limit)).all()


def old(session: ReadSession, *, days: int) -> int:
    """How many clips of people who were deactivated so long ago still have words."""
    clips = select(func.count()).select_from(Generation)
    return session.scalar(clips.where(Generation.user_id.in_(_departed(session, days)), _has_words(), ~is_live())) or 0


def _departed(session: ReadSession, days: int) -> Select[str]:
    return select(User.id).where(
        User.deactivated_at < db.now(session) - timedelta(days=days),
        User.merged_into_id.is_(None),
        User.erased_at.is_(None),
        or_(User.prompts_gone_at.is_(None), User.prompts_gone_at < User.deactivated_at),
    )


def forget_departed(session: WriteSession, *, days: int) -> int:
    """Forget the prompts of a batch of clips of somebody who left long ago; how many clips, 1 at least with somebody.

    What is still under way keeps its own until the next round.
    """
    found = departed(session, days=days, limit=1)
    if not found:
        return 0
    user_id = session.scalar(select(User.id).where(User.id.in_(found)).with_for_update(skip_locked=True))
    if user_id is None:
        return 0  # somebody else does it
    ids = with_words(session, Generation.user_id == user_id)
    forget(session, ids)
    if not ids:
        update_where(session, User, User.id == user_id, prompts_gone_at=db.now(session))
    return len(ids) or 1


def with_words(session: WriteSession, *where: Any, limit: int = BATCH) -> Sequence[str]:
    """Some of these clips that have ended and still have words."""
    query = select(Generation.id).where(*where, _has_words(), ~is_live())
    return session.scalars(query.order_by(Generation.id).limit(limit).with_for_update()).all()


def _has_words() -> ColumnElement[bool]:
    return or_(Generation.prompt != "", Generation.request_hash != "")


def _forget_errors(session: WriteSession, ids: Sequence[str]) -> None:
    """Why it failed stays where that is a sentence of ours."""
    failed = select(Generation.id, Generation.error).where(
        Generation.id.in_(ids), or_(Generation.error.is_not(None), Generation.error_message.is_not(None))
    )
    quoting = [row.id for row in session.execute(failed) if row.error is None or _quotes(row.error)]
    said = message("step_forgotten")
    update_where(session, Generation, Generation.id.in_(quoting), error=said, error_message=str(said))


def _forget_steps(session: WriteSession, ids: Sequence[str]) -> None:
    """Steps say what was ordered and what a vendor answered; of those that quote something only the kind stays."""
    steps = session.scalars(select(GenerationEvent).where(GenerationEvent.generation_id.in_(ids))).all()
    for step in steps:
        if step.message is None or _quotes(step.message):
            said = message("step_forgotten")
            changed = update(GenerationEvent).where(GenerationEvent.id == step.id)
            session.execute(changed.values(what=str(said), message=said).execution_options(synchronize_session=False))
    for row in session.execute(
        select(Generation.id, Generation.timeline).where(Generation.id.in_(ids), Generation.timeline.is_not(None))
    ):
        kept = folding.unfolded(row.timeline, row.id)
        for step in kept:
            if step.message is None or _quotes(step.message):
                step.message = message("step_forgotten")
                step.what = str(step.message)
        packed = [folding.packed(step) for step in kept]
        changed_row = update(Generation).where(Generation.id == row.id).values(timeline=packed)
        session.execute(changed_row.execution_options(synchronize_session=False))


_NAMED = {"provider", "model", "job", "attempt", "by"}


def _quotes(said: Message) -> bool:
    """Whether a text of somebody's stands in it: a figure and the name of a provider are none."""
    for name, value in said.params.items():
        if isinstance(value, Message):
            if _quotes(value):
                return True
        elif isinstance(value, tuple):
            if any(_quotes(each) for each in value):
                return True
        elif isinstance(value, str) and name not in _NAMED:
            return True
    return False
