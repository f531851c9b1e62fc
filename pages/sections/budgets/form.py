"""The form that sets a monthly budget, in a dialog: how many credits, and whether it warns or stops."""

from collections.abc import Mapping

import streamlit as st

from core.db.enums import BudgetMode, BudgetScope
from core.usage import budgets
from core.usage.budget_overview import Standing
from pages.sections.budgets.standing import MODE
from pages.ui import components, current_member, wording
from pages.ui.language import N_, _

_EXPLAINED = {
    BudgetMode.WARN: N_("Orders that go beyond it are taken; it is said at the button and here."),
    BudgetMode.STOP: N_("Orders that would go beyond it are refused, also those of scripts and tables."),
}


def change(standing: Standing, name: str) -> None:
    """Set, change or take away one that is on the page."""
    components.plain_text(name, strong=True)
    _fields(standing.scope, standing.subject_id, standing.limit_credits, standing.mode, standing.taken_credits)


def add(scope: BudgetScope, names: Mapping[str, str]) -> None:
    """Set one for a project or somebody that is not on the page yet."""
    label = _("Project") if scope is BudgetScope.PROJECT else _("Person")
    chosen = st.selectbox(label, list(names), format_func=names.__getitem__, key="budgets_subject")
    _fields(scope, chosen, None, None, 0)


def _fields(
    scope: BudgetScope, subject_id: str, present: int | None, mode: BudgetMode | None, taken_credits: int
) -> None:
    credits = st.number_input(
        _("Credits a month"),
        min_value=1,
        max_value=budgets.LIMIT_CREDITS,
        value=present,
        placeholder=_("No budget"),
        key=f"budgets_credits_{subject_id}",
    )
    chosen = components.segmented(
        _("When it is used up"),
        list(BudgetMode),
        key=f"budgets_mode_{subject_id}",
        names=lambda each: _(MODE[each]),
        default=mode or BudgetMode.WARN,
    )
    st.caption(_(_EXPLAINED[chosen]))
    if taken_credits:
        words = _("This month's orders have taken {credits} credits already.")
        st.caption(words.format(credits=wording.credits(taken_credits)))
    with st.container(horizontal=True):
        if st.button(_("Save"), type="primary", key="budgets_save", disabled=credits is None):
            _save(scope, subject_id, credits, chosen, _("The budget is saved."))
        if present is not None and st.button(_("Remove"), key="budgets_remove"):
            _save(scope, subject_id, None, None, _("The budget is removed."))


def _save(scope: BudgetScope, subject_id: str, credits: int | None, mode: BudgetMode | None, done: str) -> None:
    person = current_member.current_member()
    components.save_and_rerun(
        lambda session: budgets.set_limit(session, person, scope, subject_id, credits=credits, mode=mode), done=done
    )
