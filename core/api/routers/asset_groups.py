"""Characters, products and styles over REST: names that a prompt says with an @, and the assets behind them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

from fastapi import Query
from pydantic import Field
from starlette.responses import Response

from core import db
from core.api.http import idempotency, routing
from core.api.http.auth import CurrentMember, PathId
from core.api.http.idempotency import IdempotencyKey
from core.api.openapi.answers import leads_to, refuses
from core.api.routers.media import RequestLinks
from core.api.schemas import fields, requests, responses
from core.assets import groups
from core.assets.groups import Group, Item
from core.db.enums import GroupKind
from core.identity import idempotency as keys
from core.providers.contract import MediaKind
from core.workspaces.access import Member

router = routing.router("asset-groups")

GroupName = Annotated[str, Field(examples=["mira"])]
Description = Annotated[str, Field(examples=["The heroine of the spring campaign."])]


class ItemBody(requests.Body):
    """An asset by its id; `role` is what it stands for, left out where the kind of the group says so."""

    asset_id: requests.ProjectId
    role: requests.Word = ""

    def item(self) -> Item:
        """The same as services take it."""
        return Item(self.asset_id, self.role)


Items = Annotated[list[ItemBody], Field(max_length=groups.MAX_ITEMS, examples=[[]])]
Kind = Annotated[GroupKind, Field(strict=False)]


class NewGroup(requests.Body):
    """A name to give, unique in the workspace however it is written."""

    kind: Kind
    name: GroupName
    description: Description = ""
    items: Items = []


class GroupChanges(requests.Changes):
    """What to change of a group; what is absent or null stays, `items` replaces all of them."""

    kind: Kind | None = None
    name: GroupName | None = None
    description: Description | None = None
    items: Items | None = None
    archived: bool | None = None


class GroupsQuery(requests.Query):
    """Which groups to list; `search` is a part of name or description."""

    kind: GroupKind | None = None
    search: requests.Word = ""
    archived: bool = False


class ItemShape(responses.ApiModel):
    """An asset of a group."""

    asset_id: fields.Id
    role: Annotated[str, Field(examples=[""])]
    kind: MediaKind
    name: Annotated[str, Field(examples=["Mira, from the left"])]
    file_path: Annotated[str, Field(examples=["images/5f/5f2c8a0e.jpg"])]
    url: fields.TextOrNull


class GroupShape(responses.ApiModel):
    """A group; `mention` is how a prompt names it."""

    id: fields.Id
    kind: GroupKind
    name: GroupName
    mention: Annotated[str, Field(examples=["@mira"])]
    description: Description
    items: list[ItemShape]
    mine: bool
    archived: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, group: Group, member: Member, link: responses.Link) -> Self:
        """The shape of a group."""
        row = group.row
        return cls(
            id=row.id,
            kind=row.kind,
            name=row.name,
            mention=f"@{row.name}",
            description=row.description,
            items=[
                ItemShape(
                    asset_id=asset.id,
                    role=role,
                    kind=MediaKind(asset.kind),
                    name=asset.name or asset.file_name,
                    file_path=asset.storage_key,
                    url=link(asset.poster_key or asset.storage_key),
                )
                for asset, role in group.items
            ],
            mine=row.user_id == member.id,
            archived=row.archived_at is not None,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


class GroupsAnswer(responses.Response):
    """The groups of the workspace, by name."""

    asset_groups: list[GroupShape]


class GroupAnswer(responses.Response):
    """One group."""

    asset_group: GroupShape


@router.get("/asset-groups", responses=refuses(404))
def list_asset_groups(
    member: CurrentMember, link: RequestLinks, query: Annotated[GroupsQuery, Query()]
) -> GroupsAnswer:
    """List the characters, products and styles of the workspace."""
    with db.read_session() as session:
        found = groups.list_all(session, member, kind=query.kind, search=query.search, archived=query.archived)
    return GroupsAnswer(asset_groups=[GroupShape.of(group, member, link) for group in found])


@router.post(
    "/asset-groups",
    status_code=201,
    response_model=GroupAnswer,
    responses=refuses(404, 409)
    | idempotency.says_so(
        201, {"links": leads_to("getAssetGroup", "changeAssetGroup", "deleteAssetGroup", id_at="assetGroup/id")}
    ),
)
def create_asset_group(
    member: CurrentMember, link: RequestLinks, body: NewGroup, idempotency_key: IdempotencyKey = None
) -> Response:
    """Give assets a name, to be said in prompts as `@name`.

    A repeat tells the group as it is by then; 404 when it was deleted.
    """
    request = f"asset group\n{body.model_dump_json()}"
    with db.write_session() as session:
        made_id = keys.made_before(session, member.user, idempotency_key, request=request)
        if made_id is None:
            group = groups.create(
                session,
                member,
                kind=body.kind,
                name=body.name,
                description=body.description,
                items=_items(body.items),
            )
            keys.remember(session, member.user, idempotency_key, request=request, made_id=group.row.id)
        else:
            group = groups.get(session, member, made_id)
    answer = GroupAnswer(asset_group=GroupShape.of(group, member, link))
    return routing.written(answer, status=201, headers=idempotency.headers(replayed=made_id is not None))


@router.get("/asset-groups/{id}", responses=refuses(404))
def get_asset_group(member: CurrentMember, group_id: PathId, link: RequestLinks) -> GroupAnswer:
    """Get a character, product or style."""
    with db.read_session() as session:
        group = groups.get(session, member, group_id)
    return GroupAnswer(asset_group=GroupShape.of(group, member, link))


@router.patch("/asset-groups/{id}", responses=refuses(404, 409))
def change_asset_group(member: CurrentMember, group_id: PathId, body: GroupChanges, link: RequestLinks) -> GroupAnswer:
    """Change a character, product or style; clips that were ordered by its name stay as they are."""
    with db.write_session() as session:
        group = groups.update(
            session,
            member,
            group_id,
            kind=body.kind,
            name=body.name,
            description=body.description,
            items=None if body.items is None else _items(body.items),
            archived=body.archived,
        )
    return GroupAnswer(asset_group=GroupShape.of(group, member, link))


@router.delete("/asset-groups/{id}", responses=refuses(404, 409))
def delete_asset_group(member: CurrentMember, group_id: PathId) -> responses.Response:
    """Delete a character, product or style: your own, or as a manager anybody's. Its assets stay."""
    with db.write_session() as session:
        groups.delete_group(session, member, group_id)
    return responses.Response()


def _items(items: Sequence[ItemBody]) -> list[Item]:
    return [each.item() for each in items]
