"""What was spent, on what and how well it went: all figures from the daily roll-ups."""

import streamlit as st

from core.clock import utc_now
from core.usage import budgets, reports
from core.usage.spreadsheet import Separator, SpreadsheetFormat
from core.workspaces.permissions import Action
from pages.sections.costs import drift, margins
from pages.sections.explore import explored
from pages.sections.sample import offer
from pages.sections.statements import desk
from pages.sections.usage import budget, figures, headline, pack, repricing, sections, waste, which_model
from pages.sections.usage import choice as usage_choice
from pages.ui import components, current_member
from pages.ui.language import _

person = current_member.current_member()


def nothing() -> None:
    """Why there is nothing to see, and the way out."""
    components.empty_state(
        _("No clip ended in this period"),
        _("A clip counts on the day it is delivered, fails or is cancelled; days are UTC. Choose other dates."),
        icon="bar_chart",
    )
    if person.may(Action.ORDER):
        with st.container(horizontal_alignment="center"):
            st.page_link("generate.py", label=_("Make a clip"), icon=":material/movie:")
    offer.show(person, key="usage_sample")


def spending(shown: figures.Shown, choice: usage_choice.Choice, month: budgets.Month) -> None:
    """On what, against which budget, and where most."""

    def file(form: SpreadsheetFormat, separator: Separator) -> bytes:
        return figures.spend_file(current_member.current_member(), choice, form, separator)

    sections.spend(shown, choice, file)
    sections.month(month, today)
    budget.form(person, choice.selection, month)
    sections.projects(shown)


def outcome(shown: figures.Shown, choice: usage_choice.Choice) -> None:
    """How well it went."""
    sections.outcome(shown, choice)
    sections.models(shown, figures.speeds(shown, choice))


def cost(shown: figures.Shown, choice: usage_choice.Choice) -> None:
    """What the providers took, and what it would be otherwise."""
    if person.may(Action.SEE_ALL_USAGE):
        drift.warn()
    sections.cost(shown)
    margins.show(person)
    repricing.show(person, choice.selection, shown)


def charts(section: str, choice: usage_choice.Choice) -> None:
    """What the first views show, or why there is nothing in them."""
    shown = figures.read(person, choice)
    budget.warnings(person, today)
    if shown.total == reports.UsageTotals():
        nothing()
        budget.form(person, choice.selection, figures.month(person, choice, today))
        return
    if choice.selection.everybody:
        offer.say_included()
    month = figures.month(person, choice, today) if section == "spending" else None
    headline.show(shown, choice, section, month)
    if month is not None:
        spending(shown, choice, month)
    else:
        {"outcome": outcome, "cost": cost}[section](shown, choice)


with components.error_boundary():  # no part ends by `st.stop`, which would leave values of its lists behind
    today = utc_now().date()
    fields = st.container(horizontal=True, gap="small", vertical_alignment="center")
    with fields:
        section = usage_choice.choose_section(person)
    if section == usage_choice.EXPLORE:
        explored.show(person, today)
    elif section == usage_choice.EXPORT:
        pack.show(person)
    elif section == usage_choice.STATEMENTS:
        desk.show(person)
    elif choice := usage_choice.choose(person, today, fields):
        if section == usage_choice.MODELS:
            which_model.show(person, choice)
        elif section == usage_choice.WASTE:
            waste.show(person, choice)
        else:
            charts(section, choice)
