"""Generations whose charge nobody knows, for administrators: each is decided once, by a person, and never by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import BindParameter, bindparam, select

from core import audit_log, db, errors
from core.audit_log import Act
from core.db import ReadSession, WriteSession
from core.db.enums import Stage, Status
from core.db.tables import Generation, Project, User, Workspace, is_uncertain
from core.generations import lifecycle, reconciliation
from core.messages import message
from core.providers.contract import ProviderJob
from core.workspaces import profiles
from core.workspaces.access import Charge, Member
from core.workspaces.permissions import Action

JOB_ID_LIMIT_CHARS = 200


def list_unresolved(session: ReadSession, *, after_id: str = "", limit: int = 100) -> Sequence[Generation]:
    """Everybody's generations whose charge nobody knows, oldest first, a keyset page at a time; for administrators."""
    query = select(Generation).where(is_uncertain(), Generation.id > after_id)
    return session.scalars(query.order_by(Generation.id).limit(limit)).all()


_IDS: BindParameter[str] = bindparam("ids", expanding=True)
_WHOSE = (
    select(
        Generation.id,
        User.name,
        User.email,
        Project.name.label("project"),
        profiles.workspace_name(Workspace).label("workspace"),
    )
    .join(User, User.id == Generation.user_id)
    .join(Project, Project.id == Generation.project_id)
    .join(Workspace, Workspace.id == Generation.workspace_id)
    .where(Generation.id.in_(_IDS))
)


@dataclass(frozen=True, slots=True)
class Whose:
    """Who made a clip, by name and address, in which project and workspace."""

    person: str
    project: str
    workspace: str


@dataclass(frozen=True, slots=True)
class Case:
    """A clip that waits for a decision, with who made it, in which workspace and project."""

    row: Generation
    person: str
    project: str
    workspace: str


def list_cases(session: ReadSession, admin: Member, *, after_id: str = "", limit: int = 100) -> Sequence[Case]:
    """The generations of `list_unresolved` with their people, by name and address; Forbidden for others than admins."""
    admin.require(Action.RESOLVE_UNCERTAIN)
    return cases_of(session, Charge(), after_id=after_id, limit=limit)


def cases_of(session: ReadSession, charge: Charge, *, after_id: str = "", limit: int = 100) -> Sequence[Case]:
    """The same of what somebody is in charge of, who need not be one that decides."""
    query = select(Generation).where(is_uncertain(), Generation.id > after_id, charge.covers(Generation.workspace_id))
    rows = session.scalars(query.order_by(Generation.id).limit(limit)).all()
    if not rows:
        return []
    found = whose(session, [row.id for row in rows])
    return [Case(row, found[row.id].person, found[row.id].project, found[row.id].workspace) for row in rows]


def whose(session: ReadSession, ids: Sequence[str]) -> Mapping[str, Whose]:
    """Whose these clips are; for ids that were found in what somebody is in charge of."""
    return {
        one.id: Whose(" · ".join(filter(None, (one.name, one.email))), one.project, one.workspace)
        for one in session.execute(_WHOSE, {"ids": ids})
    }


def release_hold(session: WriteSession, admin: Member, generation_id: str) -> Generation:
    """Decide that the provider never made it: it fails and the hold goes back. Forbidden for others than admins."""
    row = _locked(session, admin, generation_id)
    gone = errors.GenerationFailed(message("never_made"))
    lifecycle.fail(session, row, gone, actor=admin.email)
    _record(session, admin, Act.UNCERTAIN_GIVEN_UP, row)
    return row


def resolve_with_job(session: WriteSession, admin: Member, generation_id: str, *, provider_job_id: str) -> Generation:
    """Decide that the provider has it, under this job id: the wait goes on, and the clip is charged when it is here.

    Raises InvalidRequest for an id that no provider gives, Conflict when the job is another generation's.
    """
    if not (provider_job_id.isprintable() and 0 < len(provider_job_id) <= JOB_ID_LIMIT_CHARS):
        raise errors.InvalidRequest(fields={"providerJobId": message("job_id_unusable", limit=JOB_ID_LIMIT_CHARS)})
    reconciliation.lock_providers(
        session, session.scalars(select(Generation.provider).where(Generation.id == generation_id))
    )
    row = _locked(session, admin, generation_id)
    if row.stage is not Stage.SUBMITTING:
        raise errors.Conflict(message("job_known"))
    what = message("found_by_administrator")
    reconciliation.accept(
        session, row, ProviderJob(provider_job_id), what=what, next_at=db.now(session), actor=admin.email
    )
    _record(session, admin, Act.UNCERTAIN_FOUND, row, provider_job_id=provider_job_id)
    return row


def _record(session: WriteSession, admin: Member, act: Act, row: Generation, **more: str) -> None:
    """Not the prompt: who decides is nobody in the workspace."""
    audit_log.record(
        session,
        admin.user,
        act,
        target=row.model_name,
        target_id=row.id,
        workspace_id=row.workspace_id,
        after={"credits": row.credits, "provider": row.provider, **more},
    )


def _locked(session: WriteSession, admin: Member, generation_id: str) -> Generation:
    admin.require(Action.RESOLVE_UNCERTAIN)
    row = lifecycle.locked(session, generation_id)
    if row is None:
        raise errors.NotFound(message("no_such_generation"))
    if row.status is not Status.UNCERTAIN:
        raise errors.Conflict(message("not_uncertain", status=lifecycle.status_word(row.status)))
    return row
