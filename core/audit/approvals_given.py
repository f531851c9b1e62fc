"""The rule that what asked for approval is made only after somebody else has said yes; as conditions on generations."""

from sqlalchemy import ColumnElement, and_, exists

from core.db.enums import Decision, Stage
from core.db.tables import Approval, Generation, GenerationEvent


def asked() -> ColumnElement[bool]:
    """It asked for approval."""
    return exists().where(Approval.generation_id == Generation.id)


def handed_over_without() -> ColumnElement[bool]:
    """It was handed over though its approval is not there, or is its maker's own.

    What was put back from a copy may be further than its approval: it was sent before, and is not handed over again.
    """
    by_another = exists().where(
        Approval.generation_id == Generation.id,
        Approval.decision == Decision.APPROVED,
        Approval.decided_by_id != Generation.user_id,
    )
    handed_over = exists().where(
        GenerationEvent.generation_id == Generation.id, GenerationEvent.stage == Stage.DISPATCHED
    )
    return and_(~by_another, handed_over)
