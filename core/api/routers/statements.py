"""Vendors' statements over REST: brought and compared, looked through, and their differences taken into costs."""

from typing import Annotated

from fastapi import Form, Query
from starlette.responses import Response

from core import audit_log, db
from core.api.http import routing
from core.api.http.attachments import attachment
from core.api.http.auth import CurrentMember, PathId
from core.api.openapi.answers import leads_to, next_page, refuses, sends_sheet
from core.api.schemas import statements as shapes
from core.db.enums import LineOutcome
from core.generations.sheets.tables import MAX_FILE_BYTES
from core.statements import accepting, listing, result_file, uploads
from core.statements.columns import guess
from core.statements.reading import StatementFile
from core.usage import spreadsheet
from core.usage.spreadsheet import SpreadsheetFormat

router = routing.router("statements")

_LEADS = leads_to("getVendorStatement", "listStatementLines", "acceptStatementLines", id_at="statement/id")


@router.get("/statements", responses=refuses(403))
def list_vendor_statements(member: CurrentMember) -> shapes.StatementsAnswer:
    """List the statements of providers, newest month first, for analysts and administrators."""
    with db.read_session() as session:
        found = listing.statements(session, member)
    return shapes.StatementsAnswer(statements=[shapes.StatementShape.of(one) for one in found])


@router.post("/statements", responses=refuses(403, 409) | {200: {"links": _LEADS}})
def upload_vendor_statement(
    member: CurrentMember, upload: Annotated[shapes.StatementUpload, Form(media_type="multipart/form-data")]
) -> shapes.StatementAnswer:
    """Bring a provider's statement for a month (UTC) and compare it with the clips that were sent there.

    For administrators. Nothing is booked. The same file read the same way is the statement that there is; another one
    for the month takes its place, but for what was accepted. A line with a cell that cannot be read is kept as
    `unreadable`.
    """
    file = StatementFile(upload.file.file.read(MAX_FILE_BYTES + 1))
    with db.read_session() as session:
        kept = uploads.last_settings(session, member, upload.provider)
    settings = upload.settings(guess(upload.provider, upload.month, file.heads, file.sample, kept))
    with db.write_session() as session:
        statement_id = uploads.upload(
            session,
            member,
            file,
            provider=upload.provider,
            month=upload.month,
            settings=settings,
            name=upload.file.filename or "",
        ).id
    return _answer(member, statement_id)


@router.get("/statements/{id}", responses=refuses(403, 404))
def get_vendor_statement(member: CurrentMember, statement_id: PathId) -> shapes.StatementAnswer:
    """Get a statement with counts and money by what its lines are, for analysts and administrators."""
    return _answer(member, statement_id)


@router.delete("/statements/{id}", responses=refuses(403, 404, 409))
def discard_vendor_statement(member: CurrentMember, statement_id: PathId) -> shapes.DiscardedAnswer:
    """Discard a statement of which nothing was ever accepted, for administrators."""
    with db.write_session() as session:
        uploads.discard(session, member, statement_id)
    return shapes.DiscardedAnswer()


@router.get(
    "/statements/{id}/lines",
    response_model=shapes.LinesAnswer,
    responses=refuses(403, 404) | {200: sends_sheet()[200] | {"links": next_page("listStatementLines")}},
)
def list_statement_lines(
    member: CurrentMember, statement_id: PathId, query: Annotated[shapes.LinesQuery, Query()]
) -> shapes.LinesAnswer | Response:
    """List the lines of a statement with what each was matched with, a page at a time, or all as CSV or XLSX.

    For analysts and administrators. `outcome` leaves one kind of them; no cell of a file is a formula.
    """
    if query.format is not shapes.LinesFormat.JSON:
        return _file(member, statement_id, query)
    with db.read_session() as session:
        some = listing.lines(
            session,
            member,
            statement_id,
            outcomes=_outcomes(query),
            gone=query.gone,
            after_id=query.cursor or "",
            limit=query.limit + 1,
        )
    page = some[: query.limit]
    return shapes.LinesAnswer(
        lines=[shapes.LineShape.of(line) for line in page],
        next_cursor=page[-1].row.id if len(some) > query.limit else None,
    )


@router.post("/statements/{id}/compare", responses=refuses(403, 404, 409))
def compare_vendor_statement(member: CurrentMember, statement_id: PathId) -> shapes.StatementAnswer:
    """Compare a statement with the clips as they are now, for administrators; what was accepted stays."""
    with db.write_session() as session:
        uploads.compare_again(session, member, statement_id)
    return _answer(member, statement_id)


@router.post("/statements/{id}/accept", responses=refuses(403, 404, 409))
def accept_statement_lines(
    member: CurrentMember, statement_id: PathId, body: shapes.AcceptLines
) -> shapes.BookedAnswer:
    """Take differences of a statement into costs, all of these lines or none, for administrators.

    A row of cost a line, in the month of its clip or, once that is closed, in this one. No credits and no budgets move.
    Lines that were accepted already stay as they are, so that the same call may be sent again.
    """
    with db.write_session() as session:
        booked = accepting.accept(session, member, statement_id, line_ids=body.line_ids, reason=body.reason)
    return shapes.BookedAnswer.of(booked)


@router.post("/statements/{id}/undo", responses=refuses(403, 404, 409))
def undo_statement_lines(member: CurrentMember, statement_id: PathId, body: shapes.AcceptLines) -> shapes.BookedAnswer:
    """Take accepted differences out of costs again, by rows with the opposite amounts, for administrators."""
    with db.write_session() as session:
        booked = accepting.undo(session, member, statement_id, line_ids=body.line_ids, reason=body.reason)
    return shapes.BookedAnswer.of(booked)


def _answer(member: CurrentMember, statement_id: str) -> shapes.StatementAnswer:
    with db.read_session() as session:
        return shapes.StatementAnswer.of(listing.summary(session, member, statement_id))


def _outcomes(query: shapes.LinesQuery) -> tuple[LineOutcome, ...]:
    return () if query.outcome is None else (query.outcome,)


def _file(member: CurrentMember, statement_id: str, query: shapes.LinesQuery) -> Response:
    with db.read_session() as session:
        statement = listing.get(session, member, statement_id)
    form = SpreadsheetFormat(query.format.value)
    lines = listing.every_line(member, statement_id, outcomes=_outcomes(query))
    audit_log.record_export(member.user, what="statement", statement=statement.id, format=form)
    name = f"statement-{statement.provider}-{statement.month}.{form}"
    return attachment(spreadsheet.write(result_file.rows(lines), form), name=name, media_type=form.media_type)
