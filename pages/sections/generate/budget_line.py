"""What an order does to the budgets of this month, said above the button that spends; and what stops it, beside it."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core import db
from core.clock import utc_now
from core.db.enums import BudgetScope
from core.db.tables import Generation
from core.usage import limits
from core.usage.limits import Limit
from core.workspaces import members
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.ui import wording
from pages.ui.language import N_, _

TOLD_FROM = 0.8
"""From this share of a budget on it is worth a line."""
MAX_NAMES = 3

_TAKEN = {
    BudgetScope.PROJECT: N_("This month {spent} of {budget} credits of the project's budget are spent."),
    BudgetScope.MEMBER: N_("This month {spent} of {budget} credits of your budget are spent."),
    BudgetScope.WORKSPACE: N_("This month {spent} of {budget} credits of the budget are spent."),
}
_STOPS = {
    BudgetScope.PROJECT: N_("The project's budget stops this: of {budget} credits for this month, {left} are left."),
    BudgetScope.MEMBER: N_("Your budget stops this: of {budget} credits for this month, {left} are left."),
    BudgetScope.WORKSPACE: N_(
        "The workspace's budget stops this: of {budget} credits for this month, {left} are left."
    ),
}


def found(person: Member, project_id: str | None) -> Sequence[Limit]:
    """The budgets that an order of this person in a project counts against."""
    with db.read_session() as session:
        return limits.of_order(
            session, workspace_id=person.workspace_id, project_id=project_id, user_id=person.id, at=utc_now()
        )


def show(found: Sequence[Limit], total_credits: int) -> None:
    """A line for each budget that is nearly spent, or will be by this order; those that stop it say so themselves."""
    for limit in found:
        after = limit.taken_credits + total_credits
        if after < limit.limit_credits * TOLD_FROM or limit.stops(total_credits):
            continue
        words = _(_TAKEN[limit.scope]).format(
            spent=wording.credits(limit.taken_credits), budget=wording.credits(limit.limit_credits)
        )
        if after > limit.limit_credits:
            over = wording.credits(after - limit.limit_credits)
            words += " " + _("With this order it is {credits} over.").format(credits=over)
            st.markdown(f":orange[:small[:material/savings: {words}]]")
        else:
            st.caption(f":material/savings: {words}")


def stop(person: Member, found: Sequence[Limit], credits: int) -> str | None:
    """Why an order of so many credits cannot be made and who can change that; None where no budget stops it."""
    return reason(person, next((limit for limit in found if limit.stops(credits)), None))


def stop_of_one(person: Member, row: Generation, credits: int) -> str | None:
    """The same for an order that is made of a clip, in its project."""
    payer = person.moved_to(row.workspace_id)
    return stop(payer, found(payer, row.project_id), credits)


def stop_of_many(person: Member, credits_by_project: Mapping[str, int]) -> str | None:
    """The same for orders in several projects, all together."""
    with db.read_session() as session:
        broken = limits.stopping(
            session,
            workspace_id=person.workspace_id,
            user_id=person.id,
            credits_by_project=credits_by_project,
            at=utc_now(),
        )
    return reason(person, broken[0][0] if broken else None)


def reason(person: Member, limit: Limit | None) -> str | None:
    """That this budget stops an order, and who can change it."""
    if limit is None:
        return None
    words = _(_STOPS[limit.scope]).format(
        budget=wording.credits(limit.limit_credits), left=wording.credits(limit.left_credits)
    )
    if person.may(Action.SET_BUDGET):
        return f"{words} {_('You can change it on the page Budgets.')}"
    with db.read_session() as session:
        names = members.managers(session, person, limit=MAX_NAMES)
    return f"{words} {_('It can be changed by: {names}.').format(names=', '.join(names))}" if names else words
