"""Budgets, storage and credits of workspaces that are used up or nearly so, each with the page that mends it."""

from collections.abc import Callable, Sequence
from urllib.parse import urlencode

import streamlit as st

from core import db
from core.db.enums import BudgetScope
from core.insights.attention import Attention
from core.insights.nearly_used_up import BudgetNear, FewCredits, StorageNear
from core.workspaces import profiles
from core.workspaces.access import Member
from pages.elements import sorted_table
from pages.elements.sorted_table import Cell, Column
from pages.ui import current_member, wording
from pages.ui.language import N_, _, plural

Name = Callable[[str, str], Cell]
"""A workspace by its id as a cell, which leads to a page of it for who manages it."""

SCOPE = {
    BudgetScope.WORKSPACE: N_("The workspace"),
    BudgetScope.PROJECT: N_("Project {name}"),
    BudgetScope.MEMBER: N_("Person {name}"),
}


def show(person: Member, found: Attention) -> None:
    """Nothing while there is enough of everything."""
    ids = {one.workspace_id for one in found.budgets}
    ids |= {one.workspace_id for one in found.storages} | {one.workspace_id for one in found.few_credits}
    if not ids:
        return
    with db.read_session() as session:
        names = profiles.workspace_names(session, ids)

    def name(workspace_id: str, page: str) -> Cell:
        text = names.get(workspace_id, "")
        return Cell(text, text.casefold(), _address(person, workspace_id, page))

    _budgets(found.budgets, name)
    _storages(found.storages, name)
    _few_credits(found.few_credits, name)


def _address(person: Member, workspace_id: str, page: str) -> str | None:
    if workspace_id not in person.roles:
        return None
    return f"./{page}?{urlencode({current_member.WORKSPACE: workspace_id})}{current_member.in_address()}"


def _budgets(found: Sequence[BudgetNear], name: Name) -> None:
    if not found:
        return
    stopped = sum(one.is_stopped for one in found)
    said = plural(
        "{number} budget of this month is used up or nearly so.",
        "{number} budgets of this month are used up or nearly so.",
        len(found),
    ).format(number=wording.credits(len(found)))
    if stopped:
        refused = plural(
            "{number} of them refuses orders until it is raised or the month ends.",
            "{number} of them refuse orders until they are raised or the month ends.",
            stopped,
        )
        said = f"{said} {refused.format(number=wording.credits(stopped))}"
    st.warning(said, icon=":material/speed:")
    sorted_table.show(
        [
            Column(_("Workspace")),
            Column(_("Budget of")),
            Column(_("State")),
            Column(_("Used"), is_number=True),
            Column(_("Credits"), is_number=True),
            Column(_("Budget"), is_number=True),
        ],
        [
            [
                name(one.workspace_id, "budgets"),
                _(SCOPE[one.scope]).format(name=one.name),
                _state(one),
                Cell(wording.share(one.percent / 100), one.percent),
                Cell(wording.credits(one.taken_credits), one.taken_credits),
                Cell(wording.credits(one.limit_credits), one.limit_credits),
            ]
            for one in found
        ],
        key="attention_budgets",
        name=_("Budgets that are used up or nearly so"),
    )


def _state(one: BudgetNear) -> str:
    if one.is_stopped:
        return _("Stops orders")
    return _("Over") if one.taken_credits > one.limit_credits else _("Nearly used up")


def _storages(found: Sequence[StorageNear], name: Name) -> None:
    if not found:
        return
    said = plural(
        "{number} workspace keeps nearly as much as it may. Without room, uploads are refused.",
        "{number} workspaces keep nearly as much as they may. Without room, uploads are refused.",
        len(found),
    )
    st.warning(said.format(number=wording.credits(len(found))), icon=":material/inventory_2:")
    sorted_table.show(
        [
            Column(_("Workspace")),
            Column(_("Used"), is_number=True),
            Column(_("Kept"), is_number=True),
            Column(_("Quota"), is_number=True),
        ],
        [
            [
                name(one.workspace_id, "history"),
                Cell(wording.share(one.percent / 100), one.percent),
                Cell(wording.size(one.used_bytes), one.used_bytes),
                Cell(wording.size(one.quota_bytes), one.quota_bytes),
            ]
            for one in found
        ],
        key="attention_storage",
        name=_("Storage that is nearly full"),
    )


def _few_credits(found: Sequence[FewCredits], name: Name) -> None:
    if not found:
        return
    said = plural(
        "{number} workspace that is worked in has few credits left.",
        "{number} workspaces that are worked in have few credits left.",
        len(found),
    )
    st.warning(said.format(number=wording.credits(len(found))), icon=":material/toll:")
    sorted_table.show(
        [Column(_("Workspace")), Column(_("Available"), is_number=True)],
        [
            [
                name(one.workspace_id, "credits"),
                Cell(wording.credits(one.available_credits), one.available_credits),
            ]
            for one in found
        ],
        key="attention_credits",
        name=_("Few credits are left"),
    )
