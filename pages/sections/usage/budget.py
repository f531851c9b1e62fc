"""Budgets on the usage page: warnings, and the form that sets one. They warn and never refuse."""

from datetime import date

import streamlit as st

from core import db, installation
from core.usage import budgets
from core.usage.reports import UsageQuery
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.ui import components, connection, current_member, wording
from pages.ui.language import _


def warnings(person: Member, today: date) -> None:
    """This month's budgets that are used up or will be, one's own first."""
    with db.read_session() as session:
        found = budgets.alerts(session, person, today=today, cache=installation.current().usage)
        names = {one.project_id: one.project_name for one in found if one.project_id and one.project_name}
        names = components.told_apart(session, person, names)
    for one in found:
        month = one.month
        whose = _("the budget of this workspace") if one.project_name is None else _("the budget of the project")
        budget = wording.priced(month.budget_credits or 0)
        if month.is_exceeded:
            text = _("{spent} are spent this month, more than {whose} of {budget}.").format(
                spent=wording.priced(month.spent_credits), whose=whose, budget=budget
            )
        else:
            expected = month.forecast.expected_credits if month.forecast else 0
            text = _("About {expected} will be spent by the end of the month, more than {whose} of {budget}.").format(
                expected=wording.priced(expected), whose=whose, budget=budget
            )
        with st.container(border=True, gap="xsmall", key=f"card_budget_warning_{one.project_id}"):
            st.markdown(f":material/warning: {text} " + _("Generation is not blocked."))
            if one.project_name is not None:
                components.plain_text(names[one.project_id or ""], small=True)


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
                help=_("You are warned when a month goes beyond it. Leave it empty for none."),
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
