import gzip
import os
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.content_coding import PIECE_BYTES, AwsChunked, Undecodable, decode, decoder_of

DATA = os.urandom(200_000)


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def _chunks(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("", DATA),
        ("identity", DATA),
        ("aws-chunked", DATA),
        ("br", DATA),
        ("gzip", gzip.compress(DATA)),
        ("X-GZIP", gzip.compress(DATA)),
        ("gzip", gzip.compress(DATA[:1000]) + gzip.compress(DATA[1000:])),
        ("gzip", gzip.compress(DATA) + b"\0" * 10),
        ("deflate", zlib.compress(DATA)),
        ("deflate", _raw_deflate(DATA)),
        ("deflate, gzip", gzip.compress(zlib.compress(DATA))),
        ("aws-chunked, gzip", gzip.compress(DATA)),
        ("gzip, gzip, gzip, gzip", DATA),
    ],
)
@pytest.mark.parametrize("size", [1000, 65_536, 10**9])
def test_decode(name: str, body: bytes, size: int) -> None:
    """A known coding comes off, in whatever chunks it comes; one not known, or that says nothing, changes nothing."""
    assert b"".join(decode(_chunks(body, size), decoder_of(name))) == DATA


@pytest.mark.parametrize(
    ("name", "body"), [("gzip", gzip.compress(DATA)[:-9]), ("gzip", b"no"), ("deflate", b"<html>")]
)
def test_decode_when_the_body_is_not_what_it_says(name: str, body: bytes) -> None:
    """A body cut short, or one without the coding it names, is told."""
    with pytest.raises(Undecodable):
        list(decode([body], decoder_of(name)))


def test_decode_in_small_pieces() -> None:
    """A gigabyte of zeros that comes in a megabyte is handed on in small pieces, so that the reader can stop."""
    packer = zlib.compressobj(wbits=31)
    bomb = b"".join(packer.compress(bytes(10**7)) for _ in range(100)) + packer.flush()
    pieces = decode([bomb], decoder_of("gzip"))
    assert max(len(next(pieces)) for _ in range(100)) <= PIECE_BYTES


@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1), st.integers(1, 400))
def test_aws_chunked_that_is_really_framed(parts: list[bytes], size: int) -> None:
    """The frames come off, however they are cut; a body without its last frame is told."""
    signature = ";chunk-signature=" + "0" * 64
    framed = b"".join(f"{len(part):x}{signature}\r\n".encode() + part + b"\r\n" for part in parts)
    whole = framed + f"0{signature}\r\n\r\n".encode()
    assert b"".join(decode(_chunks(whole, size), AwsChunked())) == b"".join(parts)
    with pytest.raises(Undecodable):
        list(decode(_chunks(framed, size), AwsChunked()))


@given(st.sampled_from(["gzip", "deflate"]), st.binary(), st.integers(1, 50))
def test_decode_never_raises_anything_else(name: str, body: bytes, size: int) -> None:
    """Whatever the bytes are, they decode or are Undecodable."""
    try:
        list(decode(_chunks(body, size), decoder_of(name)))
        list(decode(_chunks(body, size), AwsChunked()))
    except Undecodable:
        return
