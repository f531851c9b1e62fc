"""What a provider is asked for a generation, read from its row; the search for a lost submit asks about the same."""

from typing import Any

from core import db, errors
from core.catalog_changes import asked
from core.config import Settings
from core.db.tables import Generation
from core.files.storage import Storage, media_type_of
from core.providers import callbacks
from core.providers.contract import MediaKind, ReferenceMedia, SourceImage, SourceMedia, VideoRequest
from core.spec import IMAGE_FIELDS


def from_row(row: Generation, settings: Settings, storage: Storage) -> VideoRequest:
    """Everything the provider needs, with copies of the images that suit the vendor.

    Raises NotFound or ModelUnavailable for what is gone, MediaRejected for a damaged image, StorageUnavailable.
    """
    with db.read_session() as session:
        model = asked.model(session, settings, row)
    if model is None or model.provider != row.provider:  # a file may have given the id to another vendor's model
        raise errors.ModelUnavailable(detail=row.model_id)

    def image(key: str | None, *, is_frame: bool = True) -> SourceImage | None:
        if not key:
            return None
        from core.files import request_image  # pictures are large to load, and few orders have one

        frame = model.frame_size(row.spec.resolution, row.spec.aspect_ratio)
        return SourceImage(
            request_image.fitted(
                storage.read_bytes(key),
                frame,
                max_bytes=model.image_max_bytes,
                min_side=model.image_min_side,
                max_side=model.image_max_side,
                max_ratio=model.image_max_ratio,
                is_exact=model.image_exact and is_frame,
            )
        )

    wanted = row.spec.values()
    del wanted["model_id"]
    references = []
    for kind, role, key in wanted.pop("references"):
        media = image(key, is_frame=False) if kind == MediaKind.IMAGE else _as_it_is(storage, key)
        if media:
            references.append(ReferenceMedia(MediaKind(kind), role, media))
    images: dict[str, Any] = {name.removesuffix("_key"): image(wanted.pop(name)) for name in IMAGE_FIELDS}
    return VideoRequest(
        reference=row.id,
        model=model,
        references=tuple(references),
        webhook_url=callbacks.callback_url(settings.public_url, row.id, secret=settings.secret_key),
        **wanted,
        **images,
    )


def _as_it_is(storage: Storage, key: str) -> SourceMedia:
    """A video or sound, which was brought into its form when it came."""
    return SourceMedia(storage.read_bytes(key), media_type_of(key))
