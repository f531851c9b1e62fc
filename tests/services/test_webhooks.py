import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from core import errors
from core.clock import utc_now
from core.db import Database
from core.db.enums import DeliveryState, DisabledReason, WorkspaceRole
from core.db.tables import Generation, User, WebhookDelivery, WebhookEndpoint
from core.generations import lifecycle
from core.messages import message, plain
from core.notifications import outbox, webhooks
from core.notifications.webhooks import SecretStanding
from core.workspaces import members
from core.workspaces.access import Member
from tests.factories.generations import (
    DISPATCHED,
    DOWNLOADING,
    READY_TO_DOWNLOAD,
    SUBMITTING,
    WAITING,
    advance,
    build_output,
    create_completed,
    create_generation,
)
from tests.factories.users import create_member, ensure_member
from tests.factories.workspaces import create_team
from tests.said import codes

ADDRESS = webhooks.ValidUrl("https://hooks.example.org/studio")
KEY = b"the installation's key"


def registered(database: Database, user: Member) -> WebhookEndpoint:
    """A webhook of this person."""
    with database.write_session() as session:
        return webhooks.create(session, user, ADDRESS, key=KEY)


def recorded(database: Database, endpoint: WebhookEndpoint) -> list[WebhookDelivery]:
    """The deliveries of a webhook, oldest first."""
    query = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint.id).order_by(WebhookDelivery.id)
    with database.read_session() as session:
        return list(session.scalars(query))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://93.184.216.34/hook", "host_without_https"),
        ("ftp://93.184.216.34/hook", "host_without_https"),
        ("https://127.0.0.1/hook", "host_not_public"),
        ("https://127.1/hook", "host_not_public"),
        ("https://[::1]/hook", "host_not_public"),
        ("https://10.1.2.3/hook", "host_not_public"),
        ("https://169.254.169.254/latest/meta-data", "host_not_public"),
        ("https://localhost/hook", "host_not_public"),
        ("https://93.184.216.34:8443/hook", "port_refused"),
        ("https://ana:secret@93.184.216.34/hook", "address_has_password"),
        ("https://", "address_without_host"),
        ("hooks.example.org", "host_without_https"),
        ("https://[::1", "not_an_address"),
        ("https://example.org/\x00", "control_characters"),
        ("https://example.org/" + "x" * 2000, "text_too_long"),
    ],
)
def test_checked_when_an_address_cannot_be_used(url: str, said: str) -> None:
    """Only https to the public internet is taken; the refusal names the field and says why."""
    with pytest.raises(errors.InvalidRequest) as caught:
        webhooks.validate_url(url, allow=frozenset())
    assert said in codes(caught.value.fields["url"])


def test_checked_when_a_name_leads_inside() -> None:
    """A public name is looked up: one private address among its addresses is enough to refuse it."""
    with pytest.raises(errors.InvalidRequest, match="need a change"):
        webhooks.validate_url(ADDRESS.url, allow=frozenset(), resolver=lambda host, port: ["93.184.216.34", "10.0.0.1"])
    assert (
        webhooks.validate_url(f" {ADDRESS.url} ", allow=frozenset(), resolver=lambda host, port: ["93.184.216.34"])
        == ADDRESS
    )


def test_checked_when_a_name_does_not_exist() -> None:
    """A misspelt name is said at once, not after days of failures."""

    def resolver(host: str, port: int) -> list[str]:
        raise OSError

    with pytest.raises(errors.InvalidRequest) as caught:
        webhooks.validate_url(ADDRESS.url, allow=frozenset(), resolver=resolver)
    assert "host_has_no_address" in codes(caught.value.fields["url"])


def test_checked_when_an_operator_allows_it() -> None:
    """What WEBHOOK_ALLOW_HOSTS names may be private and plain http, on its very port."""
    allow = frozenset({"127.0.0.1:8000"})
    assert webhooks.validate_url("http://127.0.0.1:8000/hook", allow=allow).url == "http://127.0.0.1:8000/hook"
    with pytest.raises(errors.InvalidRequest):
        webhooks.validate_url("http://127.0.0.1:8001/hook", allow=allow)


