"""Fetches the file of a clip: whole or not at all, taken up where it broke off, also by a later process."""

import fcntl
import hashlib
import os
from pathlib import Path
from typing import BinaryIO

import httpx

from core.rest_client.answers import Clip
from core.rest_client.connection import AGAIN, LOST, Connection, refusal, retry_after
from core.rest_client.problems import DownloadProblem


def check_target(target: Path) -> None:
    """Return when a file could be put there; else DownloadProblem, to be known before anything is ordered."""
    folder = target if target.is_dir() else target.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise DownloadProblem(f"{folder} is no folder that can be written to.")


def download(connection: Connection, clip: Clip, target: Path) -> Path:
    """Where the file is; one that is there already and is the clip's own stays as it is.

    What has come of it lies beside it, hidden, under the id of the clip. DownloadProblem, Refused, Unreachable.
    """
    if clip.status != "completed":
        raise DownloadProblem(f"This clip is {clip.status}: there is no file to download.")
    if target.is_dir():
        target = target / f"{clip.id}.mp4"
    try:
        if target.is_file() and clip.sha256 is not None and _digest(target) == clip.sha256:
            return target
        part = target.parent / f".{clip.id}.part"
        with part.open("ab") as file:
            _lock(file, part)
            if clip.sha256 is None:  # nothing would tell whether what is there belongs to what will come
                _empty(file)
            _fill(connection, clip, file, part)
            file.flush()
            os.fsync(file.fileno())
            part.replace(target)
    except OSError as failure:
        raise DownloadProblem(f"{target} could not be written: {failure.strerror or failure}.") from None
    return target


def _lock(file: BinaryIO, part: Path) -> None:
    """Two processes that fetch the same clip to the same place would write into each other's file."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DownloadProblem("Another process is downloading this clip to the same place.") from None
    try:
        is_its_own = os.path.samestat(os.fstat(file.fileno()), part.stat())
    except FileNotFoundError:
        is_its_own = False
    if not is_its_own:
        raise DownloadProblem("Another process has just downloaded this clip to the same place.")


def _empty(file: BinaryIO) -> None:
    file.truncate(0)
    file.seek(0)


def _fill(connection: Connection, clip: Clip, file: BinaryIO, part: Path) -> None:
    """Bring the rest of the file, once more from its beginning when what was there is not of this clip."""
    for is_last in (False, True):
        had = file.tell()
        _fetch(connection, clip, file)
        file.flush()
        if clip.sha256 in (None, _digest(part)):
            return
        _empty(file)
        if is_last or had == 0:
            break
    part.unlink(missing_ok=True)
    raise DownloadProblem("What was downloaded is not the file that was delivered. Try again.")


def _fetch(connection: Connection, clip: Clip, file: BinaryIO) -> None:
    """Read until the end, however often the connection breaks; `file` stands at its end."""
    patience = connection.patience()
    size_bytes = None if clip.sha256 is None else clip.size_bytes
    furthest = file.tell()  # beyond it something has got through; a server that begins anew for ever ends patience
    while size_bytes is None or file.tell() < size_bytes:
        had = file.tell()
        try:
            with connection.open(f"/download/{clip.id}", _rest_from(had)) as answer:
                if answer.status_code in AGAIN:
                    answer.read()
                    patience.lost(refusal(answer), retry_after_seconds=retry_after(answer))
                    continue
                _begin(connection, answer, file)
                for chunk in answer.iter_raw():
                    file.write(chunk)
                    if file.tell() > furthest:
                        furthest = file.tell()
                        patience.got_through()
                return
        except LOST as failure:
            connection.check_certificate(failure)
            patience.lost()


def _rest_from(had_bytes: int) -> dict[str, str]:
    """Headers that ask for what is still missing, byte for byte as it is stored."""
    wanted = {"Range": f"bytes={had_bytes}-"} if had_bytes else {}
    return {"Accept-Encoding": "identity", **wanted}


def _begin(connection: Connection, answer: httpx.Response, file: BinaryIO) -> None:
    """Stand where the answer goes on; Refused, NotTheApi for an answer that is no file."""
    if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        _empty(file)
        raise httpx.RemoteProtocolError("what is here is longer than the file")
    if not answer.is_success:
        answer.read()
        raise refusal(answer) or connection.not_the_api()
    if answer.headers.get("Content-Type", "").startswith(("text/html", "application/json")):
        raise connection.not_the_api()
    if answer.status_code != httpx.codes.PARTIAL_CONTENT:
        _empty(file)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
