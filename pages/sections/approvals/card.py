"""An order that waits for approval, as a card: who asks for what, at which price, and what it does to the budgets."""

import html
from collections.abc import Callable, Sequence

import streamlit as st

from core.clock import utc_now
from core.db.enums import ApprovalCause, BudgetScope
from core.generations.approval_list import Waiting
from core.usage.limits import Limit
from pages.sections.approvals import deciding
from pages.sections.clip import record
from pages.ui import avatar, components, wording
from pages.ui.language import N_, _

_WHY = {
    ApprovalCause.PRICE: N_("above the price that passes without approval"),
    ApprovalCause.BUDGET: N_("beyond a budget that warns"),
}
_TAKEN = {
    BudgetScope.PROJECT: N_("Budget of the project: {taken} of {budget} credits with this, {rest}"),
    BudgetScope.MEMBER: N_("Budget of {name}: {taken} of {budget} credits with this, {rest}"),
    BudgetScope.WORKSPACE: N_("Budget of the workspace: {taken} of {budget} credits with this, {rest}"),
}


def show(waiting: Waiting, *, decides: bool, pick: Callable[[str], str] | None = None) -> None:
    """Draw it; who `decides` finds the buttons on it, and with `pick`, which names the box, it can be selected."""
    row = waiting.row
    with st.container(border=True, gap="small", key=f"card_approval_{row.id}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.html(_head(waiting), width="content")
            if pick is not None:
                label = _("Select: {what}").format(what=_what(waiting))
                st.checkbox(label, key=pick(row.id), label_visibility="collapsed", width="content")
        if waiting.is_inside:
            components.plain_text(row.prompt, lines=6)
            if row.negative_prompt:
                components.plain_text(_("Not: {words}").format(words=row.negative_prompt), small=True, lines=2)
            record.source_images(row)
        else:
            st.caption(_("You are not in this workspace: prompt and pictures are not shown."))
        st.html(_facts(waiting))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if decides:
                deciding.buttons([row.id], key=f"approval_{row.id}")
            with st.popover(
                _("Price: {price}").format(price=wording.priced(row.credits)), key=f"approval_price_{row.id}"
            ):
                lines = [(wording.line(x["kind"], x["percent"]), x["credits"]) for x in row.quote["lines"]]
                components.breakdown(lines, row.quote["total"])


def press(waiting: Waiting, ids: Sequence[str]) -> None:
    """Above the first order of a press that waits with others: decide about all of them at once."""
    with st.container(
        border=True,
        horizontal=True,
        vertical_alignment="center",
        horizontal_alignment="distribute",
        key=f"card_approval_press_{waiting.press_id}",
    ):
        said = _("{name} has ordered these together: {number} clips wait, of an order of {price}.")
        said = said.format(
            name=waiting.maker, number=wording.credits(len(ids)), price=wording.priced(waiting.press_credits)
        )
        components.plain_text(said)
        deciding.buttons(ids, key=f"approval_press_{waiting.press_id}")


def _head(waiting: Waiting) -> str:
    place = waiting.project if waiting.is_inside else waiting.workspace
    asked = wording.age(waiting.asked_at, utc_now())
    return (
        '<p style="margin:0;display:flex;flex-wrap:wrap;align-items:center;gap:.35em;overflow-wrap:anywhere">'
        f"{avatar.named(waiting.maker, waiting.row.user_id)}"
        f'<span style="color:var(--studio-muted)">{html.escape(place)} · {html.escape(asked)}</span></p>'
    )


def _what(waiting: Waiting) -> str:
    row = waiting.row
    length = _("{seconds} s").format(seconds=row.duration_seconds)
    return " · ".join((waiting.maker, row.model_name, row.resolution, row.aspect_ratio, length))


def _facts(waiting: Waiting) -> str:
    """What is ordered, why it was asked, until when, and what is left."""
    row = waiting.row
    length = _("{seconds} s").format(seconds=row.duration_seconds)
    lines = [
        " · ".join((row.model_name, row.resolution, row.aspect_ratio, length, wording.priced(row.credits))),
        _asked(waiting),
        *(_budget(limit) for limit in waiting.limits),
        _("{credits} credits can still be spent here, with this reserved.").format(
            credits=wording.credits(waiting.available_credits)
        ),
    ]
    style = "margin:0 0 2px;font-size:.875rem;overflow-wrap:anywhere;color:var(--studio-muted)"
    return "".join(f'<p style="{style}">{html.escape(line)}</p>' for line in lines)


def _asked(waiting: Waiting) -> str:
    why, day = _(_WHY[waiting.cause]), wording.day(waiting.lapses_at)
    if waiting.press_credits == waiting.row.credits:
        return _("Asked because it is {why}. It lapses on {day}.").format(why=why, day=day)
    words = _("Asked because it is part of an order of {price}, {why}. It lapses on {day}.")
    return words.format(price=wording.priced(waiting.press_credits), why=why, day=day)


def _budget(limit: Limit) -> str:
    over = limit.taken_credits - limit.limit_credits
    rest = (
        _("{credits} over").format(credits=wording.credits(over))
        if over > 0
        else _("{credits} left").format(credits=wording.credits(-over))
    )
    return _(_TAKEN[limit.scope]).format(
        name=limit.name,
        taken=wording.credits(limit.taken_credits),
        budget=wording.credits(limit.limit_credits),
        rest=rest,
    )
