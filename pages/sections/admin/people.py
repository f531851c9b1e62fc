"""People with their balances, and credits that are granted or corrected."""

import uuid
from collections.abc import Mapping

import streamlit as st

from core import audit_log, db
from core.audit_log import Act
from core.billing import ledger
from core.db.enums import EntryKind
from core.identity import users
from pages.sections.sample import offer
from pages.ui import components, current_member, wording
from pages.ui.language import N_, _

PEOPLE_SHOWN = 25
BOOKINGS: Mapping[EntryKind, str] = {EntryKind.GRANT: N_("Grant"), EntryKind.ADJUST: N_("Correction")}


def show() -> None:
    """People with their credits, and the sample company."""
    _people()
    _grants()
    offer.panel(current_member.own_administrator())


def _people() -> None:
    """Everybody with their balance, found by address or name, a page at a time."""
    st.header(_("People"), anchor=False)
    search = st.text_input(
        _("Search people"),
        key="admin_people_search",
        type="search",
        placeholder=_("Name or e-mail address"),
        live=True,
        max_chars=120,
        label_visibility="collapsed",
        width=320,
    )
    if st.session_state.get("admin_people_found") != search:
        st.session_state["admin_people_found"], st.session_state["admin_people_pages"] = search, [""]
    pages: list[str] = st.session_state["admin_people_pages"]
    with db.read_session() as session:
        found = users.list_all(
            session,
            current_member.administrator().user,
            search=search or "",
            after_email=pages[-1],
            limit=PEOPLE_SHOWN + 1,
        )
    if not found:
        st.caption(_("Nobody matches."))
        return
    components.table(
        [_("E-mail address"), _("Name"), _("Role"), _("Granted"), _("Available"), _("Reserved"), _("Charged")],
        [
            [
                row.email,
                row.name,
                wording.ROLE[row.role],
                wording.credits(row.granted_credits),
                wording.credits(row.available_credits),
                wording.credits(row.held_credits),
                wording.credits(row.granted_credits - row.available_credits - row.held_credits),
            ]
            for row in found[:PEOPLE_SHOWN]
        ],
        numbers=(3, 4, 5, 6),
    )
    if len(pages) > 1 or len(found) > PEOPLE_SHOWN:
        with st.container(horizontal=True, horizontal_alignment="center"):
            st.button(_("Back"), disabled=len(pages) == 1, on_click=_back, args=(pages,), key="admin_people_back")
            after = found[PEOPLE_SHOWN - 1].email if len(found) > PEOPLE_SHOWN else ""
            st.button(_("Next"), disabled=not after, on_click=pages.append, args=(after,), key="admin_people_next")


def _back(pages: list[str]) -> None:
    """To the page of people before."""
    pages.pop()


def _grants() -> None:
    """Book credits to a person or correct their balance, once a press."""
    st.header(_("Grant or correct credits"), anchor=False)
    key = st.session_state.setdefault("admin_grant_key", str(uuid.uuid4()))
    with st.form("admin_grant", border=True):
        kind = components.segmented(
            _("Kind"), list(BOOKINGS), names=lambda kind: _(BOOKINGS[kind]), key=f"admin_grant_kind_{key}"
        )
        with st.grid(3, min_column_width=200, vertical_alignment="bottom"):
            email = st.text_input(_("E-mail address"), key=f"admin_grant_email_{key}", max_chars=254)
            credits = st.number_input(
                _("Credits"),
                min_value=-ledger.BOOKING_LIMIT_CREDITS,
                max_value=ledger.BOOKING_LIMIT_CREDITS,
                value=1000,
                step=100,
                key=f"admin_grant_credits_{key}",
                help=_("A correction may be below 0: it takes credits away."),
            )
            reason = st.text_input(_("Reason"), key=f"admin_grant_reason_{key}")
        if st.form_submit_button(_("Apply"), type="primary"):
            if not (reason or "").strip():
                st.error(_("Give a reason; it is kept in the ledger."))
                return
            _book(kind, email or "", int(credits or 0), (reason or "").strip(), key)


def _book(kind: EntryKind, email: str, amount: int, reason: str, key: str) -> None:
    """Book it; the key makes a second press of the same form change nothing."""
    booking = ledger.adjust if kind is EntryKind.ADJUST else ledger.grant

    def transaction() -> None:
        admin = current_member.administrator()
        with db.write_session() as session:
            receiver = users.get(session, email)
            if booking(session, receiver.id, credits=amount, key=f"grant:{key}", actor=admin.email, reason=reason):
                audit_log.record(
                    session,
                    admin.user,
                    Act.CREDITS_ADJUSTED if kind is EntryKind.ADJUST else Act.CREDITS_GRANTED,
                    target=receiver.email,
                    target_id=receiver.id,
                    workspace_id=receiver.id,
                    after={"credits": amount, "reason": reason},
                )

    done = _("{credits} booked to {email}.").format(credits=wording.priced(amount), email=email)
    if components.try_action(transaction, done=done):
        del st.session_state["admin_grant_key"]
        st.rerun()
