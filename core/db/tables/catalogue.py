"""Tables of what changes about models without a release: administrators' changes, and what vendors' lists tell."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Connection, Index, Integer, String, Text, event, text
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from core.db.enums import ChangeKind, NoteKind
from core.db.types import Base, check_in_enum


class CatalogueChange(Base):
    """What an administrator says of one model from the moment `since` on, in the shape of a record's tables.

    Rows are appended and never changed or removed, which the database itself holds; ids are in the order in which they
    were committed. `author` is their address at that moment. Nothing points to other tables: a model is data.
    """

    __tablename__ = "catalogue_changes"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    model_id: Mapped[str] = mapped_column(String(80))
    kind: Mapped[ChangeKind]
    since: Mapped[datetime]
    value: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
    author_id: Mapped[str] = mapped_column(String(36))
    author: Mapped[str] = mapped_column(String(254))

    __table_args__ = (check_in_enum("kind", ChangeKind), Index("ix_catalogue_changes_model", "model_id", "id"))


class ModelList(Base):
    """The list of models that a vendor has itself, as it was last read: the vendor's id -> its name.

    `next_at` is schedule and lease in one. `read_at` is None until it was read once; `failure` is why it could not be
    the last time, for administrators.
    """

    __tablename__ = "model_lists"

    provider: Mapped[str] = mapped_column(String(40), primary_key=True)
    next_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    models: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    failure: Mapped[str | None] = mapped_column(Text)


class ModelNote(Base):
    """What a vendor's list has told, until an administrator puts it aside; at most one open of a kind and model."""

    __tablename__ = "model_notes"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    provider: Mapped[str] = mapped_column(String(40))
    kind: Mapped[NoteKind]
    vendor_id: Mapped[str] = mapped_column(String(300))
    name: Mapped[str] = mapped_column(String(300), default="")
    model_id: Mapped[str | None] = mapped_column(String(80))
    noted_at: Mapped[datetime]
    dismissed_at: Mapped[datetime | None]

    __table_args__ = (
        check_in_enum("kind", NoteKind),
        Index(
            "uq_model_notes_open",
            "provider",
            "kind",
            "vendor_id",
            unique=True,
            sqlite_where=text("dismissed_at IS NULL"),
            postgresql_where=text("dismissed_at IS NULL"),
        ),
    )


@event.listens_for(CatalogueChange, "before_update")
@event.listens_for(CatalogueChange, "before_delete")
def _refuse(_mapper: Mapper[CatalogueChange], _connection: Connection, change: CatalogueChange) -> None:
    """Say so where it is tried; statements that name no row are refused by the database."""
    raise RuntimeError(f"change {change.id} of the catalogue stays as it is")
