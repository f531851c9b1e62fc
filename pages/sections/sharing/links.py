"""The links for people outside of a workspace: how each stands, who came by it, and the button that ends it."""

from collections.abc import Mapping
from typing import Literal

import streamlit as st

from core import db
from core.clock import utc_now
from core.db.enums import VisitKind
from core.db.tables import ShareLink
from core.generations import share_links
from core.generations.share_links import LinkRow, LinkState
from core.workspaces.access import Member
from pages.ui import components, wording
from pages.ui.language import N_, _, plural

PAGE_SIZE = 10
VISITS_SHOWN = 20

STATE: Mapping[LinkState, tuple[str, Literal["green", "gray", "red"]]] = {
    LinkState.ACTIVE: (N_("Open"), "green"),
    LinkState.EXPIRED: (N_("Expired"), "gray"),
    LinkState.REVOKED: (N_("Revoked"), "red"),
}
VISIT: Mapping[VisitKind, str] = {
    VisitKind.VIEW: N_("Viewed"),
    VisitKind.DOWNLOAD: N_("Downloaded"),
    VisitKind.REFUSED: N_("Wrong password"),
}
_PAGES = "sharing_pages"


def show(member: Member) -> None:
    """Draw the section for somebody who may share."""
    st.header(_("Links for people outside"), anchor=False)
    st.markdown(
        _("A link opens chosen clips to whoever has it. Make one from a clip, or from clips selected in the history.")
    )
    pages: list[str | None] = st.session_state.setdefault(f"{_PAGES}_{member.workspace_id}", [None])
    with db.read_session() as session:
        page = share_links.list_page(session, member, cursor=pages[-1], limit=PAGE_SIZE)
    if not page.rows:
        st.caption(_("There are no links."))
    for row in page.rows:
        _row(member, row)
    _pager(pages, page.next_cursor)


def _row(member: Member, row: LinkRow) -> None:
    link = row.link
    count = plural("{number} clip", "{number} clips", row.clip_count).format(number=row.clip_count)
    name, colour = STATE[row.state]
    with st.container(border=True, gap="xsmall", key=f"card_sharing_{link.id}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            components.plain_text(link.title or count, strong=True)
            st.badge(_(name), color=colour)
            with st.container(horizontal=True, width="content"):  # so that both go together where it is narrow
                with st.popover(_("Visits"), key=f"sharing_visits_{link.id}", on_change="rerun") as visits:
                    if visits.open:
                        _visits(link)
                if row.state is LinkState.ACTIVE:
                    _revoke_popover(member, link)
        components.plain_text(" · ".join(_facts(row, count)), small=True)


def _revoke_popover(member: Member, link: ShareLink) -> None:
    with st.popover(_("Revoke"), key=f"sharing_popover_{link.id}"):
        st.markdown(_("It stops opening at once, also where it is being watched."))
        if st.button(_("Revoke this link"), key=f"sharing_revoke_{link.id}", type="primary"):
            components.save_and_rerun(
                lambda session: share_links.revoke(session, member, link.id), done=_("The link is revoked.")
            )


def _facts(row: LinkRow, count: str) -> list[str]:
    """What it opens, who made it, how long it opens, and how often it was looked at."""
    link = row.link
    now = utc_now()
    views = plural("{number} view", "{number} views", link.view_count).format(number=wording.credits(link.view_count))
    last = _("last viewed {age}").format(age=wording.age(link.last_viewed_at, now)) if link.last_viewed_at else ""
    until = _("until {moment}").format(moment=wording.minute(link.expires_at))
    facts = [
        count if link.title else "",
        _("by {name}").format(name=row.maker),
        until if row.state is LinkState.ACTIVE else "",
        _("with a password") if link.password_hash else "",
        _("with download") if link.allow_download else "",
        _("with prompts") if link.show_prompt else "",
        views,
        last,
    ]
    return [fact for fact in facts if fact]


def _visits(link: ShareLink) -> None:
    """Who came last."""
    with db.read_session() as session:
        found = share_links.visits(session, link, limit=VISITS_SHOWN)
    if not found:
        st.caption(_("Nobody has come yet."))
        return
    rows = [(wording.moment(visit.at), _(VISIT[visit.kind]), visit.address, visit.agent[:80]) for visit in found]
    components.table([_("When"), _("What"), _("From where"), _("Browser")], rows)


def _pager(pages: list[str | None], next_cursor: str | None) -> None:
    if len(pages) == 1 and next_cursor is None:
        return
    with st.container(horizontal=True, horizontal_alignment="center"):
        st.button(_("Newer"), disabled=len(pages) == 1, on_click=_newer, args=(pages,), key="sharing_newer")
        st.button(
            _("Older"), disabled=next_cursor is None, on_click=pages.append, args=(next_cursor,), key="sharing_older"
        )


def _newer(pages: list[str | None]) -> None:
    pages.pop()
