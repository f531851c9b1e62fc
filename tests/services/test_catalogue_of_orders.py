"""Models that end, cost something else or are called otherwise while there are orders of them at every point."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
import respx
from sqlalchemy import select

from core import db, errors
from core.catalog import catalogue, offered
from core.catalog_changes import asked, changes, current
from core.clock import utc_now
from core.db import Database
from core.db.enums import ChangeKind, Role, Status
from core.db.tables import Generation
from core.generations import batches, commands, lifecycle
from core.generations.state_machine import State
from core.generations.submit import Order
from core.installation import Installation
from core.worker import tasks
from core.workspaces.access import Member
from tests.factories import installations
from tests.factories.books import broken_rules
from tests.factories.catalogue import say, withdraw
from tests.factories.generations import (
    CONFIGURED,
    DISPATCHED,
    QUOTA_BYTES,
    SUBMITTING,
    WAITING,
    advance,
    build_order,
    create_completed,
    create_generation,
    load_generation,
)
from tests.factories.projects import create_project
from tests.factories.users import create_member
from tests.unit.test_overlay import ADDED

DEARER = {"base_credits": 80, "default_seconds": 5}
STAGES: dict[str, Sequence[State]] = {
    "queued": (),
    "dispatched": (DISPATCHED,),
    "submitting": (DISPATCHED, SUBMITTING),
    "waiting": (DISPATCHED, SUBMITTING, WAITING),
}


def quoted(row: Generation) -> tuple[int, int]:
    """What it was ordered for, and what its own explanation of the price adds up to."""
    return row.credits, row.quote["total"]


@pytest.mark.both_databases
@pytest.mark.parametrize("stage", STAGES)
def test_order_when_its_model_is_repriced_and_ends(database: Database, person: Member, stage: str) -> None:
    """Wherever it stands, it keeps the price of its moment, and goes on; so does its receipt."""
    row = create_generation(database, person)
    advance(database, row.id, *STAGES[stage])

    say(database, "demo-film", ChangeKind.PRICE, DEARER)
    withdraw(database, "demo-film", successor="kling-2.5")

    assert quoted(load_generation(row.id, database)) == (50, 50)
    with database.write_session() as session:
        held = lifecycle.locked(session, row.id)
        assert held is not None
        lifecycle.fail(session, held, errors.ProviderUnavailable())
    assert broken_rules(database) == []


@pytest.mark.both_databases
def test_order_when_its_model_was_repriced_before(database: Database, person: Member) -> None:
    """From the moment on that a price begins it is asked, and not a second earlier; each order says which it was."""
    before = create_generation(database, person)
    made = say(database, "demo-film", ChangeKind.PRICE, DEARER)
    say(
        database,
        "demo-film",
        ChangeKind.PRICE,
        {"base_credits": 1, "default_seconds": 5},
        since=utc_now() + timedelta(days=1),
    )

    after = create_generation(database, person)

    assert (quoted(before), quoted(after)) == ((50, 50), (80, 80))
    assert before.created_at < made.row.since <= after.created_at
    assert after.quote["since"] == made.row.since.isoformat()


@pytest.mark.both_databases
def test_order_when_its_model_has_ended(database: Database, person: Member) -> None:
    """It is refused with the successor's name, as single order, batch, variation and retry; nothing is written."""
    project = create_project(database, person).id
    old = create_generation(database, person, project_id=project)
    with database.write_session() as session:
        commands.cancel(session, person, old.id)
    withdraw(database, "demo-film", successor="kling-2.5")
    order = build_order(project)

    def batch(orders: list[Order]) -> None:
        with database.write_session() as session:
            batches.submit_batch(session, person, orders, configured=CONFIGURED, quota_bytes=QUOTA_BYTES)

    def retry() -> None:
        with database.write_session() as session:
            commands.retry(session, person, old.id, configured=CONFIGURED, quota_bytes=QUOTA_BYTES)

    for attempt in (partial(batch, [order]), partial(batch, [order] * 3), retry):
        with pytest.raises(errors.InvalidRequest) as refused:
            attempt()
        [said] = refused.value.fields.values()
        assert str(said) == "Demo Film has ended. Use Kling 2.5 instead."

    with database.read_session() as reading:
        assert reading.scalars(select(Generation.id)).all() == [old.id]


@pytest.mark.both_databases
def test_order_repeated_when_its_model_has_ended(database: Database, person: Member) -> None:
    """The same request with the same key is still the first order: it was made when it could be."""
    project = create_project(database, person).id
    first = create_generation(database, person, project_id=project, idempotency_key="once")
    withdraw(database, "demo-film")

    again = create_generation(database, person, project_id=project, idempotency_key="once")

    assert (again.id, again.replayed) == (first.id, True)


