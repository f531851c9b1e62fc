"""Monthly budgets of the workspace, its projects and people: how they stand, and for its managers setting them."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core import db, installation
from core.db.enums import BudgetScope
from core.projects import projects
from core.usage import budget_overview
from core.usage.budget_overview import Overview, Standing
from core.workspaces import members
from core.workspaces.permissions import Action
from pages.sections.budgets import form, month, standing
from pages.ui import components, current_member
from pages.ui.language import N_, _

MAX_CHOICES = 200

person = current_member.current_member()

HEADS = {
    BudgetScope.WORKSPACE: N_("This workspace"),
    BudgetScope.PROJECT: N_("Projects"),
    BudgetScope.MEMBER: N_("People"),
}
EMPTY = {
    BudgetScope.PROJECT: N_("No project has a budget or has taken credits this month."),
    BudgetScope.MEMBER: N_("Nobody has a budget or has taken credits this month."),
}


def part(scope: BudgetScope, found: Sequence[Standing], names: Mapping[str, str], *, may_set: bool) -> None:
    """The budgets of one kind, each with its bar."""
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        own = scope is BudgetScope.MEMBER and not may_set
        st.header(_("You") if own else _(HEADS[scope]), anchor=False)
        further = further_subjects(scope, {each.subject_id for each in found}) if may_set else {}
        if further and st.button(_("Add a budget"), icon=":material/add:", key=f"budgets_add_{scope}"):
            st.dialog(_("Add a budget"))(form.add)(scope, further)
    for each in found:
        if standing.row(each, names.get(each.subject_id, each.name), may_set=may_set):
            st.dialog(_("Monthly budget"))(form.change)(each, names.get(each.subject_id, each.name))
    if not found:
        st.caption(_(EMPTY[scope]))


def further_subjects(scope: BudgetScope, known: set[str]) -> dict[str, str]:
    """Projects or people that are not on the page yet."""
    if scope is BudgetScope.WORKSPACE:
        return {}
    with db.read_session() as session:
        if scope is BudgetScope.PROJECT:
            names = components.told_apart(session, person, projects.names(session, person, limit=MAX_CHOICES))
        else:
            roster = members.list_page(session, person, person.workspace_id, limit=MAX_CHOICES)
            names = {entry.user_id: entry.name or entry.email for entry in roster if entry.is_active}
    return {id: name for id, name in names.items() if id not in known}


def everything(found: Overview) -> None:
    """The month, then what is set and taken of each kind."""
    may_set = person.may(Action.SET_BUDGET)
    month.show(found, may_set=may_set)
    of = {scope: [each for each in found.standings if each.scope is scope] for scope in BudgetScope}
    with db.read_session() as session:
        plain = {each.subject_id: each.name for each in of[BudgetScope.PROJECT]}
        names = components.told_apart(session, person, plain)
    for scope in BudgetScope:
        part(scope, of[scope], names, may_set=may_set)


with components.error_boundary():
    with db.read_session() as session:
        overview = budget_overview.overview(session, person, cache=installation.current().usage)
    everything(overview)
