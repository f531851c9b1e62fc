"""Balance and movements of credits over REST."""

from typing import Annotated

from fastapi import Query

from core import db, ledger, pricing
from core.api import answers, routes, schemas
from core.api.auth import Person

router = routes.router("credits")


class Balance(answers.Part):
    """What can be spent, and what is reserved for generations under way, in credits."""

    available: int
    held: int
    idr_per_credit: int


class CreditsAnswer(answers.Envelope):
    """The balance."""

    credits: Balance


class EntriesAnswer(answers.Envelope):
    """A page of movements, newest first; `nextCursor` asks for the next one."""

    entries: list[answers.Entry]
    next_cursor: str | None


@router.get("/credits")
def get_credits(person: Person) -> CreditsAnswer:
    """What can be spent and what is reserved."""
    with db.session(read_only=True) as session:
        balance = ledger.balance(session, person.id)
    return CreditsAnswer(
        credits=Balance(
            available=balance.available_credits, held=balance.held_credits, idr_per_credit=pricing.IDR_PER_CREDIT
        )
    )


@router.get("/credits/entries")
def list_entries(person: Person, query: Annotated[schemas.EntriesQuery, Query()]) -> EntriesAnswer:
    """Every movement, newest first, a page at a time."""
    with db.session(read_only=True) as session:
        rows = ledger.entries(session, person.id, before_id=query.cursor, limit=query.limit + 1)
    page = rows[: query.limit]
    return EntriesAnswer(
        entries=[answers.Entry.of(row) for row in page],
        next_cursor=str(page[-1].id) if len(rows) > query.limit else None,
    )
