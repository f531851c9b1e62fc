"""The way to the page of budgets, beside what a budget stops; why it stops it is said where the button is."""

import streamlit as st

from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.ui import current_member
from pages.ui.language import _


def show(person: Member, workspace_id: str) -> None:
    """The link, to the budgets of the workspace that pays, for who may change them."""
    if person.may(Action.SET_BUDGET, workspace_id):
        elsewhere = workspace_id != person.workspace_id
        st.page_link(
            "budgets.py",
            label=_("Budgets"),
            icon=":material/savings:",
            query_params={current_member.WORKSPACE: workspace_id} if elsewhere else None,
        )
