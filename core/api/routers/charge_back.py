"""Charge-back sheets over REST: what each workspace, project or cost centre is charged for a month."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from fastapi import Header, Query
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from core import audit_log
from core.api.http import routing
from core.api.http.attachments import attachment
from core.api.http.auth import CurrentMember
from core.api.openapi.answers import refuses, sends_sheet
from core.api.schemas import requests
from core.billing import months
from core.clock import utc_now
from core.messages import Writer
from core.usage import charge_back, charge_back_pdf
from core.usage.charge_back import ChargeBackFormat, ChargedTo
from core.usage.spreadsheet import Separator, SpreadsheetFormat
from core.workspaces.access import Member

router = routing.router("charge-back")


class ChargeBackQuery(requests.Query):
    """Which month (UTC), who is charged, and as what: CSV unless `format` or the header `Accept` asks for another.

    `separator` is for CSV alone.
    """

    month: Annotated[str, Field(pattern=months.PATTERN, examples=["2026-10"])]
    by: ChargedTo = ChargedTo.WORKSPACE
    format: ChargeBackFormat | None = None
    separator: Separator = Separator.COMMA


@router.get(
    "/charge-back", response_class=StreamingResponse, responses=refuses(403) | sends_sheet(charge_back_pdf.MEDIA_TYPE)
)
def get_charge_back(
    member: CurrentMember, query: Annotated[ChargeBackQuery, Query()], accept: Annotated[str | None, Header()] = None
) -> Response:
    """Get what each workspace, project or cost centre is charged for a month, for analysts and administrators.

    A file for spreadsheets, or a PDF for people, with clips, credits and rupiah, their sum, and whether the month is
    closed, so that nothing of it changes any more. A PDF is in English and has 10,000 lines at most.
    """
    form = query.format or _accepted(accept or "")
    if form is ChargeBackFormat.PDF:
        pieces, media_type = _pdf(member, query), charge_back_pdf.MEDIA_TYPE
    else:
        kind = SpreadsheetFormat(form)
        pieces = charge_back.sheet(member, query.month, query.by, kind, query.separator)
        media_type = kind.media_type
    audit_log.record_export(member.user, what="charge_back", format=form, month=query.month, by=query.by)
    name = f"charge-back-{query.month}-by-{query.by.replace('_', '-')}.{form}"
    return attachment(pieces, name=name, media_type=media_type)


def _accepted(accept: str) -> ChargeBackFormat:
    """What a header asks for; CSV where it names none of the others first."""
    wanted = accept.partition(",")[0].partition(";")[0].strip().lower()
    if wanted == charge_back_pdf.MEDIA_TYPE:
        return ChargeBackFormat.PDF
    return ChargeBackFormat.XLSX if wanted == SpreadsheetFormat.XLSX.media_type else ChargeBackFormat.CSV


def _pdf(member: Member, query: ChargeBackQuery) -> Iterator[bytes]:
    """In English, as all that the API says."""
    begin, _end = months.bounds(query.month)
    reader = charge_back_pdf.Reader(
        Writer(), f"{date(begin.year, begin.month, 1):%B %Y}", f"{utc_now():%Y-%m-%d %H:%M} UTC"
    )
    return charge_back_pdf.sheet(member, query.month, query.by, reader)
