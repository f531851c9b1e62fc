"""Removes the sample company without a trace: first its files, then every row that belongs to it, in one transaction.

What belongs to it follows from the tables' own references to its workspaces and people, so that a table which is added
later goes with the others. Entries of the audit log refer to nothing, and stay.
"""

from sqlalchemy import ColumnElement, Select, Table, delete, exists, false, func, or_, select, update

from core import audit_log, errors
from core.audit import runs
from core.audit_log import Act
from core.clock import utc_now
from core.db import ReadSession, WriteSession, update_where
from core.db.enums import EntryKind, Status
from core.db.tables import (
    Account,
    BulkJob,
    ClosedPeriod,
    Generation,
    LedgerEntry,
    Upload,
    User,
    Workspace,
    WorkspaceMember,
    is_live,
    table_of,
)
from core.db.types import Base
from core.generations import lifecycle, prompt_search
from core.identity import users
from core.installation import Installation
from core.messages import message
from core.sample import presence
from core.sample.presence import Presence
from core.workspaces.access import Member
from core.workspaces.permissions import Action


def remove(opened: Installation, actor: Member) -> bool:
    """Remove it, or what there is of it; True if there was any.

    Orders in it that nothing was sent of are cancelled. Conflict, and it stays, while a provider still makes a clip of
    it, or when one of its people has made something in a workspace of others. Forbidden for who is no administrator.
    """
    actor.require(Action.OPERATE)
    with presence.alone(opened.settings):
        with opened.database.read_session() as session:
            if presence.presence(session) is Presence.NONE:
                return False
        with opened.database.write_session() as session:
            users.lock(session, actor.id)
            _adopt_teams(session)
            _cancel_pending(session)
        clear(opened, actor)
    return True


def clear(opened: Installation, actor: Member | None = None) -> None:
    """Remove what there is of it, on behalf of `actor`, or silently before it is made anew; raises as `remove`.

    Killed in between, it goes on from where it was.
    """
    with opened.database.write_session() as session:
        _check_can_go(session)
        update_where(session, Workspace, Workspace.is_sample.is_(True), archived_at=utc_now())
    _remove_files(opened)
    with opened.database.write_session() as session:
        _check_can_go(session)
        _delete_rows(session)
        if actor is not None:
            audit_log.record(session, actor.user, Act.SAMPLE_REMOVED, target="Sample company")
    opened.callers.clear()


def _samples() -> ColumnElement[bool]:
    """Generations in a workspace of the company."""
    return Generation.workspace_id.in_(select(Workspace.id).where(Workspace.is_sample))


def _adopt_teams(session: WriteSession) -> None:
    """Teams of its people are the company's, too, where nobody else is or has made anything, and no credits moved.

    Rows of a closed month stay, and so do their teams.
    """
    member = select(WorkspaceMember.workspace_id).join(User, User.id == WorkspaceMember.user_id)
    closed_until = select(func.max(ClosedPeriod.ends_at)).scalar_subquery()
    moved = exists().where(
        Account.workspace_id == Workspace.id,
        LedgerEntry.account_id == Account.id,
        or_(LedgerEntry.kind == EntryKind.TRANSFER, LedgerEntry.created_at < closed_until),
    )
    update_where(
        session,
        Workspace,
        Workspace.id.in_(member.where(User.is_sample)),
        Workspace.id.not_in(member.where(~User.is_sample)),
        ~_has_work_of(select(User.id).where(~User.is_sample)),
        ~moved,
        is_sample=True,
    )


def _cancel_pending(session: WriteSession) -> None:
    for found in session.scalars(select(Generation.id).where(_samples(), Generation.status == Status.PENDING)).all():
        row = lifecycle.locked(session, found)
        if row is not None and row.status is Status.PENDING:
            lifecycle.cancel(session, row, actor=lifecycle.SYSTEM)


def _check_can_go(session: ReadSession) -> None:
    """Conflict while something of it is under way, or where others' figures would change with it."""
    live = session.scalar(select(func.count()).select_from(Generation).where(_samples(), is_live())) or 0
    if live:
        raise errors.Conflict(message("sample_is_at_work", number=live))
    people = select(User.id).where(User.is_sample)
    elsewhere = select(Workspace.name).where(~Workspace.is_sample, _has_work_of(people))
    if (name := session.scalar(elsewhere.order_by(Workspace.name).limit(1))) is not None:
        raise errors.Conflict(message("sample_is_elsewhere", workspace=name))


def _has_work_of(people: Select[str]) -> ColumnElement[bool]:
    """Workspaces in which one of these people has made something that counts."""
    return or_(
        *(
            exists().where(table.c.workspace_id == Workspace.id, table.c.user_id.in_(people))
            for table in Base.metadata.sorted_tables
            if {"workspace_id", "user_id"} <= {*table.c.keys()} and table.name in _COUNTED
        )
    )


_COUNTED = ("generations", "projects", "uploads", "usage_days")
"""Tables whose rows are a workspace's whoever has made them."""


def _remove_files(opened: Installation) -> None:
    with opened.database.read_session() as session:
        ids = session.scalars(select(Generation.id).where(_samples())).all()
        uploads = [key for row in session.execute(_own_uploads()) for key in row if key is not None]
        jobs = session.scalars(select(BulkJob.id).where(_belongs(table_of(BulkJob)))).all()
    for generation_id in ids:
        opened.storage.delete_below(f"videos/{generation_id}")
    for job_id in jobs:
        opened.storage.delete_below(f"exports/{job_id}")
    for key in uploads:
        opened.storage.delete(key)


def _own_uploads() -> Select[str, str | None]:
    """Keys of assets, and of their stills, that nobody else has brought, too: the same bytes have the same key."""
    samples = select(Workspace.id).where(Workspace.is_sample)
    others = select(Upload.storage_key).where(Upload.workspace_id.not_in(samples))
    own = Upload.workspace_id.in_(samples), Upload.storage_key.not_in(others)
    return select(Upload.storage_key, Upload.poster_key).where(*own)


def _delete_rows(session: WriteSession) -> None:
    prompt_search.forget(session, session.scalars(select(Generation.id).where(_samples())).all())
    # A reference that restricts holds even against a statement that deletes both rows.
    apart = update(Generation).where(_samples()).values(retry_of_id=None, extends_id=None)
    session.execute(apart.execution_options(synchronize_session=False))
    for table in reversed(Base.metadata.sorted_tables):
        session.execute(delete(table).where(_belongs(table)))
    runs.start_over(session)


def _belongs(table: Table) -> ColumnElement[bool]:
    """Rows of the company: its workspaces and people, and whatever refers to what belongs to it."""
    own = [table.c.is_sample] if "is_sample" in table.c else []
    references = [
        key.parent.in_(select(key.column).where(_belongs(key.column.table)))
        for key in table.foreign_keys
        if key.column.table is not table
    ]
    return or_(false(), *own, *references)
