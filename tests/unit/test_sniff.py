from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import errors
from core.files import sniff

EBML = b"\x1a\x45\xdf\xa3"
KNOWN = {"mp4", "mov", "webm", "matroska", "empty", "html", "json", "playlist", "image", "not_a_video"}
starts = st.sampled_from(
    [
        b"",
        EBML,
        b"\0\0\0\x20ftyp",
        b"\0\0\0\x20ftypqt  ",
        b"\0\0\0\x08moov",
        b"<",
        b"{",
        b"#EXTM3U",
        b"GIF8",
        b"\xef\xbb",
    ]
)


def reason_for(head: bytes) -> str:
    """Why a beginning is refused."""
    with pytest.raises(errors.MediaRejected) as caught:
        sniff.container_of(head)
    return caught.value.reason


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", "mp4"),
        (b"\0\0\0\x18ftypmp42", "mp4"),
        (b"\0\0\0\x14ftypqt  \0\0\2\0qt  ", "mov"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "mov"),
        (b"\0\0\x10\0moov\0\0\0\x6cmvhd", "mov"),
        (EBML + b"\x9f\x42\x86\x81\x01\x42\x82\x84webm", "webm"),
        (EBML + b"\xa3\x42\x86\x81\x01\x42\x82\x88matroska", "matroska"),
        (EBML + bytes(100) + b"webm", "matroska"),
    ],
)
def test_of_a_video(head: bytes, expected: str) -> None:
    """Brand or document type decide, where the format puts them; QuickTime older than brands is QuickTime."""
    assert sniff.container_of(head) == expected


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"", "empty"),
        (b" \r\n\t\xef\xbb\xbf", "empty"),
        (b"\xef\xbb\xbf\r\n <!doctype html>", "html"),
        (b'\n{"error": 1}', "json"),
        (b"[]", "json"),
        (b"#EXTM3U\n", "playlist"),
        (b"\xef\xbb\xbf#EXTM3U\n", "playlist"),
        (b"\0\0\0\x18ftypavif", "image"),
        (b"\0\0\0\x18ftypheic", "image"),
        (b"\x89PNG\r\n\x1a\n", "image"),
        (b"\xff\xd8\xff\xe0", "image"),
        (b"GIF89a", "image"),
        (b"BM6\0", "image"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image"),
        (b"RIFF\0\0\0\0AVI LIST", "not_a_video"),
        (b"ftypisom", "not_a_video"),
        (b"\0\0\0\x18FTYPisom", "not_a_video"),
        (b"ffconcat version 1.0\nfile /etc/passwd", "not_a_video"),
        (b"\x47" + bytes(187), "not_a_video"),
    ],
)
def test_of_something_else(head: bytes, reason: str) -> None:
    """Each kind of thing that is no video we open has its own stable reason."""
    assert reason_for(head) == reason


@given(start=starts, rest=st.binary(max_size=80))
def test_of_any_bytes(start: bytes, rest: bytes) -> None:
    """Whatever comes, the answer is one of four words or a known reason, never another failure."""
    try:
        found = sniff.container_of(start + rest)
    except errors.MediaRejected as rejection:
        found = rejection.reason

    assert found in KNOWN


def test_of_file_reads_the_beginning_only(tmp_path: Path) -> None:
    """The name says nothing, and neither does what comes later in the file."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(b" " * sniff.HEAD_BYTES + b"<html>")
    with pytest.raises(errors.MediaRejected) as caught:
        sniff.container_of_file(path)
    assert caught.value.reason == "empty"

    path.write_bytes(EBML + b"webm" + bytes(sniff.HEAD_BYTES))
    assert sniff.container_of_file(path) == "webm"
