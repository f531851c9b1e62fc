"""What people do with their clips once they are there: favourites, verdicts, tags, moving them to another project.

A verdict is counted in the usage of the day and the project in which the clip was charged. Money never moves with a
clip: what it cost stays with the project it was charged in, and so do the figures about it.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CompoundSelect, Select, bindparam, delete, func, insert, literal, select, union_all
from sqlalchemy import update as sql_update

from core import errors
from core.clock import utc_now
from core.db import Reader, ReadSession, WriteSession, update_where
from core.db.enums import ENDED_STATUSES, RejectReason, Status
from core.db.tables import Generation, GenerationTag, Project
from core.generations.list_filter import ReviewStatus, canonical_tag
from core.messages import message
from core.projects import projects
from core.usage import rollups
from core.validation import text_error
from core.workspaces.access import Member, in_bound_workspace, visible_to
from core.workspaces.permissions import Action

TAG_LIMIT_CHARS = 40
TAGS_LIMIT = 20
MAX_COUNTED = 1000
MAX_CLIPS = 200
"""How many clips can be changed at once."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What to change of clips; None leaves it. `tags` replaces all of them, `add_tags` and `remove_tags` some.

    A verdict is written with its reason: `reject_reason` goes with a rejection only, None for none given.
    """

    favourite: bool | None = None
    verdict: ReviewStatus | None = None
    reject_reason: RejectReason | None = None
    tags: Collection[str] | None = None
    add_tags: Collection[str] = ()
    remove_tags: Collection[str] = ()
    project_id: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict on a clip by somebody who took it for `seen` until then."""

    generation_id: str
    verdict: ReviewStatus
    seen: ReviewStatus
    reason: RejectReason | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """A clip after a decision; `is_written` is False where somebody else had judged it meanwhile, whose word stays."""

    row: Generation
    is_written: bool


def update(session: WriteSession, member: Member, generation_id: str, changes: Changes) -> Generation:
    """Change one clip. NotFound when they do not see it or the project; Conflict where it cannot be, and why.

    InvalidRequest for a reason without a rejection.
    """
    [row] = _locked(session, member, [generation_id])
    if changes.verdict is not None and row.status is not Status.COMPLETED:
        raise errors.Conflict(message("cannot_judge_yet"))
    if changes.project_id not in (None, row.project_id) and row.status not in ENDED_STATUSES:
        raise errors.Conflict(message("cannot_move_yet"))
    _change(session, member, [row], changes)
    return row


def update_many(session: WriteSession, member: Member, ids: Collection[str], changes: Changes) -> int:
    """Change several clips, all or none of them; how many it concerned.

    A verdict leaves out those that are not completed, a move those under way. NotFound when one is not theirs;
    InvalidRequest for more than SEVERAL_LIMIT.
    """
    rows = _locked(session, member, ids)
    if changes.verdict is not None:
        rows = [row for row in rows if row.status is Status.COMPLETED]
    if changes.project_id is not None:
        rows = [row for row in rows if row.status in ENDED_STATUSES]
    _change(session, member, rows, changes)
    return len(rows)


def decide(session: WriteSession, member: Member, decisions: Sequence[Decision]) -> Sequence[Decided]:
    """Write verdicts down where nobody was faster, in one transaction; what each clip came to, in the order given.

    A verdict that is there already is no disagreement, so that what is sent twice is written once. NotFound, Forbidden
    and Conflict as `update`, for all of them together.
    """
    rows = {row.id: row for row in _locked(session, member, [each.generation_id for each in decisions])}
    found = []
    for each in decisions:
        row = rows[each.generation_id]
        if row.status is not Status.COMPLETED:
            raise errors.Conflict(message("cannot_judge_yet"))
        is_written = ReviewStatus.of(row.kept) in (each.seen, each.verdict)
        if is_written:
            _change(session, member, [row], Changes(verdict=each.verdict, reject_reason=each.reason))
        found.append(Decided(row, is_written))
    return found


def count_reasons(session: Reader, member: Member) -> Mapping[RejectReason, int]:
    """How many clips of the workspace were rejected for each reason, up to MAX_COUNTED of each."""
    found = session.execute(_REASONS, {"workspace_id": member.workspace_id}).all()
    return {RejectReason(reason): count for reason, count in found}


