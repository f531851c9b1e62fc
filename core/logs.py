"""What a process writes to its log: one line an event, as text or as JSON, with the ids that it belongs to.

Whoever works on a request or a generation binds its ids; every line of that work then has them. Lines hold no prompt
and no link: what is bound as private is blacked out, and of an address only scheme and host stay.
"""

import json
import logging
import re
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from core.redaction import MASK, redactor, shown_address

TEXT, JSON = "text", "json"

OURS = ("app", "core", "pages", "requests", "security", "worker")
"""Loggers of ours: they tell what happens; of others' only what is wrong."""

_IDS: ContextVar[Mapping[str, str]] = ContextVar("_IDS", default=MappingProxyType({}))
_PRIVATE: ContextVar[tuple[str, ...]] = ContextVar("_PRIVATE", default=())

_MOST_PRIVATE = 100
"""The newest so many: whoever orders hundreds in one request looks for all of them in every line else."""
_ADDRESS = re.compile(r"\b(?:https?|wss?)://[^\s'\"<>\\]+", re.IGNORECASE)
_END_OF_SENTENCE = ".,:;)]}"
_QUERY = re.compile(r"(?<=[\w/.-])\?[A-Za-z_]+=[^\s'\"<>]+")
_KEY_IN_PATH = re.compile(r"(?<=/)[A-Za-z0-9_-]{40,}(?=[/?\s'\"]|$)|(?<=/hooks/)[^\s'\"]+")
"""A segment of a path that lets in by itself: of a link for people outside, or where a vendor calls us."""
_TOKEN = re.compile(r"\bavg_[A-Za-z0-9_-]{8,}")
"""A token of the API, as `core.identity.api_tokens` makes it."""


def configure(role: str, *, form: str = TEXT, level: int = logging.INFO) -> None:
    """From now on this process, whatever part of it, writes its lines so, to stderr; for composition roots only.

    `role` is which process it is, `level` from where on loggers of ours are heard. Handlers that others have set are
    taken away, so that no line goes by them.
    """
    handler = _Lines(_Json(role) if form == JSON else _Text())
    root = logging.getLogger()
    for before in [each for each in root.handlers if isinstance(each, _Lines)]:
        root.removeHandler(before)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    logging.setLoggerClass(_Passing)
    for found in list(root.manager.loggerDict.values()):
        if isinstance(found, logging.Logger):
            pass_on(found)


def pass_on(logger: logging.Logger) -> None:
    """Let a logger hand its lines on, and write none by itself."""
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    logger.propagate = True


@contextmanager
def bound(*, private: tuple[str | None, ...] = (), **ids: str | None) -> Iterator[None]:
    """Let every line of the block, also of threads that it waits for, have these ids; None changes nothing.

    `private` are texts that no line may hold.
    """
    before, hidden = _IDS.set(_with(ids)), _PRIVATE.set(_hidden(private))
    try:
        yield
    finally:
        _IDS.reset(before)
        _PRIVATE.reset(hidden)


def bind(*, private: tuple[str | None, ...] = (), **ids: str | None) -> None:
    """The same for what follows in this task or thread, which serves one piece of work only."""
    _IDS.set(_with(ids))
    if private:
        _PRIVATE.set(_hidden(private))


def begin(**ids: str | None) -> None:
    """Bind these ids alone: a thread goes on from one piece of work to another."""
    _IDS.set(MappingProxyType({}))
    _PRIVATE.set(())
    _IDS.set(_with(ids))


def ids() -> Mapping[str, str]:
    """What is bound now."""
    return _IDS.get()


def _with(ids: Mapping[str, str | None]) -> Mapping[str, str]:
    return {**_IDS.get(), **{name: value for name, value in ids.items() if value}}


def _hidden(private: tuple[str | None, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*_PRIVATE.get(), *(text for text in private if text)]))[-_MOST_PRIVATE:]


def clean(text: str) -> str:
    """A text as a line may hold it."""
    if private := _PRIVATE.get():
        text = redactor(*private)(text)
    if "/" in text:
        text = _ADDRESS.sub(_shown, text)
        text = _QUERY.sub(f"?{MASK}", _KEY_IN_PATH.sub(MASK, text))
    return _TOKEN.sub(MASK, text) if "avg_" in text else text


def _shown(found: re.Match[str]) -> str:
    """An address on the web without account, path and query, each of which may let in."""
    address = found[0].rstrip(_END_OF_SENTENCE)
    return shown_address(address) + found[0][len(address) :]


class _Lines(logging.StreamHandler[Any]):
    """Where the lines of this process go."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__(sys.stderr)
        self.setFormatter(formatter)


class _Text(logging.Formatter):
    """A line for people; ids stand behind what is said."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The line, and a traceback below it."""
        said = clean(super().format(record))
        told = " ".join(f"{name}={value}" for name, value in _IDS.get().items())
        if not told:
            return said
        first, *below = said.split("\n", 1)
        return "\n".join([f"{first} [{told}]", *below])


class _Json(logging.Formatter):
    """One object a line, for programs."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._where = {"node": socket.gethostname(), "role": role}

    def format(self, record: logging.LogRecord) -> str:
        """The line; `exception` is there where something broke."""
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "ts": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": clean(record.getMessage()),
            **_IDS.get(),
            **self._where,
        }
        trace = self.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else record.exc_text
        if trace:
            line["exception"] = clean(trace)
        return json.dumps(line, ensure_ascii=False)


class _Passing(logging.Logger):
    """A logger that is made later: it has no handler of its own, whoever wants to give it one."""

    def addHandler(self, hdlr: logging.Handler) -> None:  # noqa: N802 -- its name there
        """Nothing: its lines go where those of all go."""

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, True if name == "propagate" else value)
