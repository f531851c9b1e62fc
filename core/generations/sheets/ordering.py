"""Orders a kept table: all of its clips or none, and once, however often and by however many it is pressed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import count

from sqlalchemy import insert

from core import errors
from core.catalog_changes import current
from core.db import ReadSession, WriteSession
from core.db import now as now_of
from core.db.tables import ClipNote, Generation, GenerationTag, Sheet, SheetClip, table_of
from core.generations.sheets import checking, kept, surroundings
from core.generations.sheets.checked import CheckedTable, Defaults
from core.generations.sheets.tables import Table
from core.generations.submit_many import submit_many
from core.ids import new_id
from core.messages import message
from core.projects import projects
from core.workspaces.access import Member
from core.workspaces.permissions import Action


@dataclass(frozen=True, slots=True)
class Prepared:
    """A kept table as it was looked through before its order; what it was then is what its person saw."""

    sheet_id: str
    digest: str
    checked: CheckedTable


def check(
    session: ReadSession, member: Member, table: Table, defaults: Defaults, *, configured: Collection[str]
) -> CheckedTable:
    """What a table would order in the member's workspace, by the catalogue and the things of this moment."""
    also = [defaults.project_id] if defaults.project_id else []
    around = surroundings.of(session, member, table, configured=configured, also=also)
    return checking.check(table, defaults, around)


def prepare(session: ReadSession, member: Member, sheet_id: str, *, configured: Collection[str]) -> Prepared:
    """Look through a kept table, outside of the transaction that orders it, which so is short.

    NotFound for one that is not of a workspace of theirs.
    """
    sheet = kept.get(session, member, sheet_id)
    at_work = member.moved_to(sheet.workspace_id)
    table, defaults = kept.table_of(sheet), kept.defaults_of(sheet)
    checked = check(session, at_work, table, defaults, configured=configured)
    return Prepared(sheet.id, sheet.digest, checked)


def make_projects(session: WriteSession, member: Member, sheet_id: str) -> Sequence[str]:
    """Make a project for each name in a kept table that its workspace has none of: all of them, or none.

    The names of those made, which is none when somebody has pressed before. Raises NotFound for a table that is not of
    a workspace of theirs, Forbidden for who may not, InvalidRequest for what cannot be a project's name.
    """
    sheet = kept.get(session, member, sheet_id, is_locked=True)  # two presses go one after the other
    at_work = member.moved_to(sheet.workspace_id)
    names = surroundings.missing_projects(session, at_work, kept.table_of(sheet))
    return [projects.create(session, at_work, name=name).name for name in names]


@current.ordering
def order(
    session: WriteSession,
    member: Member,
    prepared: Prepared,
    *,
    configured: Collection[str],
    quota_bytes: int,
    max_clips: int,
    shown_credits: int,
) -> Sheet:
    """Order all that a table says, or nothing; one that was ordered before is returned, marked as `replayed`.

    Raises InvalidRequest that names rows and fields, PriceChanged where the total is not `shown_credits`,
    InsufficientCredits, TokenCapReached, StorageFull, NotFound, Forbidden, and Conflict when the table was changed
    since it was prepared.
    """
    sheet = kept.get(session, member, prepared.sheet_id, is_locked=True)  # two presses go one after the other
    member = member.moved_to(sheet.workspace_id)
    member.require(Action.ORDER)
    if sheet.ordered_at is not None:
        sheet.replayed = True
        return sheet
    if sheet.digest != prepared.digest:
        raise errors.Conflict(message("sheet_has_changed"))
    checked = prepared.checked
    if (refused := checked.refusal(max_clips=max_clips)) is not None:
        raise refused
    orders = [order for line in checked.lines for order in line.orders]
    try:
        rows = submit_many(
            session,
            member,
            orders,
            configured=configured,
            quota_bytes=quota_bytes,
            batch_id=sheet.id,
            shown_credits=shown_credits,
        )
    except errors.InvalidRequest as wrong:
        raise _named_by_rows(wrong, checked) from None
    _note_clips(session, member, sheet, checked, rows)
    sheet.ordered_at, sheet.clip_count = now_of(session), len(rows)
    sheet.total_credits, sheet.user_id = sum(row.credits for row in rows), member.id
    session.flush()
    return sheet


def _named_by_rows(wrong: errors.InvalidRequest, checked: CheckedTable) -> errors.InvalidRequest:
    """What has changed between check and order, named as the file numbers its rows."""
    numbers = [line.line.number for line in checked.lines for _order in line.orders]

    def renamed(field: str) -> str:
        start, _point, rest = field.partition(".")
        place, _point, name = rest.partition(".")
        return f"rows.{numbers[int(place)]}.{name}" if start == "generations" else field

    return errors.InvalidRequest(fields={renamed(field): said for field, said in wrong.fields.items()})


def _note_clips(
    session: WriteSession, member: Member, sheet: Sheet, checked: CheckedTable, rows: Sequence[Generation]
) -> None:
    """Which line has ordered which clip, with the tags and the note that it has for each."""
    clips, tags, notes = [], [], []
    nth = count()
    for line in checked.lines:
        for take in range(len(line.orders)):
            clip_id = rows[next(nth)].id
            clips.append({"sheet_id": sheet.id, "place": line.place, "take": take, "generation_id": clip_id})
            whose = {"generation_id": clip_id, "user_id": member.id}
            tags += [whose | {"tag": tag, "workspace_id": sheet.workspace_id} for tag in line.tags]
            if line.note:
                notes.append(whose | {"id": new_id(), "text": line.note})
    session.execute(insert(table_of(SheetClip)), clips)
    if tags:
        session.execute(insert(table_of(GenerationTag)), tags)
    if notes:
        session.execute(insert(table_of(ClipNote)), notes)
