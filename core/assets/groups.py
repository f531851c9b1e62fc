"""Characters, products and styles: a name to be written with an @, and the assets that show what is meant."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from core import audit_log, errors, normal_form, validation
from core.assets import mentions
from core.audit_log import Act
from core.clock import utc_now
from core.db import ReadSession, WriteSession
from core.db.enums import GroupKind
from core.db.tables import AssetGroup, AssetGroupItem, Upload
from core.messages import message
from core.workspaces.access import Member, in_workspace, visible_to
from core.workspaces.permissions import Action

DESCRIPTION_LIMIT_CHARS = 2000
ROLE_LIMIT_CHARS = 40
MAX_ITEMS = 20
"""How many assets one name has at most: more than any model takes."""
MAX_GROUPS = 500
"""How many a workspace has; all of them are offered while a prompt is written."""


@dataclass(frozen=True, slots=True)
class Item:
    """An asset of a group by its id; `role` is what it stands for, empty for what the group is."""

    asset_id: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A group with its assets in their order, each with its role."""

    row: AssetGroup
    items: tuple[tuple[Upload, str], ...]


def list_all(
    session: ReadSession, member: Member, *, kind: GroupKind | None = None, search: str = "", archived: bool = False
) -> Sequence[Group]:
    """The groups of the workspace by name; `search` is a part of name or description."""
    query = select(AssetGroup).where(in_workspace(AssetGroup, member))
    query = query.where(AssetGroup.archived_at.is_not(None) if archived else AssetGroup.archived_at.is_(None))
    if kind is not None:
        query = query.where(AssetGroup.kind == kind)
    rows = session.scalars(query.order_by(AssetGroup.name_key).limit(MAX_GROUPS)).all()
    if wanted := normal_form.normal(search.strip().removeprefix("@")):
        rows = [row for row in rows if wanted in row.name_key or wanted in normal_form.normal(row.description)]
    return with_items(session, rows)


@dataclass(frozen=True, slots=True)
class Named:
    """A name as it is suggested; `cover_key` is of its first picture, None where it has none."""

    name: str
    kind: GroupKind
    description: str
    cover_key: str | None


def names(session: ReadSession, member: Member) -> Sequence[Named]:
    """The names of the workspace that are in use, in their order; one statement, since every run of a form asks."""
    cover = (
        select(func.coalesce(Upload.poster_key, Upload.storage_key))
        .join(AssetGroupItem, AssetGroupItem.upload_id == Upload.id)
        .where(AssetGroupItem.group_id == AssetGroup.id, Upload.kind != "sound", Upload.deleted_at.is_(None))
        .order_by(AssetGroupItem.place)
        .limit(1)
        .scalar_subquery()
    )
    query = select(AssetGroup.name, AssetGroup.kind, AssetGroup.description, cover.label("cover_key")).where(
        in_workspace(AssetGroup, member), AssetGroup.archived_at.is_(None)
    )
    rows = session.execute(query.order_by(AssetGroup.name_key).limit(MAX_GROUPS))
    return [Named(row.name, row.kind, row.description, row.cover_key) for row in rows]


def get(session: ReadSession, member: Member, group_id: str) -> Group:
    """A group of a workspace of theirs; else NotFound."""
    return with_items(session, [_row(session, member, group_id)])[0]


def create(
    session: WriteSession,
    member: Member,
    *,
    kind: GroupKind,
    name: str,
    description: str = "",
    items: Sequence[Item] = (),
) -> Group:
    """Give assets of the workspace a name of their own.

    InvalidRequest for a name that cannot be written with an @, an overlong description, or assets that are not there;
    Conflict for a name that is taken, however it is written. Forbidden for who may not edit.
    """
    member.require(Action.EDIT)
    if (_count(session, member)) >= MAX_GROUPS:
        raise errors.InvalidRequest(fields={"name": message("too_many_groups", limit=MAX_GROUPS)})
    row = AssetGroup(
        workspace_id=member.workspace_id,
        user_id=member.id,
        kind=kind,
        name=_usable_name(name),
        description=_description(description),
    )
    with _name_is_free(session, row.name):
        session.add(row)
    _put(session, member, row, items)
    return get(session, member, row.id)


def update(
    session: WriteSession,
    member: Member,
    group_id: str,
    *,
    kind: GroupKind | None = None,
    name: str | None = None,
    description: str | None = None,
    items: Sequence[Item] | None = None,
    archived: bool | None = None,
) -> Group:
    """Change a group; None leaves it, `items` replaces all. Raises as `create`.

    Clips that were ordered by the name stay as they were ordered.
    """
    row = _row(session, member, group_id)
    member.require(Action.EDIT, row.workspace_id)
    session.refresh(row, with_for_update=True)  # two who change it go one after the other
    if kind is not None:
        row.kind = kind
    if description is not None:
        row.description = _description(description)
    if archived is not None and archived is not (row.archived_at is not None):
        row.archived_at = utc_now() if archived else None
    row.updated_at = utc_now()
    if name is not None:
        called = _usable_name(name)
        with _name_is_free(session, called):
            row.name, row.name_key = called, normal_form.normal(called)
    session.flush()
    if items is not None:
        _put(session, member, row, items)
    return get(session, member, row.id)


