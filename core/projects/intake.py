"""Takes in a picture a person brings or takes from a clip: cleaned, stored and written down once.

No service: it opens its own units of work, since none may stay open while a picture is decoded and stored.
"""

from collections.abc import Callable, Sequence

from core import db
from core.db.tables import Upload, User
from core.files.storage import Storage
from core.projects import uploads


def take_in(
    user: User,
    *,
    identity: bytes,
    picture: Callable[[], bytes],
    file_name: str,
    storage: Storage,
    quota_bytes: int,
) -> tuple[Upload, Sequence[str]]:
    """The upload, and what was changed in cleaning it; what was taken in under this identity before is found again.

    Raises TooLarge, MediaRejected, StorageFull, and whatever `picture` raises.
    """
    with db.session(read_only=True) as session:
        known = uploads.find(session, user, identity)
    if known is not None:
        return known, ()
    storage_key, image = uploads.prepare(storage, picture())
    with db.session() as session:
        upload = uploads.record(
            session,
            user,
            data=identity,
            file_name=file_name,
            storage_key=storage_key,
            image=image,
            quota_bytes=quota_bytes,
        )
    return upload, image.notes
