"""Vendors' own lists of models: read once a day by one, kept, and told to administrators where they differ."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
import respx
from sqlalchemy import select, update

from core import db, errors
from core.catalog_changes import live_lists
from core.clock import utc_now
from core.db import Database
from core.db.enums import ChangeKind, NoteKind, Role
from core.db.tables import AuditLogEntry, ModelList, ModelNote
from core.insights import attention
from core.installation import Installation
from core.worker import model_lists
from tests.factories import installations
from tests.factories.catalogue import put_back, say, withdraw
from tests.factories.users import create_member

EDEN_LIST = "https://api.edenai.run/v3/info/video/generation_async"
LAB_MODEL = "https://modelslab.com/api/v6/model-search"
KLING = "kling/kling-v2-5-turbo"


@pytest.fixture
def eden(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Read the list of Eden AI, which names these models then."""
    monkeypatch.setenv("EDENAI_API_KEY", "k")
    reopened = installations.reopen()

    def read(*names: str, status: int = 200) -> None:
        rows = [{"model": f"video/generation_async/{name}", "pricing": None} for name in names]
        respx.get(EDEN_LIST).respond(status, json={"models": rows})
        read_due(reopened)

    return read


def read_due(installation: Installation) -> None:
    """Read what is due, as a dispatcher does."""

    async def read() -> None:
        async with httpx.AsyncClient() as client:
            await model_lists.read_due(installation, client)

    asyncio.run(read())


def a_day_later() -> None:
    """Let every list be due again."""
    with db.write_session() as session:
        session.execute(update(ModelList).values(next_at=utc_now() - timedelta(minutes=1)))


def waiting() -> list[tuple[NoteKind, str, str | None]]:
    """The notes that wait."""
    with db.read_session() as session:
        rows = session.scalars(select(ModelNote).where(ModelNote.dismissed_at.is_(None)).order_by(ModelNote.id))
        return [(row.kind, row.vendor_id, row.model_id) for row in rows]


@respx.mock
def test_list_when_it_is_read_first(eden: Callable[..., None]) -> None:
    """Nothing has appeared, since nothing was known; what we offer and it does not name is told, and stays offered."""
    eden("pixverse/v6", "luma/ray2")

    assert waiting() == [(NoteKind.NOT_LISTED, KLING, "kling-2.5")]
    with db.read_session() as session:
        kept = session.get_one(ModelList, "edenai")
        assert kept.models == {"pixverse/v6": "", "luma/ray2": ""}
        assert attention.waiting(session).model_notes == 1


@respx.mock
def test_list_when_it_differs_from_the_day_before(eden: Callable[..., None]) -> None:
    """What has come and what has gone is told once; what comes back needs nobody any more."""
    eden(KLING, "pixverse/v6")
    assert waiting() == []

    a_day_later()
    eden("pixverse/v6", "luma/ray2")
    told = [(NoteKind.APPEARED, "luma/ray2", None), (NoteKind.VANISHED, KLING, "kling-2.5")]
    assert waiting() == told

    a_day_later()
    eden("pixverse/v6", "luma/ray2")
    assert waiting() == told

    a_day_later()
    eden("pixverse/v6", KLING)
    assert waiting() == [(NoteKind.VANISHED, "luma/ray2", None)]


@respx.mock
def test_list_when_it_was_read_today(eden: Callable[..., None]) -> None:
    """It is asked for once a day, and again in an hour when it could not be read; that takes nothing for gone."""
    eden(KLING)
    eden()
    assert waiting() == []

    a_day_later()
    eden(status=500)
    a_day_later()
    eden()  # an empty list is no list
    assert waiting() == []
    with db.read_session() as session:
        kept = session.get_one(ModelList, "edenai")
        assert kept.models == {KLING: ""}
        assert kept.failure is not None
        assert kept.next_at < utc_now() + timedelta(hours=2)

    a_day_later()
    eden(KLING)
    with db.read_session() as session:
        assert session.get_one(ModelList, "edenai").failure is None


@respx.mock
def test_list_when_a_model_has_ended_or_is_called_otherwise(eden: Callable[..., None]) -> None:
    """Only what is offered is missed, by the id that its vendor is asked for."""
    say(db.default(), "kling-2.5", ChangeKind.VENDOR_ID, {"upstream_id": "kling/next"})
    put_back(db.default(), "nova-reel")
    eden("kling/next")
    assert waiting() == [(NoteKind.NOT_LISTED, "amazon/amazon.nova-reel-v1:0", "nova-reel")]

    a_day_later()
    withdraw(db.default(), "kling-2.5")
    eden("pixverse/v6")
    assert (NoteKind.VANISHED, "kling/next", None) in waiting()


@respx.mock
def test_models_when_the_vendor_tells_of_one_at_a_time(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each that is offered is asked for; one that is gone is told, and a vendor out of order takes none for gone."""
    monkeypatch.setenv("MODELSLAB_API_KEY", "k")
    reopened = installations.reopen()
    respx.get(f"{LAB_MODEL}/wan2.2").respond(json={"data": {"model_id": "wan2.2", "model_name": "Wan"}})
    seedance = respx.get(f"{LAB_MODEL}/seedance-t2v").respond(404, json={"status": "error", "message": "not found"})

    read_due(reopened)

    assert waiting() == [(NoteKind.NOT_LISTED, "seedance-t2v", "seedance-t2v")]
    a_day_later()
    seedance.respond(503, text="out of order")
    read_due(reopened)
    with db.read_session() as session:
        assert session.get_one(ModelList, "modelslab").models == {"wan2.2": "Wan"}
    assert len(waiting()) == 1


@pytest.mark.both_databases
def test_claim_when_several_come_at_once(database: Database) -> None:
    """One of them reads the list."""

    def claim(_number: int) -> bool:
        with database.write_session() as session:
            return live_lists.claim(session, "edenai")

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(claim, range(4))) == 1
    with database.write_session() as session:
        session.execute(update(ModelList).values(next_at=utc_now() - timedelta(minutes=1)))
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(claim, range(4))) == 1


@pytest.mark.both_databases
def test_note_when_it_is_put_aside(database: Database, installation: Installation) -> None:
    """It waits no more, also after the next reading; who did it stands in the log, once."""
    admin = create_member(database, "root@example.org", role=Role.ADMIN)
    other = create_member(database)

    def record(listed: Mapping[str, str]) -> None:
        with database.write_session() as session:
            live_lists.record(session, installation.settings, "edenai", listed, is_whole=True)

    with database.write_session() as session:
        live_lists.claim(session, "edenai")
    record({"luma/ray2": "Ray 2"})
    with database.read_session() as reading:
        [note] = live_lists.list_open(reading, admin)
    with pytest.raises(errors.Forbidden), database.write_session() as session:
        live_lists.dismiss(session, other, note.id)
    for _press in range(2):
        with database.write_session() as session:
            live_lists.dismiss(session, admin, note.id)
    record({"luma/ray2": "Ray 2"})

    with database.read_session() as reading:
        assert live_lists.list_open(reading, admin) == []
        [logged] = reading.scalars(select(AuditLogEntry).where(AuditLogEntry.noun == "model_note")).all()
    assert (logged.target, logged.actor) == (KLING, admin.email)
    with pytest.raises(errors.NotFound), database.write_session() as session:
        live_lists.dismiss(session, admin, note.id + 1)
