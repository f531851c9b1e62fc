"""The statement desk: which statements there are, one of them open, and a place to bring another."""

import streamlit as st

from core import db
from core.db.tables import VendorStatement
from core.providers import registry
from core.statements import listing
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.sections.statements import address, bring, found
from pages.ui import components
from pages.ui.language import _

STATEMENT_WIDTH_PX = 360


def show(person: Member) -> None:
    """All of it, for administrators and analysts; for others it is as if it were not there."""
    person.require(Action.SEE_ALL_USAGE)
    st.header(_("Statements of providers"), anchor=False)
    with db.read_session() as session:
        statements = list(listing.statements(session, person))
    brings = person.may(Action.CHECK_STATEMENTS)
    if not statements:
        components.empty_state(
            _("No statement was compared yet"),
            _("A provider's bill for a month is compared with the clips that were sent to it, line by line."),
            icon="receipt_long",
        )
    if brings:
        with st.expander(_("Bring a statement"), expanded=not statements, key="statements_bring"):
            bring.form(person)
    if statements:
        found.show(person, _choose(statements))


def _choose(statements: list[VendorStatement]) -> VendorStatement:
    by_id = {one.id: one for one in statements}
    wanted = address.of_page()
    key = "usage_statement_choice"
    present = wanted if wanted in by_id else statements[0].id
    if st.session_state.get(key) != present:
        st.session_state[key] = present

    def named(statement_id: str) -> str:
        one = by_id.get(statement_id)
        if one is None:
            return statement_id
        return f"{registry.provider_class(one.provider).display_name} · {bring.month_name(one.month)}"

    chosen = st.selectbox(
        _("Statement"),
        list(by_id),
        format_func=named,
        key=key,
        on_change=lambda: address.go_to(st.session_state[key]),
        label_visibility="collapsed",
        width=STATEMENT_WIDTH_PX,
    )
    return by_id[chosen or present]
