"""Webhooks on the account page: addresses to be told at, their secrets shown once, and what was delivered."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Literal

import streamlit as st

from core import db, installation
from core.clock import utc_now
from core.db.enums import DeliveryState, DisabledReason
from core.db.tables import WebhookDelivery, WebhookEndpoint
from core.notifications import outbox, webhooks
from core.notifications.webhooks import SecretStanding
from core.workspaces.access import Member
from pages.ui import components, current_member, wording
from pages.ui.language import N_, _, plural, translate_message

PAGE_SIZE = 10
LOOK_SECONDS = 2.0
"""How often deliveries are looked at while one is about to be tried."""
SOON = timedelta(seconds=20)

EVENT: Mapping[str, str] = {
    "generation.completed": N_("Clip completed"),
    "generation.failed": N_("Clip failed"),
    "generation.cancelled": N_("Clip cancelled"),
    "generation.uncertain": N_("Clip needs review"),
    "generation.approval_requested": N_("Clip waits for approval"),
    "generation.approval_decided": N_("Approval decided"),
    "webhook.test": N_("Test"),
}

STOPPED: Mapping[DisabledReason, str] = {
    DisabledReason.PERSON: N_("You stopped it. Nothing is sent until you start it again."),
    DisabledReason.GONE: N_("Its server answered that it wants no more (410), so it was stopped."),
    DisabledReason.DEPARTED: N_(
        "Its person has left or was deactivated, so it was stopped. Who starts it takes it over."
    ),
    DisabledReason.FAILING: N_("Nothing arrived for five days, so it was stopped. Look at its server, then start it."),
}

STATE: Mapping[DeliveryState, tuple[str, Literal["gray", "green", "red"]]] = {
    DeliveryState.DUE: (N_("Under way"), "gray"),
    DeliveryState.DELIVERED: (N_("Arrived"), "green"),
    DeliveryState.GIVEN_UP: (N_("Given up"), "red"),
}


def show(person: Member) -> None:
    """The whole section."""
    st.header(_("Webhooks"), anchor=False)
    st.markdown(
        _(
            "An address of yours is told when a clip of this workspace is completed, fails, is cancelled or needs "
            "review. "
            "Every event is signed as Standard Webhooks describes, so that your server can be sure where it comes from."
        )
    )
    with db.read_session() as session:
        found = webhooks.list_for_workspace(session, person)
    _fresh_secret()
    for endpoint in found:
        _endpoint(person, endpoint)
    if len(found) < webhooks.MAX_ENDPOINTS:
        _new(person)
    else:
        st.caption(_("You have {number} webhooks, which is the most.").format(number=len(found)))


def _keys() -> Sequence[bytes]:
    """The key of this installation, and while it is changed the one before."""
    return installation.current().settings.secrets_in_force


def _keep_secret(endpoint: WebhookEndpoint) -> None:
    """Remember a new secret for this session alone, until its person has saved it."""
    secret = webhooks.secret(endpoint, key=_keys()[0])
    st.session_state["webhooks_secret"] = (endpoint.url, secret)


def _fresh_secret() -> None:
    if "webhooks_secret" not in st.session_state:
        return
    url, secret = st.session_state["webhooks_secret"]
    with st.container(border=True, key="card_webhooks_secret"):
        st.markdown(_("**The signing secret. It is shown only now:** save it where your server finds it."))
        components.plain_text(url, small=True)
        st.code(secret, language=None, wrap_lines=True)
        if st.button(_("I have saved it"), key="webhooks_secret_done"):
            del st.session_state["webhooks_secret"]
            st.rerun()


def _endpoint(person: Member, endpoint: WebhookEndpoint) -> None:
    """One webhook: how it stands, what can be done, what was delivered."""
    with st.container(border=True, gap="small", key=f"card_webhook_{endpoint.id}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            with st.container(width="content", gap=None):
                components.plain_text(endpoint.url, strong=True)
                if endpoint.description:
                    components.plain_text(endpoint.description, small=True)
                if endpoint.events is not None:
                    st.caption(" · ".join(_(EVENT[event]) for event in endpoint.events))
            _standing(endpoint)
        if endpoint.disabled_reason is not None:
            st.caption(_(STOPPED[endpoint.disabled_reason]))
        elif endpoint.failing_since is not None:
            since = wording.age(endpoint.failing_since, utc_now())
            st.caption(_("Nothing has arrived since the first failure ({age}). It is tried again.").format(age=since))
        match webhooks.secret_standing(endpoint, keys=_keys()):
            case SecretStanding.CHANGING:
                st.warning(
                    _(
                        "The key of this installation is being changed. Until that is over events are signed with the "
                        "secret that you have, too: make a new one before, and save it where your server finds it."
                    )
                )
            case SecretStanding.LOST:
                st.warning(
                    _(
                        "The key of this installation has changed, so events are signed with another secret than the "
                        "one you have. Make a new one, and save it where your server finds it."
                    )
                )
        with st.container(horizontal=True):
            _actions(person, endpoint)
        with st.expander(_("Deliveries")):
            _deliveries(person, endpoint)


def _standing(endpoint: WebhookEndpoint) -> None:
    if endpoint.disabled_at is not None:
        st.badge(_("Stopped"), color="gray")
    elif endpoint.failing_since is not None:
        st.badge(_("Failing"), color="orange")
    else:
        st.badge(_("Active"), color="green")


def _actions(person: Member, endpoint: WebhookEndpoint) -> None:
    key = f"webhook_{endpoint.id}"
    stopped = endpoint.disabled_at is not None
    if st.button(_("Send a test"), icon=":material/send:", key=f"{key}_test", disabled=stopped):
        components.save_and_rerun(
            lambda session: webhooks.send_test(session, person, endpoint.id),
            done=_("A test is on its way. Deliveries shows how it went."),
        )
    if st.button(_("Start") if stopped else _("Stop"), key=f"{key}_switch"):
        components.save_and_rerun(
            lambda session: webhooks.update(session, person, endpoint.id, enabled=stopped),
            done=_("Started.") if stopped else _("Stopped."),
        )
    with st.popover(_("Change"), key=f"{key}_change"):
        _change(person, endpoint, key)
    with st.popover(_("New secret"), key=f"{key}_rotate_popover"):
        st.markdown(_("For 24 hours every event is signed with the old secret, too, so that nothing is missed."))
        if st.button(_("Make a new secret"), type="primary", key=f"{key}_rotate"):
            components.save_and_rerun(
                lambda session: _keep_secret(webhooks.rotate(session, person, endpoint.id, key=_keys()[0])),
                done=_("There is a new secret."),
            )
    with st.popover(_("Delete"), icon=":material/delete:", key=f"{key}_delete_popover"):
        st.markdown(_("The record of its deliveries goes, too. This cannot be undone."))
        if st.button(_("Delete webhook"), type="primary", key=f"{key}_delete"):
            components.save_and_rerun(
                lambda session: webhooks.delete(session, person, endpoint.id), done=_("Webhook deleted.")
            )


def _change(person: Member, endpoint: WebhookEndpoint, key: str) -> None:
    """Another address, description or choice of events."""
    url, description, events = _fields(key, endpoint.url, endpoint.description, outbox.events_in_order(endpoint.events))
    if st.button(_("Save"), type="primary", key=f"{key}_save"):

        def change() -> None:
            address = _checked(url) if url.strip() != endpoint.url else None
            with db.write_session() as session:
                webhooks.update(session, person, endpoint.id, address=address, description=description, events=events)

        if components.try_action(change, done=_("Saved.")):
            st.rerun()


def _new(person: Member) -> None:
    """Ask for an address and register it; the fields are new ones after each."""
    turn = st.session_state.get("webhooks_made", 0)
    with st.popover(_("Add a webhook"), icon=":material/add:", key=f"webhooks_new_{turn}"):
        url, description, events = _fields(f"webhooks_new_{turn}", "", "", outbox.events_in_order(None))
        if st.button(_("Add webhook"), type="primary", key="webhooks_add"):

            def create() -> None:
                address = _checked(url)
                with db.write_session() as session:
                    _keep_secret(
                        webhooks.create(
                            session, person, address, key=_keys()[0], description=description, events=events
                        )
                    )

            if components.try_action(create, done=_("Webhook added.")):
                st.session_state["webhooks_made"] = turn + 1
                st.rerun()


def _fields(key: str, url: str, description: str, events: Sequence[str]) -> tuple[str, str, Sequence[str]]:
    typed = st.text_input(
        _("Address"),
        url,
        key=f"{key}_url",
        placeholder="https://example.org/hooks",
        help=_("It begins with https and can be reached from the internet."),
        autocomplete="off",
    )
    note = st.text_input(
        _("Description (optional)"),
        description,
        key=f"{key}_description",
        autocomplete="off",
    )
    chosen = st.multiselect(
        _("Events"),
        list(outbox.ALL_EVENTS),
        list(events),
        format_func=lambda event: _(EVENT[event]),
        key=f"{key}_events",
        help=_("What this address is told. A test is always sent."),
    )
    return typed or "", note or "", chosen


def _checked(url: str) -> webhooks.ValidUrl:
    settings = installation.current().settings
    return webhooks.validate_url(url, allow=settings.webhook_allow_hosts, proxies=settings.proxies)


def _deliveries(person: Member, endpoint: WebhookEndpoint) -> None:
    """What was delivered, drawn again by itself while something is about to happen."""
    shown_key = f"webhook_{endpoint.id}_shown"

    def rows(member: Member) -> Sequence[WebhookDelivery]:
        limit = st.session_state.get(shown_key, PAGE_SIZE) + 1
        with db.read_session() as session:
            return webhooks.list_deliveries(session, member, endpoint.id, limit=limit)

    ticking = _is_soon(rows(person))

    @st.fragment(run_every=LOOK_SECONDS if ticking else None)
    def drawn() -> None:
        with components.error_boundary():
            listed(current_member.current_member())  # who it is by now: this runs by itself for hours

    def listed(member: Member) -> None:
        found = rows(member)
        if ticking and not _is_soon(found):
            st.rerun()
        if not found:
            st.caption(_("None yet. Send a test to see whether your server is reached."))
        shown = st.session_state.get(shown_key, PAGE_SIZE)
        for delivery in found[:shown]:
            _delivery(member, endpoint, delivery)
        if len(found) > shown and st.button(_("Show more"), key=f"webhook_{endpoint.id}_more"):
            st.session_state[shown_key] = shown + PAGE_SIZE
            st.rerun()

    drawn()


def _is_soon(found: Sequence[WebhookDelivery]) -> bool:
    """Whether an attempt is about to be made."""
    return any(row.next_at is not None and row.next_at < utc_now() + SOON for row in found)


def _delivery(person: Member, endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> None:
    """One event: what, when, how it went, and the way to send it again."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"delivery_{delivery.id}"):
        word, colour = STATE[delivery.state]
        st.badge(_(word), color=colour)
        st.markdown(_(EVENT.get(delivery.event, delivery.event)), width="content")
        st.caption(_story(delivery), width="stretch")
        if endpoint.disabled_at is None and st.button(
            _("Send again"),
            key=f"delivery_{delivery.id}_replay",
            type="tertiary",
            help=_("Sends the same event once more, under the same webhook-id."),
        ):
            components.save_and_rerun(
                lambda session: webhooks.replay(session, person, endpoint.id, delivery.id),
                done=_("The event is sent again."),
            )


def _story(delivery: WebhookDelivery) -> str:
    """When it happened, how often it was tried, what was answered last, and what comes next."""
    now = utc_now()
    parts = [wording.moment(delivery.created_at)]
    if delivery.attempts:
        parts.append(
            plural("{number} attempt", "{number} attempts", delivery.attempts).format(number=delivery.attempts)
        )
    if delivery.last_error:
        parts.append(translate_message(delivery.error or delivery.last_error))
    if delivery.next_at is not None and delivery.next_at > now:
        wait = wording.span((delivery.next_at - now).total_seconds())
        parts.append(_("Next try in {wait}").format(wait=wait))
    return " · ".join(parts)
