"""One notice in the inbox: what happened, where and when, whether it was read, and the way to what it is about."""

import html
from collections.abc import Mapping

import streamlit as st

from core import db
from core.clock import utc_now
from core.db.enums import NoticeAudience, NoticeKind
from core.notifications import inbox
from core.notifications.inbox import Told
from core.workspaces.access import Member
from pages.ui import components, current_member, wording
from pages.ui.language import _, translate_message

_PAGES: Mapping[NoticeKind, str] = {
    NoticeKind.BALANCE_LOW: "credits.py",
    NoticeKind.CREDITS_ADDED: "credits.py",
    NoticeKind.STORAGE_FULL: "credits.py",
    NoticeKind.BUDGET: "usage.py",
    NoticeKind.CLIPS_LEAVE: "history.py",
    NoticeKind.MODEL_ENDS: "generate.py",
    NoticeKind.APPROVAL_ASKED: "approvals.py",
}


def show(person: Member, told: Told) -> None:
    """Draw it with its buttons; opening it reads it."""
    with (
        st.container(
            border=True,
            horizontal=True,
            vertical_alignment="center",
            horizontal_alignment="distribute",
            key=f"card_notice_{told.id}",
        ),
    ):
        with st.container(width="content", gap=None):  # as wide as it is: on a phone the buttons stand below
            st.html(_words(person, told))
        with st.container(horizontal=True, width="content", vertical_alignment="center"):
            _buttons(person, told)


def _words(person: Member, told: Told) -> str:
    where = told.workspace_name if told.workspace_id not in (None, person.id) else None
    facts = " · ".join(filter(None, (where, wording.age(told.told_at, utc_now()))))
    title = html.escape(translate_message(told.title))
    mark, weight = "", 500
    if told.is_unread:
        unread = html.escape(_("Unread"))
        mark = (
            f'<span role="img" aria-label="{unread}" title="{unread}" style="display:inline-block;width:.55em;'
            'height:.55em;margin-right:.5em;border-radius:50%;background:var(--studio-accent,currentColor)"></span>'
        )
        weight = 650
    lines = [f'<p style="margin:0;font-weight:{weight};overflow-wrap:anywhere">{mark}{title}</p>']
    small = "margin:.15em 0 0;font-size:.875rem;overflow-wrap:anywhere;"
    if told.body is not None:
        lines.append(f'<p style="{small}">{html.escape(translate_message(told.body))}</p>')
    if told.prompt:
        clip = "display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:1;overflow:hidden;"
        lines.append(f'<p style="{small}{clip}opacity:.8">{html.escape(told.prompt)}</p>')
    lines.append(f'<p style="{small}opacity:.8">{html.escape(facts)}</p>')
    return "".join(lines)


def _buttons(person: Member, told: Told) -> None:
    if told.generation_id is not None:
        if st.button(_("Show clip"), key=f"notice_open_{told.id}"):
            _go(person, told, "history.py", clip=told.generation_id)
        if told.clip_count > 1 and told.project_id and st.button(_("Show all"), key=f"notice_project_{told.id}"):
            _go(person, told, "generate.py", project=told.project_id)
    elif told.kind is NoticeKind.APPROVAL_ASKED:
        if st.button(_("Decide"), key=f"notice_open_{told.id}"):
            _go(person, told, _PAGES[told.kind])
    elif told.audience is NoticeAudience.OPERATOR:
        decide = told.kind is not NoticeKind.PROVIDER_ACCOUNT
        if st.button(_("Decide") if decide else _("Look"), key=f"notice_open_{told.id}"):
            _go(person, told, "admin.py")
    elif told.kind in _PAGES and st.button(_("Look"), key=f"notice_open_{told.id}"):
        _go(person, told, _PAGES[told.kind])
    st.button(
        _("Mark as read") if told.is_unread else _("Mark as unread"),
        key=f"notice_read_{told.id}",
        type="tertiary",
        on_click=_mark,
        args=(told,),
    )


def _mark(told: Told) -> None:
    with components.error_boundary(), db.write_session() as session:
        inbox.mark_read(session, current_member.current_member(), told.id, is_read=told.is_unread)


def _go(person: Member, told: Told, page: str, **asked: str) -> None:
    """To a page in the workspace that the notice is of."""
    with db.write_session() as session:
        inbox.mark_read(session, person, told.id)
    if told.workspace_id is not None and told.workspace_id != person.workspace_id:
        current_member.move_to(told.workspace_id)
        asked[current_member.WORKSPACE] = told.workspace_id
    st.switch_page(page, query_params=asked)
