"""Assets over REST: the images, videos and sounds of a workspace."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

from fastapi import File, Form, Query, UploadFile
from pydantic import Field

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentMember, PathId
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import leads_to, next_page, refuses
from core.api.routers.media import RequestLinks
from core.api.schemas import fields, requests, responses
from core.assets import intake, library
from core.db import ReadSession
from core.db.tables import Upload
from core.providers.contract import MediaKind
from core.workspaces.access import Member

router = routing.router("assets")

AssetName = Annotated[str, Field(examples=["Mira, from the left"])]


class AssetsQuery(requests.Query):
    """Which assets to list; `search` is a part of the name."""

    kind: MediaKind | None = None
    search: requests.Word = ""
    archived: bool = False
    cursor: Annotated[str, Field(pattern=requests.ID_PATTERN)] | None = None
    limit: requests.PageSize = 50


class AssetChanges(requests.Changes):
    """What to change of an asset; what is absent or null stays."""

    name: AssetName | None = None
    archived: bool | None = None


class AssetShape(responses.ApiModel):
    """An asset. `filePath` is what generate takes as `startImagePath`, or in `references`.

    `width` and `height` are null for a sound, `seconds` for an image; `posterUrl` is a still picture of a video.
    `clipCount` is how many clips were ordered with it (1,000 at most), `groups` the names that it belongs to.
    """

    id: fields.Id
    kind: MediaKind
    name: AssetName
    file_path: Annotated[str, Field(examples=["images/5f/5f2c8a0e.jpg"])]
    file_name: Annotated[str, Field(examples=["mira-left.png"])]
    file_size: Annotated[int, Field(examples=[184_220])]
    width: Annotated[int | None, Field(examples=[1280])]
    height: Annotated[int | None, Field(examples=[720])]
    seconds: Annotated[float | None, Field(examples=[None])]
    url: fields.TextOrNull
    poster_url: fields.TextOrNull
    clip_count: Annotated[int, Field(examples=[14])]
    groups: Annotated[list[str], Field(examples=[["mira"]])]
    mine: bool
    archived: bool
    created_at: datetime

    @classmethod
    def of(cls, row: Upload, member: Member, link: responses.Link, *, clips: int, groups: Sequence[str]) -> Self:
        """The shape of a row."""
        return cls(
            id=row.id,
            kind=MediaKind(row.kind),
            name=row.name or row.file_name,
            file_path=row.storage_key,
            file_name=row.file_name,
            file_size=row.size_bytes,
            width=row.width or None,
            height=row.height or None,
            seconds=row.seconds,
            url=link(row.storage_key),
            poster_url=link(row.poster_key),
            clip_count=clips,
            groups=list(groups),
            mine=row.user_id == member.id,
            archived=row.archived_at is not None,
            created_at=row.created_at,
        )


class AssetsAnswer(responses.Response):
    """A page of assets, newest first; `nextCursor` asks for the next one."""

    assets: list[AssetShape]
    next_cursor: fields.TextOrNull


class AssetAnswer(responses.Response):
    """One asset; `notes` say what was changed in a file that was just uploaded."""

    asset: AssetShape
    notes: Annotated[list[str], Field(examples=[[]])]


@router.get("/assets", responses=refuses(404) | {200: {"links": next_page("listAssets")}})
def list_assets(member: CurrentMember, link: RequestLinks, query: Annotated[AssetsQuery, Query()]) -> AssetsAnswer:
    """List the assets of the workspace, newest first, a page at a time."""
    with db.read_session() as session:
        page = library.list_page(
            session,
            member,
            kind=query.kind,
            search=query.search,
            archived=query.archived,
            cursor=query.cursor,
            limit=query.limit,
        )
        return AssetsAnswer(assets=shapes(session, member, page.rows, link), next_cursor=page.next_cursor)


@router.post(
    "/assets",
    status_code=201,
    responses={201: {"links": leads_to("getAsset", "changeAsset", "deleteAsset", id_at="asset/id")}},
)
def create_asset(
    member: CurrentMember,
    installation: CurrentInstallation,
    link: RequestLinks,
    file: Annotated[
        UploadFile,
        File(
            description="An image (JPEG, PNG or WebP, 10 MB at most), a video of 15 seconds at most (MP4, MOV or WebM, "
            "32 MB) or a sound of 15 seconds at most (WAV, MP3, M4A, FLAC or Ogg, 10 MB)."
        ),
    ],
    name: Annotated[str, Form(description="What to call it; the name of the file where it is left out.")] = "",
) -> AssetAnswer:
    """Upload a file into the library of the workspace.

    Metadata is removed. The same file again is the same asset, and costs no storage.
    """
    data = file.file.read(intake.MAX_UPLOAD_BYTES + 1)
    asset, notes = intake.store(
        member,
        data,
        file_name=file.filename or "",
        storage=installation.storage,
        quota_bytes=installation.settings.storage_quota_bytes,
    )
    with db.write_session() as session:
        if name.strip():
            asset = library.update(session, member, asset.id, name=name)
        return _answer(session, member, asset, link, [str(note) for note in notes])


@router.get("/assets/{id}", responses=refuses(404))
def get_asset(member: CurrentMember, asset_id: PathId, link: RequestLinks) -> AssetAnswer:
    """Get an asset."""
    with db.read_session() as session:
        return _answer(session, member, library.get(session, member, asset_id), link)


@router.patch("/assets/{id}", responses=refuses(404, 409))
def change_asset(member: CurrentMember, asset_id: PathId, body: AssetChanges, link: RequestLinks) -> AssetAnswer:
    """Rename an asset, put it away or bring it back."""
    with db.write_session() as session:
        asset = library.update(session, member, asset_id, name=body.name, archived=body.archived)
        return _answer(session, member, asset, link)


@router.delete("/assets/{id}", responses=refuses(404, 409))
def delete_asset(member: CurrentMember, asset_id: PathId) -> responses.Response:
    """Delete an asset: your own, or as a manager anybody's.

    It leaves the library and every named group. Its file stays while a clip that was made from it does, so that the
    clip can be made again.
    """
    with db.write_session() as session:
        library.delete_asset(session, member, asset_id)
    return responses.Response()


def shapes(session: ReadSession, member: Member, rows: Sequence[Upload], link: responses.Link) -> list[AssetShape]:
    """These assets with how often they were used and what they belong to."""
    counts = library.clip_counts(session, member, [row.storage_key for row in rows])
    names = library.group_names(session, [row.id for row in rows])
    return [
        AssetShape.of(row, member, link, clips=counts.get(row.storage_key, 0), groups=names.get(row.id, ()))
        for row in rows
    ]


def _answer(
    session: ReadSession, member: Member, asset: Upload, link: responses.Link, notes: Sequence[str] = ()
) -> AssetAnswer:
    return AssetAnswer(asset=shapes(session, member, [asset], link)[0], notes=list(notes))
