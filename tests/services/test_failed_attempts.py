"""Who fails to come in waits longer each time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core import errors
from core.clock import utc_now
from core.db import Database
from core.db.tables import FailedAttempts
from core.identity import failed_attempts
from core.identity.failed_attempts import FREE, LONGEST

KEYS = ["address:10.0.0.7", "account:https://id.example.org ana"]


def fail(database: Database, times: int, keys: list[str] = KEYS) -> None:
    """So many failures."""
    for _time in range(times):
        with database.write_session() as session:
            failed_attempts.count(session, keys)


def check(database: Database, *keys: str) -> None:
    """Try."""
    with database.read_session() as session:
        failed_attempts.check(session, keys)


def ago(database: Database, span: timedelta) -> None:
    """As if the last failure lay so far back."""
    with database.write_session() as session:
        session.execute(update(FailedAttempts).values(last_at=utc_now() - span))


def test_first_failures_cost_no_wait(database: Database) -> None:
    """People mistype, and offices share an address."""
    fail(database, FREE - 1)
    check(database, *KEYS)


def test_further_failures_wait(database: Database) -> None:
    """The address waits, and so does the account from any other address; whoever has waited may try."""
    fail(database, FREE + 3)
    for key in KEYS:
        with pytest.raises(errors.RateLimited) as slowed:
            check(database, key)
        assert 10 < slowed.value.retry_after_seconds <= 16
    check(database, "address:10.0.0.8")
    ago(database, timedelta(seconds=17))
    check(database, *KEYS)


def test_wait_doubles_to_a_quarter_of_an_hour() -> None:
    """However often somebody failed, it ends somewhere."""
    assert [failed_attempts.wait(count).seconds for count in (FREE - 1, FREE, FREE + 1, FREE + 2)] == [0, 2, 4, 8]
    assert failed_attempts.wait(10_000) == LONGEST


def test_failures_are_forgotten_after_an_hour_and_by_coming_in(database: Database) -> None:
    """The count begins anew."""
    fail(database, 20)
    ago(database, timedelta(minutes=61))
    fail(database, 1)
    check(database, *KEYS)
    fail(database, 20)
    with database.write_session() as session:
        failed_attempts.forget(session, KEYS[:1])
    check(database, KEYS[0])
    with pytest.raises(errors.RateLimited):
        check(database, KEYS[1])


def test_what_is_long_over_is_not_kept(database: Database) -> None:
    """The table holds an hour of failures."""
    fail(database, 1, ["address:10.0.0.9"])
    ago(database, timedelta(minutes=61))
    fail(database, 1)
    with database.read_session() as session:
        assert set(session.scalars(select(FailedAttempts.key))) == set(KEYS)


@pytest.mark.both_databases
def test_failures_at_once_are_all_counted(database: Database) -> None:
    """No two are taken for one."""
    with ThreadPoolExecutor(8) as several:
        list(several.map(lambda _number: fail(database, 1), range(24)))
    with database.read_session() as session:
        assert set(session.scalars(select(FailedAttempts.count))) == {24}


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("10.0.0.7", "address:10.0.0.7"),
        ("::ffff:10.0.0.7", "address:10.0.0.7"),
        ("2001:db8::1", "address:2001:db8::/64"),
        ("2001:db8::ffff:1", "address:2001:db8::/64"),
        ("", "address:"),
        ("x" * 400, f"address:{'x' * 292}"),
    ],
)
def test_address_as_it_is_counted(address: str, key: str) -> None:
    """A subscriber of IPv6 has a whole network of addresses."""
    assert failed_attempts.of_address(address) == key
