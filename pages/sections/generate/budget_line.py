"""What an order does to the budgets of this month, said above the button that spends."""

import streamlit as st

from core import db, installation
from core.clock import utc_now
from core.usage import budgets
from core.workspaces.access import Member
from pages.ui import wording
from pages.ui.language import _

TOLD_FROM = 0.8
"""From this share of a budget on it is worth a line."""


def show(person: Member, project_id: str | None, total_credits: int) -> None:
    """A line for each budget that is nearly spent, or will be by this order; nothing is refused for it."""
    with db.read_session() as session:
        found = budgets.standings(
            session, person, project_id, today=utc_now().date(), cache=installation.current().usage
        )
    for standing in found:
        after = standing.spent_credits + total_credits
        if after < standing.budget_credits * TOLD_FROM:
            continue
        words = (
            _("This month {spent} of {budget} credits of the project's budget are spent.")
            if standing.project_name is not None
            else _("This month {spent} of {budget} credits of the budget are spent.")
        ).format(spent=wording.credits(standing.spent_credits), budget=wording.credits(standing.budget_credits))
        if after > standing.budget_credits:
            over = wording.credits(after - standing.budget_credits)
            words += " " + _("With this order it is {credits} over.").format(credits=over)
            st.markdown(f":orange[:small[:material/savings: {words}]]")
        else:
            st.caption(f":material/savings: {words}")
