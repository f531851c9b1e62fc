"""The words of a person who is erased, and all that is theirs alone: removed, a batch after another."""

from typing import Any

from sqlalchemy import ColumnElement, delete, inspect, or_, select, tuple_

from core import audit_log, db, normal_form
from core.audit_log import Act
from core.db import WriteSession, update_where
from core.db.enums import BudgetScope, Role, WorkspaceKind
from core.db.tables import (
    Approval,
    Budget,
    ClipNote,
    FailedAttempts,
    Generation,
    GenerationUpload,
    Identity,
    Invitation,
    Project,
    User,
    Workspace,
)
from core.db.types import Base
from core.generations import forgetting
from core.identity import failed_attempts
from core.personal_data.columns import OF_PERSON, OF_WORKSPACE
from core.personal_data.names import Names
from core.usage import rollups

BATCH = 500


def remove_some(session: WriteSession, user_id: str, is_theirs: ColumnElement[bool], instead: str) -> dict[str, int]:
    """Forget the prompts of a batch of clips, else remove a batch of rows of one table; counts, empty when all is done.

    Who was merged has no personal workspace any more: what was one is a team's.
    """
    if ids := forgetting.with_words(session, is_theirs):
        forgetting.forget(session, ids)
        update_where(session, GenerationUpload, GenerationUpload.generation_id.in_(ids), name="")
        return {"prompts": len(ids)}
    for table, column in OF_PERSON:
        if table is Budget:
            continue  # removed for this scope alone, below
        if number := _delete(session, table, getattr(table, column) == user_id):
            return {table.__tablename__: number}
    said = Approval.decided_by_id == user_id, Approval.note != ""
    if number := update_where(session, Approval, *said, note=""):
        return {Approval.__tablename__: number}
    of_member = Budget.scope == BudgetScope.MEMBER, Budget.subject_id == user_id
    if number := _delete(session, Budget, *of_member):
        return {Budget.__tablename__: number}
    own = session.get(Workspace, user_id)
    if own is not None and own.kind is WorkspaceKind.PERSONAL:
        return _remove_workspace(session, own, instead)
    return {}


def _remove_workspace(session: WriteSession, own: Workspace, instead: str) -> dict[str, int]:
    for table in OF_WORKSPACE:
        if number := _delete(session, table, table.workspace_id == own.id):  # type: ignore[attr-defined]  # each has it
            rollups.note_change(session, [own.id])
            return {table.__tablename__: number}
    clips = select(Generation.id).where(Generation.workspace_id == own.id)
    if number := _delete(session, ClipNote, ClipNote.generation_id.in_(clips)):
        return {ClipNote.__tablename__: number}
    named = Project.workspace_id == own.id, or_(Project.name != instead, Project.description != "")
    if number := update_where(session, Project, *named, name=instead, name_key=instead, description=""):
        return {Project.__tablename__: number}
    if own.name != instead or own.archived_at is None:
        now = db.now(session)
        update_where(session, Workspace, Workspace.id == own.id, name=instead, name_key=instead, archived_at=now)
        return {Workspace.__tablename__: 1}
    return {}


def remove_person(session: WriteSession, user_id: str, names: Names, *, asked_by: str, asked_by_id: str | None) -> None:
    """The last of them: how they signed in, invitations to them, and name and address themselves."""
    accounts = [failed_attempts.of_account(each) for each in names.addresses]
    for row in session.scalars(select(Identity).where(Identity.user_id == user_id)).all():
        accounts.append(failed_attempts.of_account(row.subject))
        session.delete(row)
    session.execute(delete(FailedAttempts).where(FailedAttempts.key.in_(accounts)))
    to_them = or_(Invitation.email.in_(names.addresses), Invitation.accepted_by_id == user_id)
    session.execute(delete(Invitation).where(to_them))
    person = session.get_one(User, user_id)
    person.email, person.name, person.search_key = names.instead, "", normal_form.normal(names.instead)
    person.language = person.clip_names = person.last_workspace_id = None
    person.role, person.erased_at = Role.USER, db.now(session)
    session.flush()
    actor = session.get(User, asked_by_id) if asked_by_id else None
    audit_log.record(session, actor or asked_by, Act.PERSON_ERASED, target=names.instead, target_id=user_id)


def _delete(session: WriteSession, table: type[Base], *where: Any) -> int:
    """Remove some rows of a table; how many. What refers to them goes by itself."""
    keys = inspect(table).primary_key
    some = select(*keys).where(*where).limit(BATCH)
    which = keys[0].in_(some) if len(keys) == 1 else tuple_(*keys).in_(some)
    gone = delete(table).where(which).returning(keys[0]).execution_options(synchronize_session=False)
    return len(session.execute(gone).all())
