"""What a look through a table found, line by line, and what empty cells of it mean; values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any

from core import errors
from core.errors import FieldProblem
from core.generations.sheets.columns import Column
from core.generations.sheets.tables import Line, Table
from core.generations.submit import Order
from core.messages import Message, message

Allowed = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What an empty cell means, and one of a column that is not there; None is what the model does by itself."""

    project_id: str | None = None
    model_id: str | None = None
    resolution: str | None = None
    duration_seconds: int | None = None
    aspect_ratio: str | None = None
    generate_audio: bool = False
    enhance_prompt: bool = False

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Defaults":
        """As it was kept; what another version wrote and nobody knows today is left aside."""
        return cls(**{each.name: kept[each.name] for each in fields(cls) if each.name in kept})


@dataclass(frozen=True, slots=True)
class CellNote:
    """What is said of a cell: `head` is its column as the table names it, `allowed` what would be right, if known."""

    head: str
    column: Column
    message: Message
    allowed: Allowed = ()


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """A line with the orders that it makes, one a variation; none, and no price, while it has `faults`."""

    place: int
    line: Line
    orders: tuple[Order, ...] = ()
    credits: int = 0
    tags: tuple[str, ...] = ()
    note: str = ""
    faults: tuple[CellNote, ...] = ()
    remarks: tuple[CellNote, ...] = ()


@dataclass(frozen=True)
class CheckedTable:
    """A table with what each of its lines comes to."""

    table: Table
    defaults: Defaults
    lines: tuple[CheckedLine, ...] = field(repr=False)

    @property
    def faulty(self) -> list[CheckedLine]:
        """The lines that need a change before anything can be ordered."""
        return [line for line in self.lines if line.faults]

    @cached_property
    def clip_count(self) -> int:
        """How many clips its good lines order."""
        return sum(len(line.orders) for line in self.lines)

    @cached_property
    def total_credits(self) -> int:
        """The price of its good lines."""
        return sum(line.credits for line in self.lines)

    def refusal(self, *, max_clips: int) -> errors.InvalidRequest | None:
        """Why it cannot be ordered, whatever there is to pay with: None where it can."""
        if faulty := self.faulty:
            said = {
                f"rows.{line.line.number}.{fault.column}": fault.message for line in faulty for fault in line.faults
            }
            problems = [
                FieldProblem(f"rows.{line.line.number}.{fault.column}", fault.message, "cell", fault.allowed)
                for line in faulty
                for fault in line.faults
            ]
            return errors.InvalidRequest(message("sheet_has_faults", rows=len(faulty)), fields=said, problems=problems)
        if not self.clip_count:
            return errors.InvalidRequest(fields={"rows": message("sheet_orders_nothing")})
        if self.clip_count > max_clips:
            too_many = message("sheet_too_many_clips", clips=self.clip_count, limit=max_clips)
            return errors.InvalidRequest(fields={"rows": too_many})
        return None
