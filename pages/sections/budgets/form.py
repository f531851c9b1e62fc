"""Dialogs of the page of budgets: how many credits a month and whether it warns or stops, and the time zone."""

from collections.abc import Callable, Mapping

import streamlit as st

from core.db import WriteSession
from core.db.enums import BudgetMode, BudgetScope
from core.usage import budgets
from core.usage.budget_overview import Overview, Standing
from core.workspaces import months
from core.workspaces.access import Member
from pages.sections.budgets.standing import MODE
from pages.ui import components, current_member, wording
from pages.ui.language import N_, _

OPEN = "budgets_open"
ZONE = "zone"
EACH = "each_member"
APPROVAL = "approval"

Change = Callable[[WriteSession, Member, int | None, BudgetMode | None], object]
"""Sets a budget, or takes it away."""

_EXPLAINED = {
    BudgetMode.WARN: N_("Orders that go beyond it are taken; it is said at the button and here."),
    BudgetMode.STOP: N_("Orders that would go beyond it are refused, also those of scripts and tables."),
}


def open_it(what: str) -> None:
    """Let a dialog be open from now on: that of a subject's id, of a kind that gets a further one, or the time zone."""
    st.session_state[OPEN] = what


def button_px(label: str) -> int:
    """The width of a button with an icon, known before it is drawn, so that what stands beside it breaks once."""
    return 56 + 8 * len(label)


def close() -> None:
    """Forget that one is open."""
    st.session_state.pop(OPEN, None)


def dialog_if_open(
    found: Overview, names: Mapping[str, str], further: Callable[[BudgetScope], Mapping[str, str]]
) -> None:
    """Draw the dialog while one is open; `further` are those without a budget that are not among `found`."""
    what = st.session_state.get(OPEN)
    standing = next((each for each in found.standings if place(each) == what), None)
    if what == ZONE:
        st.dialog(_("Time zone"), on_dismiss=close)(_zone)(found.time_zone)
    elif what == EACH:
        st.dialog(_("Budget of each person"), on_dismiss=close)(_each)(found.of_each_member)
    elif standing is not None:
        st.dialog(_("Monthly budget"), on_dismiss=close)(_change)(
            standing, names.get(standing.subject_id, standing.name)
        )
    elif what in list(BudgetScope):
        st.dialog(_("Add a budget"), on_dismiss=close)(_add)(BudgetScope(what), further(BudgetScope(what)))


def place(standing: Standing) -> str:
    """What its widgets are called by."""
    return f"{standing.scope}_{standing.subject_id}"


def _change(standing: Standing, name: str) -> None:
    components.plain_text(name, strong=True)
    _fields(standing.scope, standing.subject_id, standing)


def _add(scope: BudgetScope, names: Mapping[str, str]) -> None:
    label = _("Project") if scope is BudgetScope.PROJECT else _("Person")
    _fields(scope, st.selectbox(label, list(names), format_func=names.__getitem__, key="budgets_subject"), None)


def _fields(scope: BudgetScope, subject_id: str, present: Standing | None) -> None:
    credits, chosen = _chosen(subject_id, present.limit_credits if present else None, present.mode if present else None)
    if present and present.taken_credits:
        words = _("This month's orders have taken {credits} credits already.")
        st.caption(words.format(credits=wording.credits(present.taken_credits)))
    is_there = present is not None and present.limit_credits is not None and not present.is_of_each
    _buttons(
        credits,
        chosen,
        lambda session, person, credits, mode: budgets.set_limit(
            session, person, scope, subject_id, credits=credits, mode=mode
        ),
        is_there=is_there,
    )


def _each(present: budgets.Set | None) -> None:
    st.markdown(_("Each person has this budget who has none of their own, also who joins later."))
    credits, chosen = _chosen(EACH, present.limit_credits if present else None, present.mode if present else None)
    _buttons(
        credits,
        chosen,
        lambda session, person, credits, mode: budgets.set_for_each_member(session, person, credits=credits, mode=mode),
        is_there=present is not None,
    )


def _chosen(of: str, limit_credits: int | None, mode: BudgetMode | None) -> tuple[int | None, BudgetMode]:
    """How many credits a month, and what happens at their end."""
    credits = st.number_input(
        _("Credits a month"),
        min_value=1,
        max_value=budgets.LIMIT_CREDITS,
        value=limit_credits,
        placeholder=_("No budget"),
        key=f"budgets_credits_{of}",
    )
    chosen = components.segmented(
        _("When it is used up"),
        list(BudgetMode),
        key=f"budgets_mode_{of}",
        names=lambda each: _(MODE[each]),
        default=mode or BudgetMode.WARN,
    )
    st.caption(_(_EXPLAINED[chosen]))
    return credits, chosen


def _buttons(credits: int | None, mode: BudgetMode, change: Change, *, is_there: bool) -> None:
    with st.container(horizontal=True):
        if st.button(_("Save"), type="primary", key="budgets_save", disabled=credits is None):
            _save(change, credits, mode, _("The budget is saved."))
        if is_there and st.button(_("Remove"), key="budgets_remove"):
            _save(change, None, None, _("The budget is removed."))


def _save(change: Change, credits: int | None, mode: BudgetMode | None, done: str) -> None:
    person = current_member.current_member()
    components.save_and_rerun(lambda session: change(session, person, credits, mode), done=done, then=close)


def _zone(present: str) -> None:
    zones = months.zones()
    st.markdown(
        _("The months of all budgets here begin and end at midnight there. Orders of before stay in their month.")
    )
    zone = st.selectbox(
        _("Time zone"),
        zones,
        index=zones.index(present) if present in zones else 0,
        format_func=city,
        key="budgets_zone_choice",
    )
    if st.button(_("Save"), type="primary", key="budgets_zone_save"):
        person = current_member.current_member()
        components.save_and_rerun(
            lambda session: months.set_zone(session, person, zone), done=_("The time zone is saved."), then=close
        )


def city(zone: str) -> str:
    """A time zone as people write it: `Asia/Ho Chi Minh`."""
    return zone.replace("_", " ")
