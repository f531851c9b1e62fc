"""Image uploads over REST."""

from collections.abc import Sequence
from typing import Annotated, Self

from fastapi import File, Form, UploadFile
from pydantic import Field

from core.api.http import routing
from core.api.http.auth import CurrentMember
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import fills
from core.api.schemas import requests, responses
from core.db.tables import Upload
from core.files import image_sanitizer
from core.projects import uploads

router = routing.router("uploads")


class UploadAnswer(responses.Response):
    """An uploaded image; `fileSize` is that of the cleaned file, `notes` say what was changed."""

    file_path: Annotated[str, Field(examples=["images/5f/5f2c8a0e.png"])]
    file_name: Annotated[str, Field(examples=["start.png"])]
    file_size: Annotated[int, Field(examples=[184_220])]
    width: Annotated[int, Field(examples=[1280])]
    height: Annotated[int, Field(examples=[720])]
    notes: list[str]

    @classmethod
    def of(cls, upload: Upload, notes: Sequence[str] = ()) -> Self:
        """The shape of an upload."""
        return cls(
            file_path=upload.storage_key,
            file_name=upload.file_name,
            file_size=upload.size_bytes,
            width=upload.width,
            height=upload.height,
            notes=list(notes),
        )


@router.post("/upload-image", responses={200: {"links": fills("generate", startImagePath="filePath")}})
def upload_image(
    member: CurrentMember,
    installation: CurrentInstallation,
    file: Annotated[UploadFile, File(description="A JPEG, PNG or WebP of 10 MB at most.")],
    type: Annotated[requests.ImageRole, Form(description="What the image is for.")],
) -> UploadAnswer:
    """Upload an image to start or end a clip with, or for it to refer to.

    `filePath` is what generate takes. The same file again gives the same path.
    `type` is checked and changes nothing: an image that was uploaded can serve as start, as end and as reference.
    """
    data = file.file.read(image_sanitizer.MAX_UPLOAD_BYTES + 1)
    upload, notes = uploads.store_image(
        member,
        identity=data,
        picture=lambda: data,
        file_name=file.filename or "",
        storage=installation.storage,
        quota_bytes=installation.settings.storage_quota_bytes,
    )
    return UploadAnswer.of(upload, [str(note) for note in notes])
