"""Budgets on the usage page: warnings, and the form that sets how much; whether one stops is set on its own page."""

from datetime import date

import streamlit as st

from core import db, installation
from core.db.enums import BudgetMode, BudgetScope
from core.usage import budget_overview, budgets
from core.usage.reports import UsageQuery
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.ui import components, connection, current_member, wording
from pages.ui.language import N_, _

_WHOSE = {
    BudgetScope.WORKSPACE: N_("the budget of this workspace"),
    BudgetScope.PROJECT: N_("the budget of the project"),
    BudgetScope.MEMBER: N_("the budget of the person"),
}


def warnings(person: Member, today: date) -> None:
    """This month's budgets that are used up or will be, the workspace's first."""
    del today  # budgets know their own month
    with db.read_session() as session:
        found = budget_overview.warned(session, person, cache=installation.current().usage)
        names = {one.subject_id: one.name for one in found if one.scope is BudgetScope.PROJECT}
        names = components.told_apart(session, person, names)
    for one in found:
        whose, budget = _(_WHOSE[one.scope]), wording.priced(one.limit_credits or 0)
        if one.is_exceeded:
            text = _("{spent} are spent this month, more than {whose} of {budget}.").format(
                spent=wording.priced(one.taken_credits), whose=whose, budget=budget
            )
        else:
            text = _("About {expected} will be spent by the end of the month, more than {whose} of {budget}.").format(
                expected=wording.priced(one.expected_credits or 0), whose=whose, budget=budget
            )
        then = (
            _("Generation is not blocked.")
            if one.mode is BudgetMode.WARN
            else _("Orders that go beyond it are refused.")
        )
        with st.container(border=True, gap="xsmall", key=f"card_budget_warning_{one.scope}_{one.subject_id}"):
            st.markdown(f":material/warning: {text} {then}")
            if one.scope is not BudgetScope.WORKSPACE:
                components.plain_text(names.get(one.subject_id, one.name), small=True)


def form(person: Member, chosen: UsageQuery, month: budgets.Month) -> None:
    """Set the budget of what is shown, the workspace's or a project's, for who may.

    Nothing where no budget is meant for it.
    """
    is_part = chosen.everybody or chosen.model_id is not None or chosen.user_id is not None
    if is_part or not person.may(Action.SET_BUDGET):
        return
    of_all = chosen.project_id is None
    label = _("Monthly budget of this workspace") if of_all else _("Monthly budget of this project")
    with st.popover(label, icon=":material/savings:", key="usage_budget"):
        key = f"usage_budget_credits_{chosen.project_id or person.workspace_id}"
        # Given as `value`, it could not be taken away again. What was written into an older page is not replaced.
        if not connection.is_first_run_of_old_page():
            st.session_state.setdefault(key, month.budget_credits)
        with st.form("usage_budget_form", border=False):
            credits = st.number_input(
                _("Credits a month"),
                min_value=1,
                max_value=budgets.LIMIT_CREDITS,
                value=None,
                placeholder=_("No budget"),
                key=key,
                help=_("Whether it warns or stops orders is set on the page Budgets. Leave it empty for none."),
            )
            saved = st.form_submit_button(_("Save"), type="primary", key="usage_budget_save")
        if saved and components.try_action(lambda: _save(chosen.project_id, credits), done=_("The budget is saved.")):
            st.rerun()


def _save(project_id: str | None, credits: int | None) -> None:
    with db.write_session() as session:
        person = current_member.current_member()
        if project_id is None:
            budgets.set_workspace(session, person, credits=credits)
        else:
            budgets.set_project(session, person, project_id, credits=credits)
