"""Going on from a finished clip over REST."""

from core import config
from core.api.http import routing
from core.api.http.auth import CurrentUser, PathId
from core.api.openapi.answers import refuses
from core.api.routers.uploads import UploadAnswer
from core.files import storage
from core.generations import last_frame as generation_last_frame

router = routing.router("uploads")


@router.post("/generations/{id}/last-frame", responses=refuses(404, 409, 413, 422))
def take_last_frame(user: CurrentUser, generation_id: PathId) -> UploadAnswer:
    """Save the last frame of a completed clip as an uploaded image.

    `filePath` is what generate takes as start image. The same clip gives the same path. It counts against your storage
    like any upload.
    """
    settings = config.settings()
    upload = generation_last_frame.as_upload(
        user,
        generation_id,
        storage=storage.open_storage(settings.storage_url),
        quota_bytes=settings.storage_quota_bytes,
    )
    return UploadAnswer.of(upload)
