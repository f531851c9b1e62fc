"""What a column of the analyst pack can be: its type in files and in the database, and how a pseudonym replaces it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Boolean, Date, String, Text, column, table
from sqlalchemy.sql.expression import TableClause
from sqlalchemy.types import TypeEngine

from core.db.types import UtcDateTime


class Kind(StrEnum):
    """What a column holds; its value is how the dictionary names it."""

    TEXT = "text"
    WORD = "word"
    """One of few: kept once a file and pointed to from each row."""
    INTEGER = "int64"
    BOOLEAN = "boolean"
    MOMENT = "timestamp in UTC"
    DAY = "date"

    @property
    def sql_type(self) -> TypeEngine[Any]:
        """How the views are read."""
        return _SQL_TYPES[self]


_SQL_TYPES: dict[Kind, TypeEngine[Any]] = {
    Kind.TEXT: Text(),
    Kind.WORD: String(),
    Kind.INTEGER: BigInteger(),
    Kind.BOOLEAN: Boolean(),
    Kind.MOMENT: UtcDateTime(),
    Kind.DAY: Date(),
}


class Hidden(StrEnum):
    """What stands in place of a value in a pseudonymous pack, None for the value itself: a keyed hash of a kind.

    A name is replaced by the pseudonym of what it names, so its column says beside which id it stands.
    """

    PERSON = "person"
    WORKSPACE = "workspace"
    PROJECT = "project"
    CLIP = "clip"
    PRESS = "press"
    COST_CENTRE = "cost-centre"
    LEFT_OUT = "left out"
    """Empty."""
    BY_SCOPE = "by scope"
    """The id of a workspace, project or person, as the column `scope` of its row says."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name and meaning are published and stay. `names` is the column whose id it is the name of."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    hidden: Hidden | None = None
    names: str | None = None
    in_view: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A file of the pack and the view of the same rows, where it has one; `key` tells its rows apart and orders them.

    `moments` are the columns of which one has to lie in the period, `day` or `month` that which has to, none for a file
    that is the same whatever the period.
    """

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    moments: tuple[str, ...] = ()
    day: str | None = None
    month: str | None = None
    has_view: bool = True

    @property
    def view_name(self) -> str:
        """What it is called in the database."""
        return f"analyst_{self.name}"

    @property
    def viewed(self) -> tuple[Column, ...]:
        """The columns that the view has, too."""
        return tuple(each for each in self.columns if each.in_view)

    @property
    def view(self) -> TableClause:
        """The view as statements read it."""
        return table(self.view_name, *(column(each.name, each.kind.sql_type) for each in self.viewed))


def id_of(name: str, of: Hidden, meaning: str) -> Column:
    """An id, which has a pseudonym of its own."""
    return Column(name, Kind.WORD if of is not Hidden.CLIP else Kind.TEXT, meaning, hidden=of)


def name_of(name: str, id_column: str, of: Hidden, meaning: str) -> Column:
    """A name, in place of which the pseudonym of its id stands."""
    return Column(name, Kind.WORD, meaning, hidden=of, names=id_column)


def credits(name: str, meaning: str, *, in_view: bool = True) -> Column:
    """Whole credits."""
    return Column(name, Kind.INTEGER, meaning, "credits", in_view=in_view)


def whole(name: str, meaning: str, unit: str = "") -> Column:
    """A whole number."""
    return Column(name, Kind.INTEGER, meaning, unit)


def word(name: str, meaning: str) -> Column:
    """One of few words, or empty."""
    return Column(name, Kind.WORD, meaning)


def moment(name: str, meaning: str) -> Column:
    """A time."""
    return Column(name, Kind.MOMENT, meaning)


def yes(name: str, meaning: str) -> Column:
    """Whether it is so."""
    return Column(name, Kind.BOOLEAN, meaning)
