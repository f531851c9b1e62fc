"""Finds generations by the words of their prompts, with the index that each database has for it.

Every word that is looked for must begin a word of the prompt, in any order. Both are compared in the one normal form of
`core.normal_form`, which makes the words, too: `Generation.prompt_words` holds those of a prompt, and the databases
only take them apart at the spaces. So both find the same, and nothing that a person types is query syntax.

SQLite: FTS5 (https://www.sqlite.org/fts5.html). Its index knows workspace, maker, project, model, end, verdict and
findings, too, so it walks the intersection of all of them, newest first, and stops when a page is full: neither a word
in a million prompts nor one in none of a workspace's is ever collected. Only for a beginning that is longer than those
it has an index of would it collect all there are, 5 to 18 ms among a million prompts: so the words that begin so are
listed, and looked for as what they are, in 0.2 ms (SQLite 3.40, the middle of 15).

PostgreSQL: the newest rows are walked, and only where they do not fill a page, a GIN index over
the array of its words is asked for all: left to its planner, which takes every beginning of a word for a
common one, it walked through a million prompts for 6 s (`benchmarks/browse.py`).
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    ScalarSelect,
    Select,
    String,
    case,
    cast,
    column,
    delete,
    func,
    literal,
    literal_column,
    select,
    table,
    union_all,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from core import normal_form
from core.db import WriteSession
from core.db.tables import Generation

WALKED_ROWS = 2000
"""So many of the newest rows are walked on PostgreSQL before the index is asked: about 12 ms, measured."""

INDEXED_CHARS = 4
"""Beginnings of words up to this length have an index of their own in SQLite (migration 0002)."""

LISTED_WORDS = 40
"""Where more words than this begin so, they are not listed."""

_INDEX = table("generation_words", column("rowid"), column("generation_id"), column("generation_words"))
_TERMS = table("generation_words_terms", column("term", String))


@dataclass(frozen=True, slots=True)
class Found:
    """A narrowed query, and how it is walked: `place` orders its rows by age.

    `has` is what its prompts must still fulfil; `first` sees to it. `walks` are queries that together have the same
    rows, each walked by an index of its own, where one index does not hold all of them in their order.
    """

    query: Select[Any]
    place: ColumnElement[str] | ColumnElement[int]
    has: Callable[[ColumnElement[str]], ColumnElement[bool]] | None = None
    walks: tuple[Select[Any], ...] = ()

    def where(self, condition: ColumnElement[bool]) -> "Found":
        """A part of it."""
        return replace(
            self, query=self.query.where(condition), walks=tuple(walk.where(condition) for walk in self.walks)
        )

    def first(self, count: int, *, newest: bool) -> Select[Any]:
        """The `count` newest rows, else the oldest, in that order."""

        def in_order(column: ColumnElement[Any]) -> ColumnElement[Any]:
            return column.desc() if newest else column.asc()

        def walked_up_to(most: int, *columns: Any) -> Select[Any]:
            """These columns of the first rows of every walk, merged."""
            walks = [
                walk.with_only_columns(*columns).order_by(in_order(self.place)).limit(most)
                for walk in self.walks or (self.query,)
            ]
            if len(walks) == 1:
                return walks[0]
            # Each in a subquery of its own: SQLite takes no ORDER BY and LIMIT of a part of a UNION.
            merged = union_all(*(select(walk.subquery()) for walk in walks)).subquery("merged")
            return select(merged).order_by(in_order(merged.c.id)).limit(most)

        if self.has is None and not self.walks:
            return self.query.order_by(in_order(self.place)).limit(count)
        shown = select(*self.query.selected_columns).order_by(in_order(Generation.id.expression))
        if self.has is None:
            ids = walked_up_to(count, Generation.id).subquery("ids")
            return shown.where(Generation.id.in_(select(ids.c.id)))
        walked = walked_up_to(WALKED_ROWS, Generation.id, Generation.prompt_words).subquery("walked")
        near = select(walked.c.id).where(self.has(walked.c.prompt_words)).order_by(in_order(walked.c.id)).limit(count)
        near_ids = near.cte("near").prefix_with("MATERIALIZED")
        is_short = _number_of(near_ids) < count
        far = self.query.with_only_columns(Generation.id).where(
            is_short, _number_of(walked) == WALKED_ROWS, self.has(Generation.prompt_words.expression)
        )
        far_ids = far.cte("far").prefix_with("MATERIALIZED")
        found = select(near_ids.c.id).union(select(far_ids.c.id)).subquery("found")
        # Cut here, too, or the planner expects thousands to join and walks the whole table beside them.
        cut = select(found.c.id).order_by(in_order(found.c.id)).limit(count)
        return shown.where(Generation.id.in_(cut))

    def place_of(self, generation_id: str) -> ColumnElement[str] | ColumnElement[int] | str:
        """Where a generation stands in that order."""
        if self.place is not _INDEX.c.rowid:
            return generation_id
        return select(_INDEX.c.rowid).where(_matches(f"keys : {_key(generation_id)}")).scalar_subquery()


def narrow(
    found: Found,
    text: str,
    *,
    is_postgresql: bool,
    owner_ids: Collection[str],
    maker_id: str | None = None,
    marks: Sequence[Collection[str]] = (),
) -> Found:
    """Only those of `found` whose prompt has a word beginning with each word of `text`; none, if it has no word.

    `found` must itself be restricted to these workspaces, or this project, and to what the others say: here they only
    make the search quick. `marks` are groups of: ended statuses, `favourite`, `kept`, `rejected`, models, providers and
    kinds of findings as `mark` writes them; one of each group must fit.
    """
    wanted = normal_form.words(text)
    if is_postgresql:
        asked = cast(" & ".join(f"'{word}':*" for word in wanted), TSQUERY)
        return replace(found, has=lambda prompt_words: _vector(prompt_words).bool_op("@@")(asked))
    keys = [
        f"({' OR '.join(map(_key, owner_ids))})",
        *(f"({' OR '.join(f'x{mark}' for mark in group)})" for group in marks),
    ]
    if maker_id is not None:
        # What is older than teams has no mark of its maker, but lies in their personal workspace, which has their id.
        keys.append(f"({_key(maker_id)} OR x{mark('u', maker_id)})")
    asked_for: ColumnElement[str] = literal(f"keys : ({' AND '.join(keys)})")
    for number, word in enumerate(wanted or [""]):
        asked_for = asked_for + literal(" AND prompt : (") + _beginning_with(word, number) + literal(")")
    joined = found.query.join(_INDEX, _INDEX.c.generation_id == Generation.id).where(_matches(asked_for))
    return Found(joined, _INDEX.c.rowid)


def _vector(prompt_words: ColumnElement[str]) -> ColumnElement[Any]:
    """The words as PostgreSQL searches them; written as in the index, which is used only for the very same words."""
    return func.array_to_tsvector(func.string_to_array(prompt_words, literal_column("' '")))


def forget(session: WriteSession, generation_ids: Sequence[str]) -> None:
    """Take generations that are about to be deleted out of SQLite's index of words, which no reference empties."""
    if session.get_bind().dialect.name == "postgresql":
        return
    for first in range(0, len(generation_ids), 500):  # databases limit their parameters
        session.execute(delete(_INDEX).where(_INDEX.c.generation_id.in_(generation_ids[first : first + 500])))


