"""Goes on from a clip: its last picture becomes an image of the person, to start the next clip with.

No service: it opens its own units of work, since none may stay open while a file is fetched and decoded.
"""

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
"""What decoding the end of a clip may take; in 4K it takes half a gigabyte."""
SECONDS = 120


def as_upload(member: Member, generation_id: str, *, storage: Storage, quota_bytes: int) -> Upload:
    """The last picture of a completed clip, as an upload in its workspace; the same clip gives the same one.

    Raises NotFound, Forbidden for who may not order there, Conflict when the clip is not finished, MediaRejected when
    it cannot be read, StorageFull, StorageUnavailable, RateLimited.
    """
    with db.read_session() as session:
        row = queries.get(session, member, generation_id)
    there = member.moved_to(row.workspace_id)
    there.require(Action.ORDER)
    output_key = row.output_key
    if row.status is not Status.COMPLETED or output_key is None:
        raise errors.Conflict(message("cannot_extend_yet"))
    upload, _notes = uploads.store_image(
        there,
        # What the picture was taken from stands for its bytes, so that a repeat finds it without decoding anything.
        identity=f"last frame, as shown, of {output_key}".encode(),
        picture=lambda: _picture(storage, output_key),
        file_name=_file_name(row),
        storage=storage,
        quota_bytes=quota_bytes,
    )
    return upload


def _picture(storage: Storage, output_key: str) -> bytes:
    with storage.as_file(output_key) as clip:
        work = "core.files.video_derivatives:last_frame_work"
        return isolated.run(work, bytes(clip.absolute()), memory_bytes=MEMORY_BYTES, seconds=SECONDS)[1]


def _file_name(row: Generation) -> str:
    return f"{queries.file_name(row).removesuffix('.mp4')}-last-frame.jpg"
