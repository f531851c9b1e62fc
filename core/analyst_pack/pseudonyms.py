"""Replaces who and what a row is about by keyed hashes; pure. Nobody without SECRET_KEY can make them or undo them.

The same person has the same pseudonym in every pack of a family: those of the whole installation, or those of one
workspace. Between families, and once SECRET_KEY was changed, nothing tells that two pseudonyms are of one.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from core.analyst_pack.columns import Column, Hidden, Table

CHARS = 16
"""So many hexadecimal digits: 64 bits, of which a million things have two alike once in 37 million packs."""

_OF_SCOPE = {"workspace": Hidden.WORKSPACE, "project": Hidden.PROJECT, "member": Hidden.PERSON}
_KEPT = 100_000
"""So many pseudonyms are known at once: clips, which are more, are met in one row of a file each."""


class Pseudonyms:
    """Those of one family; `workspace_id` None is that of the whole installation."""

    def __init__(self, secret: bytes, workspace_id: str | None) -> None:
        said = f"analyst-pack-pseudonyms\n{workspace_id or 'installation'}"
        key = hmac.digest(secret, said.encode(), hashlib.sha256)

        @lru_cache(maxsize=_KEPT)
        def of(kind: Hidden, value: str) -> str:
            digest = hmac.digest(key, f"{kind.value}\n{value}".encode(), hashlib.sha256)
            return f"{kind.value}-{digest.hex()[:CHARS]}"

        self.of: Callable[[Hidden, str], str] = of

    def hide(self, table: Table, columns: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
        """The values of some rows, column by column, with what is hidden replaced; empty stays empty."""
        at = {each.name: place for place, each in enumerate(table.columns)}
        return [
            values
            if each.hidden is None
            else self._hidden(each, [columns[at[each.names or each.name]], *_beside(each, at, columns)])
            for each, values in zip(table.columns, columns, strict=True)
        ]

    def _hidden(self, column: Column, values: Sequence[Sequence[Any]]) -> list[str | None]:
        ids = values[0]
        if column.hidden is Hidden.LEFT_OUT:
            return [None] * len(ids)
        if column.hidden is Hidden.BY_SCOPE:
            return [self._one(_OF_SCOPE[scope], id_) for id_, scope in zip(ids, values[1], strict=True)]
        assert column.hidden is not None, "the value itself is kept elsewhere"  # noqa: S101 -- for the type checker
        return [self._one(column.hidden, id_) for id_ in ids]

    def _one(self, kind: Hidden, value: str | None) -> str | None:
        return self.of(kind, value) if value else value


def _beside(column: Column, at: dict[str, int], columns: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """What else is needed to know of which kind an id is."""
    return [columns[at["scope"]]] if column.hidden is Hidden.BY_SCOPE else []
