"""The rule that counted verdicts are those on the clips, since kept shares and seconds are read from the counts."""

from typing import Any

from sqlalchemy import Select, case, false, func, literal, null, or_, select, union_all

from core.audit.scope import Since, charged_within, within
from core.audit.utc_day import utc_day
from core.db.tables import Generation, Project, UsageDay


def queries(since: object) -> tuple[Select[Any], Select[Any]]:
    """Days and projects whose counted verdicts differ from those on the clips that were charged there then.

    A verdict leaves no row that would be new, so only a look at everything compares them.
    """
    if isinstance(since, Since):
        return select(literal(0)), select(null()).where(false())
    kept = case((Generation.kept.is_(True), 1), else_=0)
    of_clips = (kept, kept * Generation.duration_seconds, case((Generation.kept.is_(False), 1), else_=0))
    of_days = (UsageDay.kept_count, UsageDay.kept_seconds, UsageDay.rejected_count)
    both = union_all(
        select(
            utc_day(Generation.ended_at).label("day"),
            Project.workspace_id,
            Generation.user_id,
            Generation.charged_in_id.label("project_id"),
            Generation.provider,
            Generation.model_id,
            *(figure.label(f"f{place}") for place, figure in enumerate(of_clips)),
        )
        .join(Project, Project.id == Generation.charged_in_id)
        .where(Generation.kept.is_not(None), charged_within(since)),
        select(
            UsageDay.day,
            UsageDay.workspace_id,
            UsageDay.user_id,
            UsageDay.project_id,
            UsageDay.provider,
            UsageDay.model_id,
            *(literal(0) - figure for figure in of_days),
        ).where(or_(*(figure != 0 for figure in of_days)), within(since, UsageDay.workspace_id)),
    ).subquery()
    differ = or_(*(func.sum(both.c[f"f{place}"]) != 0 for place in range(len(of_clips))))
    keys = (both.c.day, both.c.workspace_id, both.c.user_id, both.c.project_id, both.c.provider, both.c.model_id)
    where = both.c.day + literal(" ") + both.c.project_id + literal(" ") + both.c.model_id
    count = select(func.count(Generation.id)).where(
        Generation.kept.is_not(None), within(since, Generation.workspace_id)
    )
    return count, select(where).group_by(*keys).having(differ)
