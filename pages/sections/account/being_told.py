"""How a person is told: inbox, mail, Slack, Teams and a webhook of their own; what by which; a digest on wish."""

from collections.abc import Mapping

import streamlit as st

from core import db, installation
from core.clock import utc_now
from core.db.enums import NoticeKind, NoticeWay
from core.db.tables import WayToTell
from core.notifications import ways, webhooks
from core.redaction import shown_address
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.ui import components, current_member, wording
from pages.ui.language import N_, _, translate_message
from pages.ui.wording import TranslatedLabels

NAME: Mapping[NoticeWay, str] = {
    NoticeWay.INBOX: N_("Inbox"),
    NoticeWay.EMAIL: N_("E-mail"),
    NoticeWay.SLACK: N_("Slack"),
    NoticeWay.TEAMS: N_("Teams"),
    NoticeWay.WEBHOOK: N_("Webhook"),
}
KIND = TranslatedLabels(
    {
        NoticeKind.CLIPS_DONE: N_("Clips are finished"),
        NoticeKind.CLIPS_FAILED: N_("Clips failed"),
        NoticeKind.CLIP_UNCLEAR: N_("Clips need review"),
        NoticeKind.BALANCE_LOW: N_("Few credits are left"),
        NoticeKind.CREDITS_ADDED: N_("Credits were added"),
        NoticeKind.BUDGET: N_("A budget is used by 50, 80 or 100 %"),
        NoticeKind.APPROVAL_ASKED: N_("You are asked for approval"),
        NoticeKind.APPROVAL_DECIDED: N_("Your orders are approved or declined"),
        NoticeKind.STORAGE_FULL: N_("Storage is nearly full"),
        NoticeKind.CLIPS_LEAVE: N_("Clips will go to the trash"),
        NoticeKind.MODEL_ENDS: N_("A model that you use ends"),
        NoticeKind.PROVIDER_ACCOUNT: N_("A provider refuses our account"),
        NoticeKind.MEMBERSHIP: N_("Invitations and roles"),
    }
)
HELP: Mapping[NoticeWay, str] = {
    NoticeWay.SLACK: N_("The address of an incoming webhook, which Slack gives you for a channel."),
    NoticeWay.TEAMS: N_("The address of a workflow “Send webhook alerts to a channel”, which Teams gives you."),
    NoticeWay.WEBHOOK: N_("An address of yours; every message is signed as Standard Webhooks describes."),
}


def show(person: Member) -> None:
    """The ways, then a table of what goes by which."""
    with db.read_session() as session:
        found = ways.of_person(session, person)
    st.markdown(
        _(
            "You are always told in the inbox. Choose further ways here: the clips of one press are one message, and "
            "prompts are in a message only where the managers of a workspace have allowed it."
        )
    )
    _mail(person, found.get(NoticeWay.EMAIL))
    for way in ways.WITH_ADDRESS:
        _at_address(person, way, found.get(way))
    _kinds(person, found)


def _mail(person: Member, way: WayToTell | None) -> None:
    can_mail = installation.current().settings.can_mail
    with st.container(border=True, gap="small", key="card_way_email"):
        _head(NoticeWay.EMAIL, way)
        if way is None:
            if not can_mail:
                st.caption(_("No mail server is set up in this installation."))
                return
            st.caption(_("To {address}, the address you sign in with.").format(address=person.email))
            if st.button(_("Tell me by e-mail"), key="way_email_on"):
                components.save_and_rerun(
                    lambda session: ways.turn_on_mail(session, person, can_mail=can_mail),
                    done=_("You are told by e-mail from now on."),
                )
            return
        st.caption(_("To {address}, the address you sign in with.").format(address=person.email))
        is_daily = way.digest_at is not None
        st.session_state["way_email_digest"] = is_daily
        st.toggle(
            _("One e-mail a day, at 8 in the morning"),
            key="way_email_digest",
            on_change=components.act_in_callback,
            args=(lambda session: _set_digest(session, is_daily=not is_daily),),
            kwargs={"done": _("Saved.")},
        )
        _actions(person, NoticeWay.EMAIL, way)


def _set_digest(session: db.WriteSession, *, is_daily: bool) -> None:
    member = current_member.current_member()
    ways.set_digest(session, member, is_daily=is_daily, time_zone=st.context.timezone or ways.UTC)