@pytest.mark.both_databases
def test_change_when_orders_are_being_made(database: Database, person: Member) -> None:
    """A change comes before an order or after it, never amid one: all of a batch have the price of one moment."""
    project = create_project(database, person).id
    with ThreadPoolExecutor(1) as pool:
        with database.write_session() as session:
            batch = [build_order(project)] * 3
            rows = batches.submit_batch(session, person, batch, configured=CONFIGURED, quota_bytes=QUOTA_BYTES)
            changing = pool.submit(say, database, "demo-film", ChangeKind.PRICE, DEARER)
        made = changing.result()

    assert {quoted(row) for row in rows} == {(50, 50)}
    assert made.row.since > max(row.created_at for row in rows)


@pytest.mark.both_databases
def test_order_of_an_added_model(database: Database, person: Member) -> None:
    """A model that an administrator has added is ordered in the next moment, at the price of its record."""
    admin = create_member(database, "root@example.org", role=Role.ADMIN)
    with database.write_session() as session:
        changes.describe(session, admin, ADDED)

    row = create_generation(database, person, model_id="demo/short", duration_seconds=2)

    assert (row.model_name, row.provider, row.credits) == ("Short Film", "demo", 14)


def test_history_when_its_model_has_ended(database: Database, person: Member) -> None:
    """Its clips stay as they are."""
    row = create_completed(database, person)

    withdraw(database, "demo-film")

    kept = load_generation(row.id, database)
    assert (kept.status, kept.model_name, kept.credits) == (Status.COMPLETED, "Demo Film", 50)


@respx.mock
def test_order_when_its_vendor_calls_the_model_otherwise(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An order asks by the id of its moment, before and after the change, also where a setting has another name."""
    monkeypatch.setenv("MODELSLAB_API_KEY", "k")
    monkeypatch.setenv("MODELSLAB_MODEL_IDS", "seedance-t2v=by-setting")
    installations.reopen()
    ana = create_member(db.default())
    route = respx.post("https://modelslab.com/api/v7/video-fusion/text-to-video")
    before = create_generation(db.default(), ana, model_id="seedance-t2v")
    say(db.default(), "seedance-t2v", ChangeKind.VENDOR_ID, {"upstream_id": "seedance-9"})
    after = create_generation(db.default(), ana, model_id="seedance-t2v")

    sent = []
    for number, row in enumerate((before, after)):
        advance(db.default(), row.id, DISPATCHED)
        route.respond(200, json={"status": "processing", "id": number})
        tasks.submit(row.id)
        sent.append(route.calls.last.request.content)

    assert b'"model_id":"by-setting"' in sent[0]
    assert b'"model_id":"seedance-9"' in sent[1]
    with db.read_session() as session:  # the search for a lost submit and a vendor's call ask about the same
        found = [asked.model(session, installation.settings, load_generation(row.id)) for row in (before, after)]
    assert [model and model.upstream_id for model in found][1] == "seedance-9"


def test_successor_when_it_has_ended_too(database: Database) -> None:
    """Who asks what comes after a model is led to one that can be ordered, and never round in a circle."""
    withdraw(database, "kling-2.5", successor="svd")
    withdraw(database, "svd", successor="demo-film")
    withdraw(database, "wan-2.2-t2v", successor="seedance-t2v")
    withdraw(database, "seedance-t2v", successor="wan-2.2-t2v")
    with database.read_session() as session:
        known, now = current.of(session), utc_now()

    found = [offered.successor(known, known.get(model_id), now) for model_id in ("kling-2.5", "wan-2.2-t2v")]

    assert [model and model.id for model in found] == ["demo-film", None]


def test_successor_of_the_same_name_is_told_with_its_provider(database: Database) -> None:
    """The same model at another vendor is often what comes after it, and its name alone leads nowhere."""
    record = {
        "id": "openrouter-twin",
        "provider": "openrouter",
        "name": "Kling 2.5 Turbo Pro",
        "description": "A twin.",
    }
    makes = {"default_seconds": 5, "durations": [5], "resolutions": ["720p"], "aspect_ratios": ["16:9"]}
    prices = [{"since": "2026-11-01", "credits_per_second": {"any": 3}}]
    admin = create_member(database, "root@example.org", role=Role.ADMIN)
    with database.write_session() as session:
        changes.describe(session, admin, {**record, **makes, "prices": prices})
    withdraw(database, "replicate-kling-2.5-turbo-pro", successor="openrouter-twin")
    with database.read_session() as session:
        known = current.of(session)

    said = offered.refusal(known, known.get("replicate-kling-2.5-turbo-pro"), utc_now())

    assert str(said) == "Kling 2.5 Turbo Pro has ended. Use Kling 2.5 Turbo Pro (OpenRouter) instead."


def test_shipped_models_that_have_ended() -> None:
    """Each names the day; a successor is a model that is there, and the published price stays."""
    known, now = catalogue.shipped(), utc_now()
    ended = {entry.model.id: entry.life(now) for entry in known.entries.values() if entry.lives}

    assert {"veo3", "veo2", "runway-gen3", "nova-reel"} <= set(ended)
    for model_id, life in ended.items():
        assert life is not None
        assert life.reason
        assert not life.successor or known.find(life.successor) is not None, model_id
        assert known.get(model_id).price(now) is not None
