"""All figures as files for analysts' own tools, over REST: a whole pack, one file of it, or a pack made meanwhile."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from fastapi import Depends, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from core import db
from core.analyst_pack import asked as asking
from core.analyst_pack import description, jobs, sending
from core.analyst_pack.asked import Asked
from core.analyst_pack.packing import Order
from core.analyst_pack.sending import FileFormat, Made
from core.api.http import auth, ranges, routing
from core.api.http.auth import CurrentMember, PathId
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import Answers, leads_to, refuses, sends_file
from core.api.routers.media import Links, RequestLinks
from core.api.routers.usage import People, reaches_far_enough
from core.api.schemas import fields, requests, responses
from core.clock import utc_now
from core.db.enums import BulkState, Scope
from core.db.tables import AnalystPack
from core.identity import api_tokens
from core.workspaces.access import Member

_SENDS_TABLE: Answers = {
    200: {
        "content": {
            FileFormat.PARQUET.media_type: {"schema": {"type": "string", "format": "binary"}},
            "text/csv": {"schema": {"type": "string"}},
        }
    }
}

router = routing.router("exports", dependencies=[Depends(reaches_far_enough)])


class ExportedFile(StrEnum):
    """Which file of a pack."""

    PEOPLE = "people"
    PROJECTS = "projects"
    ACCOUNTS = "accounts"
    CLIPS = "clips"
    PROMPTS = "prompts"
    LEDGER = "ledger"
    USAGE = "usage"
    BUDGETS = "budgets"
    JUDGEMENTS = "judgements"

    @property
    def table(self) -> str:
        """What the file is called in a pack."""
        return {ExportedFile.USAGE: "usage_days"}.get(self, self.value)


class PackQuery(requests.Query):
    """Whose figures, and of which days (UTC, both included); everything where none are named.

    `period` is `month`, `last-month`, `quarter`, `last-quarter`, a month such as `2026-10`, a quarter such as
    `2026-Q3`, or a number of days up to today. With `pseudonymous` people and things have pseudonyms.
    """

    people: People = People.ME
    period: requests.Word | None = None
    since: requests.Day | None = None
    until: requests.Day | None = None
    pseudonymous: bool = False


class FileQuery(PackQuery):
    """The same, and as what."""

    format: FileFormat = FileFormat.PARQUET


class NewPack(requests.Body):
    """A pack to make; as the query of `GET /export/pack`."""

    people: Annotated[People, Field(strict=False)] = People.ME
    period: requests.Word | None = None
    since: Annotated[requests.Day | None, Field(strict=False)] = None
    until: Annotated[requests.Day | None, Field(strict=False)] = None
    pseudonymous: bool = False


class PackShape(responses.ApiModel):
    """A pack. `url` works for an hour at least, and a new one is told with each look; null while there is no file.

    `everybody` is that it is of the whole installation, `nightly` that it is made each night.
    """

    id: fields.Id
    state: BulkState
    everybody: bool
    nightly: bool
    since: str | None
    until: str | None
    pseudonymous: bool
    progress: fields.Percent
    size_bytes: int
    error_message: fields.TextOrNull
    created_at: datetime
    ended_at: fields.MomentOrNull
    expires_at: fields.MomentOrNull
    url: str | None

    @classmethod
    def of(cls, pack: AnalystPack, link: Links) -> Self:
        """The shape of a row."""
        kept = pack.asked
        url = link.download(str(pack.storage_key), jobs.file_name(pack)) if jobs.has_file(pack) else None
        return cls(
            id=pack.id,
            state=pack.state,
            everybody=pack.workspace_id is None,
            nightly=pack.user_id is None,
            since=kept["since"],
            until=kept["until"],
            pseudonymous=kept["pseudonymous"],
            progress=int(jobs.share(pack) * 100),
            size_bytes=pack.size_bytes,
            error_message=None if pack.error is None else str(pack.error),
            created_at=pack.created_at,
            ended_at=pack.ended_at,
            expires_at=pack.expires_at,
            url=url,
        )


class PackAnswer(responses.Response):
    """One pack."""

    pack: PackShape


class PacksAnswer(responses.Response):
    """Your packs, and nightly ones for analysts and administrators, newest first."""

    packs: list[PackShape]


@router.get("/export/pack", response_class=Response, responses=refuses(403, 409) | sends_file("application/zip"))
def export_pack(
    member: CurrentMember, installation: CurrentInstallation, query: Annotated[PackQuery, Query()]
) -> Response:
    """Get a pack: Parquet files of clips, ledger, usage, budgets and judgements with a dictionary and twelve queries.

    Its totals are compared with the ledger before the first byte is sent; 409 when they differ. With
    `people=everybody` it is of all workspaces, for analysts and administrators; else of the present one, for its
    managers. Large installations take a minute: `POST /analyst-packs` makes one meanwhile.
    """
    asked = _asked(member, query)
    made = sending.pack(_order(member, asked, installation.settings.secret_key))
    return _sent(member, asked, made, f"{asked.file_name}.zip", "application/zip", what="analyst_pack", form="zip")


@router.get(
    "/export/{name}",
    response_class=Response,
    responses=refuses(403, 409) | _SENDS_TABLE,
)
def export_file(
    member: CurrentMember, installation: CurrentInstallation, name: ExportedFile, query: Annotated[FileQuery, Query()]
) -> Response:
    """Get one file of a pack, as Parquet or CSV, on the same terms."""
    asked, [table] = _asked(member, query), [each for each in description.TABLES if each.name == name.table]
    made = sending.one_file(_order(member, asked, installation.settings.secret_key), table, query.format)
    saved_as = f"{asked.file_name.replace('analyst-pack', table.name)}.{query.format}"
    return _sent(member, asked, made, saved_as, query.format.media_type, what=table.name, form=query.format)


@router.post(
    "/analyst-packs",
    status_code=202,
    response_model=PackAnswer,
    responses=refuses(409) | {202: {"links": leads_to("getAnalystPack", id_at="pack/id")}},
)
def create_analyst_pack(request: Request, member: CurrentMember, link: RequestLinks, body: NewPack) -> PackAnswer:
    """Have a pack made in the background; its file is kept for some days."""
    if body.people is People.EVERYBODY:
        auth.check_scope(request.state.caller.scope, Scope.ADMIN)
    with db.write_session() as session:
        pack = jobs.start(session, member, _asked(member, body))
        return PackAnswer(success=True, pack=PackShape.of(pack, link))


@router.get("/analyst-packs")
def list_analyst_packs(request: Request, member: CurrentMember, link: RequestLinks) -> PacksAnswer:
    """List your packs, and those of the nights; packs of all workspaces are told to tokens of scope `admin` only."""
    with db.read_session() as session:
        found = jobs.list_visible(session, member)
    reaches_all = api_tokens.satisfies(request.state.caller.scope, Scope.ADMIN)
    told = [each for each in found if reaches_all or each.workspace_id is not None]
    return PacksAnswer(success=True, packs=[PackShape.of(each, link) for each in told])


@router.get("/analyst-packs/{id}", responses=refuses(403, 404))
def get_analyst_pack(request: Request, member: CurrentMember, pack_id: PathId, link: RequestLinks) -> PackAnswer:
    """Look how far a pack is, and get a link to its file; one of all workspaces needs a token of scope `admin`."""
    with db.read_session() as session:
        pack = jobs.get(session, member, pack_id)
    if pack.workspace_id is None:
        auth.check_scope(request.state.caller.scope, Scope.ADMIN)
    return PackAnswer(success=True, pack=PackShape.of(pack, link))


def _asked(member: Member, query: PackQuery | NewPack) -> Asked:
    """What is asked for; Forbidden for who may not have it, InvalidRequest for days that cannot be."""
    since, until = asking.days(query.period, query.since, query.until, utc_now().date())
    whose = None if query.people is People.EVERYBODY else member.workspace_id
    asked = Asked(whose, since, until, query.pseudonymous)
    asking.check(member, asked)
    return asked


def _order(member: Member, asked: Asked, secret: bytes) -> Order:
    return Order(asked, asking.prompts_of(member, asked), secret)


def _sent(
    member: Member, asked: Asked, made: Made, name: str, media_type: str, *, what: str, form: str
) -> StreamingResponse:
    """The answer, written down before it is sent."""
    with db.write_session() as session:
        jobs.note_export(session, member.user, asked, what=what, form=form)
    headers = {
        "Content-Disposition": ranges.content_disposition(name),
        "Content-Length": str(made.size_bytes),
        "Cache-Control": "private, no-store, no-transform",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(made.pieces, media_type=media_type, headers=headers)
