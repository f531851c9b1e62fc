"""The assets of a workspace: looked through, renamed, put away and deleted.

Every file that anybody brought is one. Deleting takes it out of the library alone: clips that were made from it keep
it (`core.assets.retention`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, delete, func, literal, select, union_all

from core import audit_log, errors, normal_form, validation
from core.audit_log import Act
from core.clock import utc_now
from core.db import Reader, ReadSession, WriteSession
from core.db.tables import AssetGroup, AssetGroupItem, Generation, GenerationUpload, Upload
from core.messages import message
from core.projects.uploads import NAME_LIMIT_CHARS
from core.providers.contract import MediaKind
from core.workspaces.access import Member, in_workspace, visible_to
from core.workspaces.permissions import Action

PAGE_SIZE = 48
MOST_COUNTED = 1000
"""Beyond so many clips of one asset nobody needs the number, and every one that is counted is read."""


@dataclass(frozen=True, slots=True)
class Page:
    """Assets, newest first; `next_cursor` is None on the last page."""

    rows: Sequence[Upload]
    next_cursor: str | None


def list_page(
    session: ReadSession,
    member: Member,
    *,
    kind: MediaKind | None = None,
    search: str = "",
    archived: bool = False,
    cursor: str | None = None,
    limit: int = PAGE_SIZE,
) -> Page:
    """The assets of the workspace, newest first, a keyset page at a time; `search` is a part of the name."""
    query = select(Upload).where(in_workspace(Upload, member), Upload.deleted_at.is_(None))
    query = query.where(Upload.archived_at.is_not(None) if archived else Upload.archived_at.is_(None))
    if kind is not None:
        query = query.where(Upload.kind == kind.value)
    if wanted := normal_form.normal(search.strip()):
        query = query.where(Upload.name_key.contains(wanted, autoescape=True))
    if cursor is not None:
        query = query.where(Upload.id < cursor)
    rows = session.scalars(query.order_by(Upload.id.desc()).limit(limit + 1)).all()
    return Page(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def get(session: ReadSession, member: Member, asset_id: str) -> Upload:
    """An asset of a workspace of theirs; NotFound also when it was deleted."""
    found = session.scalar(_visible(member).where(Upload.id == asset_id))
    if found is None:
        raise errors.NotFound(message("asset_not_found"))
    return found


def get_many(session: ReadSession, member: Member, ids: Collection[str]) -> Mapping[str, Upload]:
    """Those of these assets that are in the workspace, by their ids."""
    query = _visible(member).where(in_workspace(Upload, member), Upload.id.in_(ids))
    return {row.id: row for row in session.scalars(query)}


@dataclass(frozen=True, slots=True)
class File:
    """A file of the library by its key, and what it is called."""

    key: str
    name: str


def of_key(session: Reader, member: Member, storage_key: str) -> File | None:
    """The file of the workspace that has this key; None when there is none, or when it was deleted."""
    query = select(Upload.storage_key, Upload.name, Upload.file_name).where(
        in_workspace(Upload, member), Upload.deleted_at.is_(None), Upload.storage_key == storage_key
    )
    found = session.execute(query.limit(1)).first() if storage_key else None
    return None if found is None else File(found.storage_key, found.name or found.file_name)


def update(
    session: WriteSession, member: Member, asset_id: str, *, name: str | None = None, archived: bool | None = None
) -> Upload:
    """Rename an asset, put it away or bring it back; None leaves it. InvalidRequest for a name that cannot be one."""
    asset = get(session, member, asset_id)
    member.require(Action.EDIT, asset.workspace_id)
    if name is not None:
        asset.name = _name(name)
        asset.name_key = normal_form.normal(asset.name)
    if archived is not None and archived is not (asset.archived_at is not None):
        asset.archived_at = utc_now() if archived else None
    session.flush()
    return asset


def delete_asset(session: WriteSession, member: Member, asset_id: str) -> None:
    """Take an asset out of the library and out of every group; makers their own, managers everybody's.

    Its file goes soon if no clip was made from it, and else stays, and counts, as long as such a clip does.
    """
    seen = get(session, member, asset_id)
    member.require(Action.EDIT if seen.user_id == member.id else Action.DELETE, seen.workspace_id)
    asset = session.scalar(
        _visible(member).where(Upload.id == asset_id).with_for_update().execution_options(populate_existing=True)
    )
    if asset is None:  # somebody was quicker, which is as well
        return
    asset.deleted_at = utc_now()
    session.execute(delete(AssetGroupItem).where(AssetGroupItem.upload_id == asset.id))
    audit_log.record(
        session,
        member.user,
        Act.ASSET_DELETED,
        target=asset.name or asset.file_name,
        target_id=asset.id,
        workspace_id=asset.workspace_id,
        before={"kind": asset.kind, "size_bytes": asset.size_bytes},
    )


def clip_counts(session: Reader, member: Member, keys: Collection[str]) -> Mapping[str, int]:
    """How many clips of the workspace were ordered with each file, `MOST_COUNTED` at most; only those with any."""
    each = [
        select(literal(key).label("key"), func.count().label("number")).select_from(
            _clips_of(member, key).limit(MOST_COUNTED).subquery()
        )
        for key in dict.fromkeys(keys)
    ]
    if not each:
        return {}
    return {row.key: row.number for row in session.execute(union_all(*each)) if row.number}


def _clips_of(member: Member, storage_key: str) -> Select[str]:
    """The ids of the clips of the workspace that were ordered with a file."""
    return (
        select(GenerationUpload.generation_id)
        .join(Generation, Generation.id == GenerationUpload.generation_id)
        .where(
            GenerationUpload.storage_key == storage_key,
            in_workspace(Generation, member),
            Generation.deleted_at.is_(None),
        )
    )


def group_names(session: ReadSession, asset_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
    """The names that each of these assets belongs to."""
    rows = session.execute(
        select(AssetGroupItem.upload_id, AssetGroup.name)
        .join(AssetGroup, AssetGroup.id == AssetGroupItem.group_id)
        .where(AssetGroupItem.upload_id.in_(asset_ids))
        .order_by(AssetGroup.name_key)
    )
    found: dict[str, list[str]] = {}
    for asset_id, name in rows:
        found.setdefault(asset_id, []).append(name)
    return found


def _visible(member: Member) -> Select[Upload]:
    return select(Upload).where(visible_to(Upload, member), Upload.deleted_at.is_(None))


def _name(name: str) -> str:
    name = name.strip()
    if not name:
        raise errors.InvalidRequest(fields={"name": message("asset_name_missing")})
    if wrong := validation.text_error(name, limit_chars=NAME_LIMIT_CHARS):
        raise errors.InvalidRequest(fields={"name": wrong})
    return name
