"""Tables that are kept in a workspace, before and after they were ordered: each content once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import undefer

from core import errors
from core.clock import utc_now
from core.db import ReadSession, WriteSession
from core.db.tables import Sheet
from core.db.types import insert
from core.generations.sheets.checked import Defaults
from core.generations.sheets.tables import Table
from core.ids import new_id
from core.messages import Message, message
from core.workspaces.access import Member, in_workspace, visible_to
from core.workspaces.permissions import Action

NAME_LIMIT_CHARS = 255
KEPT_UNORDERED = timedelta(days=30)
PAGE_SIZE = 20
_NOT_FOUND = message("sheet_not_found")


@dataclass(frozen=True, slots=True)
class SheetPage:
    """One keyset page, newest first; `next_cursor` is None on the last."""

    sheets: Sequence[Sheet]
    next_cursor: str | None


def keep(session: WriteSession, member: Member, table: Table, defaults: Defaults, *, name: str) -> Sheet:
    """The sheet of this content in the workspace: a new one, or the one that is there, ordered or not.

    Forbidden for who may not order.
    """
    member.require(Action.ORDER)
    _forget_old(session, member)
    digest = digest_of(table, defaults)
    now = utc_now()
    session.execute(
        insert(session, Sheet)
        .values(
            id=new_id(),
            workspace_id=member.workspace_id,
            user_id=member.id,
            name=_printable(name),
            digest=digest,
            heads=list(table.heads),
            lines=table.lines_to_json(),
            defaults=defaults.to_json(),
            notes=[note.to_json() for note in table.notes],
            row_count=len(table.lines),
            clip_count=0,
            total_credits=0,
            created_at=now,
            updated_at=now,
        )
        .on_conflict_do_nothing(index_elements=["workspace_id", "digest"])
    )
    return session.scalars(select(Sheet).where(in_workspace(Sheet, member), Sheet.digest == digest)).one()


def revise(session: WriteSession, member: Member, sheet_id: str, table: Table, defaults: Defaults) -> Sheet:
    """Give a sheet that is not ordered yet another content; the sheet that has it then, which may be another one.

    NotFound, Forbidden; Conflict for one that was ordered.
    """
    sheet = get(session, member, sheet_id, is_locked=True)
    member.require(Action.ORDER, sheet.workspace_id)
    if sheet.ordered_at is not None:
        raise errors.Conflict(message("sheet_is_ordered"))
    digest = digest_of(table, defaults)
    if digest == sheet.digest:
        return sheet
    other = session.scalar(
        select(Sheet).where(Sheet.workspace_id == sheet.workspace_id, Sheet.digest == digest).with_for_update()
    )
    if other is not None:
        session.delete(sheet)
        session.flush()
        return other
    sheet.digest, sheet.heads, sheet.lines = digest, list(table.heads), table.lines_to_json()
    sheet.defaults, sheet.row_count, sheet.updated_at = defaults.to_json(), len(table.lines), utc_now()
    session.flush()
    return sheet


def get(session: ReadSession, member: Member, sheet_id: str, *, is_locked: bool = False) -> Sheet:
    """A sheet of a workspace of theirs, with its lines; NotFound for others."""
    query = select(Sheet).where(Sheet.id == sheet_id, visible_to(Sheet, member)).options(undefer(Sheet.lines))
    if is_locked:
        query = query.with_for_update()
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise errors.NotFound(_NOT_FOUND)
    return found


def list_page(session: ReadSession, member: Member, *, cursor: str | None = None, limit: int = PAGE_SIZE) -> SheetPage:
    """The sheets of the workspace without their lines, newest first."""
    query = select(Sheet).where(in_workspace(Sheet, member))
    if cursor is not None:
        query = query.where(Sheet.id < cursor)
    found = session.scalars(query.order_by(Sheet.id.desc()).limit(limit + 1)).all()
    return SheetPage(found[:limit], found[limit - 1].id if len(found) > limit else None)


def remove(session: WriteSession, member: Member, sheet_id: str) -> None:
    """Forget a sheet that was not ordered; Conflict for one that was."""
    sheet = get(session, member, sheet_id, is_locked=True)
    member.require(Action.ORDER, sheet.workspace_id)
    if sheet.ordered_at is not None:
        raise errors.Conflict(message("sheet_is_ordered"))
    session.delete(sheet)
    session.flush()


def table_of(sheet: Sheet) -> Table:
    """The table that a sheet keeps."""
    return Table.from_json(sheet.heads, sheet.lines)


def defaults_of(sheet: Sheet) -> Defaults:
    """What fills its empty cells."""
    return Defaults.from_json(sheet.defaults)


def notes_of(sheet: Sheet) -> Sequence[Message]:
    """What was noticed when it was read; what this release does not know any more is left aside."""
    return [note for each in sheet.notes if (note := Message.from_json(each)) is not None]


def digest_of(table: Table, defaults: Defaults) -> str:
    """The same for what orders the same."""
    return table.digest(defaults=defaults.to_json())


def _forget_old(session: WriteSession, member: Member) -> None:
    """What nobody has ordered for a month goes when the next one comes."""
    old = utc_now() - KEPT_UNORDERED
    session.execute(
        delete(Sheet)
        .where(in_workspace(Sheet, member), Sheet.ordered_at.is_(None), Sheet.updated_at < old)
        .execution_options(synchronize_session=False)
    )


def _printable(name: str) -> str:
    plain = "".join(char for char in name if char.isprintable()).replace("\\", "/").rsplit("/", 1)[-1]
    return plain.strip()[:NAME_LIMIT_CHARS] or "table"
