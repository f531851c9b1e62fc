"""Image uploads over REST."""

from typing import Annotated

from fastapi import File, Form, UploadFile

from core import config, db, images, storage, uploads
from core.api import answers, routes, schemas
from core.api.auth import Person

router = routes.router("uploads")


class UploadAnswer(answers.Envelope):
    """An image that was taken in; `fileSize` is that of the cleaned file, `notes` say what was changed."""

    file_path: str
    file_name: str
    file_size: int
    width: int
    height: int
    notes: list[str]


@router.post("/upload-image")
def upload_image(
    person: Person,
    file: Annotated[UploadFile, File(description="A JPEG, PNG or WebP of 10 MB at most.")],
    type: Annotated[schemas.ImageRole, Form(description="What the image is for.")],
) -> UploadAnswer:
    """Take in an image; `filePath` is what generate takes. The same file again gives the same path.

    `type` is checked and changes nothing: an image that was uploaded can serve as start and as end.
    """
    settings = config.settings()
    data = file.file.read(images.MAX_UPLOAD_BYTES + 1)
    notes: tuple[str, ...] = ()
    with db.session(read_only=True) as session:
        upload = uploads.find(session, person, data)
    if upload is None:
        key, image = uploads.prepare(storage.open_storage(settings.storage_url), data)
        notes = image.notes
        with db.session() as session:
            upload = uploads.record(
                session,
                person,
                data=data,
                file_name=file.filename or "",
                storage_key=key,
                image=image,
                quota_bytes=settings.storage_quota_bytes,
            )
    return UploadAnswer(
        file_path=upload.storage_key,
        file_name=upload.file_name,
        file_size=upload.size_bytes,
        width=upload.width,
        height=upload.height,
        notes=list(notes),
    )
