from collections.abc import Iterator

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from core import db
from core.clock import utc_now
from core.db.enums import DisabledReason
from core.db.tables import WebhookDelivery, WebhookEndpoint
from core.installation import current
from core.messages import plain
from core.notifications import outbox, webhook_sender, webhooks
from tests.factories import installations
from tests.factories.studio import Studio
from tests.fixtures import receiver as receivers
from tests.fixtures.receiver import Receiver


@pytest.fixture
def receiver(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A webhook on loopback that this installation allows."""
    with receivers.receiver() as running:
        monkeypatch.setenv("WEBHOOK_ALLOW_HOSTS", running.host_port)
        installations.reopen()
        yield running


def section() -> None:
    """The section by itself."""
    from pages.sections.account import webhooks
    from pages.ui import components, current_member

    components.show_flash()
    webhooks.show(current_member.current_member())


def opened() -> AppTest:
    """The section as a person sees it."""
    return AppTest.from_function(section, default_timeout=20).run()


def registered(studio: Studio, receiver: Receiver) -> WebhookEndpoint:
    """A webhook of the studio's person."""
    address = webhooks.validate_url(receiver.url, allow=frozenset({receiver.host_port}))
    with db.write_session() as session:
        return webhooks.create(session, studio.person, address, key=studio.settings.secret_key)


def send() -> None:
    """Deliver what is due, as the dispatcher's process does."""
    for claimed in webhook_sender.claim(100):
        webhook_sender.deliver(current().settings, claimed)


def texts(at: AppTest) -> str:
    """All that is said."""
    return " ".join(element.value for element in (*at.markdown, *at.caption, *at.error))


def test_webhook_is_added_and_its_secret_shown_once(studio: Studio, receiver: Receiver) -> None:
    """The secret stands there until its person has saved it, and nowhere afterwards."""
    at = opened()
    at.text_input(key="webhooks_new_0_url").set_value(receiver.url)
    at.text_input(key="webhooks_new_0_description").set_value("Team")
    at.button(key="webhooks_add").click().run()
    with db.read_session() as session:
        (endpoint,) = webhooks.list_for_workspace(session, studio.person)
    assert (endpoint.url, endpoint.description) == (receiver.url, "Team")
    assert [code.value for code in at.code] == [webhooks.secret(endpoint, key=current().settings.secret_key)]
    at.button(key="webhooks_secret_done").click().run()
    assert not at.code
    assert not opened().code


def test_address_when_it_cannot_be_used(studio: Studio, receiver: Receiver) -> None:
    """The reason stands on the page, what was typed stays, and nothing is registered."""
    at = opened()
    at.text_input(key="webhooks_new_0_url").set_value("http://127.0.0.1:1/hook")
    at.button(key="webhooks_add").click().run()
    assert "not reached by https" in at.error[0].value
    assert at.text_input(key="webhooks_new_0_url").value == "http://127.0.0.1:1/hook"
    with db.read_session() as session:
        assert webhooks.list_for_workspace(session, studio.person) == []


def test_test_event_is_sent_and_sent_again(studio: Studio, receiver: Receiver) -> None:
    """A test arrives, its delivery tells how it went, and it can be sent again."""
    endpoint = registered(studio, receiver)
    receiver.answers = [500]
    at = opened()
    assert "None yet" in texts(at)
    at.button(key=f"webhook_{endpoint.id}_test").click().run()
    send()
    at = opened()
    assert "The answer was 500." in texts(at)
    assert "Next try in" in texts(at)
    assert "Failing" in texts(at)
    with db.read_session() as session:
        (delivery,) = webhooks.list_deliveries(session, studio.person, endpoint.id)
    at.button(key=f"delivery_{delivery.id}_replay").click().run()
    send()
    at = opened()
    assert "Arrived" in texts(at)
    assert "Given up" in texts(at)
    assert len(receiver.calls) == 2


def test_webhook_is_changed_stopped_and_deleted(studio: Studio, receiver: Receiver) -> None:
    """Every decision is carried out, and the page says how the webhook stands."""
    endpoint = registered(studio, receiver)
    key = f"webhook_{endpoint.id}"
    at = opened()
    at.text_input(key=f"{key}_url").set_value(f"{receiver.url}&more=1")
    at.button(key=f"{key}_save").click().run()
    at.button(key=f"{key}_switch").click().run()
    assert "You stopped it." in texts(at)
    assert at.button(key=f"{key}_test").disabled
    with db.read_session() as session:
        found = webhooks.get(session, studio.person, endpoint.id)
    assert (found.url, found.disabled_reason) == (f"{receiver.url}&more=1", DisabledReason.PERSON)
    at.button(key=f"{key}_switch").click().run()
    at.button(key=f"{key}_rotate").click().run()
    assert len(at.code) == 1
    at.button(key=f"{key}_delete").click().run()
    with db.read_session() as session:
        assert webhooks.list_for_workspace(session, studio.person) == []


def test_events_are_chosen(studio: Studio, receiver: Receiver) -> None:
    """All events are chosen at first; a smaller choice is kept and shown, none at all is refused."""
    at = opened()
    at.text_input(key="webhooks_new_0_url").set_value(receiver.url)
    assert at.multiselect(key="webhooks_new_0_events").value == list(outbox.ALL_EVENTS)
    at.multiselect(key="webhooks_new_0_events").set_value(["generation.failed"])
    at.button(key="webhooks_add").click().run()
    with db.read_session() as session:
        (endpoint,) = webhooks.list_for_workspace(session, studio.person)
    assert endpoint.events == ["generation.failed"]
    assert "Clip failed" in texts(at)

    key = f"webhook_{endpoint.id}"
    at.multiselect(key=f"{key}_events").set_value([])
    at.button(key=f"{key}_save").click().run()
    assert "Choose at least one event." in texts(at)
    at.multiselect(key=f"{key}_events").set_value(["generation.failed", "generation.uncertain"])
    at.button(key=f"{key}_save").click().run()
    with db.read_session() as session:
        assert webhooks.get(session, studio.person, endpoint.id).events == ["generation.failed", "generation.uncertain"]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (DisabledReason.GONE, "410"),
        (DisabledReason.FAILING, "five days"),
        (DisabledReason.DEPARTED, "takes it over"),
    ],
)
def test_webhook_that_was_stopped_says_why(
    studio: Studio, receiver: Receiver, reason: DisabledReason, said: str
) -> None:
    """Who comes back to a webhook that was stopped reads the reason."""
    registered(studio, receiver)
    with db.write_session() as session:
        session.execute(update(WebhookEndpoint).values(disabled_at=utc_now(), disabled_reason=reason))
    at = opened()
    assert said in texts(at)
    assert "Stopped" in texts(at)


def test_many_deliveries_come_a_page_at_a_time(studio: Studio, receiver: Receiver) -> None:
    """The newest ten stand there, and more on request."""
    endpoint = registered(studio, receiver)
    with db.write_session() as session:
        for _ in range(12):
            webhooks.send_test(session, studio.person, endpoint.id)
        webhooks.abandon(session, WebhookDelivery.endpoint_id == endpoint.id, why=plain("It never arrived."))
    at = opened()
    assert texts(at).count("It never arrived.") == 10
    at.button(key=f"webhook_{endpoint.id}_more").click().run()
    assert texts(at).count("It never arrived.") == 12


def test_webhook_when_the_key_changes(studio: Studio, receiver: Receiver) -> None:
    """Its person is told to make a new secret, and no more once they have."""
    endpoint = registered(studio, receiver)
    assert not opened().warning
    with db.write_session() as session:
        session.execute(update(WebhookEndpoint).values(secret_key_id=webhooks.key_id(b"the key before")))
    (warning,) = opened().warning
    assert "another secret" in warning.value

    at = opened()
    at.button(key=f"webhook_{endpoint.id}_rotate").click().run()
    assert not opened().warning
