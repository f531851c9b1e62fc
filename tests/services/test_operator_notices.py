"""Who is told that a model ends, and that a provider needs an administrator: once each, with its cause."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import update

from core import errors
from core.catalog import catalogue, in_force
from core.catalog.catalogue import Catalogue
from core.catalog.records import Life, LifeState
from core.clock import utc_now
from core.db import Database
from core.db.enums import NoticeKind, NoticeWay, WorkspaceRole
from core.db.tables import Notice, UsageDay
from core.insights import circuit_breaker, model_ends
from core.notifications import inbox, ways
from core.workspaces.access import Member
from tests.factories.generations import create_completed
from tests.factories.notices import all_notices, all_sends, by_mail, titles
from tests.factories.users import create_member
from tests.factories.workspaces import create_admin, create_team

pytestmark = pytest.mark.both_databases


def fail(database: Database, error: errors.AppError, provider: str = "modelslab") -> None:
    """Let a provider refuse or break something."""
    with database.write_session() as session:
        circuit_breaker.record_failure(session, provider, error)


def at_once(*works: Callable[[], object]) -> None:
    """Do these at the same time, each in a thread."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        barrier.wait(60)
        work()

    with ThreadPoolExecutor(len(works)) as threads:
        for done in [threads.submit(run, work) for work in works]:
            done.result()


def test_provider_that_refuses_our_account_is_told_once_a_spell(database: Database, person: Member) -> None:
    """Administrators and nobody else, with the first refusal; more of them are the same spell, and its end is told."""
    root = create_admin(database)
    for error in (errors.ProviderOutOfCredits(), errors.ProviderOutOfCredits(), errors.BadKey()):
        fail(database, error)
    assert titles(database, root) == ["ModelsLab needs an administrator"]
    assert titles(database, person) == []

    for _ in range(2):
        with database.write_session() as session:
            circuit_breaker.record_order(session, "modelslab")
    assert titles(database, root) == ["ModelsLab works again", "ModelsLab needs an administrator"]
    fail(database, errors.BadKey())
    assert titles(database, root)[0] == "ModelsLab needs an administrator"
    assert len(all_notices(database)) == 3


def test_outage_of_a_provider_calls_nobody(database: Database) -> None:
    """What passes by itself is no administrator's; nor does an outage that ends say that an account works again."""
    create_admin(database)
    for _ in range(circuit_breaker.FAILURES_TO_OPEN):
        fail(database, errors.ProviderUnavailable())
    with database.write_session() as session:
        circuit_breaker.record_order(session, "modelslab")
        circuit_breaker.record_key_check(session, "modelslab", works=True)
    assert all_notices(database) == []


def test_account_that_is_refused_during_an_outage_is_told(database: Database) -> None:
    """The row of the provider is there by then, with another failure in it."""
    root = create_admin(database)
    fail(database, errors.ProviderUnavailable())
    fail(database, errors.ProviderOutOfCredits())
    assert titles(database, root) == ["ModelsLab needs an administrator"]


def test_key_that_a_check_finds_refused_is_told_until_one_succeeds(database: Database) -> None:
    """No order has to fail for it; every further check that says the same is silent."""
    root = create_admin(database)
    for works in (True, False, False, True, True):
        with database.write_session() as session:
            circuit_breaker.record_key_check(session, "modelslab", works=works)
    assert titles(database, root) == ["ModelsLab works again", "ModelsLab needs an administrator"]


def test_refusal_that_is_undone_tells_nobody(database: Database) -> None:
    """The notice is in the transaction of its cause."""
    create_admin(database)

    def undone() -> None:
        with database.write_session() as session:
            circuit_breaker.record_failure(session, "modelslab", errors.BadKey())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        undone()
    assert all_notices(database) == []


def test_workers_that_are_refused_at_the_same_time_tell_once(database: Database) -> None:
    """One of them begins the spell, also where the provider was never in trouble before; one of them ends it."""
    root = create_admin(database)
    for _ in range(3):
        at_once(*[lambda: fail(database, errors.ProviderOutOfCredits())] * 3)

        def accept() -> None:
            with database.write_session() as session:
                circuit_breaker.record_order(session, "modelslab")

        at_once(accept, accept)
    assert titles(database, root) == ["ModelsLab works again", "ModelsLab needs an administrator"] * 3


def test_kind_that_is_switched_off_for_a_way(database: Database) -> None:
    """It can be chosen as the others: not in the inbox, and by mail all the same."""
    root = create_admin(database)
    by_mail(database, root)
    with database.write_session() as session:
        ways.mute(session, root, NoticeWay.INBOX, NoticeKind.PROVIDER_ACCOUNT, is_muted=True)
    fail(database, errors.BadKey())
    assert titles(database, root) == []
    assert len(all_sends(database)) == 1


