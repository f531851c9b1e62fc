"""For managers: what waits in the workspaces that they manage, and what is under way there."""

import streamlit as st

from core.workspaces.access import Charge
from core.workspaces.permissions import Action
from pages.sections.attention import cases, ending, late, looked_at, queue, used_up
from pages.ui import components, current_member
from pages.ui.language import _


def waits() -> None:
    """Everything that waits, or that nothing does."""
    charge = Charge.of_manager(person)
    found = looked_at.waiting(charge)
    if not found.count:
        components.empty_state(
            _("Nothing waits"),
            _(
                "Clips that are late or need review, budgets, credits and storage that run out, and models that end "
                "are told of here, for all workspaces that you manage."
            ),
            icon="task_alt",
        )
        return
    ending.show(found)
    used_up.show(person, found)
    late.show(person, found.line)
    if found.unclear_clips:
        cases.show(person, charge)


def line() -> None:
    """What is under way."""
    queue.show(person, Charge.of_manager(person))


with components.error_boundary():
    person = current_member.require(Action.ATTEND)
    names = [_("What waits"), _("Queue")]
    for tab, draw in zip(st.tabs(names, key="attention_tabs", on_change="rerun"), (waits, line), strict=True):
        with tab:
            if tab.open:
                draw()
