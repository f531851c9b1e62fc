import pytest

from core import errors
from core.db import Database
from core.db.tables import ProviderHealth
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
        circuit_breaker.record_success(session, "acme")

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
