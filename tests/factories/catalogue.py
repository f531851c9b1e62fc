"""What administrators say of models, said as one of them would."""

from datetime import datetime, timedelta
from typing import Any

from core import db
from core.catalog_changes import changes
from core.catalog_changes.changes import Made
from core.clock import utc_now
from core.db import Database
from core.db.enums import ChangeKind, NoteKind, Role
from core.db.tables import ModelNote
from core.ids import new_id
from tests.factories.users import create_member


def say(
    database: Database, model_id: str, kind: ChangeKind, value: dict[str, Any], *, since: datetime | None = None
) -> Made:
    """Say something of a model, from now on or from a moment on."""
    admin = create_member(database, "catalogue@example.org", role=Role.ADMIN)
    with database.write_session() as session:
        return changes.change(session, admin, model_id, kind, value, since=since)


def put_back(database: Database, *model_ids: str) -> None:
    """Offer models again that have ended."""
    for model_id in model_ids:
        say(database, model_id, ChangeKind.LIFE, {"state": "available"})


def withdraw(database: Database, model_id: str, *, successor: str = "") -> None:
    """Let a model end now."""
    say(database, model_id, ChangeKind.LIFE, {"state": "withdrawn", "successor": successor})


def coming_change() -> str:
    """The id of a change that begins at a moment of its own."""
    begins = utc_now() + timedelta(days=1)
    return str(say(db.default(), "veo2", ChangeKind.LIFE, {"state": "hidden"}, since=begins).row.id)


def note_on_models() -> str:
    """The id of a note on a vendor's list."""
    note = ModelNote(provider="fal", kind=NoteKind.APPEARED, vendor_id=new_id(), noted_at=utc_now())
    with db.write_session() as session:
        session.add(note)
        session.flush()
        return str(note.id)
