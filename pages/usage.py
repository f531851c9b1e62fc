"""What was spent, on what and how well it went: all figures from the daily roll-ups."""

import streamlit as st

from core import usage
from core.columns import utc_now
from pages import (
    components,
    usage_budget,
    usage_choice,
    usage_figures,
    usage_headline,
    usage_sections,
    usage_what_if,
    visitor,
)
from pages.language import _

person = visitor.person()


def nothing() -> None:
    """Why there is nothing to see, and the way out."""
    components.empty_state(
        _("No clip ended in this period"),
        _("A clip counts on the day it is delivered, fails or is cancelled. Choose other dates, or make a clip."),
        icon="bar_chart",
    )
    with st.container(horizontal_alignment="center"):
        st.page_link("generate.py", label=_("Make a clip"), icon=":material/movie:")


def spending() -> None:
    """On what, against which budget, and where most."""
    month = usage_figures.month(person, choice, today)
    usage_sections.spend(shown, choice, lambda: usage_figures.spend_csv(visitor.person(), choice))
    usage_sections.month(month, today)
    usage_budget.form(choice.selection, month)
    usage_sections.projects(shown)


def outcome() -> None:
    """How well it went."""
    usage_sections.outcome(shown, choice)
    usage_sections.models(shown, usage_figures.speeds(shown, choice))


def cost() -> None:
    """What the providers took, and what it would be otherwise."""
    usage_sections.cost(shown)
    usage_what_if.show(person, choice.selection, shown)


with components.calm():
    today = utc_now().date()
    choice = usage_choice.choose(person, today)
    shown = usage_figures.read(person, choice)
    usage_budget.warnings(person, today)
    if shown.total == usage.Figures():
        nothing()
        usage_budget.form(choice.selection, usage_figures.month(person, choice, today))
        st.stop()
    usage_headline.show(shown, choice)
    {"spending": spending, "outcome": outcome, "cost": cost}[usage_choice.section()]()
