"""Cuts an image that was brought to the shape of a clip; what comes out is another image, and the first one stays.

No service: it opens its own units of work, since none may stay open while an image is decoded.
"""

import json
from dataclasses import dataclass

from core import db, errors
from core.db.tables import Upload
from core.files import isolated
from core.files.storage import Storage
from core.messages import message
from core.projects import uploads
from core.workspaces.access import Member
from core.workspaces.permissions import Action

MEMORY_BYTES = 1024**3
SECONDS = 60


@dataclass(frozen=True, slots=True)
class Box:
    """What is kept of an image, in pixels."""

    left: int
    top: int
    width: int
    height: int


def box(width: int, height: int, ratio: str, place: float) -> Box:
    """The largest part of an image that has a ratio such as `16:9`; `place` is where it lies, from 0 (left, top) to 1.

    ValueError for what is no ratio of figures.
    """
    across, down = (int(part) for part in ratio.split(":"))
    kept_width = min(width, max(1, round(height * across / down)))
    kept_height = min(height, max(1, round(width * down / across)))
    share = min(1.0, max(0.0, place))
    return Box(round((width - kept_width) * share), round((height - kept_height) * share), kept_width, kept_height)


def crop(member: Member, storage_key: str, *, ratio: str, place: float, storage: Storage, quota_bytes: int) -> Upload:
    """An image of the workspace cut to a ratio, as an upload of its own; the same cut gives the same one.

    Raises Forbidden, InvalidRequest for an image that is not theirs or no ratio, and as `uploads.store_image`.
    """
    member.require(Action.ORDER)
    with db.read_session() as session:
        whole = uploads.by_key(session, member, storage_key)
    try:
        kept = box(whole.width, whole.height, ratio, place)
    except (ValueError, ZeroDivisionError):
        raise errors.InvalidRequest(message("unknown_ratio", ratio=ratio)) from None
    if (kept.width, kept.height) == (whole.width, whole.height):
        return whole
    edges = [kept.left, kept.top, kept.left + kept.width, kept.top + kept.height]
    upload, _notes = uploads.store_image(
        member,
        identity=f"{edges} of {storage_key}".encode(),
        picture=lambda: _cut(storage.read_bytes(storage_key), edges),
        file_name=whole.file_name,
        storage=storage,
        quota_bytes=quota_bytes,
    )
    return upload


def _cut(data: bytes, edges: list[int]) -> bytes:
    given = json.dumps(edges).encode() + b"\n" + data
    work = "core.files.image_cutting:work"
    return isolated.run(work, given, memory_bytes=MEMORY_BYTES, seconds=SECONDS)[1]
