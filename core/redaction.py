"""Blacks out secrets in text, however they are written there, and what an address may carry; it reads no setting."""

import base64
import html
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

MASK = "***"

SHORTEST_SECRET_CHARS = 4
"""What is shorter keeps nothing secret, and blacking it out would make any text unreadable."""

_BLOCK_BYTES = 6
SHORTEST_PIECE_CHARS = 2 * _BLOCK_BYTES - 1
"""A piece of a secret this long is blacked out, too: it holds a whole block, wherever it begins."""

_MOST_TIMES_ESCAPED = 4
_ESCAPED = re.compile(
    rb"%([0-9A-Fa-f]{2})|\\x([0-9A-Fa-f]{2})"
    rb"|\\u([Dd][89ABab][0-9A-Fa-f]{2})\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})|\\u([0-9A-Fa-f]{4})"
    rb"|&#[xX]0*([0-9A-Fa-f]{1,6});|&#0*([0-9]{1,7});|&(amp|lt|gt|quot|apos);|\\([\\/\"'])"
)
_ENTITIES = {b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'"}
_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-")


class Redactor:
    """Blacks out some secrets: as they are, escaped for an address, HTML or JSON (also twice), as hexadecimal or
    base64 (also within more of it, as in `Authorization: Basic`), and pieces of them. Calling it never raises.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {secret.strip() for secret in secrets}
        raw = [secret.encode("utf-8", "surrogatepass") for secret in known if len(secret) >= SHORTEST_SECRET_CHARS]
        plain = {form for secret in raw for form in (secret, secret.replace(b" ", b"+"))}
        # Escapes are put back all kinds at once, which would also take backslashes of the secret's own for escapes.
        plain |= {
            html.escape(secret.decode("utf-8", "surrogatepass")).encode("utf-8", "surrogatepass") for secret in raw
        }
        self._plain = [*plain, *(form for secret in raw for form in (_hex(secret), _hex(secret).upper()))]
        self._base64 = list({core for secret in raw for core in _base64_cores(secret)})

    def __call__(self, text: str) -> str:
        """The text with a mask in the place of each secret."""
        spans = sorted(self._spans(text))
        if not spans:
            return text
        pieces, done = [], 0
        for start, end in spans:
            if start >= done:
                pieces += [text[done:start], MASK]
            done = max(done, end)
        return "".join([*pieces, text[done:]])

    def finds(self, text: str) -> bool:
        """Whether there is anything to black out."""
        return next(self._spans(text), None) is not None

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where in the text secrets stand, in no order; they may overlap."""
        if not self._plain:
            return
        view = _View.of(text)
        for _ in range(_MOST_TIMES_ESCAPED + 1):
            for form in self._plain:
                for start, end in _found(view.data, form):
                    yield view.span(start, end)
            for core in self._base64:
                for start, end in _found(view.data, core):
                    yield view.span(*_whole_word(view.data, start, end))
            following = view.unescaped()
            if following is None:
                return
            view = following


@lru_cache(maxsize=64)
def redactor(*secrets: str) -> Redactor:
    """The same as `Redactor(secrets)`, made once."""
    return Redactor(secrets)


def shown_address(value: str) -> str:
    """An address as it may be shown: scheme and host, the path where it names a file or a database; "***" for the rest.

    Works for what is no good address at all, too: whatever is not surely harmless is left out.
    """
    scheme, separator, rest = value.strip().partition("://")
    if not separator:
        return value if _HARMLESS.fullmatch(value) else MASK
    if not _SCHEME.fullmatch(scheme):
        return MASK
    found = _AUTHORITY.match(rest)
    authority, beyond = (found[0], rest[found.end() :]) if found else ("", rest)
    _account, at, host = authority.rpartition("@")
    if "@" in beyond or not _HOST.fullmatch(host):  # a password with a slash in it, unescaped
        return f"{scheme}://{MASK}"
    path = re.split(r"[?#]", beyond, maxsplit=1)[0]
    if not _NAMES_A_FILE.match(scheme):
        path = "" if path in ("", "/") else f"/{MASK}"
    query = f"?{MASK}" if re.search(r"[?#]", beyond) else ""
    return f"{scheme}://{MASK + '@' if at else ''}{host}{path}{query}"


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+._-]{0,20}")
_AUTHORITY = re.compile(r"[^/?#]*")
_HOST = re.compile(r"([A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")
_HARMLESS = re.compile(r"[A-Za-z][A-Za-z._-]{0,30}(:\d{1,5})?")
_NAMES_A_FILE = re.compile(r"(sqlite|file|postgres)", re.I)


def guard_logs(secrets: Iterable[str]) -> None:
    """From now on no log record of this process, whoever writes it, holds one of these secrets."""
    redact = Redactor(secrets)
    before = logging.getLogRecordFactory()
    made_by = getattr(before, "made_by", before)

    def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
        return _redacted(made_by(*args, **kwargs), redact)

    factory.made_by = made_by  # type: ignore[attr-defined]  # so that a second call takes the place of the first
    logging.setLogRecordFactory(factory)


