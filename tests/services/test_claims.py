import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import update

from core import db, errors
from core.clock import utc_now
from core.db.enums import Stage, Status
from core.db.shares import Share
from core.db.tables import Flight, Generation, ProviderHealth
from core.generations import commands
from core.generations.submit import submit
from core.insights import circuit_breaker
from core.installation import Installation, current
from core.projects import projects
from core.worker import claims
from core.workspaces.access import Member
from tests.factories import installations
from tests.factories.books import broken_rules
from tests.factories.generations import (
    CONFIGURED,
    DISPATCHED,
    QUOTA_BYTES,
    READY_TO_DOWNLOAD,
    SUBMITTING,
    WAITING,
    advance,
    build_order,
    create_generation,
    load_generation,
    make_due,
    rewrite,
)
from tests.factories.users import create_member, ensure_member


@pytest.fixture
def ana(installation: Installation) -> Member:
    """Somebody with credits in the installation."""
    return create_member(db.default(), credits=100_000)


def claim_submits() -> list[Flight]:
    """What a dispatcher would hand over now, calls being free."""
    return list(claims.claim_submits(current().settings, lambda _provider: True))


def test_sweep_when_workers_died(installation: Installation, ana: Member) -> None:
    """A dead submit becomes uncertain; a dead download is done again."""
    sending, fetching = create_generation(db.default(), ana), create_generation(db.default(), ana)
    advance(db.default(), sending.id, DISPATCHED, SUBMITTING)
    advance(
        db.default(), fetching.id, DISPATCHED, SUBMITTING, WAITING, (Status.PROCESSING, Stage.READY_TO_DOWNLOAD),
        (Status.PROCESSING, Stage.DOWNLOADING),
    )  # fmt: skip
    claims.sweep()
    assert load_generation(sending.id).status is Status.PROCESSING
    for row in (sending, fetching):
        make_due(row.id)
    claims.sweep()

    assert (load_generation(sending.id).status, load_generation(sending.id).stage) == (
        Status.UNCERTAIN,
        Stage.SUBMITTING,
    )
    assert (load_generation(fetching.id).status, load_generation(fetching.id).stage) == (
        Status.PROCESSING,
        Stage.READY_TO_DOWNLOAD,
    )


def test_sweep_when_nothing_was_taken_for_a_day(installation: Installation, ana: Member) -> None:
    """What no provider took for a day fails, and the credits come back."""
    row = create_generation(db.default(), ana)
    with db.write_session() as session:
        rewrite(session, created_at=utc_now() - timedelta(hours=25))
    claims.sweep()

    assert load_generation(row.id).status is Status.FAILED
    assert broken_rules() == []


def test_hand_over_when_people_share(installation: Installation, ana: Member) -> None:
    """Few are outstanding a provider, and everybody's first goes before anybody's second."""
    many = [create_generation(db.default(), ana).id for _ in range(12)]
    with db.write_session() as session:
        eve = ensure_member(session, "eve@example.org", signup_credits=1000)
    one = create_generation(db.default(), eve).id
    handed = [row.id for row in claim_submits()]

    assert len(handed) == claims.MAX_OUTSTANDING_SUBMITS
    assert handed[:2] == [many[0], one]
    assert claim_submits() == []


def test_hand_over_when_provider_takes_few(installation: Installation, ana: Member) -> None:
    """A provider that takes five at once is given no sixth while five are with it."""
    with db.write_session() as session:
        project = projects.create(session, ana, name="Lakes")
    for _ in range(7):
        with db.write_session() as session:
            wanted = build_order(project.id, model_id="seedance-t2v")
            submit(session, ana, wanted, configured=CONFIGURED, quota_bytes=QUOTA_BYTES)
    handed = claim_submits()
    for row in handed:
        advance(db.default(), row.id, SUBMITTING, WAITING)

    assert len(handed) == 5
    assert claim_submits() == []


def test_hand_over_when_queue_was_lost(installation: Installation, ana: Member) -> None:
    """What was handed over and never begun comes due again; it is still pending and free to cancel."""
    row = create_generation(db.default(), ana)
    assert [found.id for found in claim_submits()] == [row.id]
    assert claim_submits() == []
    make_due(row.id)

    assert [found.id for found in claim_submits()] == [row.id]
    with db.write_session() as session:
        assert commands.cancel(session, ana, row.id).status is Status.CANCELLED


def test_hand_over_when_calls_are_limited(installation: Installation, ana: Member) -> None:
    """What the shared rate holds back stays due in the table."""
    for _ in range(4):
        create_generation(db.default(), ana)
    free = iter([True, True, False])
    handed = claims.claim_submits(current().settings, lambda _provider: next(free))

    assert len(handed) == 2
    assert len(claim_submits()) == 2


