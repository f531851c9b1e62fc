"""Pictures out of a finished clip over REST: its last one, or that of any moment."""

from typing import Annotated

from pydantic import Field

from core.api.http import routing
from core.api.http.auth import CurrentMember, PathId
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import refuses
from core.api.routers.uploads import UploadAnswer
from core.api.schemas.requests import Body
from core.files.video_presentation import MAX_SECONDS
from core.generations import frames

router = routing.router("uploads")


class FrameWanted(Body):
    """Which picture of a clip is meant."""

    seconds: Annotated[
        float,
        Field(
            ge=0,
            le=MAX_SECONDS,
            allow_inf_nan=False,
            examples=[1.5],
            description="When a player shows it, counted in milliseconds; after the end the last picture is meant.",
        ),
    ]


@router.post("/generations/{id}/last-frame", responses=refuses(404, 409, 413, 422))
def take_last_frame(member: CurrentMember, installation: CurrentInstallation, generation_id: PathId) -> UploadAnswer:
    """Save the last frame of a completed clip as an uploaded image.

    `filePath` is what generate takes as start image. The same clip gives the same path. It counts against your storage
    like any upload.
    """
    upload = frames.as_upload(
        member,
        generation_id,
        storage=installation.storage,
        quota_bytes=installation.settings.storage_quota_bytes,
    )
    return UploadAnswer.of(upload)


@router.post("/generations/{id}/frame", responses=refuses(404, 409, 413, 422))
def take_frame(
    member: CurrentMember, installation: CurrentInstallation, generation_id: PathId, body: FrameWanted
) -> UploadAnswer:
    """Save the frame of a completed clip that is shown at a time as an uploaded image.

    `filePath` is what generate takes as start or end image, or as a reference. The same time of the same clip gives the
    same path. It counts against your storage like any upload.
    """
    upload = frames.as_upload(
        member,
        generation_id,
        seconds=body.seconds,
        storage=installation.storage,
        quota_bytes=installation.settings.storage_quota_bytes,
    )
    return UploadAnswer.of(upload)
