from datetime import timedelta

import pytest

from core import errors
from core.clock import utc_now
from core.db import Database
from core.db.tables import ProviderHealth
from core.errors import Fault
from core.insights import circuit_breaker

pytestmark = pytest.mark.both_databases  # outcomes are upserts, in each database's words


def fail(database: Database, error: errors.AppError, times: int) -> None:
    """Note the same failure several times."""
    for _ in range(times):
        with database.write_session() as session:
            circuit_breaker.record_failure(session, "acme", error)


def known(database: Database) -> ProviderHealth | None:
    """What is known of the provider."""
    with database.read_session() as session:
        return circuit_breaker.states(session).get("acme")


@pytest.mark.parametrize("error", [errors.ProviderUnavailable(), errors.UnreadableReply(), errors.SubmitUncertain()])
def test_breaker_when_provider_fails_in_a_row(database: Database, error: errors.AppError) -> None:
    """Its own failures in a row open the breaker, not one fewer; the first success closes it."""
    fail(database, error, circuit_breaker.FAILURES_TO_OPEN - 1)
    with database.write_session() as session:
        assert circuit_breaker.permitted_submits(session, "acme") is None
    fail(database, error, 1)
    assert circuit_breaker.state(known(database)) is circuit_breaker.State.TROUBLE
    with database.write_session() as session:
        assert circuit_breaker.permitted_submits(session, "acme") == 0
        circuit_breaker.record_order(session, "acme")

    assert circuit_breaker.state(known(database)) is circuit_breaker.State.OK
    with database.write_session() as session:
        assert circuit_breaker.permitted_submits(session, "acme") is None


@pytest.mark.parametrize(
    "error",
    [errors.InvalidInput(), errors.ContentRefused(), errors.GenerationFailed(), errors.ProviderRateLimited()],
)
def test_breaker_when_it_is_not_the_provider(database: Database, error: errors.AppError) -> None:
    """What people ask for, and a polite "later", never count against a provider."""
    fail(database, error, 50)

    assert known(database) is None


@pytest.mark.parametrize("kind", [kind for kind in errors.ProviderError.__subclasses__() if kind.fault is Fault.USER])
def test_breaker_when_a_person_made_a_mistake(database: Database, kind: type[errors.ProviderError]) -> None:
    """Whatever a person got wrong says nothing of the provider."""
    fail(database, kind(), circuit_breaker.FAILURES_TO_OPEN)

    assert known(database) is None


@pytest.mark.parametrize("error", [errors.BadKey(detail="401"), errors.ProviderOutOfCredits()])
def test_breaker_when_our_account_does_not_work(database: Database, error: errors.AppError) -> None:
    """A refused key is shown as trouble, but what is ordered still fails at once instead of waiting."""
    fail(database, error, 50)

    assert circuit_breaker.state(known(database)) is circuit_breaker.State.TROUBLE
    with database.write_session() as session:
        assert circuit_breaker.permitted_submits(session, "acme") is None


def test_key_check_when_noted(database: Database) -> None:
    """The answer of the key check is kept beside the rest."""
    fail(database, errors.ProviderUnavailable(), 1)
    for works in (True, False):
        with database.write_session() as session:
            circuit_breaker.record_key_check(session, "acme", works=works)
        row = known(database)
        assert row is not None
        assert (row.key_works, row.failures) == (works, 1)


def test_account_fault_is_cleared_by_an_order_or_a_key_check_only(database: Database) -> None:
    """Neither a look that worked nor an outage takes a fault of our account out of sight."""

    def code() -> str | None:
        row = known(database)
        return row.error_code if row else None

    for cleared_by in ("order", "key"):
        fail(database, errors.BadKey(), 1)
        fail(database, errors.ProviderUnavailable(), circuit_breaker.FAILURES_TO_OPEN)
        with database.write_session() as session:
            circuit_breaker.record_answer(session, "acme")
            circuit_breaker.record_key_check(session, "acme", works=False)
        row = known(database)
        assert row is not None
        assert (row.error_code, row.failures, row.retry_at) == ("provider_bad_key", 0, None)
        with database.write_session() as session:
            if cleared_by == "order":
                circuit_breaker.record_order(session, "acme")
            else:
                circuit_breaker.record_key_check(session, "acme", works=True)
        assert code() is None


def test_answer_closes_the_breaker(database: Database) -> None:
    """A provider that answers looks is no longer left alone."""
    fail(database, errors.ProviderUnavailable(), circuit_breaker.FAILURES_TO_OPEN)
    with database.write_session() as session:
        circuit_breaker.record_answer(session, "acme")
        assert circuit_breaker.permitted_submits(session, "acme") is None
    assert circuit_breaker.state(known(database)) is circuit_breaker.State.OK


def test_breaker_when_the_clock_was_set_back(database: Database) -> None:
    """A pause that would last longer than one ever does is over: one trial may go."""
    fail(database, errors.ProviderUnavailable(), circuit_breaker.FAILURES_TO_OPEN)
    with database.write_session() as session:
        session.get_one(ProviderHealth, "acme").retry_at = utc_now() + timedelta(hours=7)
    with database.write_session() as session:
        assert circuit_breaker.permitted_submits(session, "acme") == 1
        assert circuit_breaker.permitted_submits(session, "acme") == 0
