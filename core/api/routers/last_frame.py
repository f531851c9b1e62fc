"""Going on from a finished clip over REST."""

from core.api.http import routing
from core.api.http.auth import CurrentUser, PathId
from core.api.http.installed import CurrentInstallation
from core.api.routers.uploads import UploadAnswer
from core.generations import last_frame as generation_last_frame

router = routing.router("uploads")


@router.post("/generations/{id}/last-frame")
def last_frame(person: CurrentUser, installation: CurrentInstallation, generation_id: PathId) -> UploadAnswer:
    """The last picture of a completed clip as an image of yours: `filePath` is what generate takes as start image.

    The same clip gives the same path. It counts against your storage like any upload.
    """
    upload = generation_last_frame.as_upload(
        person,
        generation_id,
        storage=installation.storage,
        quota_bytes=installation.settings.storage_quota_bytes,
    )
    return UploadAnswer.of(upload)
