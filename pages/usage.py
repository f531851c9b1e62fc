"""What was spent, on what and how well it went: all figures from the daily roll-ups."""

import streamlit as st

from core import usage
from core.columns import utc_now
from pages import components, usage_budget, usage_figures, usage_headline, usage_sections, usage_what_if, visitor
from pages.language import _
from pages.usage_choice import choose

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


with components.calm():
    today = utc_now().date()
    choice = choose(person, today)
    shown = usage_figures.read(person, choice, today)
    usage_budget.warnings(person, today)
    if shown.total == usage.Figures():
        nothing()
        usage_budget.form(choice.selection, shown.month)
        st.stop()
    usage_headline.show(shown, choice)
    usage_sections.spend(shown, choice, lambda: usage_figures.spend_csv(visitor.person(), choice))
    usage_sections.month(shown, today)
    usage_budget.form(choice.selection, shown.month)
    usage_sections.outcome(shown, choice)
    usage_sections.models(shown)
    usage_sections.projects(shown)
    usage_sections.cost(shown)
    usage_what_if.show(person, choice.selection, shown)
