"""Clips as vendors bill them, and the statements that they send."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert

from core import db
from core.billing import months
from core.clock import utc_now
from core.db import Database
from core.db.enums import CostBasis
from core.db.tables import Generation, VendorStatement
from core.ids import new_id
from core.providers import registry
from core.statements import listing, uploads
from core.statements.columns import Field, Settings
from core.statements.reading import StatementFile
from core.workspaces.access import Member
from tests.factories.generations import create_completed, values_of
from tests.factories.workspaces import create_admin

HEADS = ("Job ID", "Model", "Time", "Amount", "Currency")
COLUMNS = dict(zip(Field, HEADS, strict=True))
SETTINGS = Settings(columns=COLUMNS)
RATE = 16_500


@dataclass(frozen=True)
class Clip:
    """A finished clip: when it was sent, how long it took, and what the vendor had said that it cost."""

    job_id: str
    sent_at: datetime
    dollars: str = "0.35"
    model_id: str = "demo-film"
    took: timedelta = timedelta(seconds=40)


def create_clips(database: Database, person: Member, clips: Iterable[Clip], **changes: Any) -> list[str]:
    """Ids of clips that were delivered and billed so; copies of one that went all the way, but for the ledger."""
    known = values_of(database, create_completed(database, person).id)
    rows: list[dict[str, Any]] = [
        known
        | {
            "id": new_id(),
            "provider_job_id": clip.job_id or None,
            "model_id": clip.model_id,
            "created_at": clip.sent_at - timedelta(seconds=1),
            "submitted_at": clip.sent_at,
            "ended_at": clip.sent_at + clip.took,
            "updated_at": clip.sent_at + clip.took,
            "provider_cost": Decimal(clip.dollars),
            "provider_cost_currency": "USD",
            "provider_cost_is_estimate": False,
            "cost_basis": CostBasis.REPORTED,
            "idr_per_usd": RATE,
        }
        | changes
        for clip in clips
    ]
    with database.write_session() as session:
        for place in range(0, len(rows), 200):
            session.execute(insert(Generation), rows[place : place + 200])
    return [row["id"] for row in rows]


def line_of(clip: Clip, **changes: str) -> list[str]:
    """The line that a vendor's statement has for a clip; with changes to it."""
    said = {
        "job": clip.job_id,
        "model": clip.model_id,
        "time": clip.sent_at.isoformat(),
        "amount": clip.dollars,
        "currency": "USD",
    }
    return list((said | changes).values())


def build_file(lines: Iterable[Sequence[str]], heads: Sequence[str] = HEADS) -> StatementFile:
    """A statement as CSV."""
    return StatementFile("\n".join(",".join(line) for line in [heads, *lines]).encode())


def upload(
    database: Database,
    admin: Member,
    file: StatementFile,
    *,
    month: str,
    provider: str = "demo",
    settings: Settings = SETTINGS,
) -> VendorStatement:
    """A statement that is kept and compared."""
    with database.write_session() as session:
        return uploads.upload(
            session, admin, file, provider=provider, month=month, settings=settings, name="statement.csv"
        )


def billed() -> VendorStatement:
    """A further statement of the installation that is open, of a month before all others, with one line of theirs."""
    admin = create_admin(db.default(), f"{new_id()}@example.org")
    provider = registry.providers()[0].name
    with db.read_session() as session:
        known = [one.month for one in listing.statements(session, admin, provider=provider)]
    before = min(known, default=months.of(utc_now() - timedelta(days=31)))
    at = months.bounds(before)[0] - timedelta(days=2)
    line = line_of(Clip(new_id(), at))
    return upload(db.default(), admin, build_file([line]), month=months.of(at), provider=provider)
