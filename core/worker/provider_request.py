"""What a provider is asked for a generation, read from its row; the search for a lost submit asks about the same."""

from typing import Any

from core import errors
from core.config import Settings
from core.db.tables import Generation
from core.files.storage import Storage
from core.providers import callbacks, connection
from core.providers.contract import SourceImage, VideoRequest
from core.spec import IMAGE_FIELDS


def from_row(row: Generation, settings: Settings, storage: Storage) -> VideoRequest:
    """Everything the provider needs, images included. Raises NotFound or ModelUnavailable for what is gone."""
    model = connection.find_model(settings, row.model_id)
    if model is None:
        raise errors.ModelUnavailable(detail=row.model_id)

    def image(key: str | None) -> SourceImage | None:
        return SourceImage(storage.read_bytes(key)) if key else None

    wanted = row.spec.values()
    del wanted["model_id"]
    images: dict[str, Any] = {name.removesuffix("_key"): image(wanted.pop(name)) for name in IMAGE_FIELDS}
    return VideoRequest(
        reference=row.id,
        model=model,
        webhook_url=callbacks.callback_url(settings.public_url, row.id, secret=settings.secret_key),
        **wanted,
        **images,
    )