def test_hand_over_when_the_operator_sets_a_limit(
    installation: Installation, ana: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator's limit counts before the provider's own."""
    monkeypatch.setenv("DEMO_MAX_IN_FLIGHT", "2")
    installations.reopen()
    for _ in range(4):
        create_generation(db.default(), ana)

    assert len(claim_submits()) == 2


def test_hand_over_when_provider_is_in_trouble(installation: Installation, ana: Member) -> None:
    """A provider that fails by itself is left alone for a while, then tried with one."""
    for _ in range(3):
        create_generation(db.default(), ana)
    with db.write_session() as session:
        for _ in range(circuit_breaker.FAILURES_TO_OPEN):
            circuit_breaker.record_failure(session, "demo", errors.ProviderUnavailable())
    assert claim_submits() == []

    with db.write_session() as session:
        session.execute(update(ProviderHealth).values(retry_at=utc_now() - timedelta(seconds=1)))
    assert len(claim_submits()) == 1
    assert claim_submits() == []

    with db.write_session() as session:
        circuit_breaker.record_order(session, "demo")
    assert len(claim_submits()) == 2


@pytest.fixture
def somebody(site: Installation) -> Member:
    """Somebody with credits, on each kind of database."""
    return create_member(db.default(), credits=100_000)


def at_once(work: Callable[[], Sequence[Flight]]) -> list[str]:
    """The ids that three dispatchers claim together when they begin at one moment."""
    together = threading.Barrier(3)

    def one() -> Sequence[Flight]:
        together.wait()
        return work()

    with ThreadPoolExecutor(3) as pool:
        return [row.id for done in [pool.submit(one) for _ in range(3)] for row in done.result()]


@pytest.mark.both_databases
def test_hand_over_when_several_do_it_at_once(somebody: Member) -> None:
    """No order is handed over twice, and together they hand over no more than may be outstanding."""
    for _ in range(12):
        create_generation(db.default(), somebody)
    handed = at_once(claim_submits)

    assert len(handed) == len(set(handed)) == claims.MAX_OUTSTANDING_SUBMITS


@pytest.mark.both_databases
def test_collect_when_several_do_it_at_once(somebody: Member) -> None:
    """Each finished clip is claimed by one, up to the limit each, and again only when its lease is over."""
    rows = [create_generation(db.default(), somebody).id for _ in range(5)]
    for row in rows:
        advance(db.default(), row, DISPATCHED, SUBMITTING, WAITING, READY_TO_DOWNLOAD)
        make_due(row)

    assert sorted(at_once(lambda: claims.claim_downloads(10))) == rows
    assert claims.claim_downloads(10) == []
    for row in rows:
        make_due(row)
    assert len(claims.claim_downloads(2)) == 2


@pytest.mark.both_databases
def test_look_when_a_provider_has_no_room(somebody: Member) -> None:
    """As many are claimed as there is room for, none without room, and each one once."""
    rows = [create_generation(db.default(), somebody).id for _ in range(3)]
    for row in rows:
        advance(db.default(), row, DISPATCHED, SUBMITTING, WAITING)
        make_due(row)

    assert claims.claim_polls(lambda _provider: 0) == claims.claim_polls(lambda _provider: -1) == []
    first = [row.id for row in claims.claim_polls(lambda _provider: 2)]
    assert len(first) == 2
    assert sorted([*first, *(row.id for row in claims.claim_polls(lambda _provider: 9))]) == rows
    assert claims.claim_polls(lambda _provider: 9) == []


def swept_by_one() -> Sequence[Flight]:
    """A sweep, which claims nothing for others."""
    claims.sweep()
    return []


@pytest.mark.both_databases
def test_sweep_when_several_do_it_at_once(somebody: Member) -> None:
    """A dead submit becomes uncertain once; the next sweep changes nothing."""
    row = create_generation(db.default(), somebody)
    advance(db.default(), row.id, DISPATCHED, SUBMITTING)
    make_due(row.id)
    at_once(swept_by_one)
    swept = load_generation(row.id)
    make_due(row.id)
    claims.sweep()

    assert (swept.status, load_generation(row.id).version) == (Status.UNCERTAIN, swept.version)
    assert broken_rules() == []


@pytest.mark.both_databases
def test_looks_when_dispatchers_share_them(installation: Installation, ana: Member) -> None:
    """Each takes its own and leaves others' for a moment, on PostgreSQL; then anyone takes what is left."""
    ids = set()
    for _ in range(12):
        row = create_generation(db.default(), ana)
        ids.add(row.id)
        advance(db.default(), row.id, DISPATCHED, SUBMITTING, WAITING, next_at=utc_now() + timedelta(hours=1))

    def make_due(ago: timedelta) -> None:
        with db.write_session() as session:
            session.execute(update(Generation).values(next_at=db.now(session) - ago))

    def taken(share: Share) -> set[str]:
        return {row.id for row in claims.claim_polls(lambda _provider: 100, share)}

    is_shared = db.default().engine.dialect.name == "postgresql"
    make_due(timedelta())
    mine, others = taken(Share(0, 2)), taken(Share(1, 2))
    assert not mine & others
    if is_shared:
        assert mine | others <= ids
        make_due(timedelta(seconds=-60))
        with db.write_session() as session:
            left = update(Generation).where(Generation.id.in_(others | (ids - mine)))
            session.execute(left.values(next_at=db.now(session) - 2 * claims.OTHERS_FIRST))
        assert taken(Share(0, 2)) == ids - mine
    else:
        assert mine == ids
