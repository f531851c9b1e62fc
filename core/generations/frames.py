"""Takes a picture out of a clip: its last one to go on from, or any other; it becomes an image of the person.

No service: it opens its own units of work, since none may stay open while a file is fetched and decoded.
"""

import os

from core import db, errors
from core.db.enums import Status
from core.db.tables import Generation, Upload
from core.files import isolated
from core.files.storage import Storage
from core.generations import queries
from core.messages import message
from core.projects import uploads
from core.workspaces.access import Member
from core.workspaces.permissions import Action

MEMORY_BYTES = 4 * 1024**3
"""What decoding a part of a clip may take; in 4K it takes half a gigabyte."""
SECONDS = 120


def as_upload(
    member: Member, generation_id: str, *, seconds: float | None = None, storage: Storage, quota_bytes: int
) -> Upload:
    """The picture of a completed clip that a player shows at `seconds`, else the last, as an upload in its workspace.

    Times count in milliseconds; the same one of the same clip gives the same upload. After the end the last picture is
    shown.

    Raises NotFound, Forbidden for who may not order there, Conflict when the clip is not finished, MediaRejected when
    it cannot be read, StorageFull, StorageUnavailable, RateLimited.
    """
    with db.read_session() as session:
        row = queries.get(session, member, generation_id)
    there = member.moved_to(row.workspace_id)
    there.require(Action.ORDER)
    output_key = row.output_key
    if row.status is not Status.COMPLETED or output_key is None:
        raise errors.Conflict(message("cannot_extend_yet") if seconds is None else message("no_frame_yet"))
    at_ms = None if seconds is None else max(0, round(seconds * 1000))
    which = "last frame" if at_ms is None else f"frame at {at_ms} ms"
    upload, _notes = uploads.store_image(
        there,
        # What the picture was taken from stands for its bytes, so that a repeat finds it without decoding anything.
        identity=f"{which}, as shown, of {output_key}".encode(),
        picture=lambda: _picture(storage, output_key, at_ms),
        file_name=_file_name(row, at_ms),
        storage=storage,
        quota_bytes=quota_bytes,
        source_generation_id=row.id,
    )
    return upload


def _picture(storage: Storage, output_key: str, at_ms: int | None) -> bytes:
    with storage.as_file(output_key) as clip:
        name = os.fsencode(clip.absolute())
        work = "last_frame_work" if at_ms is None else "frame_work"
        given = name if at_ms is None else f"{at_ms}\n".encode() + name
        module = "core.files.video_derivatives"
        return isolated.run(f"{module}:{work}", given, memory_bytes=MEMORY_BYTES, seconds=SECONDS)[1]


def _file_name(row: Generation, at_ms: int | None) -> str:
    which = "last-frame" if at_ms is None else f"frame-{at_ms / 1000:.3f}s"
    return f"{queries.file_name(row).removesuffix('.mp4')}-{which}.jpg"
