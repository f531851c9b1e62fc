"""The line that spends: the price and the buttons that order, and beside them why they cannot be pressed."""

import hashlib
import html
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import db, errors
from core.catalog import in_force, rules
from core.clock import utc_now
from core.db.enums import Status
from core.db.tables import Generation
from core.generations import batches, first_project
from core.generations.submit import Order
from core.messages import Message
from core.usage.limits import Limit
from core.workspaces.access import Member
from pages.elements import live
from pages.sections import progress_text
from pages.sections.clip import viewer
from pages.sections.generate import budget_line, draft, form_state, project_choice, receipt
from pages.sections.generate.cheap_draft import Draft
from pages.sections.generate.means import Means
from pages.ui import components, idempotency, wording
from pages.ui.language import _, plural, translate_message

MAX_KNOWN = 100
_ORDERED = form_state.name("ordered")
"""Of this session: the `ids` it has ordered, and of the `last` press what was `said` and the `form`."""
_FORM = form_state.name("asks_for")
"""The digest of what the form asks for."""
_FIRST_PROJECT = form_state.name("first_project")


def show(
    person: Member,
    means: Means,
    orders: Sequence[Order],
    cheaper: Draft | None,
    *,
    notes: DeltaGenerator,
    limits: Sequence[Limit],
    asked: bool,
    made: Generation | None,
) -> None:
    """Draw the line for one order or several; what hinders or should be known goes into `notes`.

    `limits` are the budgets that they count against. `asked`: the keys that order were pressed. `made` is a clip that
    exists from the first order's very recipe; an order of this session is not held against its person.
    """
    st.session_state[_FORM] = _digest(orders)
    total = batches.total_credits(orders)
    problems, wanting = _problems(orders)
    blocked = _blocked(means, orders, problems, total) or budget_line.stop(person, limits, total)
    receipt.show(orders, means.balance)
    if cheaper is not None:
        label = _("Draft for {credits}").format(credits=wording.credits(cheaper.credits))
        said = _("The same idea with {model} at {resolution}, to see whether it works before you pay for the final.")
        shown = _shown_before("draft_credits", cheaper.credits)
        if st.button(
            label,
            disabled=_blocked(means, orders, problems, cheaper.credits) is not None
            or any(limit.stops(cheaper.credits) for limit in limits),
            key="generate_draft_order",
            help=said.format(model=cheaper.model.name, resolution=cheaper.spec.resolution),
        ):
            _order(person, means, [Order(orders[0].project_id, cheaper.spec)], notes, shown_credits=shown)
    shown = _shown_before("shown_credits", total)
    # Not disabled for a missing prompt: the text only arrives when its field is left, with this very click.
    if (
        st.button(
            _button_label(len(orders), total), type="primary", disabled=blocked is not None, key="generate_button"
        )
        or asked
    ) and blocked is None:
        _order(person, means, orders, notes, shown_credits=shown)
    with notes:
        _confirm()
        if made is not None and made.id not in _ordered()["ids"]:
            _made_before(made)
        if outage := progress_text.outage():
            st.caption(f":material/hourglass_disabled: {outage}")
        if reason := blocked or translate_message(wanting):
            st.caption(f":material/info: {reason}")


def _shown_before(field: str, credits: int) -> int | None:
    """What the button said that may have been pressed; from now on it says this many credits."""
    shown: int | None = form_state.value(field)
    st.session_state[form_state.name(field)] = credits
    return shown


def _button_label(clips: int, total: int) -> str:
    if clips == 1:
        return _("Generate for {price}").format(price=wording.priced(total))
    return _("Generate {clips} clips for {price}").format(clips=clips, price=wording.priced(total))


def _problems(orders: Sequence[Order]) -> tuple[Mapping[str, Message], Message | None]:
    """What is wrong with the orders by field, and apart from it that nothing is written yet."""
    problems: dict[str, Message] = {}
    for order in orders:
        problems = rules.validate(order.spec.trimmed()) | problems
    is_empty = all(not order.spec.prompt.strip() for order in orders)
    return problems, problems.pop("prompt", None) if is_empty else None


