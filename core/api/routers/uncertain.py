"""Clips whose charge nobody knows, over REST, for administrators: each is decided once."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Query
from pydantic import Field

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentMember, PathId
from core.api.openapi.answers import next_page, refuses
from core.api.schemas import fields, requests, responses
from core.db.enums import Stage, Status
from core.db.tables import Generation
from core.generations import unresolved

router = routing.router("uncertain")


class UncertainQuery(requests.Query):
    """Which page of them."""

    cursor: Annotated[str, Field(pattern=requests.ID_PATTERN)] | None = None
    limit: requests.PageSize = 100


class Found(requests.Body):
    """The job that the provider has."""

    provider_job_id: Annotated[str, Field(examples=["job_8f21"])]


class Decided(responses.ApiModel):
    """A clip as it stands after the decision."""

    id: fields.Id
    status: Status
    stage: Stage
    credits: fields.Credits

    @classmethod
    def of(cls, row: Generation) -> Self:
        """The shape of a row."""
        return cls(id=row.id, status=row.status, stage=row.stage, credits=row.credits)


class CaseShape(responses.ApiModel):
    """A clip that waits for a decision: whose it is, and what is known. Its `credits` stay reserved meanwhile.

    `providerJobId` is null where the provider may not have it at all; `detail` is what the provider said.
    """

    id: fields.Id
    workspace_id: fields.Id
    workspace_name: Annotated[str, Field(examples=["Film unit"])]
    person: Annotated[str, Field(examples=["Ben · ben@example.org"])]
    project_name: fields.Name
    provider: fields.ProviderName
    model_id: fields.ModelId
    credits: fields.Credits
    stage: Stage
    provider_job_id: Annotated[str | None, Field(examples=["job_8f21"])]
    error_code: Annotated[str | None, Field(examples=["submit_uncertain"])]
    error_message: fields.TextOrNull
    detail: fields.TextOrNull
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, case: unresolved.Case) -> Self:
        """The shape of a case."""
        row = case.row
        return cls(
            id=row.id,
            workspace_id=row.workspace_id,
            workspace_name=case.workspace,
            person=case.person,
            project_name=case.project,
            provider=row.provider,
            model_id=row.model_id,
            credits=row.credits,
            stage=row.stage,
            provider_job_id=row.provider_job_id,
            error_code=row.error_code,
            error_message=row.error_message,
            detail=row.error_detail,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


class UncertainAnswer(responses.Response):
    """A page of clips, oldest first; `nextCursor` asks for the next one."""

    uncertain: list[CaseShape]
    next_cursor: fields.TextOrNull


class DecidedAnswer(responses.Response):
    """One decided clip."""

    generation: Decided


@router.get("/uncertain", responses=refuses(403) | {200: {"links": next_page("listUncertain")}})
def list_uncertain(member: CurrentMember, query: Annotated[UncertainQuery, Query()]) -> UncertainAnswer:
    """List the clips of which nobody knows whether the provider made them, for administrators."""
    with db.read_session() as session:
        found = unresolved.list_cases(session, member, after_id=query.cursor or "", limit=query.limit + 1)
    page = found[: query.limit]
    return UncertainAnswer(
        uncertain=[CaseShape.of(case) for case in page],
        next_cursor=page[-1].row.id if len(found) > query.limit else None,
    )


@router.post("/uncertain/{id}/release", responses=refuses(403, 404, 409))
def release_uncertain(member: CurrentMember, generation_id: PathId) -> DecidedAnswer:
    """Decide that the provider never made a clip, for administrators: it fails, and its credits come back."""
    with db.write_session() as session:
        return DecidedAnswer(generation=Decided.of(unresolved.release_hold(session, member, generation_id)))


@router.post("/uncertain/{id}/found", responses=refuses(404, 409))
def resolve_uncertain(member: CurrentMember, generation_id: PathId, body: Found) -> DecidedAnswer:
    """Decide that the provider has a clip as this job, for administrators: it is waited for, then charged."""
    with db.write_session() as session:
        row = unresolved.resolve_with_job(session, member, generation_id, provider_job_id=body.provider_job_id)
    return DecidedAnswer(generation=Decided.of(row))
