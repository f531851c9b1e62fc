"""Doing one thing to every clip that matches a filter, over REST: asked for, looked at, stopped, and fetched."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field
from starlette.responses import Response

from core import db
from core.api.http import idempotency, routing
from core.api.http.auth import CurrentMember, PathId
from core.api.http.idempotency import IdempotencyKey
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import leads_to, refuses
from core.api.routers.media import Links, RequestLinks
from core.api.schemas import fields, requests, responses
from core.api.schemas.filters import FilterBody, FilterShape
from core.db.enums import BulkKind, BulkState
from core.db.tables import BulkFile
from core.generations import bulk_jobs
from core.generations.bulk_jobs import Progress, Task
from core.generations.filters import KeptFilter
from core.identity import idempotency as keys

router = routing.router("bulk jobs")


class NewBulkJob(requests.Body):
    """What to do to every clip that matches by now. `tags` go with `tag` and `untag`, `projectId` with `move`.

    `names` goes with `fetch`: the template by which the files are called, yours where none is given.
    """

    kind: Annotated[BulkKind, Field(strict=False)]
    filter: FilterBody
    tags: Annotated[list[requests.Word], Field(max_length=100, examples=[[]])] = []
    project_id: requests.ProjectId | None = None
    names: Annotated[str | None, Field(examples=[None])] = None


class BulkFileShape(responses.ApiModel):
    """A ZIP file of a job; its link works for an hour at least, and a new one is told with each look at the job."""

    number: int
    size_bytes: int
    clip_count: int
    url: str

    @classmethod
    def of(cls, progress: Progress, file: BulkFile, link: Links) -> Self:
        """The shape of a row."""
        return cls(
            number=file.number,
            size_bytes=file.size_bytes,
            clip_count=file.clip_count,
            url=link.download(file.storage_key, bulk_jobs.file_name(progress, file)),
        )


class BulkJobShape(responses.ApiModel):
    """A job. `matchedCount` clips matched when it was asked for; each is done, or was left as it is, by its end.

    `progress` is a percentage. `expiresAt` is when its files are removed.
    """

    id: fields.Id
    kind: BulkKind
    state: BulkState
    filter: FilterShape
    matched_count: int
    done_count: int
    left_count: int
    progress: fields.Percent
    error_message: fields.TextOrNull
    created_at: datetime
    ended_at: fields.MomentOrNull
    expires_at: fields.MomentOrNull
    files: list[BulkFileShape]

    @classmethod
    def of(cls, progress: Progress, link: Links) -> Self:
        """The shape of a job as it is."""
        job = progress.job
        return cls(
            id=job.id,
            kind=job.kind,
            state=job.state,
            filter=FilterShape.of(KeptFilter.from_json(job.asked)),
            matched_count=job.matched_count,
            done_count=job.done_count,
            left_count=job.left_count,
            progress=int(progress.share * 100),
            error_message=None if job.error is None else str(job.error),
            created_at=job.created_at,
            ended_at=job.ended_at,
            expires_at=job.expires_at,
            files=[BulkFileShape.of(progress, file, link) for file in progress.files],
        )


class BulkJobAnswer(responses.Response):
    """One job."""

    job: BulkJobShape


class BulkJobsAnswer(responses.Response):
    """Your newest jobs in the workspace, newest first."""

    jobs: list[BulkJobShape]


@router.post(
    "/bulk-jobs",
    status_code=202,
    response_model=BulkJobAnswer,
    responses=refuses(404, 409, 413)
    | idempotency.says_so(202, {"links": leads_to("getBulkJob", "cancelBulkJob", id_at="job/id")}),
)
def create_bulk_job(
    member: CurrentMember,
    installation: CurrentInstallation,
    link: RequestLinks,
    body: NewBulkJob,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Do one thing to every clip that matches now: tag, untag, move, judge, favour, delete, or pack into ZIP files.

    Clips that are made or come to match later are not touched. It is worked down in the background.
    """
    request = f"bulk job\n{body.model_dump_json()}"
    task = Task(body.kind, tags=body.tags, project_id=body.project_id, names=body.names)
    with db.write_session() as session:
        made_id = keys.made_before(session, member.user, idempotency_key, request=request)
        if made_id is None:
            settings = installation.settings
            job = bulk_jobs.start(session, member, task, body.filter.kept_filter(), settings=settings)
            keys.remember(session, member.user, idempotency_key, request=request, made_id=job.id)
        progress = bulk_jobs.get(session, member, made_id or job.id)
    answer = BulkJobAnswer(job=BulkJobShape.of(progress, link))
    return routing.written(answer, status=202, headers=idempotency.headers(replayed=made_id is not None))


@router.get("/bulk-jobs")
def list_bulk_jobs(member: CurrentMember, link: RequestLinks) -> BulkJobsAnswer:
    """List your newest jobs in the workspace."""
    with db.read_session() as session:
        found = bulk_jobs.list_own(session, member)
    return BulkJobsAnswer(jobs=[BulkJobShape.of(progress, link) for progress in found])


@router.get("/bulk-jobs/{id}", responses=refuses(404))
def get_bulk_job(member: CurrentMember, job_id: PathId, link: RequestLinks) -> BulkJobAnswer:
    """Look how far a job of yours is, and get links to its files."""
    with db.read_session() as session:
        progress = bulk_jobs.get(session, member, job_id)
    return BulkJobAnswer(job=BulkJobShape.of(progress, link))


@router.post("/bulk-jobs/{id}/cancel", responses=refuses(404, 409))
def cancel_bulk_job(member: CurrentMember, job_id: PathId, link: RequestLinks) -> BulkJobAnswer:
    """Stop a job of yours; what it has done stays done."""
    with db.write_session() as session:
        progress = bulk_jobs.cancel(session, member, job_id)
    return BulkJobAnswer(job=BulkJobShape.of(progress, link))
