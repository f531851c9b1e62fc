"""What is killed, and where, loses no event; several senders make each attempt once."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from sqlalchemy import select, update

from core.clock import utc_now
from core.db.enums import DeliveryState
from core.db.tables import WebhookDelivery
from core.notifications import webhooks
from tests.factories.generations import create_completed
from tests.fixtures import receiver as receivers
from tests.fixtures.receiver import Receiver
from tests.system.installation import ROOT, Installation, installed, kill_tree

pytestmark = [pytest.mark.process, pytest.mark.both_databases]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody's webhook."""
    with receivers.receiver() as running:
        yield running


@pytest.fixture
def site(receiver: Receiver, database_url: str) -> Iterator[Installation]:
    """An installation that may send to the receiver, which is registered; it needs no vendor and no Redis."""
    environ = {"WEBHOOK_ALLOW_HOSTS": receiver.host_port, "SECRET_KEY": "a key for tests"}
    with installed("http://127.0.0.1:9", database_url, environ) as found:
        address = webhooks.validate_url(receiver.url, allow=frozenset({receiver.host_port}))
        with found.database.write_session() as session:
            webhooks.create(session, found.user, address, key=b"key of this test")
        yield found


def deliveries(site: Installation) -> list[WebhookDelivery]:
    """All deliveries as they are now."""
    with site.database.read_session() as session:
        return list(session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)))


def all_delivered(site: Installation) -> bool:
    """Whether nothing is left to deliver."""
    return all(delivery.state is DeliveryState.DELIVERED for delivery in deliveries(site))


def test_sender_killed_after_the_post(site: Installation, receiver: Receiver) -> None:
    """An attempt that was made but not recorded is made again when its lease is over, under the same webhook-id."""
    create_completed(site.database, site.user)
    command = [sys.executable, "-m", "tests.system.killed_sender"]
    ended = subprocess.run(command, env=site.environ, cwd=ROOT, check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    (left,) = deliveries(site)
    assert (left.state, left.attempts) == (DeliveryState.DUE, 1)
    assert left.next_at is not None
    assert left.next_at > utc_now()
    with site.database.write_session() as session:  # rather than to wait for the lease
        session.execute(update(WebhookDelivery).values(next_at=utc_now()))
    site.start_worker("--role", "dispatcher")
    site.until(lambda: all_delivered(site), "delivered by another sender")

    first, second = receiver.calls
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    assert deliveries(site)[0].attempts == 2


def test_two_dispatchers_make_each_attempt_once(site: Installation, receiver: Receiver) -> None:
    """Fifty events and two senders: fifty calls, each event once."""
    for _ in range(50):
        create_completed(site.database, site.user)
    for _ in range(2):
        site.start_worker("--role", "dispatcher")
    site.until(lambda: all_delivered(site), "all are delivered")

    assert len(receiver.calls) == 50
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 50
    assert {delivery.attempts for delivery in deliveries(site)} == {1}


def test_dispatcher_ends_while_a_server_lets_it_wait(site: Installation, receiver: Receiver) -> None:
    """A dispatcher that is told to end waits for no slow server longer than an attempt may take."""
    receiver.go_on.clear()
    create_completed(site.database, site.user)
    dispatcher = site.start_worker("--role", "dispatcher")
    site.until(lambda: bool(receiver.calls), "the attempt has begun")
    dispatcher.terminate()
    assert dispatcher.wait(25) == 0
    (left,) = deliveries(site)
    assert left.state is DeliveryState.DUE


def test_dispatcher_killed_in_the_middle(site: Installation, receiver: Receiver) -> None:
    """A kill while answers are awaited loses nothing: another sender finishes all of it."""
    receiver.go_on.clear()
    for _ in range(3):
        create_completed(site.database, site.user)
    first = site.start_worker("--role", "dispatcher")
    site.until(lambda: len(receiver.calls) == 3, "the attempts have begun")
    kill_tree(first)
    receiver.go_on.set()
    with site.database.write_session() as session:  # rather than to wait for the leases
        session.execute(update(WebhookDelivery).values(next_at=utc_now()))
    site.start_worker("--role", "dispatcher")
    site.until(lambda: all_delivered(site), "all are delivered")
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 3