@contextmanager
def ending(in_time: timedelta, model_id: str = "demo-film") -> Iterator[None]:
    """A catalogue in which a model ends so long from now."""
    known = catalogue.shipped()
    entry = replace(known.entries[model_id], lives=(Life(utc_now() + in_time, LifeState.WITHDRAWN),))
    with in_force.seen(Catalogue({**known.entries, model_id: entry})):
        yield


def tell(database: Database, now: datetime | None = None) -> None:
    """As a dispatcher does, now and then."""
    with database.read_session() as session:
        found = model_ends.to_tell(session, now or utc_now())
    with database.write_session() as session:
        model_ends.tell(session, found)


def test_model_that_ends_is_told_a_month_and_a_week_before(database: Database) -> None:
    """To who made clips with it lately, and who manages where they did; each part once, to nobody else."""
    boss, eve, idle = (create_member(database, f"{name}@example.org") for name in ("boss", "eve", "idle"))
    [_boss, maker, _idle] = create_team(
        database, (boss, WorkspaceRole.MANAGER), (eve, WorkspaceRole.MAKER), (idle, WorkspaceRole.MAKER)
    )
    create_completed(database, maker)
    before = len(all_notices(database))

    end = utc_now() + timedelta(days=1)
    with ending(timedelta(days=1)):
        for days_before, parts in ((31, 0), (29, 1), (8, 1), (6, 2), (1, 2), (-1, 2), (-3, 2)):
            for _ in range(2):
                tell(database, now=end - timedelta(days=days_before))
            told = [notice for notice in all_notices(database) if notice.kind is NoticeKind.MODEL_ENDS]
            assert len(told) == 2 * parts, days_before
            assert {notice.user_id for notice in told} == ({boss.id, eve.id} if parts else set())
    assert len(all_notices(database)) == before + 4


def test_model_that_is_ended_at_once_is_told(database: Database, person: Member) -> None:
    """Nobody was told before, so that they are now; once."""
    create_completed(database, person)
    with ending(timedelta(hours=-1)):
        tell(database)
        tell(database)
    assert titles(database, person)[0] == "Demo Film has ended"
    assert len(titles(database, person)) == 2
    with ending(timedelta(days=-3)):
        tell(database)
    assert len(titles(database, person)) == 2


def test_end_that_is_put_off_is_told_anew(database: Database, person: Member) -> None:
    """Once for each model and date."""
    create_completed(database, person)
    for in_days in (10, 20, 20):
        with ending(timedelta(days=in_days)):
            tell(database)
    assert sum("ends on" in title for title in titles(database, person)) == 2


def test_model_that_nobody_has_used_lately_ends_in_peace(database: Database, person: Member) -> None:
    """A clip of two months ago makes nobody read of it."""
    create_completed(database, person)
    with database.write_session() as session:
        session.execute(update(UsageDay).values(day=(utc_now() - timedelta(days=60)).date().isoformat()))
    with ending(timedelta(days=10)):
        tell(database)
    assert not any("ends on" in title for title in titles(database, person))


def test_two_dispatchers_tell_of_an_end_once(database: Database, person: Member) -> None:
    """Both have found the same people before either has told them."""
    create_completed(database, person)
    by_mail(database, person)
    sends = len(all_sends(database))
    with ending(timedelta(days=10)), database.read_session() as session:
        found = model_ends.to_tell(session, utc_now())
    assert [list(people) for people in found.values()] == [[person.id]]

    def write() -> None:
        with database.write_session() as session:
            model_ends.tell(session, found)

    at_once(write, write)
    assert sum("ends on" in title for title in titles(database, person)) == 1
    assert len(all_sends(database)) == sends + 1


def test_notice_of_an_end_is_kept_until_it_would_not_be_told_again(database: Database, person: Member) -> None:
    """However short the inbox is kept: with the notice gone, it would be told once more."""
    create_completed(database, person)
    with ending(timedelta(days=10)):
        tell(database)
        with database.write_session() as session:
            session.execute(update(Notice).values(created_at=utc_now() - timedelta(days=20)))
            inbox.prune(session, days=7)
        tell(database)
    assert len(titles(database, person)) == 1
    with database.write_session() as session:
        session.execute(update(Notice).values(created_at=utc_now() - timedelta(days=46)))
        inbox.prune(session, days=7)
    assert titles(database, person) == []