def test_create_when_there_are_as_many_as_may_be(database: Database, person: Member) -> None:
    """The eleventh is refused; somebody else's do not count."""
    with database.write_session() as session:
        for _ in range(webhooks.MAX_ENDPOINTS):
            webhooks.create(session, person, ADDRESS, key=KEY)
        with pytest.raises(errors.Conflict):
            webhooks.create(session, person, ADDRESS, key=KEY)
        other = ensure_member(session, "ben@example.org", signup_credits=0)
        webhooks.create(session, other, ADDRESS, key=KEY)
        assert len(webhooks.list_for_workspace(session, person)) == webhooks.MAX_ENDPOINTS


def test_webhook_when_it_is_somebody_elses(database: Database, person: Member) -> None:
    """Nothing of another person's webhook can be seen or changed."""
    endpoint = registered(database, person)
    with database.write_session() as session:
        delivery = webhooks.send_test(session, person, endpoint.id)
        other = ensure_member(session, "ben@example.org", signup_credits=0)
        own = webhooks.create(session, other, ADDRESS, key=KEY)
        for action in (
            lambda: webhooks.get(session, other, endpoint.id),
            lambda: webhooks.update(session, other, endpoint.id, enabled=False),
            lambda: webhooks.rotate(session, other, endpoint.id, key=KEY),
            lambda: webhooks.send_test(session, other, endpoint.id),
            lambda: webhooks.list_deliveries(session, other, endpoint.id),
            lambda: webhooks.replay(session, other, own.id, delivery.id),
            lambda: webhooks.delete(session, other, endpoint.id),
        ):
            with pytest.raises(errors.NotFound):
                action()
        assert webhooks.list_for_workspace(session, other) == [own]


def test_secret_is_derived(database: Database, person: Member) -> None:
    """The same key, webhook and version give the same secret, any other gives another."""
    first, second = registered(database, person), registered(database, person)

    secret = webhooks.secret(first, key=KEY)
    assert secret.startswith("whsec_")
    assert secret == webhooks.secret(first, key=KEY)
    assert len({secret, webhooks.secret(second, key=KEY), webhooks.secret(first, key=b"other")}) == 3


def test_rotate_keeps_the_old_secret_for_a_day(database: Database, person: Member) -> None:
    """After a change both secrets sign, the new one first; a day later only the new one does."""
    endpoint = registered(database, person)
    old = webhooks.secret(endpoint, key=KEY)
    assert webhooks.secrets_in_force(endpoint, keys=[KEY], now=utc_now()) == [old]
    with database.write_session() as session:
        endpoint = webhooks.rotate(session, person, endpoint.id, key=KEY)

    new = webhooks.secret(endpoint, key=KEY)
    assert new != old
    now = utc_now()
    assert webhooks.secrets_in_force(endpoint, keys=[KEY], now=now) == [new, old]
    assert webhooks.secrets_in_force(endpoint, keys=[KEY], now=now + timedelta(hours=25)) == [new]


def test_event_when_a_generation_completes(database: Database, person: Member) -> None:
    """The event stands with the end, once an address, with the facts and without prompt, links of media or secrets."""
    first, second = registered(database, person), registered(database, person)
    row = create_completed(database, person, prompt="a secret plan")

    (delivery,), (twin,) = recorded(database, first), recorded(database, second)
    assert (delivery.event, delivery.generation_id, delivery.state) == ("generation.completed", row.id, "due")
    assert delivery.workspace_id == person.workspace_id
    assert (delivery.event_id, delivery.body) == (twin.event_id, twin.body)
    event = json.loads(delivery.body)
    assert event["type"] == "generation.completed"
    assert event["timestamp"].endswith("Z")
    data = event["data"]
    assert (data["id"], data["status"], data["creditUsed"], data["creditsCharged"]) == (row.id, "completed", 50, 50)
    assert data["projectId"] == row.project_id
    assert data["links"]["download"] == f"/api/apps/video-generator/download/{row.id}"
    assert data["endedAt"] >= data["createdAt"]
    assert "secret plan" not in delivery.body
    assert len(delivery.body) < 2000


def test_event_when_the_installation_is_below_a_path(database_url: str) -> None:
    """Paths in events are those by which the API is reached from outside."""
    database = Database(database_url, info={outbox.PUBLIC_PATH: "/studio"})
    person = create_member(database)
    endpoint = registered(database, person)
    row = create_completed(database, person)

    (delivery,) = recorded(database, endpoint)
    links = json.loads(delivery.body)["data"]["links"]
    assert links["download"] == f"/studio/api/apps/video-generator/download/{row.id}"
    database.dispose()


