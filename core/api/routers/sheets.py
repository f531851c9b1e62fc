"""Tables of orders over REST: checked, ordered all or not at all, followed, and fetched with what came of them."""

from collections.abc import Collection, Iterator, Sequence
from typing import Annotated

from fastapi import Form, Query
from starlette.requests import Request
from starlette.responses import Response

from core import db
from core.api.http import addresses, idempotency, routing
from core.api.http.attachments import attachment
from core.api.http.auth import CurrentMember, PathId
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import leads_to, next_page, refuses, sends_file
from core.api.schemas import sheets as shapes
from core.db import ReadSession
from core.db.tables import Sheet
from core.generations.sheets import kept, ordering, progress, reading, result, variables
from core.generations.sheets.checked import CheckedLine, Defaults
from core.generations.sheets.progress import SheetClipRow
from core.generations.sheets.tables import MAX_FILE_BYTES, Line, Table
from core.installation import Installation
from core.usage import spreadsheet
from core.usage.spreadsheet import SpreadsheetFormat
from core.workspaces.access import Member

router = routing.router("sheets")


@router.post("/sheets", responses={200: {"links": leads_to("getSheet", "orderSheet", "cancelSheet", id_at="sheet/id")}})
def check_sheet(
    member: CurrentMember,
    installation: CurrentInstallation,
    upload: Annotated[shapes.SheetUpload, Form(media_type="multipart/form-data")],
) -> shapes.SheetAnswer:
    """Check a table of orders: what each row costs, and which cells need a change. Nothing is ordered.

    The other fields stand in for empty cells and missing columns. The same content again is the same table, ordered or
    not. Texts stay texts: no formula is ever computed.
    """
    data = upload.file.file.read(MAX_FILE_BYTES + 1)
    table = reading.read(data, max_rows=installation.settings.sheet_rows)
    return _keep(member, installation, table, upload.defaults(), upload.file.filename or "")


@router.post(
    "/sheets/from-prompt",
    responses={200: {"links": leads_to("getSheet", "orderSheet", "cancelSheet", id_at="sheet/id")}},
)
def check_prompt_sheet(
    member: CurrentMember, installation: CurrentInstallation, body: shapes.PromptSheet
) -> shapes.SheetAnswer:
    """Make a table of a prompt with variables and a list for each, and check it as `/sheets` does.

    Write `{{` for a brace that is meant as one.
    """
    table = variables.expand(body.prompt, body.lists, body.combine, max_rows=installation.settings.sheet_rows)
    return _keep(member, installation, table, body.defaults(), body.name)


@router.get("/sheets", responses={200: {"links": next_page("listSheets")}})
def list_sheets(member: CurrentMember, query: Annotated[shapes.SheetsQuery, Query()]) -> shapes.SheetsAnswer:
    """List the tables of the workspace, newest first, a page at a time."""
    with db.read_session() as session:
        page = kept.list_page(session, member, cursor=query.cursor, limit=query.limit)
    found = [
        shapes.SheetShape.of(sheet, clip_count=sheet.clip_count, total=sheet.total_credits) for sheet in page.sheets
    ]
    return shapes.SheetsAnswer(sheets=found, next_cursor=page.next_cursor)


@router.get("/sheets/{id}", responses=refuses(404))
def get_sheet(member: CurrentMember, installation: CurrentInstallation, sheet_id: PathId) -> shapes.SheetAnswer:
    """Get a table with its rows: checked anew before it was ordered, afterwards with its clips and how they go."""
    with db.read_session() as session:
        return _whole(session, member, kept.get(session, member, sheet_id), configured=installation.configured)


@router.post(
    "/sheets/{id}/order",
    status_code=202,
    response_model=shapes.OrderedSheetAnswer,
    responses=refuses(402, 404, 409, 413) | idempotency.says_so(202, {}),
)
def order_sheet(
    member: CurrentMember, installation: CurrentInstallation, sheet_id: PathId, body: shapes.OrderSheet
) -> Response:
    """Order all that a table says, or nothing; the price of all is reserved now.

    A table is ordered once: asked again, it is answered by what was ordered. A cell that needs a change is named with
    its row: `rows.17.duration`.
    """
    with db.read_session() as session:
        prepared = ordering.prepare(session, member, sheet_id, configured=installation.configured)
    with db.write_session() as session:
        sheet = ordering.order(
            session,
            member,
            prepared,
            configured=installation.configured,
            quota_bytes=installation.settings.storage_quota_bytes,
            max_clips=installation.settings.sheet_rows,
            shown_credits=body.expected_credits,
        )
    answer = shapes.OrderedSheetAnswer(
        sheet=shapes.SheetShape.of(sheet, clip_count=sheet.clip_count, total=sheet.total_credits),
        message=f"{sheet.total_credits:,} credits are reserved for {sheet.clip_count:,} clips.",
    )
    return routing.written(answer, status=202, headers=idempotency.headers(replayed=sheet.replayed))


