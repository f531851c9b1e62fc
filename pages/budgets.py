"""Monthly budgets of the workspace, its projects and people: how they stand, and for its managers setting them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

import streamlit as st

from core import db, installation
from core.db.enums import BudgetScope
from core.projects import projects
from core.usage import budget_overview, budgets
from core.usage.budget_overview import Overview, Standing
from core.workspaces import members
from core.workspaces.permissions import Action
from pages.sections.budgets import approval, form, standing
from pages.ui import components, current_member, wording
from pages.ui.language import N_, _

MAX_CHOICES = 200

person = current_member.current_member()

HEADS = {
    BudgetScope.WORKSPACE: N_("This workspace"),
    BudgetScope.PROJECT: N_("Projects"),
    BudgetScope.MEMBER: N_("People"),
}


def head(found: Overview) -> None:
    """The month that they are for, by whose clock."""
    last_day = found.ends_at - timedelta(days=1)
    words = _("For this calendar month, which ends with {day} by the clock of {zone}.")
    st.markdown(words.format(day=wording.day(last_day), zone=form.city(found.time_zone)))


def button(label: str, icon: str, opens: str, *, key: str) -> None:
    """One that opens a dialog."""
    st.button(label, icon=icon, width=form.button_px(label), on_click=form.open_it, args=(opens,), key=key)


def part(
    scope: BudgetScope,
    found: Sequence[Standing],
    names: Mapping[str, str],
    *,
    may_set: bool,
    of_each: budgets.Set | None = None,
) -> None:
    """The budgets of one kind, each with its bar."""
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        only_own = scope is BudgetScope.MEMBER and not may_set
        st.header(_("You") if only_own else _(HEADS[scope]), anchor=False, width="content")
        if may_set and scope is BudgetScope.WORKSPACE:
            button(_("Time zone"), ":material/schedule:", form.ZONE, key="budgets_zone")
        elif may_set:
            with st.container(horizontal=True, width="content"):
                if scope is BudgetScope.MEMBER:
                    button(_("For each person"), ":material/groups:", form.EACH, key="budgets_each")
                button(_("Add a budget"), ":material/add:", scope, key=f"budgets_add_{scope}")
    if scope is BudgetScope.MEMBER and of_each is not None and may_set:
        words = _("Each person who has no budget of their own has {credits} credits a month: {mode}.")
        said = {"credits": wording.credits(of_each.limit_credits), "mode": _(standing.MODE[of_each.mode]).lower()}
        st.caption(words.format(**said))
    for each in found:
        standing.row(each, names.get(each.subject_id, each.name), open_it=opener(each) if may_set else None)
    if not found:
        st.caption(_("No project has a budget or has taken credits this month."))


def opener(of: Standing) -> Callable[[], None]:
    """Opens the dialog of a budget."""
    return partial(form.open_it, form.place(of))


def others(scope: BudgetScope, known: set[str]) -> dict[str, str]:
    """Projects or people that are not on the page yet."""
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
    of = {scope: [each for each in found.standings if each.scope is scope] for scope in BudgetScope}
    with db.read_session() as session:
        plain = {each.subject_id: each.name for each in of[BudgetScope.PROJECT]}
        names = components.told_apart(session, person, plain)
    head(found)
    for scope in BudgetScope:
        part(scope, of[scope], names, may_set=may_set, of_each=found.of_each_member)
    approval.show(person, may_set=may_set)
    if may_set:
        known = {scope: {each.subject_id for each in of[scope]} for scope in BudgetScope}
        form.dialog_if_open(found, names, lambda scope: others(scope, known[scope]))


with components.error_boundary():
    with db.read_session() as session:
        overview = budget_overview.overview(session, person, cache=installation.current().usage)
    everything(overview)
