"""Closed months of the books over REST: which there are, and closing one."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentMember
from core.api.openapi.answers import refuses
from core.api.schemas import requests, responses
from core.billing import months
from core.db.tables import ClosedPeriod
from core.usage import closing

router = routing.router("closed periods")

_EXAMPLE = "bc7db67713650b7ca07a91658e25675a5e668e0e21026ee0318481964a61fc1d"
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$", examples=[_EXAMPLE])]


class NewClosedPeriod(requests.Body):
    """The month to close (UTC); open months before it are closed along."""

    month: Annotated[str, Field(pattern=months.PATTERN, examples=["2026-10"])]


class ClosedPeriodShape(responses.ApiModel):
    """A closed month: who closed it and when, how many rows of the ledger it has, and what they come to.

    `ledger` has the sum of the amounts by kind of movement, `usage` the sums of daily usage. `hash` is chained to the
    month before; kept outside, it proves later that nothing was changed.
    """

    month: Annotated[str, Field(examples=["2026-10"])]
    closed_at: datetime
    closed_by: Annotated[str, Field(examples=["finance@example.org"])]
    entry_count: Annotated[int, Field(examples=[3])]
    last_entry_id: Annotated[int, Field(examples=[4711])]
    ledger: Annotated[dict[str, int], Field(examples=[{"grant": 50_000, "hold": 3_250, "settle": 3_250}])]
    usage: Annotated[dict[str, int], Field(examples=[{"completed": 1, "settled_credits": 3_250}])]
    previous_hash: Annotated[str, Field(pattern="^([0-9a-f]{64})?$", examples=[""])]
    hash: Hash

    @classmethod
    def of(cls, period: ClosedPeriod) -> Self:
        """The shape of a closed month."""
        return cls(
            month=period.month,
            closed_at=period.closed_at,
            closed_by=period.closed_by,
            entry_count=period.entry_count,
            last_entry_id=period.last_entry_id,
            ledger=period.totals["ledger"],
            usage=period.totals["usage"],
            previous_hash=period.previous_hash,
            hash=period.hash,
        )


class ClosedPeriodsAnswer(responses.Response):
    """Closed months, newest first."""

    closed_periods: list[ClosedPeriodShape]


class ClosedPeriodAnswer(responses.Response):
    """The month is closed."""

    closed_period: ClosedPeriodShape


@router.get("/closed-periods", responses=refuses(403))
def list_closed_periods(member: CurrentMember) -> ClosedPeriodsAnswer:
    """List the closed months of the books with their figures of all workspaces, for analysts and administrators."""
    with db.read_session() as session:
        found = closing.periods(session, member)
    return ClosedPeriodsAnswer(closed_periods=[ClosedPeriodShape.of(period) for period in found])


@router.post("/closed-periods", responses=refuses(403, 409))
def close_period(member: CurrentMember, body: NewClosedPeriod) -> ClosedPeriodAnswer:
    """Close a month of the books, for administrators: its figures never change again, and nothing opens it.

    A month that is closed already is answered as it was closed first. 409 for one that has not ended an hour ago.
    """
    with db.write_session() as session:
        period = closing.close(session, member, body.month)
    return ClosedPeriodAnswer(closed_period=ClosedPeriodShape.of(period))