def add_item(session: WriteSession, member: Member, group_id: str, item: Item) -> Group:
    """Put an asset at the end of a group; one that is there already stays where it is."""
    found = get(session, member, group_id)
    if any(asset.id == item.asset_id for asset, _role in found.items):
        return found
    items = [*(Item(asset.id, role) for asset, role in found.items), item]
    return update(session, member, group_id, items=items)


def delete_group(session: WriteSession, member: Member, group_id: str) -> None:
    """Forget a name; its assets stay, and so do clips that were ordered by it. Makers their own, managers all."""
    row = _row(session, member, group_id)
    member.require(Action.EDIT if row.user_id == member.id else Action.DELETE, row.workspace_id)
    audit_log.record(
        session,
        member.user,
        Act.ASSET_GROUP_DELETED,
        target=f"@{row.name}",
        target_id=row.id,
        workspace_id=row.workspace_id,
        before={"kind": row.kind.value, "description": row.description},
    )
    session.execute(delete(AssetGroupItem).where(AssetGroupItem.group_id == row.id))
    session.delete(row)
    session.flush()


def _row(session: ReadSession, member: Member, group_id: str) -> AssetGroup:
    row = session.scalar(select(AssetGroup).where(AssetGroup.id == group_id, visible_to(AssetGroup, member)))
    if row is None:
        raise errors.NotFound(message("group_not_found"))
    return row


def _count(session: ReadSession, member: Member) -> int:
    return session.scalar(select(func.count()).select_from(AssetGroup).where(in_workspace(AssetGroup, member))) or 0


def with_items(session: ReadSession, rows: Sequence[AssetGroup]) -> list[Group]:
    """These groups with their assets."""
    found: Mapping[str, list[tuple[Upload, str]]] = defaultdict(list)
    if rows:
        query = (
            select(AssetGroupItem.group_id, AssetGroupItem.role, Upload)
            .join(Upload, Upload.id == AssetGroupItem.upload_id)
            .where(AssetGroupItem.group_id.in_([row.id for row in rows]), Upload.deleted_at.is_(None))
            .order_by(AssetGroupItem.group_id, AssetGroupItem.place)
        )
        for group_id, role, upload in session.execute(query):
            found[group_id].append((upload, role))
    return [Group(row, tuple(found[row.id])) for row in rows]


@contextmanager
def _name_is_free(session: WriteSession, name: str) -> Iterator[None]:
    """The database itself says whether a name is free, whoever else takes it now: Conflict, and the block is undone."""
    try:
        with session.begin_nested():
            yield
            session.flush()
    except IntegrityError as taken:
        raise errors.Conflict(message("group_name_taken", name=name)) from taken


def _put(session: WriteSession, member: Member, row: AssetGroup, items: Sequence[Item]) -> None:
    """Let a group have just these assets, in this order."""
    if len(items) > MAX_ITEMS:
        raise errors.InvalidRequest(fields={"items": message("too_many_items", limit=MAX_ITEMS)})
    ids = [item.asset_id for item in items]
    if len(set(ids)) != len(ids):
        raise errors.InvalidRequest(fields={"items": message("item_twice")})
    there = _held(session, member.moved_to(row.workspace_id), ids)
    for place, item in enumerate(items):
        if item.asset_id not in there:
            raise errors.InvalidRequest(fields={f"items.{place}.assetId": message("asset_not_found")})
        if validation.text_error(item.role, limit_chars=ROLE_LIMIT_CHARS):
            raise errors.InvalidRequest(
                fields={f"items.{place}.role": message("role_unusable", limit=ROLE_LIMIT_CHARS)}
            )
    session.execute(delete(AssetGroupItem).where(AssetGroupItem.group_id == row.id))
    session.add_all(
        AssetGroupItem(group_id=row.id, place=place, upload_id=item.asset_id, role=item.role)
        for place, item in enumerate(items)
    )
    session.flush()


def _held(session: WriteSession, member: Member, ids: Collection[str]) -> Collection[str]:
    """Those of these assets that are here, kept from being deleted until the transaction ends."""
    query = select(Upload.id).where(in_workspace(Upload, member), Upload.deleted_at.is_(None), Upload.id.in_(ids))
    return set(session.scalars(query.order_by(Upload.id).with_for_update(read=True)))


def _usable_name(name: str) -> str:
    name = normal_form.canonical(name.strip().removeprefix("@"))
    if not mentions.is_name(name):
        said = message("group_name_unusable", limit=mentions.NAME_LIMIT_CHARS)
        raise errors.InvalidRequest(fields={"name": said})
    return name


def _description(description: str) -> str:
    description = description.strip()
    if wrong := validation.text_error(description, limit_chars=DESCRIPTION_LIMIT_CHARS):
        raise errors.InvalidRequest(fields={"description": wrong})
    return description
