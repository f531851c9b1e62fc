import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from core import errors
from core.billing import ledger, pricing
from core.db import Database
from core.db.tables import Generation, LedgerEntry, Project
from core.generations import batches
from core.generations.submit import Order, submit
from core.projects import projects
from core.workspaces.access import Member
from tests.factories.generations import CONFIGURED, QUOTA_BYTES, build_order, create_completed
from tests.factories.users import ensure_member

HOW = {"configured": CONFIGURED, "quota_bytes": QUOTA_BYTES}


@pytest.fixture
def project_id(database: Database, person: Member) -> str:
    """A project to order in."""
    with database.write_session() as session:
        return projects.create(session, person, name="Lakes").id


def submit_all(database: Database, user: Member, orders: list[Order], **how: object) -> list[Generation]:
    """Submit a batch in one transaction."""
    with database.write_session() as session:
        return list(batches.submit_batch(session, user, orders, **(HOW | how)))  # type: ignore[arg-type]  # keyword arguments


def written(database: Database) -> int:
    """How many generations there are."""
    with database.read_session() as session:
        return session.scalar(select(func.count()).select_from(Generation)) or 0


def balance(database: Database, user: Member) -> ledger.Balance:
    """What a person has."""
    with database.read_session() as session:
        return ledger.balance(session, user.id)


def test_submit_when_several_models(database: Database, person: Member, project_id: str) -> None:
    """Every order becomes a generation at its own price, in its order, with one batch id."""
    orders = [build_order(project_id), build_order(project_id), build_order(project_id, model_id="kling-2.5")]
    rows = submit_all(database, person, orders, key="one")

    assert [(row.model_id, row.credits) for row in rows] == [("demo-film", 50), ("demo-film", 50), ("kling-2.5", 500)]
    assert len({row.batch_id for row in rows}) == 1
    assert rows[0].batch_id is not None
    assert balance(database, person) == ledger.Balance(9_400, 600)


def test_submit_when_it_is_one(database: Database, person: Member, project_id: str) -> None:
    """A batch of one is a plain order, and shares its key with one."""
    [row] = submit_all(database, person, [build_order(project_id)], key="one")
    with database.write_session() as session:
        again = submit(session, person, build_order(project_id), idempotency_key="one", **HOW)  # type: ignore[arg-type]  # keyword arguments

    assert row.batch_id is None
    assert again.id == row.id


@pytest.mark.both_databases
def test_submit_when_the_key_is_repeated_at_once(database: Database, person: Member, project_id: str) -> None:
    """However many presses arrive at the same time with one key, one batch is made and paid."""
    orders = [build_order(project_id), build_order(project_id, prompt="a lake at dawn")]
    barrier = threading.Barrier(8)

    def press(_n: int) -> tuple[str, ...]:
        barrier.wait()
        return tuple(row.id for row in submit_all(database, person, orders, key="one"))

    with ThreadPoolExecutor(8) as threads:
        seen = set(threads.map(press, range(8)))

    assert len(seen) == 1
    assert written(database) == 2
    assert balance(database, person) == ledger.Balance(9_900, 100)


@pytest.mark.parametrize("count", [1, 3])
def test_submit_when_the_key_comes_with_another_batch(
    database: Database, person: Member, project_id: str, count: int
) -> None:
    """The same key with a shorter or longer batch is a conflict, and orders nothing."""
    submit_all(database, person, [build_order(project_id)] * 2, key="one")
    with pytest.raises(errors.IdempotencyConflict):
        submit_all(database, person, [build_order(project_id)] * count, key="one")
    assert written(database) == 2


def test_submit_when_the_total_is_too_much(database: Database, person: Member, project_id: str) -> None:
    """Where each alone could be paid but not all, none is made, and the refusal names the price of all."""
    orders = [build_order(project_id, model_id="text-to-video-ultra", duration_seconds=8)] * 8
    with pytest.raises(errors.InsufficientCredits) as raised:
        submit_all(database, person, orders)

    assert (raised.value.needed_credits, raised.value.available_credits) == (10_400, 10_000)
    assert written(database) == 0
    assert balance(database, person) == ledger.Balance(10_000, 0)


def test_submit_when_one_cannot_be_made(database: Database, person: Member, project_id: str) -> None:
    """One bad order takes the others with it, also for a caller who catches the refusal and goes on."""
    orders = [build_order(project_id), build_order(project_id, duration_seconds=99)]
    with database.write_session() as session:
        with pytest.raises(errors.InvalidRequest) as raised:
            batches.submit_batch(session, person, orders, **HOW)  # type: ignore[arg-type]  # keyword arguments
        projects.create(session, person, name="Something else")

    assert list(raised.value.fields) == ["generations.1.duration"]
    assert written(database) == 0
    assert balance(database, person) == ledger.Balance(10_000, 0)
    with database.read_session() as session:
        assert session.scalars(select(Project.generation_count)).all() == [0, 0]