@router.post("/sheets/{id}/cancel", responses=refuses(404, 409))
def cancel_sheet(member: CurrentMember, sheet_id: PathId) -> shapes.CancelledAnswer:
    """Cancel the clips of a table that nobody has begun, which is free."""
    return shapes.CancelledAnswer(cancelled=progress.cancel_pending(member, sheet_id))


@router.get(
    "/sheets/{id}/result.csv",
    response_class=Response,
    responses=refuses(404) | sends_file(SpreadsheetFormat.CSV.media_type),
)
def get_sheet_result_as_csv(
    member: CurrentMember, installation: CurrentInstallation, sheet_id: PathId, request: Request
) -> Response:
    """Get a table with what became of each row as CSV, in which no cell is a formula."""
    return _result(member, installation, sheet_id, request, SpreadsheetFormat.CSV)


@router.get(
    "/sheets/{id}/result.xlsx",
    response_class=Response,
    responses=refuses(404) | sends_file(SpreadsheetFormat.XLSX.media_type),
)
def get_sheet_result_as_workbook(
    member: CurrentMember, installation: CurrentInstallation, sheet_id: PathId, request: Request
) -> Response:
    """Get a table with what became of each row as an Excel workbook, in which no cell is a formula."""
    return _result(member, installation, sheet_id, request, SpreadsheetFormat.XLSX)


def _keep(
    member: Member, installation: Installation, table: Table, defaults: Defaults, name: str
) -> shapes.SheetAnswer:
    with db.write_session() as session:
        sheet_id = kept.keep(session, member, table, defaults, name=name).id
    with db.read_session() as session:
        return _whole(session, member, kept.get(session, member, sheet_id), configured=installation.configured)


def _whole(session: ReadSession, member: Member, sheet: Sheet, *, configured: Collection[str]) -> shapes.SheetAnswer:
    if sheet.ordered_at is not None:
        of_place: dict[int, list[SheetClipRow]] = {}
        for clip in progress.clips(session, sheet):
            of_place.setdefault(clip.place, []).append(clip)
        lines = kept.table_of(sheet).lines
        return shapes.SheetAnswer(
            sheet=shapes.SheetShape.of(sheet, clip_count=sheet.clip_count, total=sheet.total_credits),
            faulty_rows=0,
            progress=shapes.SheetProgress.of(progress.standing(session, sheet)),
            rows=[_ordered_row(sheet, line, of_place.get(place, ())) for place, line in enumerate(lines)],
        )
    checked = ordering.prepare(session, member, sheet.id, configured=configured).checked
    return shapes.SheetAnswer(
        sheet=shapes.SheetShape.of(sheet, clip_count=checked.clip_count, total=checked.total_credits),
        faulty_rows=len(checked.faulty),
        progress=None,
        rows=[_checked_row(sheet, line) for line in checked.lines],
    )


def _values(sheet: Sheet, line: Line) -> dict[str, str]:
    return dict(zip(sheet.heads, line.cells, strict=True))


def _checked_row(sheet: Sheet, checked: CheckedLine) -> shapes.SheetRow:
    return shapes.SheetRow(
        row=checked.line.number,
        left_out=checked.line.is_left_out,
        values=_values(sheet, checked.line),
        credits=None if checked.faults or checked.line.is_left_out else checked.credits,
        problems=[shapes.CellNoteShape.of(fault) for fault in checked.faults],
        notes=[shapes.CellNoteShape.of(remark) for remark in checked.remarks],
        clips=[],
    )


def _ordered_row(sheet: Sheet, line: Line, clips: Sequence[SheetClipRow]) -> shapes.SheetRow:
    return shapes.SheetRow(
        row=line.number,
        left_out=line.is_left_out,
        values=_values(sheet, line),
        credits=sum(clip.credits for clip in clips) if clips else None,
        problems=[],
        notes=[],
        clips=[shapes.RowClip.of(clip) for clip in clips],
    )


def _result(
    member: Member, installation: Installation, sheet_id: str, request: Request, form: SpreadsheetFormat
) -> Response:
    with db.read_session() as session:  # it is small, so it is read whole before the first byte is sent
        sheet = kept.get(session, member, sheet_id)
        clips = progress.clips(session, sheet)
    settings = installation.settings
    page = addresses.page_url(request, settings, f"history?workspace={sheet.workspace_id}&clip=")
    api = addresses.base_url(request, settings)
    words = result.Words(
        status=str, error=str, clip_link=lambda clip: f"{page}{clip}", file_link=lambda clip: f"{api}/download/{clip}"
    )
    name = f"{sheet.name.rpartition('.')[0] or sheet.name}-result.{form}"
    pieces: Iterator[bytes] = spreadsheet.write(result.lines(sheet, clips, words), form)
    return attachment(pieces, name=name, media_type=form.media_type)
