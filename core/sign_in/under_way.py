"""Sign-ins that a browser has begun and not ended, in the signed cookie of the sign-in app: a few, each for minutes.

Several, since people open several tabs; each is taken out when its answer comes, so that no answer counts twice.
"""

import re
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

MAX_UNDER_WAY = 3
_PATH_LIMIT_CHARS = 500
"""With the address of the provider, all of it has to fit into the 4 KB that proxies take of an answer's head."""

_PATH = re.compile(r"/(?![/\\])[\x21-\x7e]*")


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A sign-in with the provider of this key; `next_path` is where it leads, below the address of the installation."""

    issuer_key: str
    nonce: str
    verifier: str
    next_path: str


def keep(cookie: MutableMapping[str, Any], state: str, begun: UnderWay) -> None:
    """Remember a sign-in by its state; the oldest goes when there are many."""
    kept = [item for item in _kept(cookie) if item[0] != state][-(MAX_UNDER_WAY - 1) :]
    cookie["under_way"] = [*kept, [state, begun.issuer_key, begun.nonce, begun.verifier, begun.next_path]]


def take(cookie: MutableMapping[str, Any], state: str) -> UnderWay | None:
    """The sign-in of this state, once; None when this browser has begun none such."""
    kept = _kept(cookie)
    if left := [item for item in kept if item[0] != state]:
        cookie["under_way"] = left
    else:
        cookie.pop("under_way", None)
    found = next((item for item in kept if state and item[0] == state), None)
    return None if found is None else UnderWay(*found[1:])


def local_path(value: str | None) -> str:
    """A path of ours, with its query, to go on to; the root for everything else, which could lead to another site."""
    if value and len(value) <= _PATH_LIMIT_CHARS and _PATH.fullmatch(value):
        return value
    return "/"


def _kept(cookie: MutableMapping[str, Any]) -> list[list[str]]:
    return list(cookie.get("under_way", []))