def tags_of(session: ReadSession, member: Member, generation_id: str) -> Sequence[str]:
    """The tags of a clip they see, in alphabetical order."""
    query = select(GenerationTag.tag).where(
        visible_to(GenerationTag, member), GenerationTag.generation_id == generation_id
    )
    return session.scalars(query.order_by(GenerationTag.tag)).all()


def own_tags(session: Reader, member: Member, *, limit: int = 200) -> Sequence[str]:
    """The tags used in the workspace, in alphabetical order."""
    return sorted(session.scalars(_OWN_TAGS, {"workspace_id": member.workspace_id, "limit": limit}).all())


def _hopping() -> Select[Any]:
    """Through the index from one tag to the next, so that it costs the same however many clips carry each."""
    first = select(func.min(GenerationTag.tag).label("tag")).where(in_bound_workspace(GenerationTag))
    hops = first.cte("tags", recursive=True)
    following = (
        select(func.min(GenerationTag.tag))
        .where(in_bound_workspace(GenerationTag), GenerationTag.tag > hops.c.tag)
        .correlate(hops)
        .scalar_subquery()
    )
    hops = hops.union_all(select(following).where(hops.c.tag.is_not(None)))
    return select(hops.c.tag).where(hops.c.tag.is_not(None)).limit(bindparam("limit"))


_OWN_TAGS = _hopping()


def _count_reason(reason: RejectReason) -> Select[str, int]:
    """Of the index, which has them together, so that it costs no more where there are a million."""
    of_it = select(literal(1)).where(
        in_bound_workspace(Generation), Generation.reject_reason == reason, Generation.deleted_at.is_(None)
    )
    counted = of_it.limit(MAX_COUNTED).subquery()
    return select(literal(reason.value).label("reason"), func.count().label("count")).select_from(counted)


_REASONS: CompoundSelect[Any] = union_all(*map(_count_reason, RejectReason))


def clean_tags(tags: Iterable[str]) -> list[str]:
    """Tags as they are kept: lower case, single spaces, each once. InvalidRequest for one that cannot be kept."""
    found: dict[str, None] = {}
    for tag in tags:
        word = canonical_tag(tag)
        if not word:
            continue
        if "," in word:
            raise errors.InvalidRequest(fields={"tags": message("comma_in_tag")})
        if wrong := text_error(word, limit_chars=TAG_LIMIT_CHARS):
            raise errors.InvalidRequest(fields={"tags": wrong})
        found[word] = None
    if len(found) > TAGS_LIMIT:
        raise errors.InvalidRequest(fields={"tags": message("too_many_tags", limit=TAGS_LIMIT)})
    return list(found)


