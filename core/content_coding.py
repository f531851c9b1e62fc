"""Takes HTTP content codings off a body, piece by piece, so that no small body can grow beyond what was asked for."""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

PIECE_BYTES = 64 * 1024
MOST_LAYERS = 3


class Undecodable(Exception):
    """A body that is not what its coding says, or ends before its end."""


class Decoder(Protocol):
    """One coding of one body."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """What this chunk of the body stands for, in pieces of at most `PIECE_BYTES`. Raises Undecodable."""

    def close(self) -> None:
        """Raises Undecodable when the body should have gone on."""


def decode(chunks: Iterable[bytes], decoder: Decoder | None) -> Iterator[bytes]:
    """The body without its coding. Raises Undecodable."""
    if decoder is None:
        yield from chunks
        return
    for chunk in chunks:
        yield from decoder.feed(chunk)
    decoder.close()


def decoder_of(content_encoding: str) -> Decoder | None:
    """What takes these codings off; None for none, for those that change nothing and for those not known here.

    aws-chunked changes nothing in a reply: stores pass it on from the upload (S3 SigV4 streaming).
    """
    names = [name for part in content_encoding.lower().split(",") if (name := part.strip()) not in _MEANINGLESS]
    if not names or len(names) > MOST_LAYERS or not all(name in _DECODERS for name in names):
        return None
    decoder = _DECODERS[names[-1]]()
    for name in reversed(names[:-1]):
        decoder = _Layers(decoder, _DECODERS[name]())
    return decoder


class Inflate:
    """gzip (with any number of members) or deflate, which some send without its zlib wrapping (RFC 9110, 8.4.1.2)."""

    def __init__(self, window_bits: int, fallback_bits: int | None = None) -> None:
        self._window_bits = window_bits
        self._fallback_bits = fallback_bits
        self._inflate = zlib.decompressobj(window_bits)
        self._began = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """See `Decoder`."""
        while chunk:
            if self._inflate.eof:
                self._inflate = zlib.decompressobj(self._window_bits)
            try:
                piece = self._inflate.decompress(chunk, PIECE_BYTES)
            except zlib.error as failure:
                if self._began or self._fallback_bits is None:
                    raise Undecodable(str(failure)) from None
                self._window_bits, self._fallback_bits = self._fallback_bits, None
                self._inflate = zlib.decompressobj(self._window_bits)
                continue
            self._began = True
            if piece:
                yield piece
            chunk = self._inflate.unconsumed_tail or self._inflate.unused_data
            if self._inflate.eof and not chunk.strip(b"\0"):
                return  # some fill up behind the end

    def close(self) -> None:
        """See `Decoder`."""
        if self._began and not self._inflate.eof:
            raise Undecodable("the compressed body ended before its end")


class AwsChunked:
    """The framing of signed uploads, where a store gives it back as it got it: `size;chunk-signature=...` and bytes."""

    HEAD = re.compile(rb"([0-9A-Fa-f]{1,8})(;[^\r\n]{0,200})?\r\n")
    _LONGEST_HEAD = 220

    def __init__(self) -> None:
        self._waiting = b""
        self._left = 0
        self._ended = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """See `Decoder`."""
        data = self._waiting + chunk
        while data and not self._ended:
            if self._left:
                piece, data = data[: self._left], data[self._left :]
                self._left -= len(piece)
                for start in range(0, len(piece), PIECE_BYTES):
                    yield piece[start : start + PIECE_BYTES]
                continue
            line = data.removeprefix(b"\r\n")
            head = self.HEAD.match(line)
            if head is None:
                if len(line) > self._LONGEST_HEAD:
                    raise Undecodable("no head of a chunk where one should be")
                break
            self._left = int(head[1], 16)
            self._ended = self._left == 0
            data = line[head.end() :]
        self._waiting = b"" if self._ended else data

    def close(self) -> None:
        """See `Decoder`."""
        if not self._ended:
            raise Undecodable("the chunks ended before the last one")


class _Layers:
    """One coding within another."""

    def __init__(self, outer: Decoder, inner: Decoder) -> None:
        self._outer = outer
        self._inner = inner

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        for piece in self._outer.feed(chunk):
            yield from self._inner.feed(piece)

    def close(self) -> None:
        self._outer.close()
        self._inner.close()


_MEANINGLESS = frozenset({"", "identity", "aws-chunked", "none", "utf-8", "binary"})
"""`utf-8`, `none` and `binary` are no codings and are sent all the same."""

_GZIP, _ZLIB, _RAW = 31, 15, -15
"""`wbits` of zlib."""

_DECODERS: dict[str, Callable[[], Decoder]] = {
    "gzip": lambda: Inflate(_GZIP),
    "x-gzip": lambda: Inflate(_GZIP),
    "deflate": lambda: Inflate(_ZLIB, _RAW),
}
ACCEPTED = "gzip, deflate"
"""What may be asked for."""