_TRACES = logging.Formatter()


def _redacted(record: logging.LogRecord, redact: Redactor) -> logging.LogRecord:
    try:
        said = record.getMessage()
    except (TypeError, ValueError, KeyError):  # its sentence and its parameters do not fit
        said = f"{record.msg} {record.args}"
        record.msg, record.args = said, ()
    if (clean := redact(said)) != said:
        record.msg, record.args = clean, ()
    if record.exc_info and record.exc_info[0] is not None:
        trace = _TRACES.formatException(record.exc_info)
        if (shown := redact(trace)) != trace:
            record.exc_info, record.exc_text = None, shown
    return record


def _hex(secret: bytes) -> bytes:
    return secret.hex().encode()


def _base64_cores(secret: bytes) -> Iterator[bytes]:
    """What every base64 of something with the secret in it holds, whatever stands before and behind it."""
    for offset in range(3):
        text = base64.b64encode(bytes(offset) + secret)
        core = text[-(-offset * 8 // 6) : (offset + len(secret)) * 8 // 6]
        if len(core) >= _BLOCK_BYTES:
            yield core
            yield core.translate(bytes.maketrans(b"+/", b"-_"))


def _found(data: bytes, form: bytes) -> Iterator[tuple[int, int]]:
    """Where the whole form stands, and where pieces of it do that are long enough."""
    whole = len(form) < SHORTEST_PIECE_CHARS
    for begin in [0] if whole else range(0, len(form) - _BLOCK_BYTES + 1, _BLOCK_BYTES):
        block = form if whole else form[begin : begin + _BLOCK_BYTES]
        at = data.find(block)
        while at >= 0:
            start, end = _grown(data, form, at, begin, len(block))
            if whole or end - start >= SHORTEST_PIECE_CHARS:
                yield start, end
            at = data.find(block, max(at + 1, end))


def _grown(data: bytes, form: bytes, at: int, begin: int, size: int) -> tuple[int, int]:
    """The longest piece of the form around the block that was found at `at` and is at `begin` in the form."""
    before, behind = 0, size
    while before < begin and at - before > 0 and data[at - before - 1] == form[begin - before - 1]:
        before += 1
    while begin + behind < len(form) and at + behind < len(data) and data[at + behind] == form[begin + behind]:
        behind += 1
    return at - before, at + behind


def _whole_word(data: bytes, start: int, end: int) -> tuple[int, int]:
    """The base64 around a find: its first and last letters hold bits of the secret."""
    while start > 0 and data[start - 1] in _BASE64:
        start -= 1
    while end < len(data) and data[end] in _BASE64:
        end += 1
    return start, end


class _View:
    """A text as bytes (UTF-8), in which escapes may have been put back, and which place of the text each came from."""

    def __init__(self, data: bytes, starts: Sequence[int], ends: Sequence[int]) -> None:
        self.data = data
        self._starts = starts
        self._ends = ends

    @classmethod
    def of(cls, text: str) -> "_View":
        """The text as it is."""
        data = text.encode("utf-8", "surrogatepass")
        if len(data) == len(text):
            return cls(data, range(len(text)), range(1, len(text) + 1))
        places = [place for place, char in enumerate(text) for _ in char.encode("utf-8", "surrogatepass")]
        return cls(data, places, [place + 1 for place in places])

    def span(self, start: int, end: int) -> tuple[int, int]:
        """From where to where in the text some bytes of the view stand."""
        return self._starts[start], self._ends[end - 1]

    def unescaped(self) -> "_View | None":
        """The view with one layer of escapes put back; None when there are none."""
        data, starts, ends, done = bytearray(), list[int](), list[int](), 0
        for escape in _ESCAPED.finditer(self.data):
            first, behind = escape.span()
            put = _meant(escape)
            data += self.data[done:first] + put
            starts += [*self._starts[done:first], *[self._starts[first]] * len(put)]
            ends += [*self._ends[done:first], *[self._ends[behind - 1]] * len(put)]
            done = behind
        if not done:
            return None
        data += self.data[done:]
        return _View(bytes(data), [*starts, *self._starts[done:]], [*ends, *self._ends[done:]])


def _meant(escape: re.Match[bytes]) -> bytes:
    """The bytes that an escape stands for."""
    percent, byte, high, low, unicode, hexadecimal, decimal, entity, mark = escape.groups()
    if percent:
        return bytes([int(percent, 16)])
    if entity:
        return _ENTITIES[entity]
    if mark:
        return mark
    if high:
        number = 0x10000 + ((int(high, 16) & 0x3FF) << 10) + (int(low, 16) & 0x3FF)
    else:
        number = int(decimal) if decimal else int(byte or unicode or hexadecimal, 16)
    return chr(min(number, 0x10FFFF)).encode("utf-8", "surrogatepass")