def _at_address(person: Member, kind: NoticeWay, way: WayToTell | None) -> None:
    with st.container(border=True, gap="small", key=f"card_way_{kind}"):
        _head(kind, way)
        if way is not None:
            components.plain_text(shown_address(way.address), small=True)
            if kind is NoticeWay.WEBHOOK:
                with st.expander(_("Signing secret")):
                    key = installation.current().settings.secret_key
                    st.code(ways.secret(way, key=key), language=None, wrap_lines=True)
            _actions(person, kind, way)
        with st.popover(
            _("Another address") if way is not None else _("Set up {way}").format(way=_(NAME[kind])),
            key=f"way_{kind}_popover",
        ):
            typed = st.text_input(
                _("Address"), key=f"way_{kind}_url", help=_(HELP[kind]), autocomplete="off", placeholder="https://"
            )
            if st.button(_("Save"), type="primary", key=f"way_{kind}_save"):
                _save_address(person, kind, typed or "")


def _save_address(person: Member, kind: NoticeWay, typed: str) -> None:
    settings = installation.current().settings

    def save() -> None:
        address = webhooks.validate_url(typed, allow=settings.webhook_allow_hosts, proxies=settings.proxies)
        with db.write_session() as session:
            ways.set_address(session, person, kind, address)

    if components.try_action(save, done=_("Saved. Send a test to see whether it arrives.")):
        st.rerun()


def _head(kind: NoticeWay, way: WayToTell | None) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{_(NAME[kind])}**", width="content")
        if way is None:
            st.badge(_("Not set up"), color="gray")
        elif not way.is_on:
            st.badge(_("Off"), color="gray")
        elif way.failing_since is not None:
            st.badge(_("Failing"), color="orange")
        else:
            st.badge(_("On"), color="green")
    if way is not None and way.is_on and way.failing_since is not None and way.error is not None:
        since = wording.age(way.failing_since, utc_now())
        told = translate_message(way.error)
        st.caption(
            _("{problem} Nothing has arrived since then ({age}); it is tried again.").format(problem=told, age=since)
        )


def _actions(person: Member, kind: NoticeWay, way: WayToTell) -> None:
    with st.container(horizontal=True):
        if way.is_on and st.button(_("Send a test"), icon=":material/send:", key=f"way_{kind}_test"):
            components.save_and_rerun(
                lambda session: ways.send_test(session, person, kind), done=_("A test is on its way.")
            )
        switch = ways.turn_off if way.is_on else ways.turn_on
        if st.button(_("Turn off") if way.is_on else _("Turn on"), key=f"way_{kind}_switch"):
            components.save_and_rerun(lambda session: switch(session, person, kind), done=_("Saved."))
        if st.button(_("Remove"), key=f"way_{kind}_remove", type="tertiary"):
            components.save_and_rerun(lambda session: ways.remove(session, person, kind), done=_("Removed."))


def _offered(person: Member) -> list[NoticeKind]:
    """The kinds that this person may be told of."""
    return [kind for kind in KIND if kind is not NoticeKind.PROVIDER_ACCOUNT or person.may(Action.OPERATE)]


def _kinds(person: Member, found: Mapping[NoticeWay, WayToTell]) -> None:
    """What goes by which way: a list of kinds for each way that is there."""
    offered = _offered(person)
    st.header(_("What by which way"), anchor=False)
    for kind, name in NAME.items():
        way = found.get(kind)
        if way is None and kind is not NoticeWay.INBOX:
            continue
        muted = set(way.muted) if way is not None else set()
        key = f"way_{kind}_kinds"
        st.session_state[key] = [each for each in offered if each not in muted]
        st.pills(
            _(name),
            offered,
            selection_mode="multi",
            format_func=KIND.__getitem__,
            key=key,
            on_change=_save_kinds,
            args=(kind,),
        )


def _save_kinds(kind: NoticeWay) -> None:
    wanted = set(st.session_state[f"way_{kind}_kinds"])

    def save(session: db.WriteSession) -> None:
        member = current_member.current_member()
        for each in _offered(member):
            ways.mute(session, member, kind, each, is_muted=each not in wanted)

    components.act_in_callback(save, done=_("Saved."))
