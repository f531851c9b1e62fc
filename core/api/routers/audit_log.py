"""The log of administrative acts over REST, for administrators: pages, files for spreadsheets, streams for programs."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from fastapi import Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from core import audit_log, db
from core.api.http import routing
from core.api.http.attachments import attachment
from core.api.http.auth import CurrentMember
from core.api.openapi.answers import next_page, refuses
from core.api.schemas import fields, requests, responses
from core.audit import log_entries, log_export
from core.audit.log_entries import LogLine, LogQuery, Place
from core.clock import utc_now
from core.usage.spreadsheet import SpreadsheetFormat
from core.workspaces.permissions import Action

router = routing.router("audit log")

JSON_LINES = "application/x-ndjson"


class LogFormat(StrEnum):
    """How entries are sent."""

    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    XLSX = "xlsx"


class AuditLogQuery(requests.Query):
    """Which entries, and which page of them; `until` is not included.

    `actor` is a person's id or address, or the name of a part of the system; `action` is one act such as `token.made`,
    or all of its kind: `token`. `text` stands in the name of who acted or of what was acted upon. `cursor` and `limit`
    are for pages alone: a file or a stream has everything that fits.
    """

    actor: requests.Word = ""
    action: requests.Word = ""
    workspace_id: requests.Word = ""
    target_id: requests.Word = ""
    text: requests.Word = ""
    since: requests.Moment | None = None
    until: requests.Moment | None = None
    oldest_first: bool = False
    format: LogFormat = LogFormat.JSON
    cursor: Annotated[str, Field(pattern=f"^{log_entries.CURSOR_PATTERN}$")] | None = None
    limit: requests.PageSize = 100

    def chosen(self) -> LogQuery:
        """The filters."""
        is_one_act = "." in self.action
        return LogQuery(
            actor=self.actor.strip(),
            noun="" if is_one_act else self.action,
            action=self.action if is_one_act else "",
            workspace_id=self.workspace_id,
            target_id=self.target_id,
            text=self.text,
            since=self.since,
            until=self.until,
            oldest_first=self.oldest_first,
        )


class AuditLogEntryShape(responses.ApiModel):
    """One administrative act: who did it, what, on what, from where, and what it changed; `said` is it in English.

    `actor` and `target` are what people called them at that moment.
    """

    id: int
    at: datetime
    actor: Annotated[str, Field(examples=["ana@example.org"])]
    actor_id: fields.TextOrNull
    action: Annotated[str, Field(examples=["member.role_changed"])]
    said: Annotated[str, Field(examples=["Changed a role in the workspace from viewer to maker"])]
    target: Annotated[str, Field(examples=["ben@example.org"])]
    target_id: fields.TextOrNull
    workspace_id: fields.TextOrNull
    workspace_name: fields.TextOrNull
    address: Annotated[str, Field(examples=["203.0.113.7"])]
    request_id: fields.TextOrNull
    before: Annotated[dict[str, Any] | None, Field(examples=[{"role": "viewer"}])]
    after: Annotated[dict[str, Any] | None, Field(examples=[{"role": "maker"}])]

    @classmethod
    def of(cls, line: LogLine) -> Self:
        """The shape of an entry."""
        return cls.model_validate(log_export.as_json(line))


class AuditLogAnswer(responses.Response):
    """A page of entries, newest first unless asked otherwise; `nextCursor` asks for the next one."""

    entries: list[AuditLogEntryShape]
    next_cursor: fields.TextOrNull


@router.get(
    "/audit-log",
    response_model=AuditLogAnswer,
    responses=refuses(403)
    | {
        200: {
            "content": {
                JSON_LINES: {"schema": {"type": "string"}},
                "text/csv": {"schema": {"type": "string"}},
                SpreadsheetFormat.XLSX.media_type: {"schema": {"type": "string", "format": "binary"}},
            },
            "links": next_page("listAuditLog"),
        }
    },
)
def list_audit_log(
    request: Request, member: CurrentMember, query: Annotated[AuditLogQuery, Query()]
) -> AuditLogAnswer | Response:
    """List administrative acts, for administrators: a page of JSON, or all as CSV, XLSX or JSON lines.

    `Accept: application/x-ndjson` asks for JSON lines as well: one object a line, sent while it is read. To follow the
    log, ask with `oldestFirst=true` and `since` some minutes before the last `at` you have, and leave out known ids.
    """
    member.require(Action.READ_AUDIT_LOG)
    chosen = query.chosen()
    if query.format is LogFormat.NDJSON or JSON_LINES in request.headers.get("accept", ""):
        return StreamingResponse(log_export.json_lines(member, chosen), media_type=JSON_LINES)
    if query.format is not LogFormat.JSON:
        form = SpreadsheetFormat(query.format)
        audit_log.record_export(member.user, what="audit_log", format=form)
        name = f"audit-log-{utc_now():%Y-%m-%d}.{form}"
        return attachment(log_export.spreadsheet(member, chosen, form), name=name, media_type=form.media_type)
    behind = None if query.cursor is None else Place.of_cursor(query.cursor)
    with db.read_session() as session:
        found = log_entries.page(session, member, chosen, behind=behind, limit=query.limit + 1)
    lines = found[: query.limit]
    return AuditLogAnswer(
        entries=[AuditLogEntryShape.of(line) for line in lines],
        next_cursor=lines[-1].place.cursor if len(found) > query.limit else None,
    )
