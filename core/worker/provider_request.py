"""What a provider is asked for a generation, read from its row; the search for a lost submit asks about the same."""

from dataclasses import replace
from typing import Any

from core.config import Settings
from core.db.tables import Generation
from core.files.storage import Storage
from core.providers import callbacks, registry
from core.providers.contract import FRAME_SIZES, SourceImage, VideoRequest
from core.spec import IMAGE_FIELDS


def from_row(row: Generation, settings: Settings, storage: Storage) -> VideoRequest:
    """Everything the provider needs, with copies of the images that suit the vendor.

    Raises NotFound when an image or the model is no longer there, MediaRejected when an image is damaged,
    StorageUnavailable.
    """
    model = registry.model(row.model_id)
    renamed = settings.provider_model_ids.get(row.provider, {}).get(model.id)

    def image(key: str | None) -> SourceImage | None:
        if not key:
            return None
        from core.files import request_image  # pictures are large to load, and few orders have one

        frame = FRAME_SIZES[row.spec.resolution, row.spec.aspect_ratio]
        return SourceImage(
            request_image.fitted(
                storage.read_bytes(key),
                frame,
                max_bytes=model.image_max_bytes,
                max_side=model.image_max_side,
                is_exact=model.image_exact,
            )
        )

    wanted = row.spec.values()
    del wanted["model_id"]
    images: dict[str, Any] = {name.removesuffix("_key"): image(wanted.pop(name)) for name in IMAGE_FIELDS}
    return VideoRequest(
        reference=row.id,
        model=replace(model, upstream_id=renamed) if renamed else model,
        webhook_url=callbacks.callback_url(settings.public_url, row.id, secret=settings.secret_key),
        **wanted,
        **images,
    )
