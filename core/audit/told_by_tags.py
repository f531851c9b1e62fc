"""The rule that a tag of an ended clip tells what the clip came to, since usage by tag is read from the tags."""

from typing import Any

from sqlalchemy import Select, String, and_, case, cast, false, func, literal, null, or_, select

from core.audit.scope import Since, within
from core.audit.utc_day import utc_day
from core.db.enums import ENDED_STATUSES, Status
from core.db.tables import Generation, GenerationTag


def queries(since: object) -> tuple[Select[Any], Select[Any]]:
    """How many tags of clips that have ended there are, and the clips of which one tells something else.

    A tag leaves no row that would be new, so only a look at everything compares them.
    """
    if isinstance(since, Since):
        return select(literal(0)), select(null()).where(false())
    status = cast(Generation.status, String)
    told = (
        (GenerationTag.ended_on, utc_day(Generation.ended_at)),
        (GenerationTag.maker_id, Generation.user_id),
        (GenerationTag.charged_in_id, Generation.charged_in_id),
        (GenerationTag.provider, Generation.provider),
        (GenerationTag.model_id, Generation.model_id),
        (GenerationTag.outcome, status),
        (
            GenerationTag.reason,
            case((Generation.status == Status.FAILED, func.coalesce(Generation.error_code, "")), else_=status),
        ),
        (GenerationTag.credits, Generation.credits),
        (GenerationTag.seconds, Generation.duration_seconds),
    )
    differs = or_(*(kept.is_distinct_from(of_clip) for kept, of_clip in told))
    ended = and_(Generation.status.in_(ENDED_STATUSES), Generation.ended_at.is_not(None))
    tagged = select(GenerationTag.generation_id).join(Generation, Generation.id == GenerationTag.generation_id)
    tagged = tagged.where(within(since, GenerationTag.generation_id))
    return select(func.count()).select_from(tagged.where(ended).subquery()), tagged.where(ended, differs).distinct()
