"""What the end of a generation books, in the move's transaction: ledger, budgets, the token's cap, the roll-up.

It moves no generation: `core.generations.lifecycle` does, and calls this only when the move was its own.
"""

from dataclasses import dataclass
from datetime import datetime

from core import db
from core.billing import ledger
from core.db import WriteSession, update_where
from core.db.enums import Status
from core.db.tables import Generation, Project
from core.identity import api_tokens
from core.messages import Message
from core.notices.clips import Clip
from core.usage import limits, rollups


@dataclass(frozen=True, slots=True)
class Ended:
    """What is needed of a generation after it has moved to its end."""

    id: str
    workspace_id: str
    user_id: str
    project_id: str
    token_id: str | None
    provider: str
    model_id: str
    credits: int
    budget_month: str | None
    duration_seconds: int
    ended_at: datetime
    clip: Clip

    @classmethod
    def of(cls, session: WriteSession, row: Generation) -> "Ended":
        """Taken just before the move; its end is now, for the row, the ledger and the day it is counted on.

        No clip ends in a closed month.
        """
        return cls(
            row.id,
            row.workspace_id,
            row.user_id,
            row.project_id,
            row.token_id,
            row.provider,
            row.model_id,
            row.credits,
            row.budget_month,
            row.duration_seconds,
            ledger.open_moment(session, db.now(session)),
            Clip.of(row),
        )


def release_hold(session: WriteSession, ended: Ended, reason: Message, actor: str, code: str, /, **counts: int) -> None:
    """Give a hold back to the account, the budgets and the token it was taken of, and count it.

    `code` is that of the error which it failed with, empty for what was cancelled.
    """
    ledger.release(
        session,
        ended.workspace_id,
        generation_id=ended.id,
        credits=ended.credits,
        actor=actor,
        reason=reason,
        at=ended.ended_at,
    )
    limits.give_back(
        session,
        workspace_id=ended.workspace_id,
        project_id=ended.project_id,
        user_id=ended.user_id,
        credits=ended.credits,
        month=ended.budget_month,
    )
    if ended.token_id is not None:
        api_tokens.give_back(session, ended.token_id, credits=ended.credits)
    key = _add_to_rollup(session, ended, released_credits=ended.credits, **counts)
    outcome = (Status.FAILED if code else Status.CANCELLED).value
    rollups.add_undelivered(session, key, outcome=outcome, reason=code, released_credits=ended.credits)


def settle(session: WriteSession, ended: Ended, *, actor: str, **costs: int) -> None:
    """Charge what was held for a clip that is here, and count it."""
    ledger.settle(
        session,
        ended.workspace_id,
        generation_id=ended.id,
        credits=ended.credits,
        actor=actor,
        at=ended.ended_at,
    )
    charged = {"settled_credits": ended.credits, "video_seconds": ended.duration_seconds}
    _add_to_rollup(session, ended, completed=1, **charged, **costs)
    update_where(session, Project, Project.id == ended.project_id, spent_credits=Project.spent_credits + ended.credits)


def _add_to_rollup(session: WriteSession, ended: Ended, **added: int) -> rollups.Key:
    """Add to the day's roll-up, in the transaction that ends the generation, so that the two cannot differ."""
    key = rollups.Key(
        rollups.day_of(ended.ended_at),
        ended.workspace_id,
        ended.user_id,
        ended.project_id,
        ended.provider,
        ended.model_id,
    )
    rollups.add(session, key, **added)
    rollups.describe_tags(session, [ended.id])
    return key
