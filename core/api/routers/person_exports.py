"""All that is kept of a person, packed for them, over REST."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Query
from pydantic import Field

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentMember, PathId
from core.api.openapi.answers import leads_to, refuses
from core.api.routers.media import Links, RequestLinks
from core.api.schemas import fields, requests, responses
from core.db.enums import BulkState
from core.db.tables import PersonExport
from core.personal_data import exports

router = routing.router("people")

UserId = Annotated[fields.Id, Field(pattern=requests.ID_PATTERN)]


class NewPersonExport(requests.Body):
    """Of whom: oneself, where nobody is named; administrators may name anybody."""

    user_id: UserId | None = None


class PersonExportsQuery(requests.Query):
    """Of whom."""

    user_id: UserId | None = None


class PersonFile(responses.ApiModel):
    """A ZIP to fetch."""

    name: str
    size_bytes: int
    url: str


class PersonExportShape(responses.ApiModel):
    """A pack; `expiresAt` is when its files are removed."""

    id: fields.Id
    user_id: fields.Id
    state: BulkState
    error_message: fields.TextOrNull
    created_at: datetime
    ended_at: fields.MomentOrNull
    expires_at: fields.MomentOrNull
    files: list[PersonFile]

    @classmethod
    def of(cls, row: PersonExport, link: Links) -> Self:
        """The shape of a row."""
        return cls(
            id=row.id,
            user_id=row.user_id,
            state=row.state,
            error_message=None if row.error is None else str(row.error),
            created_at=row.created_at,
            ended_at=row.ended_at,
            expires_at=row.expires_at,
            files=[
                PersonFile(name=each.name, size_bytes=each.size_bytes, url=link.download(each.key, each.name))
                for each in exports.files_of(row)
            ],
        )


class PersonExportAnswer(responses.Response):
    """One pack."""

    export: PersonExportShape


class PersonExportsAnswer(responses.Response):
    """The newest packs of a person, newest first."""

    exports: list[PersonExportShape]


@router.post(
    "/person-exports",
    status_code=202,
    responses=refuses(403, 404, 409) | {202: {"links": leads_to("getPersonExport", id_at="export/id")}},
)
def create_person_export(member: CurrentMember, link: RequestLinks, body: NewPersonExport) -> PersonExportAnswer:
    """Pack all that is kept of you: rows as JSON, clips and assets; administrators do so for anybody.

    It is made in the background. While one is under way, it is that one.
    """
    with db.write_session() as session:
        row = exports.start(session, member, of_user_id=body.user_id)
        return PersonExportAnswer(export=PersonExportShape.of(row, link))


@router.get("/person-exports")
def list_person_exports(
    member: CurrentMember, link: RequestLinks, query: Annotated[PersonExportsQuery, Query()]
) -> PersonExportsAnswer:
    """List your newest packs, or those you asked for of somebody."""
    with db.read_session() as session:
        found = exports.list_visible(session, member, of_user_id=query.user_id)
    return PersonExportsAnswer(exports=[PersonExportShape.of(row, link) for row in found])


@router.get("/person-exports/{id}", responses=refuses(404))
def get_person_export(member: CurrentMember, export_id: PathId, link: RequestLinks) -> PersonExportAnswer:
    """Look how far a pack is, and get links to its files."""
    with db.read_session() as session:
        return PersonExportAnswer(export=PersonExportShape.of(exports.get(session, member, export_id), link))
