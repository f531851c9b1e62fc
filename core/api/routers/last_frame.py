"""Going on from a finished clip over REST."""

from core.api.http import routing
from core.api.http.auth import CurrentMember, PathId
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import refuses
from core.api.routers.uploads import UploadAnswer
from core.generations import last_frame as generation_last_frame

router = routing.router("uploads")


@router.post("/generations/{id}/last-frame", responses=refuses(404, 409, 413, 422))
def take_last_frame(member: CurrentMember, installation: CurrentInstallation, generation_id: PathId) -> UploadAnswer:
    """Save the last frame of a completed clip as an uploaded image.

    `filePath` is what generate takes as start image. The same clip gives the same path. It counts against your storage
    like any upload.
    """
    upload = generation_last_frame.as_upload(
        member,
        generation_id,
        storage=installation.storage,
        quota_bytes=installation.settings.storage_quota_bytes,
    )
    return UploadAnswer.of(upload)
