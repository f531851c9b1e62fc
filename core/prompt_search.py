"""Finds generations by the words of their prompts, with the index that each database has for it.

Every word that is looked for must begin a word of the prompt, in any order; case does not matter. What is not a letter
or a digit only separates words, so nothing that a person types is query syntax.

SQLite: FTS5 (https://www.sqlite.org/fts5.html). Its index knows person, project, model, end and verdict, too, so
it walks the intersection of all of them, newest first, and stops when a page is full: neither a word in a million
prompts nor one in none of a person's is ever collected. PostgreSQL: a GIN index over `to_tsvector('simple', prompt)`;
whether that or the newest rows are walked is its planner's decision.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, column, func, literal_column, select, table

from core.models import Generation

_WORD = re.compile(r"[^\W_]+")
_INDEX = table("generation_words", column("rowid"), column("generation_id"), column("generation_words"))


@dataclass(frozen=True, slots=True)
class Found:
    """A narrowed query, and how it is walked: `place` orders its rows by age."""

    query: Select[Any]
    place: ColumnElement[str] | ColumnElement[int]

    def place_of(self, generation_id: str) -> ColumnElement[str] | ColumnElement[int] | str:
        """Where a generation stands in that order."""
        if self.place is not _INDEX.c.rowid:
            return generation_id
        return select(_INDEX.c.rowid).where(_matches(f"keys : {_key(generation_id)}")).scalar_subquery()


def words(text: str) -> list[str]:
    """The words of what somebody typed."""
    return _WORD.findall(text)


def narrow(
    query: Select[Any],
    text: str,
    *,
    is_postgresql: bool,
    owner_id: str,
    marks: Sequence[Collection[str]] = (),
) -> Found:
    """Only those of `query` whose prompt has a word beginning with each word of `text`; none, if it has no word.

    `query` must itself be restricted to the person or project of `owner_id`, and to what `marks` say: here these only
    make the search quick. `marks` are groups of: ended statuses, `favourite`, `kept`, `rejected`, models and providers
    as `mark` writes them; one of each group must fit.
    """
    wanted = words(text)
    if is_postgresql:
        simple: ColumnElement[str] = literal_column("'simple'")
        asked = func.to_tsquery(simple, " & ".join(f"'{word}':*" for word in wanted))
        return Found(
            query.where(func.to_tsvector(simple, Generation.prompt).bool_op("@@")(asked)), Generation.id.expression
        )
    begins = " AND ".join(f'"{word}" *' for word in wanted) or '""'
    keys = [_key(owner_id), *(f"({' OR '.join(f'x{mark}' for mark in group)})" for group in marks)]
    asked_for = f"prompt : ({begins}) AND keys : ({' AND '.join(keys)})"
    joined = query.join(_INDEX, _INDEX.c.generation_id == Generation.id).where(_matches(asked_for))
    return Found(joined, _INDEX.c.rowid)


def mark(kind: str, id_: str) -> str:
    """A model (`m`) or a provider (`p`) as one word of the index."""
    return kind + re.sub(r"[^0-9a-z]", "", id_.lower())


def _matches(query: str) -> ColumnElement[bool]:
    return _INDEX.c.generation_words.bool_op("MATCH")(query)


def _key(id_: str) -> str:
    """An id as the one word that it is in the index."""
    return '"' + re.sub(r"[^0-9a-z]", "", id_) + '"'
