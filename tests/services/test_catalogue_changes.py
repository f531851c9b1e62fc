"""What administrators say of models: kept for ever, in order, never for the past, and each with a row in the log."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from alembic import command
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError

from core import errors
from core.billing import pricing
from core.catalog import catalogue
from core.catalog.records import LifeState, PerSecondPrice, PublishedPrice
from core.catalog_changes import changes, current
from core.clock import utc_now
from core.db import Database
from core.db.enums import ChangeKind, Role
from core.db.schema import alembic_config
from core.db.tables import AuditLogEntry, CatalogueChange
from core.spec import GenerationSpec
from core.workspaces.access import Member
from tests.factories.generations import create_completed, load_generation
from tests.factories.users import create_member
from tests.unit.test_overlay import ADDED

pytestmark = pytest.mark.both_databases

DAY = timedelta(days=1)
HIDDEN = {"state": "hidden", "reason": "Too dear."}
COST = {"since": "2026-01-01", "source": "its page", "per_call": 10}
BASE = {"base_credits": 2600, "default_seconds": 8}


@pytest.fixture
def admin(database: Database) -> Member:
    """An administrator."""
    return create_member(database, "root@example.org", role=Role.ADMIN)


def say(
    database: Database, member: Member, kind: ChangeKind, value: dict[str, Any], model: str = "veo3", **more: Any
) -> changes.Made:
    """Say it in a transaction of its own."""
    with database.write_session() as session:
        return changes.change(session, member, model, kind, value, **more)


def the_catalogue(database: Database) -> catalogue.Catalogue:
    """As a new session sees it."""
    with database.read_session() as session:
        return current.of(session)


def count_changes(database: Database) -> int:
    """How many are kept."""
    with database.read_session() as session:
        return session.scalar(select(func.count()).select_from(CatalogueChange)) or 0


def test_change_when_said_for_now(database: Database, admin: Member) -> None:
    """It holds from this moment on, for whoever reads afterwards, and stands in the log with what held before."""
    made = say(database, admin, ChangeKind.LIFE, HIDDEN)

    entry = the_catalogue(database).get("veo3")
    assert entry.state(made.row.since) is LifeState.HIDDEN
    assert entry.state(made.row.since - timedelta(microseconds=1)) is catalogue.shipped().get("veo3").state(utc_now())
    with database.read_session() as session:
        logged = session.scalars(select(AuditLogEntry).where(AuditLogEntry.noun == "model")).one()
    assert (logged.action, logged.target_id, logged.actor) == ("model.life_changed", "veo3", admin.email)
    assert logged.after == {**HIDDEN, "since": made.row.since.isoformat()}


def test_change_when_the_session_that_made_it_reads(database: Database, admin: Member) -> None:
    """Who changes sees it at once; when it is taken back with its transaction, nobody does."""
    with database.write_session() as session:
        changes.change(session, admin, "veo3", ChangeKind.LIFE, HIDDEN)
        assert current.of(session).get("veo3").state(utc_now() + DAY) is LifeState.HIDDEN
        session.rollback()

    assert the_catalogue(database).entries == catalogue.shipped().entries


def test_change_when_it_begins_later(database: Database, admin: Member) -> None:
    """A price may be set for a coming moment; until then the old one holds."""
    begins = utc_now() + 30 * DAY

    say(database, admin, ChangeKind.PRICE, BASE, since=begins)

    entry = the_catalogue(database).get("veo3")
    prices = [entry.price(at) for at in (begins - timedelta(seconds=1), begins)]
    assert [price.base_credits for price in prices if isinstance(price, PublishedPrice)] == [2500, 2600]


@pytest.mark.parametrize(
    ("kind", "value", "after", "field"),
    [
        (ChangeKind.LIFE, HIDDEN, -DAY, "since"),
        (ChangeKind.LIFE, HIDDEN, 5000 * DAY, "since"),
        (ChangeKind.POSITION, {"before": None}, DAY, "since"),
        (ChangeKind.POSITION, {"before": "nobody"}, None, "value.before"),
        (ChangeKind.LIFE, {"state": "asleep"}, None, "value.state"),
        (ChangeKind.LIFE, {"state": "withdrawn", "successor": "nobody"}, None, "value.successor"),
        (ChangeKind.LIFE, {"state": "withdrawn", "successor": "veo3"}, None, "value.successor"),
        (ChangeKind.PRICE, {"credits_per_second": {"480p": 1}}, None, "value.credits_per_second"),
        (ChangeKind.PRICE, {"credits_per_second": {"any": 1, "16K": 1}}, None, "value.credits_per_second"),
        (ChangeKind.PRICE, {"base_credits": -1, "default_seconds": 8}, None, "value.base_credits"),
        (ChangeKind.VENDOR_ID, {"upstream_id": "a\nb"}, None, "value.upstream_id"),
    ],
)
def test_change_when_it_cannot_be_said(
    database: Database, kind: ChangeKind, value: dict[str, Any], after: timedelta | None, field: str
) -> None:
    """What lies in the past, or makes no sense, is refused with its field, and nothing is kept."""
    admin = create_member(database, role=Role.ADMIN)
    with pytest.raises(errors.InvalidRequest) as refused:
        say(database, admin, kind, value, since=None if after is None else utc_now() + after)

    assert list(refused.value.fields) == [field]
    assert count_changes(database) == 0


def test_change_when_one_rate_is_for_every_size(database: Database, admin: Member) -> None:
    """A price may name no size at all, as in a file."""
    made = say(database, admin, ChangeKind.PRICE, {"credits_per_second": {"any": 3}})

    price = the_catalogue(database).get("veo3").price(made.row.since)
    assert isinstance(price, PerSecondPrice)
    assert price.credits_per_second == {"any": 3}


def test_change_when_the_model_is_not_there(database: Database, admin: Member) -> None:
    """Nothing can be said of a model that there is not."""
    with pytest.raises(errors.NotFound):
        say(database, admin, ChangeKind.LIFE, HIDDEN, model="nobody")


@pytest.mark.parametrize("role", [Role.USER, Role.ANALYST])
def test_change_when_they_are_no_administrator(database: Database, role: Role) -> None:
    """Others neither change the catalogue nor read who did."""
    other = create_member(database, role=role)
    with pytest.raises(errors.Forbidden):
        say(database, other, ChangeKind.LIFE, HIDDEN)
    with pytest.raises(errors.Forbidden), database.write_session() as session:
        changes.describe(session, other, ADDED)
    with pytest.raises(errors.Forbidden), database.write_session() as session:
        changes.take_back(session, other, 1)
    with pytest.raises(errors.Forbidden), database.read_session() as session:
        changes.list_changes(session, other)


def test_change_when_another_begins_at_that_moment(database: Database, admin: Member) -> None:
    """Of two changes of the same from one moment the second is refused, until the first is taken back."""
    begins = utc_now() + DAY
    first = say(database, admin, ChangeKind.PRICE, BASE, since=begins)
    say(database, admin, ChangeKind.LIFE, HIDDEN, since=begins)
    with pytest.raises(errors.Conflict):
        say(database, admin, ChangeKind.PRICE, BASE | {"base_credits": 2700}, since=begins)

    with database.write_session() as session:
        changes.take_back(session, admin, first.row.id)
    say(database, admin, ChangeKind.PRICE, BASE | {"base_credits": 2700}, since=begins)

    price = the_catalogue(database).get("veo3").price(begins)
    assert isinstance(price, PublishedPrice)
    assert price.base_credits == 2700
    with database.read_session() as session:
        listed = changes.list_changes(session, admin, model_id="veo3")
    assert [(made.row.kind, made.taken_back) for made in listed] == [
        (ChangeKind.PRICE, False),
        (ChangeKind.LIFE, False),
        (ChangeKind.PRICE, True),
    ]


def test_take_back_when_it_has_begun(database: Database, admin: Member) -> None:
    """What has begun stays; so does what is taken back already, and what there is not is not found."""
    begun = say(database, admin, ChangeKind.PRICE, BASE).row.id
    coming = say(database, admin, ChangeKind.LIFE, HIDDEN, since=utc_now() + DAY).row.id

    def back(change_id: int) -> None:
        with database.write_session() as session:
            changes.take_back(session, admin, change_id)

    back(coming)
    for change_id in (begun, coming):
        with pytest.raises(errors.Conflict):
            back(change_id)
    for change_id in (coming + 1, 999):  # the first is the taking back itself
        with pytest.raises(errors.NotFound):
            back(change_id)


def test_change_when_repeated_with_its_key(database: Database, admin: Member) -> None:
    """The same request with the same key changes nothing more; another one with it is a conflict."""
    first = say(database, admin, ChangeKind.PRICE, BASE, key="once")
    again = say(database, admin, ChangeKind.PRICE, BASE, key="once")

    assert (again.row.id, again.replayed, count_changes(database)) == (first.row.id, True, 1)
    with pytest.raises(errors.IdempotencyConflict):
        say(database, admin, ChangeKind.PRICE, BASE | {"base_credits": 1}, key="once")


def test_describe_when_a_model_is_added(database: Database, admin: Member) -> None:
    """A model of a known provider is there from now on; said anew it makes something else, at the price it had."""
    with database.write_session() as session:
        changes.describe(session, admin, ADDED)
    with database.write_session() as session:
        changes.describe(session, admin, ADDED | {"durations": [2, 4], "prices": []})

    entry = the_catalogue(database).get("demo/short")
    assert (entry.model.durations, len(entry.prices), entry.added) == ((2, 4), 1, True)
    with database.read_session() as session:
        acts = session.scalars(
            select(AuditLogEntry.action).where(AuditLogEntry.noun == "model").order_by(AuditLogEntry.id)
        ).all()
    assert acts == ["model.added", "model.redescribed"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"provider": "nobody"}, "record.provider"),
        ({"provider": None}, "record.provider"),
        ({"id": "Short Film"}, "record.id"),
        ({"id": ""}, "record.id"),
        ({"name": "Short\x00"}, "record.name"),
        ({"durations": "all"}, "record.durations"),
        ({"colour": "red"}, "record.colour"),
        ({"durations": [3]}, "record"),
        ({"prices": [{"since": "2027-03-01", "credits_per_second": {"480p": 1}}]}, "record.credits_per_second"),
        ({"prices": []}, "record.prices"),
        ({"life": {"since": "soon", "state": "hidden"}}, "record.life[0].since"),
        ({"costs": [COST | {"factor_percent": 10**12}]}, "record.costs[0].factor_percent"),
        ({"options": {"share": float("nan")}}, "record.options.share"),
        ({"deadline_seconds": 10**15}, "record"),
    ],
)
def test_describe_when_a_field_is_wrong(database: Database, admin: Member, wrong: dict[str, Any], field: str) -> None:
    """A record that cannot be used is refused with the field that is wrong."""
    with pytest.raises(errors.InvalidRequest) as refused, database.write_session() as session:
        changes.describe(session, admin, ADDED | wrong)
    assert list(refused.value.fields) == [field]


def test_describe_when_a_size_would_have_no_price(database: Database, admin: Member) -> None:
    """What an added model shall make as well is priced first, in what is asked now and in what comes."""
    with database.write_session() as session:
        changes.describe(session, admin, ADDED)
    larger = ADDED | {"resolutions": ["720p", "1080p"]}
    priced = larger | {"prices": [{"since": "2027-03-01", "credits_per_second": {"720p": 7, "1080p": 9}}]}
    for record in (larger, priced):  # the price in a record counts for a new model only
        with pytest.raises(errors.InvalidRequest) as refused, database.write_session() as session:
            changes.describe(session, admin, record)
        assert list(refused.value.fields) == ["record.resolutions"]

    say(database, admin, ChangeKind.PRICE, {"credits_per_second": {"720p": 7, "1080p": 9}}, model="demo/short")
    with database.write_session() as session:
        changes.describe(session, admin, larger)
    entry = the_catalogue(database).get("demo/short")
    spec = GenerationSpec(model_id="demo/short", resolution="1080p", duration_seconds=2, aspect_ratio="16:9")
    assert pricing.priced(spec, known=catalogue.Catalogue({"demo/short": entry})).total_credits == 18


def test_describe_when_it_is_said_to_be_another_providers(database: Database, admin: Member) -> None:
    """An added model stays with its provider: what is ordered of it goes there."""
    with database.write_session() as session:
        changes.describe(session, admin, ADDED)
    with pytest.raises(errors.InvalidRequest) as refused, database.write_session() as session:
        changes.describe(session, admin, ADDED | {"provider": "fal"})
    assert list(refused.value.fields) == ["record.provider"]


def test_describe_when_a_file_has_the_model(database: Database, admin: Member) -> None:
    """What files describe is changed bit by bit, not replaced."""
    with pytest.raises(errors.Conflict), database.write_session() as session:
        changes.describe(session, admin, ADDED | {"id": "veo3"})


def test_change_when_two_administrators_act_at_once(database: Database, admin: Member) -> None:
    """Nothing of either is lost, and their ids are in the order in which they came."""
    models = list(catalogue.shipped().entries)[:4]

    def reprice(number: int) -> int:
        price = {"base_credits": 100 + number, "default_seconds": 8}
        return say(database, admin, ChangeKind.PRICE, price, model=models[number % 4]).row.id

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(reprice, range(16)))

    with database.read_session() as session:
        rows = session.scalars(select(CatalogueChange).order_by(CatalogueChange.id)).all()
    assert sorted(ids) == [row.id for row in rows]
    assert [row.since for row in rows] == sorted(row.since for row in rows)
    assert sorted(row.value["base_credits"] for row in rows) == list(range(100, 116))
    last = {row.model_id: row.value["base_credits"] for row in rows}
    found = the_catalogue(database)
    prices = {model_id: found.get(model_id).price(utc_now()) for model_id in models}
    assert {
        model_id: price.base_credits for model_id, price in prices.items() if isinstance(price, PublishedPrice)
    } == last


def test_change_when_a_program_alters_it(database: Database, admin: Member) -> None:
    """The database itself keeps changes as they are."""
    say(database, admin, ChangeKind.LIFE, HIDDEN)
    for statement in (update(CatalogueChange).values(model_id="veo2"), delete(CatalogueChange)):
        with pytest.raises(DBAPIError), database.engine.begin() as connection:
            connection.execute(statement)
    assert count_changes(database) == 1


def test_upgrade_when_there_are_clips(database: Database, person: Member, admin: Member) -> None:
    """A filled database of the schema before keeps all that it has, both ways, and takes changes afterwards."""
    row = create_completed(database, person)
    say(database, admin, ChangeKind.LIFE, HIDDEN)
    with database.engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0015")
        left = connection.scalar(text("SELECT count(*) FROM generations"))

    database.migrate()

    assert left == 1
    kept = load_generation(row.id, database)
    assert (kept.status, kept.credits, kept.quote) == (row.status, row.credits, row.quote)
    assert count_changes(database) == 0
    say(database, admin, ChangeKind.LIFE, HIDDEN)
    assert the_catalogue(database).get("veo3").state(utc_now()) is LifeState.HIDDEN