def mark(kind: str, id_: str) -> str:
    """A model (`m`), a provider (`p`), a maker (`u`) or a kind of finding (`f`) as one word of the index."""
    return kind + re.sub(r"[^0-9a-z]", "", id_.lower())


def _beginning_with(word: str, number: int) -> ColumnElement[str]:
    """What FTS5 is asked for to find the words that begin so; `number` tells the words of a text apart."""
    if len(word) <= INDEXED_CHARS:
        return literal(f'"{word}" *' if word else '""')

    def first_from(least: ColumnElement[str]) -> ScalarSelect[str]:
        return select(_TERMS.c.term).where(_TERMS.c.term >= least).order_by(_TERMS.c.term).limit(1).scalar_subquery()

    listed = select(first_from(literal(word)).label("term"), literal(1).label("nth")).cte(
        f"begins_{number}", recursive=True
    )
    # No letter or digit sorts before 0, so this is the least that can follow, however often a word occurs.
    following = select(first_from(listed.c.term + literal("0")), listed.c.nth + 1)
    listed = listed.union_all(following.where(_begins(listed.c.term, word), listed.c.nth <= LISTED_WORDS))
    words = func.group_concat(literal('"') + listed.c.term + literal('"'), " OR ")
    asked = case((func.count() > LISTED_WORDS, f'"{word}" *'), else_=func.coalesce(words, f'"{word}"'))
    return select(asked).where(_begins(listed.c.term, word)).scalar_subquery()


def _begins(term: ColumnElement[str], word: str) -> ColumnElement[bool]:
    return func.substr(term, 1, len(word)) == word


def _number_of(rows: FromClause) -> ScalarSelect[int]:
    return select(func.count()).select_from(rows).scalar_subquery()


def _matches(query: str | ColumnElement[str]) -> ColumnElement[bool]:
    return _INDEX.c.generation_words.bool_op("MATCH")(query)


def _key(id_: str) -> str:
    """An id as the one word that it is in the index."""
    return '"' + re.sub(r"[^0-9a-z]", "", id_) + '"'
