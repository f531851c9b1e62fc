import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import standardwebhooks
from sqlalchemy import func, select, update

from core import db, retry
from core.clock import utc_now
from core.config import Settings
from core.db.enums import DeliveryState, DisabledReason
from core.db.tables import WebhookDelivery, WebhookEndpoint
from core.installation import Installation, current
from core.messages import message
from core.notifications import webhook_sender, webhooks
from core.workspaces.access import Member
from tests.factories import installations
from tests.factories.generations import create_completed
from tests.factories.users import create_member, deactivate
from tests.fixtures import receiver as receivers
from tests.fixtures.receiver import Receiver
from tests.said import codes


@pytest.fixture
def site(site: Installation, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of an installation on each kind of database that may send to the receiver."""
    monkeypatch.setenv("WEBHOOK_ALLOW_HOSTS", receiver.host_port)
    return installations.reopen().settings


@pytest.fixture
def ana(site: Settings) -> Member:
    """Somebody with credits in the installation."""
    return create_member(db.default(), credits=100_000)


def registered(settings: Settings, user: Member, url: str) -> WebhookEndpoint:
    """A webhook at this address."""
    address = webhooks.validate_url(url, allow=settings.webhook_allow_hosts)
    with db.write_session() as session:
        return webhooks.create(session, user, address, key=settings.secret_key)


def sent_test(user: Member, endpoint: WebhookEndpoint) -> str:
    """The id of a new delivery."""
    with db.write_session() as session:
        return webhooks.send_test(session, user, endpoint.id).id


def send(settings: Settings) -> int:
    """Claim and deliver what is due, as a sender's round does; how many attempts were made."""
    claimed = webhook_sender.claim(100)
    for one in claimed:
        webhook_sender.deliver(settings, one)
    return len(claimed)


def run(settings: Settings, until: Callable[[], bool]) -> None:
    """Let a sender run until something holds; the test's own time limit stands behind it."""

    async def both() -> None:
        stop = asyncio.Event()
        sender = asyncio.create_task(webhook_sender.Sender(settings).run(stop))
        while not until():  # noqa: ASYNC110 -- it waits for what the database says
            await asyncio.sleep(0.02)
        stop.set()
        await sender

    asyncio.run(both())


def delivery(delivery_id: str) -> WebhookDelivery:
    """A delivery as it is now."""
    with db.read_session() as session:
        found = session.get(WebhookDelivery, delivery_id)
        assert found is not None
        return found


def endpoint_now(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """A webhook as it is now."""
    with db.read_session() as session:
        found = session.get(WebhookEndpoint, endpoint.id)
        assert found is not None
        return found


def make_due(delivery_id: str) -> None:
    """Let a delivery's time come."""
    with db.write_session() as session:
        session.execute(update(WebhookDelivery).where(WebhookDelivery.id == delivery_id).values(next_at=utc_now()))


def waits_seconds(delivery_id: str) -> float:
    """How long until the next attempt."""
    next_at = delivery(delivery_id).next_at
    assert next_at is not None
    return (next_at - utc_now()).total_seconds()


def test_deliver_is_verified_by_the_receiver(site: Settings, ana: Member, receiver: Receiver) -> None:
    """The end of a generation arrives once, signed so that the receiver's own library accepts it."""
    endpoint = registered(site, ana, receiver.url)
    row = create_completed(db.default(), ana)
    assert send(site) == 1
    assert send(site) == 0

    (call,) = receiver.calls
    secret = webhooks.secret(endpoint, key=site.secret_key)
    event = standardwebhooks.Webhook(secret).verify(call.body, call.headers)
    assert event["data"]["id"] == row.id
    assert (call.path, call.headers["content-type"]) == ("/hook?from=studio", "application/json")
    with db.read_session() as session:
        (done,) = session.scalars(select(WebhookDelivery)).all()
    assert call.headers["webhook-id"] == done.event_id
    assert (done.state, done.attempts, done.last_status, done.last_error) == ("delivered", 1, 204, None)
    assert done.delivered_at is not None
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(secret).verify(call.body + b" ", call.headers)


def test_deliver_when_its_person_was_deactivated(site: Settings, ana: Member, receiver: Receiver) -> None:
    """What was still to be sent to an address of theirs is given up, and never sent."""
    registered(site, ana, receiver.url)
    create_completed(db.default(), ana)
    deactivate(ana)
    assert send(site) == 1
    assert receiver.calls == []
    with db.read_session() as session:
        (given_up,) = session.scalars(select(WebhookDelivery)).all()
    assert (given_up.state, given_up.next_at) == ("given_up", None)


def test_deliver_after_a_rotation(site: Settings, ana: Member, receiver: Receiver) -> None:
    """For a day both the old and the new secret verify what arrives, afterwards only the new one."""
    endpoint = registered(site, ana, receiver.url)
    old = webhooks.secret(endpoint, key=site.secret_key)
    with db.write_session() as session:
        new = webhooks.secret(webhooks.rotate(session, ana, endpoint.id, key=site.secret_key), key=site.secret_key)
    sent_test(ana, endpoint)
    send(site)
    with db.write_session() as session:
        session.execute(update(WebhookEndpoint).values(rotated_at=utc_now() - timedelta(hours=25)))
    sent_test(ana, endpoint)
    send(site)

    during, after = receiver.calls
    for secret in (old, new):
        assert standardwebhooks.Webhook(secret).verify(during.body, during.headers)["type"] == "webhook.test"
    assert standardwebhooks.Webhook(new).verify(after.body, after.headers)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(old).verify(after.body, after.headers)


def test_deliver_when_it_fails_first(site: Settings, ana: Member, receiver: Receiver) -> None:
    """Each retry brings the same bytes under the same webhook-id, and a failure is told in plain words."""
    endpoint = registered(site, ana, receiver.url)
    receiver.answers = [500, 302]
    delivery_id = sent_test(ana, endpoint)
    send(site)
    first = delivery(delivery_id)
    assert (first.state, first.last_status, first.error) == ("due", 500, message("answer_was", status=500))
    assert first.last_error == "The answer was 500."
    assert 4 < waits_seconds(delivery_id) < 6
    assert endpoint_now(endpoint).failing_since is not None
    make_due(delivery_id)
    send(site)
    assert codes(delivery(delivery_id).error) == {"answer_redirects"}
    make_due(delivery_id)
    send(site)

    assert (delivery(delivery_id).state, delivery(delivery_id).attempts) == ("delivered", 3)
    assert len(receiver.calls) == 3
    assert len({(call.body, call.headers["webhook-id"]) for call in receiver.calls}) == 1
    assert endpoint_now(endpoint).failing_since is None


def test_deliver_when_every_attempt_fails(site: Settings, ana: Member, receiver: Receiver) -> None:
    """The waits grow as the specification proposes, over three days; then it is given up and can be replayed."""
    endpoint = registered(site, ana, receiver.url)
    receiver.answers = [503] * 10
    delivery_id = sent_test(ana, endpoint)
    for pause in retry.WEBHOOK_SECONDS:
        send(site)
        assert pause - 2 < waits_seconds(delivery_id) < pause * 1.1 + 1
        make_due(delivery_id)
    send(site)
    assert (delivery(delivery_id).state, delivery(delivery_id).attempts) == (DeliveryState.GIVEN_UP, 10)
    assert send(site) == 0

    with db.write_session() as session:
        again = webhooks.replay(session, ana, endpoint.id, delivery_id)
    send(site)
    assert delivery(again.id).state is DeliveryState.DELIVERED
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1


def test_deliver_when_the_receiver_asks_for_time(site: Settings, ana: Member, receiver: Receiver) -> None:
    """Retry-After is kept to, up to a day."""
    endpoint = registered(site, ana, receiver.url)
    for asked, expected in (("120", 120), ("9999999", 86_400)):
        receiver.headers = {"Retry-After": asked}
        receiver.answers = [429]
        delivery_id = sent_test(ana, endpoint)
        send(site)
        assert expected - 5 < waits_seconds(delivery_id) <= expected


def test_deliver_when_the_receiver_is_gone(site: Settings, ana: Member, receiver: Receiver) -> None:
    """410 stops the webhook: nothing more is sent, what was due is given up, and the reason is kept."""
    endpoint = registered(site, ana, receiver.url)
    receiver.answers = [410]
    ids = [sent_test(ana, endpoint) for _ in range(2)]
    webhook_sender.deliver(site, next(c for c in webhook_sender.claim(9) if c.delivery.id == ids[0]))

    assert endpoint_now(endpoint).disabled_reason is DisabledReason.GONE
    assert [delivery(id).state for id in ids] == [DeliveryState.GIVEN_UP] * 2
    create_completed(db.default(), ana)
    assert send(site) == 0
    assert len(receiver.calls) == 1


def test_deliver_when_it_failed_for_days(site: Settings, ana: Member, receiver: Receiver) -> None:
    """After five days without any success the webhook is stopped; one success in between starts the count anew."""
    endpoint = registered(site, ana, receiver.url)

    def days_pass() -> None:
        with db.write_session() as session:
            long_ago = WebhookEndpoint.failing_since.is_not(None)
            session.execute(update(WebhookEndpoint).where(long_ago).values(failing_since=utc_now() - timedelta(days=6)))

    receiver.answers = [500, 200, 500, 500]
    for _ in range(3):
        sent_test(ana, endpoint)
        send(site)
        if receiver.answers == [500, 500]:
            days_pass()
    assert endpoint_now(endpoint).disabled_at is None
    days_pass()
    sent_test(ana, endpoint)
    send(site)
    assert endpoint_now(endpoint).disabled_reason is DisabledReason.FAILING


def test_deliver_when_the_address_leads_inside_by_now(site: Settings, ana: Member, receiver: Receiver) -> None:
    """The address is asked for again at the connection: what is no longer allowed gets no byte."""
    endpoint = registered(site, ana, receiver.url)
    delivery_id = sent_test(ana, endpoint)
    (claimed,) = webhook_sender.claim(9)
    outcome = webhook_sender.post(endpoint.url, "{}", {}, allow=frozenset())
    assert codes(outcome.error) == {"nothing_sent", "host_without_https"}
    outcome = webhook_sender.post("https://localhost/", "{}", {}, allow=frozenset())
    assert codes(outcome.error) == {"nothing_sent", "host_not_public"}
    assert receiver.calls == []
    with db.write_session() as session:
        webhook_sender.record(session, claimed, outcome)
    assert "host_not_public" in codes(delivery(delivery_id).error)


def test_post_when_a_redirect_leads_inside(receiver: Receiver) -> None:
    """A redirect is an answer like any other and is never gone after."""
    with receivers.receiver() as inside:
        receiver.answers, receiver.headers = [307], {"Location": inside.url}
        outcome = webhook_sender.post(receiver.url, "{}", {}, allow=frozenset({receiver.host_port, inside.host_port}))
        assert outcome.status == 307
        assert inside.calls == []


def test_post_when_no_answer_comes(receiver: Receiver) -> None:
    """An exchange ends after its time, whatever the other side does."""
    receiver.go_on.clear()
    outcome = webhook_sender.post(receiver.url, "{}", {}, allow=frozenset({receiver.host_port}), total_seconds=0.3)
    assert (outcome.status, outcome.error) == (None, message("answer_not_in_time", seconds=0.3))


def test_post_when_nobody_listens() -> None:
    """A refused connection is an outcome, not an accident."""
    outcome = webhook_sender.post("http://127.0.0.1:9/", "{}", {}, allow=frozenset({"127.0.0.1:9"}))
    assert "no_connection" in codes(outcome.error)


@pytest.mark.both_databases
def test_claim_when_many_claim(site: Settings, ana: Member, receiver: Receiver) -> None:
    """Each attempt is one sender's: what is claimed comes due again only after its lease, as the next attempt."""
    endpoint = registered(site, ana, receiver.url)
    ids = {sent_test(ana, endpoint) for _ in range(12)}
    barrier = threading.Barrier(4)

    def take(_n: int) -> list[str]:
        barrier.wait()
        return [claimed.delivery.id for claimed in webhook_sender.claim(3)]

    with ThreadPoolExecutor(4) as threads:
        taken = [found for batch in threads.map(take, range(4)) for found in batch]
    assert len(taken) == len(set(taken))
    rest: list[str] = []
    while more := [claimed.delivery.id for claimed in webhook_sender.claim(100)]:
        rest += more
    assert sorted(taken + rest) == sorted(ids)
    assert {delivery(id).attempts for id in ids} == {1}

    make_due(taken[0])
    (again,) = webhook_sender.claim(100)
    assert (again.delivery.id, again.delivery.attempts) == (taken[0], 2)


def test_record_when_taken_over(site: Settings, ana: Member, receiver: Receiver) -> None:
    """A sender whose lease ran out changes nothing: the delivery is another's by then."""
    endpoint = registered(site, ana, receiver.url)
    delivery_id = sent_test(ana, endpoint)
    (slow,) = webhook_sender.claim(9)
    make_due(delivery_id)
    (current,) = webhook_sender.claim(9)
    with db.write_session() as session:
        webhook_sender.record(session, slow, webhook_sender.DeliveryResult(500, message("answer_was", status=500)))
    assert delivery(delivery_id).last_status is None
    assert endpoint_now(endpoint).failing_since is None
    webhook_sender.deliver(site, current)
    assert delivery(delivery_id).state is DeliveryState.DELIVERED


@pytest.mark.both_databases
def test_record_when_deleted_meanwhile(site: Settings, ana: Member, receiver: Receiver) -> None:
    """An attempt whose webhook was deleted while it was made leaves nothing behind."""
    endpoint = registered(site, ana, receiver.url)
    sent_test(ana, endpoint)
    (claimed,) = webhook_sender.claim(9)
    with db.write_session() as session:
        webhooks.delete(session, ana, endpoint.id)
    webhook_sender.deliver(site, claimed)
    with db.read_session() as session:
        assert session.scalar(select(func.count()).select_from(WebhookDelivery)) == 0


def _delivery(endpoint: WebhookEndpoint, member: Member) -> WebhookDelivery:
    """Something to deliver now."""
    return WebhookDelivery(
        endpoint_id=endpoint.id, workspace_id=member.workspace_id, event="x", event_id="x", body="{}"
    )


def test_deliver_when_stopped_meanwhile(site: Settings, ana: Member, receiver: Receiver) -> None:
    """An event that was being written while its webhook was stopped is given up unsent."""
    endpoint = registered(site, ana, receiver.url)
    with db.write_session() as session:
        webhooks.update(session, ana, endpoint.id, enabled=False)
        late = WebhookDelivery(
            endpoint_id=endpoint.id, workspace_id=ana.workspace_id, event="x", event_id="x", body="{}"
        )
        session.add(late)
    assert send(site) == 1
    assert receiver.calls == []
    assert delivery(late.id).state is DeliveryState.GIVEN_UP


@pytest.mark.both_databases
def test_claim_is_fair_between_endpoints(site: Settings, ana: Member, receiver: Receiver) -> None:
    """One with many due gets a few at a time, one that fails a single one, one that is busy none."""
    many, failing, small = (registered(site, ana, receiver.url) for _ in range(3))
    for endpoint in [*[many] * 20, *[failing] * 20, small]:
        with db.write_session() as session:
            session.add(
                WebhookDelivery(
                    endpoint_id=endpoint.id, workspace_id=ana.workspace_id, event="x", event_id="x", body="{}"
                )
            )
    with db.write_session() as session:
        session.execute(update(WebhookEndpoint).where(WebhookEndpoint.id == failing.id).values(failing_since=utc_now()))

    def shares(busy: frozenset[str] = frozenset()) -> dict[str, int]:
        ids = [claimed.endpoint.id for claimed in webhook_sender.claim(100, busy)]
        return {id: ids.count(id) for id in ids}

    assert shares() == {many.id: webhook_sender.MAX_CONCURRENT_PER_ENDPOINT, failing.id: 1, small.id: 1}
    assert shares(frozenset({many.id})) == {failing.id: 1}


def test_sender_when_one_endpoint_is_slow(site: Settings, ana: Member, receiver: Receiver) -> None:
    """While one server lets us wait, another one's events arrive; the slow one is never asked more than its share."""
    receiver.go_on.clear()
    with receivers.receiver() as quick, pytest.MonkeyPatch.context() as patch:
        patch.setenv("WEBHOOK_ALLOW_HOSTS", f"{receiver.host_port},{quick.host_port}")
        installations.reopen()
        settings = current().settings
        slow, other = registered(settings, ana, receiver.url), registered(settings, ana, quick.url)
        late = [sent_test(ana, slow) for _ in range(20)]
        soon = [sent_test(ana, other) for _ in range(20)]

        def quick_ones_are_done() -> bool:
            return all(delivery(id).state is DeliveryState.DELIVERED for id in soon)

        def everything_is_done() -> bool:
            if quick_ones_are_done():
                assert receiver.go_on.is_set() or delivery(late[0]).state is DeliveryState.DUE
                receiver.go_on.set()
            return all(delivery(id).state is DeliveryState.DELIVERED for id in late)

        run(settings, everything_is_done)
    assert len(quick.calls) == len(receiver.calls) == 20
    assert receiver.most_at_once == webhook_sender.MAX_CONCURRENT_PER_ENDPOINT


def test_deliver_while_the_key_is_changed(
    site: Settings, ana: Member, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With the key before at hand receivers go on with the secret they have; without it the start says so."""
    endpoint = registered(site, ana, receiver.url)
    had = webhooks.secret(endpoint, key=site.secret_key)
    monkeypatch.setenv("SECRET_KEY", "the new key")
    monkeypatch.setenv("SECRET_KEY_OLD", site.secret_key.decode())
    changing = installations.reopen().settings
    assert "SECRET_KEY_OLD" not in caplog.text
    sent_test(ana, endpoint)
    send(changing)
    monkeypatch.delenv("SECRET_KEY_OLD")
    installations.reopen()

    (call,) = receiver.calls
    for secret in (had, webhooks.secret(endpoint, key=b"the new key")):
        assert standardwebhooks.Webhook(secret).verify(call.body, call.headers)["type"] == "webhook.test"
    assert "secrets of 1 webhooks" in caplog.text
    assert "SECRET_KEY_OLD" in caplog.text