def _locked(session: WriteSession, member: Member, ids: Collection[str]) -> list[Generation]:
    """Clips that they see, kept from changing until the transaction ends; in one order, so that none deadlock."""
    wanted = set(ids)
    if len(wanted) > MAX_CLIPS:
        raise errors.InvalidRequest(fields={"ids": message("too_many_at_once", limit=MAX_CLIPS)})
    query = (
        select(Generation)
        .where(visible_to(Generation, member), Generation.deleted_at.is_(None), Generation.id.in_(wanted))
        .order_by(Generation.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    rows = list(session.scalars(query))
    if len(rows) != len(wanted):
        raise errors.NotFound(message("generation_not_found"))
    for workspace_id in {row.workspace_id for row in rows}:
        member.require(Action.EDIT, workspace_id)
    return rows


def _change(session: WriteSession, member: Member, rows: Sequence[Generation], changes: Changes) -> None:
    if changes.reject_reason is not None and changes.verdict is not ReviewStatus.REJECTED:
        raise errors.InvalidRequest(fields={"rejectReason": message("reason_without_rejection")})
    if changes.favourite is not None:
        _set(session, rows, favourite=changes.favourite)
    has_tags = changes.tags is not None or bool(changes.add_tags or changes.remove_tags)
    if has_tags:
        for row in rows:
            _tag(session, member, row, changes)
        rollups.describe_tags(session, [row.id for row in rows])
    if changes.verdict is not None:
        _judge(session, member, rows, changes.verdict.kept, changes.reject_reason)
    if changes.favourite or (changes.verdict is not None and changes.verdict.kept is not None):
        _open(session, rows)
    if has_tags or changes.favourite is not None or changes.verdict is not None:
        rollups.note_change(session, (row.workspace_id for row in rows))  # also of what no roll-up tells
    if changes.project_id is not None:
        _move(session, member, rows, changes.project_id)
    session.flush()
    for row in rows:
        session.refresh(row)


def _set(session: WriteSession, rows: Sequence[Generation], **values: object) -> None:
    """Write columns that no worker writes; `version` stays, so that a move under way is not disturbed."""
    ids = [row.id for row in rows]
    changed = sql_update(Generation).where(Generation.id.in_(ids)).values(**values)
    session.execute(changed.execution_options(synchronize_session=False))


def _open(session: WriteSession, rows: Sequence[Generation]) -> None:
    """Who judges a clip, or likes it, has opened it, wherever that was."""
    if unopened := [row for row in rows if row.first_opened_at is None]:
        _set(session, unopened, first_opened_at=utc_now())


def _tag(session: WriteSession, member: Member, row: Generation, changes: Changes) -> None:
    generation_id = row.id
    had = set(tags_of(session, member, generation_id))
    wanted = had if changes.tags is None else set(clean_tags(changes.tags))
    wanted = (wanted | set(clean_tags(changes.add_tags))) - set(clean_tags(changes.remove_tags))
    clean_tags(wanted)  # how many there may be
    if gone := had - wanted:
        session.execute(
            delete(GenerationTag).where(GenerationTag.generation_id == generation_id, GenerationTag.tag.in_(gone))
        )
    if new := sorted(wanted - had):
        rows = [
            {"generation_id": generation_id, "tag": tag, "workspace_id": row.workspace_id, "user_id": member.id}
            for tag in new
        ]
        session.execute(insert(GenerationTag), rows)


def _judge(
    session: WriteSession, member: Member, rows: Sequence[Generation], kept: bool | None, reason: RejectReason | None
) -> None:
    """Write the verdict and take the difference to the one before it into the roll-up."""
    figures: dict[rollups.Key, Counter[str]] = {}
    paid_by = rollups.paid_by(session, rows)
    for row in rows:
        assert row.ended_at is not None, "a completed clip has ended"  # noqa: S101 -- for the type checker
        charged_in_id = row.charged_in_id
        key = rollups.Key(
            rollups.day_of(row.ended_at), paid_by[charged_in_id], row.user_id, charged_in_id, row.provider, row.model_id
        )
        added = figures.setdefault(key, Counter())
        added.update(_counted(kept, row.duration_seconds))
        added.subtract(_counted(row.kept, row.duration_seconds))
    values = {"kept": kept, "reject_reason": reason, "judged_by_id": None if kept is None else member.id}
    _set(session, rows, **values, retained_since=utc_now())
    for key in sorted(figures):
        if changed := {name: figure for name, figure in figures[key].items() if figure}:
            rollups.add(session, key, **changed)


def _counted(kept: bool | None, seconds: int) -> dict[str, int]:
    """What a verdict on a clip of so many ordered seconds adds to its day."""
    if kept is None:
        return {}
    return {"kept_count": 1, "kept_seconds": seconds} if kept else {"rejected_count": 1}


def _move(session: WriteSession, member: Member, rows: Sequence[Generation], project_id: str) -> None:
    """Put clips into another project and count them there; what they cost stays where it was charged."""
    target = projects.get_held(session, member, project_id)
    if any(row.workspace_id != target.workspace_id for row in rows):
        raise errors.InvalidRequest(fields={"projectId": message("project_of_another_workspace")})
    if target.archived_at is not None:
        raise errors.InvalidRequest(fields={"projectId": message("project_archived")})
    moving = [row for row in rows if row.project_id != target.id]
    by_origin = Counter(row.project_id for row in moving)
    added = Counter({target.id: len(moving)})
    added.subtract(by_origin)
    ids = [row.id for row in moving]
    update_where(
        session,
        Generation,
        Generation.id.in_(ids),
        project_id=target.id,
        charged_project_id=func.nullif(Generation.charged_in_id, target.id),
    )
    for changed_id in sorted(added):
        update_where(
            session,
            Project,
            Project.id == changed_id,
            generation_count=Project.generation_count + added[changed_id],
            updated_at=utc_now(),
        )
