"""What the log of administrative acts looks like as a file: lines for spreadsheets, or JSON a line for programs.

It is read a batch at a time, each with a session of its own, so that neither memory nor a transaction holds all of it.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from core import db
from core.audit import log_entries
from core.audit.log_entries import LogLine, LogQuery
from core.usage.spreadsheet import Line, SpreadsheetFormat, write
from core.workspaces.access import Member

BATCH = 500

COLUMNS = (
    "time_utc",
    "actor",
    "action",
    "said",
    "target",
    "target_id",
    "workspace",
    "workspace_id",
    "address",
    "request_id",
    "before",
    "after",
    "actor_id",
    "id",
)


def every(member: Member, chosen: LogQuery) -> Iterator[LogLine]:
    """All entries that fit, in order; Forbidden for who may not read the log."""
    behind = None
    while True:
        with db.read_session() as session:
            lines = log_entries.page(session, member, chosen, behind=behind, limit=BATCH)
        yield from lines
        if len(lines) < BATCH:
            return
        behind = lines[-1].place


def spreadsheet(
    member: Member, chosen: LogQuery, form: SpreadsheetFormat, *, limit: int | None = None
) -> Iterator[bytes]:
    """All entries that fit, or the first so many of them, as a file in pieces."""
    return write(_lines(islice(every(member, chosen), limit)), form)


def json_lines(member: Member, chosen: LogQuery) -> Iterator[bytes]:
    """All entries that fit, each as a JSON object in a line of its own (ndjson)."""
    for line in every(member, chosen):
        yield json.dumps(as_json(line), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def as_json(line: LogLine) -> dict[str, Any]:
    """An entry as programs read it, the same in a page and in a stream."""
    entry = line.entry
    return {
        "id": entry.id,
        "at": entry.at.isoformat().replace("+00:00", "Z"),
        "actor": entry.actor,
        "actorId": entry.actor_id,
        "action": entry.action,
        "said": str(line.said),
        "target": entry.target,
        "targetId": entry.target_id,
        "workspaceId": entry.workspace_id,
        "workspaceName": line.workspace or None,
        "address": entry.address,
        "requestId": entry.request_id,
        "before": entry.before,
        "after": entry.after,
    }


def _lines(lines: Iterable[LogLine]) -> Iterator[Line]:
    yield COLUMNS
    for line in lines:
        entry = line.entry
        yield [
            entry.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            entry.actor,
            entry.action,
            str(line.said),
            entry.target,
            entry.target_id or "",
            line.workspace,
            entry.workspace_id or "",
            entry.address,
            entry.request_id or "",
            _details(entry.before),
            _details(entry.after),
            entry.actor_id or "",
            entry.id,
        ]


def _details(values: dict[str, Any] | None) -> str:
    return "" if values is None else json.dumps(values, ensure_ascii=False, separators=(", ", ": "))