def test_event_when_a_generation_ends_otherwise(database: Database, person: Member) -> None:
    """Failed, cancelled and uncertain are events of their own, with the reason and nothing charged."""
    endpoint = registered(database, person)
    failed = advance(database, create_generation(database, person).id, DISPATCHED, SUBMITTING, WAITING)
    cancelled = create_generation(database, person)
    lost = advance(database, create_generation(database, person).id, DISPATCHED, SUBMITTING)
    with database.write_session() as session:
        assert lifecycle.fail(session, failed, errors.ContentRefused(detail="raw words"))
        assert lifecycle.cancel(session, cancelled, actor="ana")
        assert lifecycle.mark_uncertain(session, lost, errors.SubmitUncertain(), next_at=utc_now())

    deliveries = recorded(database, endpoint)
    bodies = {delivery.event: json.loads(delivery.body)["data"] for delivery in deliveries}
    assert set(bodies) == {"generation.failed", "generation.cancelled", "generation.uncertain"}
    assert len({delivery.event_id for delivery in deliveries}) == 3
    assert bodies["generation.failed"]["errorCode"] == "content_refused"
    assert all("raw words" not in delivery.body for delivery in deliveries)
    assert bodies["generation.uncertain"]["endedAt"] is None
    assert {data["creditsCharged"] for data in bodies.values()} == {0}


def test_event_when_the_person_of_the_webhook_is_deactivated(database: Database, person: Member) -> None:
    """Nothing is written for an address of somebody who may not know any more."""
    endpoint = registered(database, person)
    with database.write_session() as session:
        session.get_one(User, person.id).deactivated_at = utc_now()
    create_completed(database, person)
    assert recorded(database, endpoint) == []


def test_event_when_nobody_listens(database: Database, person: Member) -> None:
    """Moves on the way are no events, nor is an end heard by stopped webhooks or other people's."""
    with database.write_session() as session:
        webhooks.create(session, ensure_member(session, "ben@example.org", signup_credits=0), ADDRESS, key=KEY)
    stopped = registered(database, person)
    with database.write_session() as session:
        webhooks.update(session, person, stopped.id, enabled=False)
    create_completed(database, person)

    with database.read_session() as session:
        assert session.scalar(select(func.count()).select_from(WebhookDelivery)) == 0


def test_event_when_it_was_not_chosen(database: Database, person: Member) -> None:
    """A webhook is told the events it chose, from the change on; with none or all chosen it is told all."""
    with database.write_session() as session:
        failures = webhooks.create(session, person, ADDRESS, key=KEY, events=["generation.failed"])
        everything = webhooks.create(session, person, ADDRESS, key=KEY, events=list(outbox.ALL_EVENTS))
    create_completed(database, person)
    assert (len(recorded(database, failures)), len(recorded(database, everything))) == (0, 1)

    with database.write_session() as session:
        changed = webhooks.update(session, person, failures.id, events=["generation.completed", "generation.failed"])
        assert (changed.events, everything.events) == (["generation.completed", "generation.failed"], None)
        assert webhooks.update(session, person, failures.id, description="both").events == changed.events
    create_completed(database, person)
    assert (len(recorded(database, failures)), len(recorded(database, everything))) == (1, 2)


@pytest.mark.parametrize(
    ("events", "said"),
    [([], "no_event_chosen"), (["generation.begun"], "no_such_event"), (["webhook.test"], "no_such_event")],
)
def test_events_when_they_cannot_be_chosen(database: Database, person: Member, events: list[str], said: str) -> None:
    """None at all and unknown ones are refused, by name of the field and with those there are."""
    endpoint = registered(database, person)
    with database.write_session() as session:
        with pytest.raises(errors.InvalidRequest) as when_new:
            webhooks.create(session, person, ADDRESS, key=KEY, events=events)
        with pytest.raises(errors.InvalidRequest) as when_changed:
            webhooks.update(session, person, endpoint.id, events=events)

    for caught in (when_new, when_changed):
        assert caught.value.fields["events"].code == said