def _blocked(means: Means, orders: Sequence[Order], problems: Mapping[str, Message], total: int) -> str | None:
    """Why the button cannot be pressed, as a sentence."""
    after = means.balance.available_credits - total
    if any(in_force.model(order.spec.model_id).provider not in means.configured for order in orders):
        return translate_message(errors.ProviderNotConfigured.sentence)
    if problems:
        return translate_message(next(iter(problems.values())))
    if after < 0:
        short = _("This needs {price} more than you have.").format(price=wording.priced(-after))
        return f"{short} {translate_message(errors.InsufficientCredits.sentence)}"
    if means.is_full:
        return translate_message(errors.StorageFull.sentence)
    return None


def _made_before(row: Generation) -> None:
    """Say, before anything is paid, that this very clip is there or under way."""
    with st.container(horizontal=True, vertical_alignment="center", key="generate_made"):
        if poster := components.media_link(row.thumbnail_key):
            st.html(
                f'<img src="{html.escape(poster)}" alt="" width="48" style="display:block;border-radius:4px">',
                width="content",
            )
        age = wording.age(row.created_at, utc_now())
        done = row.status is Status.COMPLETED
        words = _("You already made this, {age}.") if done else _("You already ordered this, {age}; it is under way.")
        st.markdown(words.format(age=age), width="content")
        if st.button(_("Open it"), key="generate_made_open", type="tertiary", icon=":material/play_circle:"):
            viewer.open_it([row.id])


def _order(
    person: Member, means: Means, orders: Sequence[Order], notes: DeltaGenerator, *, shown_credits: int | None
) -> None:
    """Order what the page shows while it is pressed; a page that was made anew without its person orders nothing."""
    if draft.is_as_shown():
        with notes:
            _submit(person, means, orders, shown_credits=shown_credits)
    else:
        check = _("{why} Nothing was ordered: check the form and press again.")
        notes.info(check.format(why=draft.why_not_as_shown()))


def _submit(person: Member, means: Means, orders: Sequence[Order], *, shown_credits: int | None) -> None:
    """Submit once, all or nothing; the stage then shows them under way. Somebody's first order makes their project."""
    extended = form_state.extended()
    extends_id = extended["id"] if extended else None
    is_first = not orders[0].project_id
    try:
        with (
            components.outage_refuses(),
            idempotency.request_key("generate", f"{_digest(orders)}{extends_id or ''}") as key,
            db.write_session() as session,
        ):
            if is_first:
                orders = first_project.place(session, person, orders, name=_("My first project"))
            rows = batches.submit_batch(
                session,
                person,
                orders,
                configured=means.configured,
                quota_bytes=means.quota_bytes,
                key=key,
                extends_id=extends_id,
                shown_credits=shown_credits,
            )
    except errors.AppError as problem:
        components.error_box(problem)
        return
    if is_first:
        st.session_state[_FIRST_PROJECT] = rows[0].project_id
    draft.forget_note()
    project_choice.settle()
    words = plural(
        "Ordered. {price} are reserved until the clip is here.",
        "Ordered. {price} are reserved until the clips are here.",
        len(rows),
    ).format(price=wording.priced(sum(row.credits for row in rows)))
    words = f"{words} {_what(rows)}"
    last = [row.id for row in rows]
    known = [*_ordered()["ids"], *last][-MAX_KNOWN:]
    st.session_state[_ORDERED] = {"ids": known, "last": last, "said": words, "form": st.session_state[_FORM]}
    st.rerun()


def _what(rows: Sequence[Generation]) -> str:
    """Which model or models make it, and how: one order's note tells it from the next one's."""
    first = rows[0]
    models = ", ".join(dict.fromkeys(row.model_name for row in rows))
    length = _("{seconds} s").format(seconds=first.duration_seconds)
    count = (wording.count(len(rows), "clip", "clips"),) if len(rows) > 1 else ()
    return components.escaped(" · ".join((models, *count, first.resolution, first.aspect_ratio, length)))


def _digest(orders: Sequence[Order]) -> str:
    """The same for the same wish: that its first order has made the project since makes no other wish of it."""
    made = st.session_state.get(_FIRST_PROJECT)
    wished = [Order("" if order.project_id == made else order.project_id, order.spec) for order in orders]
    digests = [order.trimmed().digest() for order in wished]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _ordered() -> dict[str, Any]:
    found: dict[str, Any] = st.session_state.get(_ORDERED) or {"ids": [], "last": [], "form": ""}
    return found


def _confirm() -> None:
    """Say that the last press has ordered, as long as the form is as it was then and some of it is under way."""
    state = _ordered()
    if state["form"] == st.session_state[_FORM] and live.are_live(state["last"]):
        st.caption(f":material/check: {state['said']}")
