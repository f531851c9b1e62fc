"""Adds up what is written into the files of a pack, so that it can be compared with the books; pure."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.analyst_pack.asked import Asked
from core.analyst_pack.columns import Table

Columns = Mapping[str, Sequence[Any]]
"""Name of a column -> its values, as they were read."""


class Tallies:
    """The rows of each file, and sums under names that `core.analyst_pack.checks` compares."""

    def __init__(self, asked: Asked) -> None:
        self.rows: Counter[str] = Counter()
        self.sums: Counter[tuple[str, ...]] = Counter()
        """(file, what, of what) -> sum."""
        self._asked = asked

    def add(self, table: Table, columns: Sequence[Sequence[Any]]) -> None:
        """Count some rows, given column by column, before anything in them was hidden."""
        self.rows[table.name] += len(columns[0]) if columns else 0
        if (count := _OF_TABLE.get(table.name)) is not None:
            named = {each.name: values for each, values in zip(table.columns, columns, strict=True)}
            count(self, named)

    def _ledger(self, of: Columns) -> None:
        sums = self.sums
        moved = ("kind", "workspace_id", "amount_credits", "available_change", "held_change")
        for kind, workspace_id, amount, available, held in zip(*(of[name] for name in moved), strict=True):
            sums["ledger", "kind", kind] += amount
            sums["ledger", "available", workspace_id] += available
            sums["ledger", "held", workspace_id] += held

    def _accounts(self, of: Columns) -> None:
        for place, workspace_id in enumerate(of["workspace_id"]):
            for what in ("available", "held"):
                moved = of[f"closing_{what}_credits"][place] - of[f"opening_{what}_credits"][place]
                self.sums["accounts", what, workspace_id] += moved
                self.sums["accounts", "now", what] += of[f"{what}_credits"][place]

    def _usage_days(self, of: Columns) -> None:
        figures = ("workspace_id", "settled_credits", "released_credits")
        for workspace_id, settled, released in zip(*(of[name] for name in figures), strict=True):
            self.sums["usage_days", "settle", workspace_id] += settled
            self.sums["usage_days", "release", workspace_id] += released

    def _clips(self, of: Columns) -> None:
        begin, end = self._asked.begin, self._asked.end
        for status, credits, ended_at in zip(of["status"], of["credits"], of["ended_at"], strict=True):
            is_in = ended_at is not None and (begin is None or end is None or begin <= ended_at < end)
            self.sums["clips", "ended" if is_in else "other", status] += credits

    def _budgets(self, of: Columns) -> None:
        for scope, taken in zip(of["scope"], of["taken_credits"], strict=True):
            self.sums["budgets", "taken", scope] += taken

    def _judgements(self, of: Columns) -> None:
        for verdict in of["verdict"]:
            self.sums["judgements", "verdict", verdict] += 1

    def of(self, *names: str) -> dict[str, int]:
        """The sums below a name, those that are 0 left out."""
        return {key[-1]: total for key, total in self.sums.items() if key[:-1] == names and total}


_OF_TABLE: Mapping[str, Callable[[Tallies, Columns], None]] = {
    "ledger": Tallies._ledger,
    "accounts": Tallies._accounts,
    "usage_days": Tallies._usage_days,
    "clips": Tallies._clips,
    "budgets": Tallies._budgets,
    "judgements": Tallies._judgements,
}