def test_event_when_the_move_is_undone(database: Database, person: Member) -> None:
    """A transaction that fails after the move leaves neither end nor event; the next one leaves one of each."""
    endpoint = registered(database, person)
    row = advance(
        database,
        create_generation(database, person).id,
        DISPATCHED,
        SUBMITTING,
        WAITING,
        READY_TO_DOWNLOAD,
        DOWNLOADING,
    )

    def dies() -> None:
        with database.write_session() as session:
            assert lifecycle.complete(session, row, build_output(row.id))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dies()
    assert recorded(database, endpoint) == []
    with database.write_session() as session:
        assert lifecycle.complete(session, row, build_output(row.id))
    assert len(recorded(database, endpoint)) == 1


def test_change_when_stopped_and_started(database: Database, person: Member) -> None:
    """Stopping gives up what was due and says who; starting clears the past; nothing is sent by hand meanwhile."""
    endpoint = registered(database, person)
    with database.write_session() as session:
        delivery = webhooks.send_test(session, person, endpoint.id)
        found = webhooks.update(session, person, endpoint.id, enabled=False)
        assert found.disabled_reason is DisabledReason.PERSON
    assert [row.state for row in recorded(database, endpoint)] == [DeliveryState.GIVEN_UP]
    with database.write_session() as session:
        with pytest.raises(errors.Conflict):
            webhooks.send_test(session, person, endpoint.id)
        with pytest.raises(errors.Conflict):
            webhooks.replay(session, person, endpoint.id, delivery.id)
    with database.write_session() as session:
        found = webhooks.update(session, person, endpoint.id, enabled=True, description=" Team ")
        assert (found.disabled_at, found.disabled_reason, found.description) == (None, None, "Team")
        again = webhooks.replay(session, person, endpoint.id, delivery.id)
        assert (again.event_id, again.body, again.attempts) == (delivery.event_id, delivery.body, 0)


def test_who_starts_a_webhook_of_somebody_who_left(database: Database, person: Member) -> None:
    """It is theirs then, so that it ends with them, also if it was stopped before; else it stays whose it was."""
    ben, cy = (create_member(database, f"{name}@example.org") for name in ("ben", "cy"))
    as_managers = [(each, WorkspaceRole.MANAGER) for each in (person, ben, cy)]
    manager, other, third = create_team(database, *as_managers)
    left, stopped = (registered(database, other) for _ in range(2))
    of_third = registered(database, third)
    with database.write_session() as session:
        for each in (stopped, of_third):
            webhooks.update(session, other, each.id, enabled=False)
        members.leave(session, other, other.workspace_id)

    with database.write_session() as session:
        started = [webhooks.update(session, manager, each.id, enabled=True) for each in (left, stopped, of_third)]

    assert [each.user_id for each in started] == [manager.id, manager.id, cy.id]


def test_change_when_the_description_is_too_long(database: Database, person: Member) -> None:
    """The refusal names the field, and nothing has changed."""
    endpoint = registered(database, person)
    with pytest.raises(errors.InvalidRequest) as caught, database.write_session() as session:
        webhooks.update(session, person, endpoint.id, description="x" * 201, enabled=False)
    assert set(caught.value.fields) == {"description"}
    with database.read_session() as session:
        assert webhooks.get(session, person, endpoint.id).disabled_at is None


def test_replay_when_still_being_tried(database: Database, person: Member) -> None:
    """The event is then on its way once: the earlier delivery ends, saying why."""
    endpoint = registered(database, person)
    create_completed(database, person)
    (before,) = recorded(database, endpoint)
    with database.write_session() as session:
        webhooks.replay(session, person, endpoint.id, before.id)

    first, second = recorded(database, endpoint)
    assert (first.state, first.error) == (DeliveryState.GIVEN_UP, message("replaced_by_replay"))
    assert (second.state, second.event_id) == (DeliveryState.DUE, first.event_id)


def test_by_hand_when_too_often(database: Database, person: Member) -> None:
    """Tests and replays cannot be used to flood somebody's server."""
    endpoint = registered(database, person)
    with database.write_session() as session:
        for _ in range(webhooks.BY_HAND_PER_MINUTE):
            delivery = webhooks.send_test(session, person, endpoint.id)
        with pytest.raises(errors.RateLimited):
            webhooks.send_test(session, person, endpoint.id)
        with pytest.raises(errors.RateLimited):
            webhooks.replay(session, person, endpoint.id, delivery.id)
        session.execute(update(WebhookDelivery).values(created_at=utc_now() - timedelta(minutes=2)))
        webhooks.send_test(session, person, endpoint.id)


