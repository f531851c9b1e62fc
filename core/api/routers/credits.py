"""Balance and movements of credits over REST."""

from typing import Annotated

from fastapi import Query
from pydantic import Field

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentMember
from core.api.schemas import fields, requests, responses
from core.billing import ledger
from core.catalog import price_list

router = routing.router("credits")


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
