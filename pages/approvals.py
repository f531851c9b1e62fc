"""Orders that wait for approval: for who may decide with the decision, one by one or several at once."""

from collections.abc import Sequence

import streamlit as st

from core import db
from core.generations import approval_list
from core.generations.approval_list import PAGE_SIZE, Waiting
from core.usage import approval_rules
from core.workspaces.permissions import Action
from pages.sections.approvals import card, deciding
from pages.ui import components, current_member
from pages.ui.language import _, plural

PAGES = "approvals_pages"

person = current_member.current_member()


def box(generation_id: str) -> str:
    """What the box is called that selects an order."""
    return f"approval_pick_{generation_id}"


def of_press(waiting: Waiting) -> Sequence[str]:
    """Ids of all that waits of the same press; one that costs what its press does has no others."""
    if waiting.press_credits == waiting.row.credits:
        return [waiting.row.id]
    with db.read_session() as session:
        return approval_list.ids_of_press(session, person, waiting.press_id)


def mine(found: Sequence[Waiting], pages: list[str]) -> None:
    """Those to decide, with what is selected of them at the foot."""
    st.header(_("For you to decide"), anchor=False)
    shown = found[:PAGE_SIZE]
    presses = set()
    for each in shown:
        if each.press_id not in presses and len(together := of_press(each)) > 1:
            card.press(each, together)
        presses.add(each.press_id)
        card.show(each, decides=True, pick=box if len(shown) > 1 else None)
    components.pager(pages, shown[-1].row.id if len(found) > PAGE_SIZE else None, key="approvals")
    selected = [each.row.id for each in shown if st.session_state.get(box(each.row.id))]
    if selected:
        with (
            st.bottom,
            st.container(horizontal=True, vertical_alignment="center", gap="small", key="approvals_selection"),
        ):
            words = plural("**{number}** selected", "**{number}** selected", len(selected))
            st.markdown(words.format(number=len(selected)), width="content")
            deciding.buttons(selected, key="approvals_selected")


def theirs(found: Sequence[Waiting]) -> None:
    """Those that somebody else decides about."""
    st.header(_("Waiting for somebody else"), anchor=False)
    for each in found:
        card.show(each, decides=False)


def nothing() -> None:
    """What approvals are, and whether this workspace asks for them."""
    with db.read_session() as session:
        is_off = approval_rules.of(session, person.workspace_id).is_off
    text = _("Orders that need a manager's yes wait here, with their price reserved, for a week at most.")
    if is_off:
        text += " " + _("This workspace asks for no approval; its managers can change that on the page Budgets.")
    components.empty_state(_("Nothing waits for approval"), text, icon="approval")


def show() -> None:
    """What waits, or that nothing does."""
    pages: list[str] = st.session_state.setdefault(PAGES, [""])
    with db.read_session() as session:
        to_decide: Sequence[Waiting] = ()
        if person.may(Action.APPROVE) or person.may(Action.APPROVE_ELSEWHERE):
            to_decide = approval_list.decidable(session, person, after_id=pages[-1], limit=PAGE_SIZE + 1)
        others = approval_list.of_others(session, person)
    if not to_decide and len(pages) > 1:  # what was on this page is decided meanwhile
        st.session_state.pop(PAGES)
        st.rerun()
    if to_decide:
        mine(to_decide, pages)
    if others:
        theirs(others)
    if not (to_decide or others):
        nothing()


with components.error_boundary():
    show()