def test_deliveries_page_by_page(database: Database, person: Member) -> None:
    """Newest first, each on one page only; those of one millisecond stand in the order of their ids."""
    endpoint = registered(database, person)
    with database.write_session() as session:
        made = [webhooks.send_test(session, person, endpoint.id).id for _ in range(5)]
        first = webhooks.list_deliveries(session, person, endpoint.id, limit=3)
        rest = webhooks.list_deliveries(session, person, endpoint.id, before_id=first[-1].id)
    assert [row.id for row in [*first, *rest]] == sorted(made, reverse=True)


def test_remove_takes_its_deliveries_along(database: Database, person: Member) -> None:
    """A deleted webhook leaves no delivery, and its generations as they are."""
    endpoint = registered(database, person)
    row = create_completed(database, person)
    with database.write_session() as session:
        webhooks.delete(session, person, endpoint.id)
    assert recorded(database, endpoint) == []
    with database.read_session() as session:
        assert session.get(Generation, row.id) is not None


def test_forget_old_keeps_what_is_young_or_due(database: Database, person: Member) -> None:
    """Deliveries that ended more than 30 days ago go; what is still due stays, however old."""
    endpoint = registered(database, person)
    stamp = int((utc_now() - timedelta(days=31)).timestamp() * 1000)
    old = [f"{stamp >> 16:08x}-{stamp & 0xFFFF:04x}-7000-8000-00000000000{n}" for n in range(2)]
    with database.write_session() as session:
        for _ in range(2):
            webhooks.send_test(session, person, endpoint.id)
    young_ended, young_due = (row.id for row in recorded(database, endpoint))
    with database.write_session() as session:
        for id in old:
            session.add(
                WebhookDelivery(
                    id=id,
                    endpoint_id=endpoint.id,
                    workspace_id=person.workspace_id,
                    event=outbox.TEST,
                    event_id=id,
                    body="{}",
                )
            )
        session.flush()
        webhooks.abandon(session, WebhookDelivery.id.in_([old[0], young_ended]), why=plain("It never arrived."))
        webhooks.prune(session)
    assert [row.id for row in recorded(database, endpoint)] == [old[1], young_ended, young_due]


def test_secrets_while_the_key_is_changed(database: Database, person: Member) -> None:
    """Everything is signed with what both keys make, also after a new secret, until the key before is dropped."""
    new_key, old_key = b"the new key", KEY
    endpoint = registered(database, person)
    had = webhooks.secret(endpoint, key=old_key)
    assert webhooks.secret_standing(endpoint, keys=[old_key]) is SecretStanding.CURRENT

    keys, later = [new_key, old_key], utc_now() + timedelta(days=9)
    assert webhooks.secrets_in_force(endpoint, keys=keys, now=later) == [webhooks.secret(endpoint, key=new_key), had]
    assert webhooks.secret_standing(endpoint, keys=keys) is SecretStanding.CHANGING
    assert webhooks.secret_standing(endpoint, keys=[new_key]) is SecretStanding.LOST

    with database.write_session() as session:
        endpoint = webhooks.rotate(session, person, endpoint.id, key=new_key)
    made = webhooks.secret(endpoint, key=new_key)
    assert {made, had} <= set(webhooks.secrets_in_force(endpoint, keys=keys, now=later))
    assert webhooks.secrets_in_force(endpoint, keys=[new_key], now=later) == [made]
    assert webhooks.secret_standing(endpoint, keys=[new_key]) is SecretStanding.CURRENT


def test_key_of_secrets_of_older_versions(database: Database, person: Member) -> None:
    """It is noted once, as the key before where one is given, and lost secrets are counted from then on."""
    endpoint = registered(database, person)
    with database.write_session() as session:
        session.execute(update(WebhookEndpoint).values(secret_key_id=None))
    with database.read_session() as reading:
        assert webhooks.without_key(reading)
    for keys in ([b"new", KEY], [b"other"]):
        with database.write_session() as session:
            webhooks.note_key(session, keys=keys)

    with database.read_session() as reading:
        assert not webhooks.without_key(reading)
        assert webhooks.get(reading, person, endpoint.id).secret_key_id == webhooks.key_id(KEY)
        assert webhooks.count_lost_secrets(reading, keys=[b"new", KEY]) == 0
        assert webhooks.count_lost_secrets(reading, keys=[b"new"]) == 1
