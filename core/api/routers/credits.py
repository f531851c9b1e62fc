"""Balance and movements of credits over REST."""

from typing import Annotated

from fastapi import Query
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from core import audit_log, db
from core.api.http import routing
from core.api.http.attachments import attachment
from core.api.http.auth import CurrentMember
from core.api.openapi.answers import sends_sheet
from core.api.schemas import fields, requests, responses
from core.billing import ledger, months
from core.catalog import price_list
from core.usage import export, statement
from core.usage.spreadsheet import Separator, SpreadsheetFormat

router = routing.router("credits")


class StatementQuery(requests.Query):
    """Which month (UTC; all of them by default), and as what; `separator` is for CSV alone.

    With `semicolon` decimals have a comma, as spreadsheets in Indonesian and most of Europe's languages read them.
    """

    month: Annotated[str, Field(pattern=months.PATTERN, examples=["2026-10"])] | None = None
    format: SpreadsheetFormat = SpreadsheetFormat.CSV
    separator: Separator = Separator.COMMA


class Balance(responses.ApiModel):
    """Credits that can be spent, and credits reserved for generations in progress."""

    available: Annotated[int, Field(examples=[96_750])]
    held: fields.Credits
    idr_per_credit: Annotated[int, Field(examples=[price_list.IDR_PER_CREDIT])]


class CreditsAnswer(responses.Response):
    """The balance."""

    credits: Balance


class EntriesAnswer(responses.Response):
    """A page of movements, newest first; `nextCursor` asks for the next one."""

    entries: list[responses.LedgerEntryShape]
    next_cursor: fields.TextOrNull


@router.get("/credits")
def get_credits(member: CurrentMember) -> CreditsAnswer:
    """Get the balance: available credits and credits reserved for generations in progress."""
    with db.read_session() as session:
        balance = ledger.balance(session, member.workspace_id)
    return CreditsAnswer(
        credits=Balance(
            available=balance.available_credits, held=balance.held_credits, idr_per_credit=price_list.IDR_PER_CREDIT
        )
    )


@router.get("/credits/entries")
def list_entries(member: CurrentMember, query: Annotated[requests.LedgerQuery, Query()]) -> EntriesAnswer:
    """List credit movements, newest first, a page at a time."""
    with db.read_session() as session:
        rows = ledger.entries(session, member.workspace_id, before_id=query.cursor, limit=query.limit + 1)
    page = rows[: query.limit]
    return EntriesAnswer(
        entries=[responses.LedgerEntryShape.of(row) for row in page],
        next_cursor=str(page[-1].id) if len(rows) > query.limit else None,
    )


@router.get("/credits/statement", response_class=StreamingResponse, responses=sends_sheet())
def get_statement(member: CurrentMember, query: Annotated[StatementQuery, Query()]) -> Response:
    """Get every movement of credits of a month, or of all months, oldest first, as a file for a spreadsheet.

    Each says when, what, how much, the balance after it, who and why, and of its clip the project, model, prompt and
    person.
    """
    rows = statement.of_period(member, query.month)
    details = {"month": query.month} if query.month else {}
    audit_log.record_export(
        member.user, what="credits", workspace_id=member.workspace_id, format=query.format, **details
    )
    name = f"credits-{query.month or 'all'}.{query.format}"
    pieces = export.statement(rows, query.format, query.separator)
    return attachment(pieces, name=name, media_type=query.format.media_type)
