"""A budget as a card: whose, what happens at its end, how much is taken and left, and a bar of it."""

import html

import streamlit as st

from core.db.enums import BudgetMode
from core.usage.budget_overview import Standing
from pages.ui import components, wording
from pages.ui.language import N_, _

NEARLY = 0.8
"""From this share on the bar has the colour of a warning."""

MODE = {BudgetMode.WARN: N_("Warns only"), BudgetMode.STOP: N_("Stops orders")}

_BAR = (
    '<div role="meter" aria-label="{label}" aria-valuemin="0" aria-valuemax="{limit}" aria-valuenow="{value}" '
    'aria-valuetext="{said}" style="height:8px;margin:10px 0 2px;border-radius:4px;overflow:hidden;'
    'background:var(--studio-hover)"><div style="width:{percent}%;height:100%;border-radius:inherit;'
    'background:var(--studio-{colour})"></div></div>'
)


def row(standing: Standing, name: str, *, may_set: bool) -> bool:
    """Draw it; whether its change was asked for, which only who may set budgets can."""
    key = f"{standing.scope}_{standing.subject_id}"
    with st.container(border=True, gap="xsmall", key=f"card_budget_{key}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(gap=None, width="content"):
                components.plain_text(name, strong=True)
                components.plain_text(figures(standing), small=True)
            with st.container(horizontal=True, vertical_alignment="center", width="content"):
                if standing.mode is not None:
                    stops = standing.mode is BudgetMode.STOP
                    st.badge(_(MODE[standing.mode]), color="primary" if stops else "gray")
                pressed = may_set and st.button(
                    _("Set a budget") if standing.limit_credits is None else _("Change"),
                    key=f"budgets_change_{key}",
                    help=_("The monthly budget of {name}").format(name=components.escaped(name)),
                )
        if standing.limit_credits is not None:
            st.html(bar(standing, name))
    return pressed


def figures(standing: Standing) -> str:
    """What is taken, of how much, what is left, and what the month will come to."""
    taken = wording.credits(standing.taken_credits)
    if standing.limit_credits is None:
        said = [_("{taken} credits taken, no budget").format(taken=taken)]
    else:
        said = [
            _("{taken} of {limit} credits taken").format(taken=taken, limit=wording.credits(standing.limit_credits))
        ]
        over = standing.taken_credits - standing.limit_credits
        said.append(
            _("{credits} over").format(credits=wording.credits(over))
            if over > 0
            else _("{credits} left").format(credits=wording.credits(-over))
        )
    if standing.expected_credits is not None:
        said.append(
            _("about {credits} by the end of the month").format(credits=wording.credits(standing.expected_credits))
        )
    return " · ".join(said)


def bar(standing: Standing, name: str) -> str:
    """The share that is taken, as HTML."""
    limit = standing.limit_credits or 1
    share = min(1.0, standing.taken_credits / limit)
    colour = "bad" if standing.is_exceeded or share >= 1 else "warn" if share >= NEARLY else "accent"
    return _BAR.format(
        label=html.escape(_("The monthly budget of {name}").format(name=name)),
        limit=limit,
        value=min(standing.taken_credits, limit),
        said=html.escape(figures(standing)),
        percent=round(100 * share, 1),
        colour=colour,
    )
