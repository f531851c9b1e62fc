"""Tables of the library: files that people brought, the names they gave to groups of them, and which clips use them."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import utc_now
from core.db.enums import GroupKind
from core.db.tables.projects import key_of_name
from core.db.types import Base, check_in_enum
from core.ids import new_id


class Upload(Base):
    """An asset: an image, video or sound that a person brought, after cleaning; the same is kept once a workspace.

    `kind` is a word of `core.spec.Reference`. A sound has no `width` and `height` (0), an image no `seconds`; a video
    has a still picture under `poster_key`. `name` is what people call it, `name_key` the same as it is searched by;
    both are empty where a process of an earlier version has written the row, and `file_name` counts then.
    `deleted_at`: it is out of the library, and its file stays while a clip was made from it. `purging_at` is when
    somebody began to remove the file, `purged_at` when it was gone and its bytes were given back.
    """

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    kind: Mapped[str] = mapped_column(String(10), default="image", server_default="image")
    name: Mapped[str] = mapped_column(String(120), default="", server_default="")
    name_key: Mapped[str] = mapped_column(Text, default=key_of_name, server_default="")
    storage_key: Mapped[str] = mapped_column(String(200))
    poster_key: Mapped[str | None] = mapped_column(String(200))
    original_sha256: Mapped[str] = mapped_column(String(64))
    file_name: Mapped[str] = mapped_column(String(255))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    width: Mapped[int]
    height: Mapped[int]
    seconds: Mapped[float | None]
    source_generation_id: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    archived_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    purging_at: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]

    is_new = False
    """Of this answer and no column: nobody had brought it before."""

    __table_args__ = (
        UniqueConstraint("workspace_id", "original_sha256"),
        Index("ix_uploads_newest", "workspace_id", "id"),
        Index("ix_uploads_kind_newest", "workspace_id", "kind", "id"),
        Index("ix_uploads_storage_key", "storage_key"),
        Index("ix_uploads_deleted", "deleted_at"),
    )


class AssetGroup(Base):
    """A character, product or style of a workspace: a name to be written with an @, and the assets that show it.

    `name_key` is the name in its normal form, so that no two names differ only by large letters or accents.
    """

    __tablename__ = "asset_groups"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    kind: Mapped[GroupKind]
    name: Mapped[str] = mapped_column(String(40))
    name_key: Mapped[str] = mapped_column(Text, default=key_of_name)
    description: Mapped[str] = mapped_column(String(2000), default="")
    archived_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        UniqueConstraint("workspace_id", "name_key"),
        check_in_enum("kind", GroupKind),
        CheckConstraint("length(name) > 0", name="name_not_empty"),
    )


class AssetGroupItem(Base):
    """An asset in a group, in the order of `place`; `role` is what it stands for, empty for what the group is."""

    __tablename__ = "asset_group_items"

    group_id: Mapped[str] = mapped_column(ForeignKey("asset_groups.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    upload_id: Mapped[str] = mapped_column(ForeignKey("uploads.id"))
    role: Mapped[str] = mapped_column(String(40), default="")

    __table_args__ = (
        UniqueConstraint("group_id", "upload_id"),
        Index("ix_asset_group_items_upload", "upload_id"),
    )


class GenerationUpload(Base):
    """That a clip was ordered with a file; `name` is that of the group it was meant by, empty for the file itself.

    What was ordered stands with the generation; this is how one finds the clips of a file.
    """

    __tablename__ = "generation_uploads"

    storage_key: Mapped[str] = mapped_column(String(200), primary_key=True)
    generation_id: Mapped[str] = mapped_column(ForeignKey("generations.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), default="", server_default="")

    __table_args__ = (Index("ix_generation_uploads_of", "generation_id"),)
