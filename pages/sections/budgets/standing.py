"""A budget as a card: whose, what happens at its end, how much is taken and left, and a bar of it."""

import html
from collections.abc import Callable

import streamlit as st

from core.db.enums import BudgetMode
from core.usage.budget_overview import Standing
from pages.ui import components, wording
from pages.ui.language import N_, _

NEARLY = 0.8
"""From this share on the bar has the colour of a warning."""

MODE = {BudgetMode.WARN: N_("Warns only"), BudgetMode.STOP: N_("Stops orders")}

_HEAD = (
    '<p style="display:flex;flex-wrap:wrap;align-items:center;gap:2px 8px;margin:0;font-weight:600;'
    'overflow-wrap:anywhere"><span title="{name}" style="display:-webkit-box;-webkit-box-orient:vertical;'
    '-webkit-line-clamp:1;overflow:hidden;word-break:break-all">{name}</span>{mode}</p>'
    '<p style="margin:2px 0 0;font-size:.875rem;color:var(--studio-muted)">{said}</p>'
)
_PART = '<span style="white-space:nowrap">{part}</span>'
_MODE = (
    '<span style="padding:0 7px;border:1px solid currentcolor;'
    "border-radius:9px;font-size:var(--studio-12);font-weight:550;line-height:17px;white-space:nowrap;"
    'vertical-align:1px;color:var(--studio-{colour})">{said}</span>'
)
_BAR = (
    '<div role="meter" aria-label="{label}" aria-valuemin="0" aria-valuemax="{limit}" aria-valuenow="{value}" '
    'aria-valuetext="{said}" style="height:8px;margin:12px 0 8px;border-radius:4px;overflow:hidden;'
    'background:var(--studio-hover)"><div style="width:{percent}%;height:100%;border-radius:inherit;'
    'background:var(--studio-{colour})"></div></div>'
)


def row(standing: Standing, name: str, *, open_it: Callable[[], None] | None) -> None:
    """Draw it; `open_it` opens the dialog that changes it, None for who may not."""
    key = f"{standing.scope}_{standing.subject_id}"
    with st.container(border=True, gap="xsmall", key=f"card_budget_{key}"):
        with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
            said = " · ".join(_PART.format(part=html.escape(part)) for part in parts(standing))
            st.html(_HEAD.format(name=html.escape(name), mode=mode(standing), said=said))
            if open_it is not None:
                label = _("Set a budget") if standing.limit_credits is None else _("Change")
                st.button(
                    label,
                    key=f"budgets_change_{key}",
                    width=28 + 8 * len(label),  # known at once, so that the words beside it wrap once
                    help=_("The monthly budget of {name}").format(name=components.escaped(name)),
                    on_click=open_it,
                )
        if standing.limit_credits is not None:
            st.html(bar(standing, name))


def mode(standing: Standing) -> str:
    """Whether it warns or stops, as a small label; nothing without a budget."""
    if standing.mode is None:
        return ""
    colour = "accent" if standing.mode is BudgetMode.STOP else "muted"
    return _MODE.format(colour=colour, said=html.escape(_(MODE[standing.mode])))


def figures(standing: Standing) -> str:
    """All that is said of how it stands."""
    return " · ".join(parts(standing))


def parts(standing: Standing) -> list[str]:
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
    if standing.is_of_each:
        said.append(_("what each person has"))
    if standing.expected_credits is not None:
        said.append(
            _("about {credits} by the end of the month").format(credits=wording.credits(standing.expected_credits))
        )
    return said


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
