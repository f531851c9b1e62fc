"""What operators do with the place of files: `python -m core.admin storage check | move FROM TO | sweep`.

Lines are given one by one, as they come; a refusal is an AppError.
"""

import argparse
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from uuid import uuid4

from sqlalchemy import select

from core import db, errors, installation, storage_settings
from core.db.tables import Generation
from core.files import moving, storage
from core.files.moving import Outcome
from core.messages import message, plain
from core.worker import sweep

TELL_SECONDS = 5.0
_ADDRESSED_BY_CONTENT = re.compile(r"(?:images|assets)/[0-9a-f]{2}/(?P<sha256>[0-9a-f]{64})\.(?:jpg|mp4|mp3)")
SHOWN = 50


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Let a parser know the command."""
    store = commands.add_parser("storage", help="look at, move or clear up where clips and images lie")
    actions = store.add_subparsers(dest="action", required=True)
    actions.add_parser("check", help="write, read, list and remove a small file, and say what does not work")
    move = actions.add_parser("move", help="copy all files to another place; again: what is missing there")
    move.add_argument("source", metavar="FROM", type=_address, help="such as file:///srv/media")
    move.add_argument("target", metavar="TO", type=_address, help="such as s3://bucket/prefix")
    move.add_argument("--verify", action="store_true", help="read and compare what is there already, too")
    clear = actions.add_parser("sweep", help="list files that no row knows, older than a day")
    clear.add_argument("--remove", action="store_true", help="and remove them")


def run(chosen: argparse.Namespace) -> Iterator[str]:
    """The lines to print."""
    match chosen.action:
        case "check":
            return check()
        case "move":
            return move(chosen.source, chosen.target, verify=chosen.verify)
        case _:
            return clear_up(remove=chosen.remove)


def check() -> Iterator[str]:
    """Try everything that the product does with files; Conflict with what does not work."""
    here = installation.current()
    store, key = here.storage, f"check/{uuid4()}.zip"
    yield f"Files lie in {here.settings.storage_url}."
    data = b"a small file to try with"
    try:
        store.check()
        store.put_bytes(key, data, media_type="application/zip")
        parts = b"".join(store.stream(key, start=2, length=5))
        listed = any(found.key == key for found in store.files(after="check/0.zip"))
        is_right = store.read_bytes(key) == data and parts == data[2:7] and listed
        store.copy_many([(key, key.replace("check/", "check/copy-"))])
        store.delete_many([key, key.replace("check/", "check/copy-")])
    except storage.UnusableStorage as wrong:
        raise errors.Conflict(plain(str(wrong))) from None
    except errors.StorageUnavailable as away:
        raise errors.StorageUnavailable(plain(f"{errors.StorageUnavailable.sentence} {away.detail}")) from away
    if not is_right or store.exists(key):
        raise errors.Conflict(message("storage_is_odd"))
    yield "A small file was written, read, listed, copied and removed."
    if here.media_place is None:
        yield "Browsers get files from the app (MEDIA_LINKS=proxy)."
    else:
        yield f"Browsers get files straight from {here.media_place} (MEDIA_LINKS=direct); they have to reach it."


def move(source: str, target: str, *, verify: bool = False) -> Iterator[str]:
    """Copy all files from one address to another; Conflict at its end when some of them are not sound."""
    if source.rstrip("/") == target.rstrip("/"):
        raise errors.Conflict(message("storage_is_the_same"))
    places = [_opened(source), _opened(target)]
    told_at, moved = time.monotonic(), moving.Moved()
    for moved in moving.move(places[0], places[1], known=_known_sums, verify=verify):
        if time.monotonic() - told_at >= TELL_SECONDS:
            told_at = time.monotonic()
            yield _told(moved)
    yield _told(moved)
    for outcome, words in _WRONG.items():
        keys = moved.keys[outcome]
        yield from (f"  {key} {words}" for key in keys[:SHOWN])
        if len(keys) > SHOWN:
            yield f"  and {len(keys) - SHOWN:,} more"
    if not moved.is_whole:
        raise errors.Conflict(message("storage_move_not_whole"))
    now = installation.current().settings.storage_url
    if now.rstrip("/") != target.rstrip("/"):
        yield f"New files still go to {now}. See docs/how-to/store-files-in-s3.md for what comes next."


_WRONG = {
    Outcome.DAMAGED: "was copied as it is, and is not what was once stored: it is damaged where it comes from",
    Outcome.FAILED: "did not come back as it was sent; move again",
}


def _told(moved: moving.Moved) -> str:
    counts = moved.counts
    copied = counts[Outcome.COPIED] + counts[Outcome.DAMAGED]
    return (
        f"{moved.looked:,} files: {copied:,} copied ({moved.copied_bytes / 1024**2:,.0f} MB), "
        f"{counts[Outcome.THERE]:,} there already, {counts[Outcome.GONE]:,} removed meanwhile."
    )


def clear_up(*, remove: bool) -> Iterator[str]:
    """List files without a row, or remove them."""
    here, found, removed = installation.current(), sweep.Found(), 0
    for keys in sweep.look(here, found):
        if remove:
            removed += sweep.remove(here.storage, keys)
        yield from (f"  {key}" for key in keys)
    yield f"{found.looked:,} files, of which {len(found.keys):,} have no row ({found.size_bytes / 1024**2:,.0f} MB)."
    if found.unknown:
        yield f"{found.unknown:,} are of no kind that is written here, and stay."
    yield f"{removed:,} were removed." if remove else "Nothing was removed; --remove does."


def _address(value: str) -> str:
    try:
        return storage_settings.storage_url(value)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None


def _opened(url: str) -> storage.Storage:
    try:
        opened = storage.open_storage(url, storage_settings.access(installation.current().settings))
        opened.check()
    except (ValueError, storage.UnusableStorage) as wrong:
        raise errors.Conflict(plain(str(wrong))) from None
    return opened


def _known_sums(keys: Sequence[str]) -> Mapping[str, str]:
    """The SHA-256 of those of which it is known: by their own names, or by the row of the clip."""
    known = {key: found["sha256"] for key in keys if (found := _ADDRESSED_BY_CONTENT.fullmatch(key))}
    ids = {key.split("/")[1] for key in keys if key.startswith("videos/")}
    with db.read_session() as session:
        rows = select(Generation.output_key, Generation.output_facts).where(Generation.id.in_(ids))
        for row in session.execute(rows):
            if row.output_key is not None and (sha256 := (row.output_facts or {}).get("sha256")):
                known[row.output_key] = sha256
    return known