@pytest.mark.parametrize("count", [0, batches.MAX_BATCH + 1])
def test_submit_when_there_are_none_or_too_many(
    database: Database, person: Member, project_id: str, count: int
) -> None:
    """A batch has a size."""
    with pytest.raises(errors.InvalidRequest):
        submit_all(database, person, [build_order(project_id)] * count)


def test_submit_when_the_key_comes_with_another_clip_to_go_on_from(
    database: Database, person: Member, project_id: str
) -> None:
    """The clip that a batch goes on from is part of it; the same one again is a repeat."""
    source, other = create_completed(database, person), create_completed(database, person)
    orders = [build_order(project_id), build_order(project_id)]
    first = [row.id for row in submit_all(database, person, orders, key="one", extends_id=source.id)]

    assert [row.id for row in submit_all(database, person, orders, key="one", extends_id=source.id)] == first
    for changed in (other.id, None):
        with pytest.raises(errors.IdempotencyConflict):
            submit_all(database, person, orders, key="one", extends_id=changed)


def test_submit_when_it_extends_somebody_elses_clip(database: Database, person: Member, project_id: str) -> None:
    """A clip goes on from one's own clip only."""
    with database.write_session() as session:
        stranger = ensure_member(session, "eve@example.org", signup_credits=10_000)
    theirs = create_completed(database, stranger)
    with pytest.raises(errors.NotFound):
        submit_all(database, person, [build_order(project_id)], extends_id=theirs.id)

    mine = create_completed(database, person)
    assert submit_all(database, person, [build_order(project_id)], extends_id=mine.id)[0].extends_id == mine.id


@pytest.mark.both_databases
@given(
    wanted=st.lists(
        st.fixed_dictionaries(
            {
                "model_id": st.sampled_from(["demo-film", "kling-2.5"]),
                "resolution": st.sampled_from(["720p", "1080p"]),
                "duration_seconds": st.sampled_from([5, 10]),
            }
        ),
        min_size=1,
        max_size=6,
    ),
    credits=st.integers(1, 5_000),
    presses=st.integers(1, 3),
)
def test_submit_always_holds_the_sum_or_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    sqlite_template: Path,
    wanted: list[dict[str, object]],
    credits: int,
    presses: int,
) -> None:
    """For any batch and balance: the sum of the quotes is held once, a hold an item, or nothing at all is written."""
    path = tmp_path_factory.mktemp("batch") / "studio.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    try:
        with database.write_session() as session:
            person = ensure_member(session, "ana@example.org", signup_credits=credits)
            project = projects.create(session, person, name="Lakes")
        orders = [build_order(project.id, **one) for one in wanted]
        total = sum(pricing.priced(one.spec).total_credits for one in orders)
        assert batches.total_credits(orders) == total
        for _ in range(presses):
            if total <= credits:
                submit_all(database, person, orders, key="one")
                continue
            with pytest.raises(errors.InsufficientCredits):
                submit_all(database, person, orders, key="one")
        held = total if total <= credits else 0
        assert balance(database, person) == ledger.Balance(credits - held, held)
        assert written(database) == (len(orders) if held else 0)
        with database.read_session() as session:
            holds = session.scalars(select(LedgerEntry.amount_credits).where(LedgerEntry.kind == "hold")).all()
        assert sum(holds) == held
    finally:
        database.dispose()


@pytest.mark.both_databases
def test_submit_when_the_price_is_not_the_one_shown(database: Database, person: Member, project_id: str) -> None:
    """Nobody pays a price that they were not shown: nothing is written, and with the price of now it is ordered."""
    orders = [build_order(project_id), build_order(project_id, prompt="a lake at dawn")]
    with pytest.raises(errors.PriceChanged):
        submit_all(database, person, orders, shown_credits=99, key="one")
    with pytest.raises(errors.PriceChanged):
        submit_all(database, person, orders[:1], shown_credits=0)

    assert written(database) == 0
    assert balance(database, person) == ledger.Balance(10_000, 0)
    rows = submit_all(database, person, orders, shown_credits=100, key="one")
    again = submit_all(database, person, orders, shown_credits=99, key="one")  # was paid at the price of its moment
    assert [row.id for row in again] == [row.id for row in rows]
