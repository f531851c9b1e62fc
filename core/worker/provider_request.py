"""What a provider is asked for a generation, read from its row; the search for a lost submit asks about the same."""

from dataclasses import replace

from core.config import Settings
from core.db.tables import Generation
from core.files.storage import Storage
from core.providers import callbacks, registry
from core.providers.contract import SourceImage, VideoRequest


def from_row(row: Generation, settings: Settings, storage: Storage) -> VideoRequest:
    """Everything the provider needs, images included. Raises NotFound when an image or the model is no longer there."""
    model = registry.model(row.model_id)
    renamed = settings.provider_model_ids.get(row.provider, {}).get(model.id)

    def image(key: str | None) -> SourceImage | None:
        return SourceImage(storage.read_bytes(key)) if key else None

    return VideoRequest(
        reference=row.id,
        model=replace(model, upstream_id=renamed) if renamed else model,
        prompt=row.prompt,
        resolution=row.resolution,
        duration_seconds=row.duration_seconds,
        aspect_ratio=row.aspect_ratio,
        negative_prompt=row.negative_prompt,
        start_image=image(row.start_image_key),
        end_image=image(row.end_image_key),
        generate_audio=row.generate_audio,
        enhance_prompt=row.enhance_prompt,
        webhook_url=callbacks.callback_url(settings.public_url, row.id, secret=settings.secret_key),
    )
