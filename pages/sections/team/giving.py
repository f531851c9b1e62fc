"""Credits of a team: given out of one's personal workspace, or booked by an administrator."""

import uuid

import streamlit as st

from core import db, errors
from core.billing import ledger
from core.workspaces import credits as booking
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.ui import components, wording
from pages.ui.language import _


def show(person: Member, workspace_id: str, name: str, *, key: str) -> None:
    """Draw the form that fits this person; nothing for who can give nothing."""
    with db.read_session() as session:
        own = ledger.balance(session, person.id).available_credits
    if person.may(Action.GRANT_CREDITS):
        _form(person, workspace_id, name, key=key, own=None)
    elif workspace_id in person.roles and own > 0:
        _form(person, workspace_id, name, key=key, own=own)


def _form(person: Member, workspace_id: str, name: str, *, key: str, own: int | None) -> None:
    """`own` is what they can give of their personal workspace; None: they book it, a correction below 0 included."""
    once = st.session_state.setdefault(f"{key}_once", str(uuid.uuid4()))
    with st.form(f"{key}_form", border=True):
        st.markdown(_("**Give credits to this team**") if own is not None else _("**Grant or correct credits**"))
        if own is not None:
            available = _("You have {credits} in your personal workspace.").format(credits=wording.priced(own))
            components.plain_text(available, small=True)
        with st.grid(2, min_column_width=200, vertical_alignment="bottom"):
            amount = st.number_input(
                _("Credits"),
                min_value=1 if own is not None else -ledger.BOOKING_LIMIT_CREDITS,
                max_value=own or ledger.BOOKING_LIMIT_CREDITS,
                value=min(1000, own or 1000),
                step=100,
                key=f"{key}_credits_{once}",
                help=None if own is not None else _("A correction may be below 0: it takes credits away."),
            )
            reason = st.text_input(_("Reason"), key=f"{key}_reason_{once}", max_chars=ledger.REASON_LIMIT_CHARS)
        if not st.form_submit_button(_("Apply"), type="primary"):
            return
    if not (reason or "").strip():
        components.error_box(errors.InvalidRequest(fields={"reason": ledger.reason_error("")}))  # type: ignore[dict-item]  # never None for no reason
        return

    def book(session: db.WriteSession) -> None:
        if own is None:
            booking.grant(
                session, person, workspace_id, credits=int(amount or 0), reason=(reason or "").strip(), grant_id=once
            )
        else:
            booking.transfer(
                session,
                person,
                from_id=person.id,
                to_id=workspace_id,
                credits=int(amount or 0),
                reason=(reason or "").strip(),
                transfer_id=once,
            )

    def begin_anew() -> None:
        del st.session_state[f"{key}_once"]

    done = _("{credits} booked to {name}.").format(credits=wording.priced(int(amount or 0)), name=name)
    components.save_and_rerun(book, done=done, then=begin_anew)
