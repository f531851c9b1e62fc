"""Saved views of the explorer that are sent to their reader: daily, weekly or monthly, by mail or to their webhook."""

from collections.abc import Sequence

import streamlit as st

from core import db
from core.db import WriteSession
from core.db.enums import NoticeWay, ReportEvery
from core.notifications import report_schedules, ways
from core.notifications.report_schedules import Scheduled
from core.usage import saved_views
from core.workspaces.access import Member
from pages.ui import components, current_member, wording
from pages.ui.language import N_, _, translate_message
from pages.ui.wording import TranslatedLabels

EVERY = TranslatedLabels(
    {ReportEvery.DAILY: N_("Daily"), ReportEvery.WEEKLY: N_("Weekly"), ReportEvery.MONTHLY: N_("Monthly")}
)
WAY = TranslatedLabels({NoticeWay.EMAIL: N_("E-mail"), NoticeWay.WEBHOOK: N_("Webhook")})

_VIEW, _EVERY, _WAY = "explore_sent_view", "explore_sent_every", "explore_sent_way"


def show(person: Member) -> None:
    """Draw what is sent, and a form for more."""
    with db.read_session() as session:
        sent = report_schedules.of_person(session, person)
        views = {row.id: row.name for row in saved_views.list_visible(session, person)}
        own = [way for way in report_schedules.WAYS if way in ways.of_person(session, person)]
    with st.popover(_("Sent to me"), icon=":material/schedule_send:", key="explore_sent"):
        for each in sent:
            _one(each)
        if not views:
            st.caption(_("Save a view first; its CSV can then be sent to you regularly."))
        elif not own:
            st.caption(_("Set up e-mail or a webhook first: Account, Being told."))
        else:
            _form(views, own)


def _one(each: Scheduled) -> None:
    with st.container(gap="xsmall", key=f"explore_sent_row_{each.id}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            components.plain_text(each.view_name or _("A view that is shared no more"), strong=True)
            st.button(
                _("Stop"),
                key=f"explore_sent_stop_{each.id}",
                type="tertiary",
                icon=":material/delete:",
                on_click=_stop,
                args=(each.id,),
            )
        st.caption(
            _("{every}, {way}, next on {moment}").format(
                every=EVERY[each.every], way=WAY[each.way], moment=wording.minute(each.next_at)
            )
        )
        if not each.is_way_on:
            st.caption(_("You are not told in this way any more, so nothing is sent."))
        elif each.error is not None:
            st.caption(_("Not sent: {reason}").format(reason=translate_message(each.error)))
        elif each.sent_at is not None:
            st.caption(_("Last sent on {moment}").format(moment=wording.minute(each.sent_at)))


def _form(views: dict[str, str], own: Sequence[NoticeWay]) -> None:
    st.selectbox(_("View"), list(views), key=_VIEW, format_func=lambda view_id: views.get(view_id, ""))
    st.selectbox(_("How often"), list(ReportEvery), key=_EVERY, index=2, format_func=EVERY.__getitem__)
    st.selectbox(_("By"), own, key=_WAY, format_func=WAY.__getitem__)
    st.caption(
        _("At eight in the morning, with the figures of then. Days are UTC, and a month is sent when it is over there.")
    )
    st.button(_("Send it to me"), key="explore_sent_save", on_click=_put)


def _put() -> None:
    person, chosen = current_member.current_member(), st.session_state
    zone = st.context.timezone

    def action(session: WriteSession) -> object:
        where = report_schedules.zone_of(session, person, zone)
        return report_schedules.put(session, person, chosen[_VIEW], chosen[_WAY], every=chosen[_EVERY], time_zone=where)

    components.act_in_callback(action, done=_("It is sent to you from now on."))


def _stop(schedule_id: str) -> None:
    person = current_member.current_member()
    components.act_in_callback(
        lambda session: report_schedules.remove(session, person, schedule_id), done=_("It is sent no more.")
    )
