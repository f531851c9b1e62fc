"""Charge-back sheets over REST: what each workspace, project or cost centre is charged for a month."""

from typing import Annotated

from fastapi import Query
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from core import audit_log
from core.api.http import routing
from core.api.http.auth import CurrentMember
from core.api.openapi.answers import refuses, sends_sheet
from core.api.schemas import requests
from core.billing import months
from core.files.disposition import content_disposition
from core.usage import charge_back
from core.usage.charge_back import ChargedTo
from core.usage.spreadsheet import Separator, SpreadsheetFormat

router = routing.router("charge-back")


class ChargeBackQuery(requests.Query):
    """Which month (UTC), who is charged, and as what; `separator` is for CSV alone."""

    month: Annotated[str, Field(pattern=months.PATTERN, examples=["2026-10"])]
    by: ChargedTo = ChargedTo.WORKSPACE
    format: SpreadsheetFormat = SpreadsheetFormat.CSV
    separator: Separator = Separator.COMMA


@router.get("/charge-back", response_class=StreamingResponse, responses=refuses(403) | sends_sheet())
def get_charge_back(member: CurrentMember, query: Annotated[ChargeBackQuery, Query()]) -> Response:
    """Get what each workspace, project or cost centre is charged for a month, for analysts and administrators.

    A file for spreadsheets with clips, credits and rupiah, their sum, and whether the month is closed, so that nothing
    of it changes any more.
    """
    pieces = charge_back.sheet(member, query.month, query.by, query.format, query.separator)
    audit_log.record_export(member.user, what="charge_back", format=query.format, month=query.month, by=query.by)
    name = f"charge-back-{query.month}-by-{query.by.replace('_', '-')}.{query.format}"
    headers = {"Content-Disposition": content_disposition(name)}
    return StreamingResponse(pieces, media_type=query.format.media_type, headers=headers)
