"""When orders of the workspace need approval: said on the page of budgets, and set there by its managers."""

import streamlit as st

from core import db
from core.generations import approvals
from core.usage import approval_rules
from core.usage.approval_rules import HIGHEST_CREDITS, Rule
from core.workspaces.access import Member
from pages.sections.budgets import form
from pages.ui import components, current_member, wording
from pages.ui.language import _


def show(person: Member, *, may_set: bool) -> None:
    """The rule as a card, with the dialog that changes it while that is open."""
    with db.read_session() as session:
        rule = approval_rules.of(session, person.workspace_id)
        is_alone = may_set and not approvals.has_other_manager(session, person.workspace_id, person.id)
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.header(_("Approval"), anchor=False, width="content")
        if may_set:
            label = _("Change") if not rule.is_off else _("Ask for approval")
            st.button(
                label,
                icon=":material/approval:",
                width=form.button_px(label),
                on_click=form.open_it,
                args=(form.APPROVAL,),
                key="budgets_approval",
                help=_("When orders need a manager's yes"),
            )
    with st.container(border=True, gap="xsmall", key="card_approval_rule"):
        for sentence in _said(rule):
            st.markdown(sentence)
        if not rule.is_off:
            st.caption(
                _(
                    "It waits with its price reserved until a manager other than its maker has decided, a week at "
                    "most. All that is ordered with one press counts together."
                )
            )
            if is_alone:
                st.caption(
                    _(
                        "You are the only manager: administrators of the installation decide about your own orders, "
                        "without seeing prompts."
                    )
                )
    if may_set and st.session_state.get(form.OPEN) == form.APPROVAL:
        st.dialog(_("Approval"), on_dismiss=form.close)(_change)(rule)


def _said(rule: Rule) -> list[str]:
    if rule.is_off:
        return [_("No order needs approval.")]
    said = []
    if rule.above_credits is not None:
        words = _("An order of more than {credits} needs approval.")
        said.append(words.format(credits=wording.priced(rule.above_credits)))
    if rule.over_budget:
        said.append(_("An order that goes beyond a budget which only warns needs approval."))
    return said


def _change(present: Rule) -> None:
    above = st.number_input(
        _("Ask above so many credits"),
        min_value=0,
        max_value=HIGHEST_CREDITS,
        value=present.above_credits,
        placeholder=_("Never"),
        help=_("The price of all that is ordered with one press. Leave it empty to ask for no price."),
        key="budgets_approval_above",
    )
    over = st.toggle(
        _("Ask beyond a budget that warns"),
        value=present.over_budget,
        help=_("That of the workspace, of the project, or of who orders. A budget that stops still refuses."),
        key="budgets_approval_over",
    )
    if st.button(_("Save"), type="primary", key="budgets_approval_save"):
        person = current_member.current_member()
        components.save_and_rerun(
            lambda session: approval_rules.set_rule(session, person, Rule(above, over)),
            done=_("It holds from the next order on."),
            then=form.close,
        )
