"""What an order costs, line by line and in all, what is left after it, and the one button that spends."""

import hashlib
import html
from collections.abc import Collection, Mapping, Sequence

import streamlit as st

from core import db, errors
from core.billing import ledger, pricing
from core.catalog import in_force, rules
from core.clock import utc_now
from core.db.enums import Status
from core.db.tables import Generation
from core.generations import batches
from core.generations.submit import Order
from core.messages import Message
from core.workspaces.access import Member
from pages.sections import progress_text
from pages.sections.clip import dialog
from pages.sections.generate import draft, form_state
from pages.ui import components, idempotency, wording
from pages.ui.language import _, plural, translate_message


def show(
    person: Member,
    orders: Sequence[Order],
    balance: ledger.Balance,
    *,
    is_full: bool,
    quota_bytes: int,
    configured: Collection[str],
    made: Generation | None,
) -> None:
    """Draw the card for one order or several; `made` is a clip that exists from the first one's very recipe.

    `is_full`: the workspace keeps as much as its quota allows.
    """
    total = batches.total_credits(orders)
    after = balance.available_credits - total
    with st.container(border=True, key="generate_price"):
        components.breakdown(_summary(orders), total)
        if len({order.spec.model_id for order in orders}) > 1:
            with st.expander(_("Line by line")):
                components.breakdown(_every_line(orders), total)
        st.caption(_balance_words(balance.available_credits, after, len(orders)))
        if made is not None:
            _made_before(made)
        problems: dict[str, Message] = {}
        for order in orders:
            problems = rules.validate(order.spec.trimmed()) | problems
        is_empty = all(not order.spec.prompt.strip() for order in orders)
        wanting = problems.pop("prompt", None) if is_empty else None
        blocked = _blocked(orders, problems, after, configured=configured, is_full=is_full)
        shown_credits: int | None = form_state.value("shown_credits")  # what the button said that may have been pressed
        st.session_state[form_state.name("shown_credits")] = total
        # Not disabled for a missing prompt: the text only arrives when its field is left, with this very click.
        if st.button(
            _button_label(len(orders), total),
            type="primary",
            width="stretch",
            disabled=blocked is not None,
            key="generate_button",
        ):
            if draft.is_as_shown():
                _submit(
                    person,
                    orders,
                    configured=configured,
                    quota_bytes=quota_bytes,
                    shown_credits=shown_credits,
                )
            else:
                st.info(_("The page was renewed. Nothing was ordered: check the form and press again."))
        if outage := progress_text.outage():
            st.caption(f":material/hourglass_disabled: {outage}")
        if reason := blocked or translate_message(wanting):
            st.caption(f":material/info: {reason}")


def _button_label(clips: int, total: int) -> str:
    if clips == 1:
        return _("Generate for {price}").format(price=wording.priced(total))
    return _("Generate {clips} clips for {price}").format(clips=clips, price=wording.priced(total))


def _by_model(orders: Sequence[Order]) -> Mapping[str, list[Order]]:
    """Model id -> its orders, which are all the same."""
    grouped: dict[str, list[Order]] = {}
    for order in orders:
        grouped.setdefault(order.spec.model_id, []).append(order)
    return grouped


def _summary(orders: Sequence[Order]) -> list[tuple[str, int]]:
    """Lines of the price: every line for one model with its further clips in one, one line each for several models."""
    grouped = _by_model(orders)
    if len(grouped) > 1:
        return [
            (
                _("{model}, {clips} × {credits}").format(
                    model=in_force.model(model_id).name, clips=len(same), credits=wording.credits(_price(same[0]))
                ),
                _price(same[0]) * len(same),
            )
            for model_id, same in grouped.items()
        ]
    return _lines(orders[0], len(orders))


def _lines(order: Order, clips: int) -> list[tuple[str, int]]:
    lines = [(wording.line(line.kind, line.percent), line.credits) for line in pricing.priced(order.spec).lines]
    if clips > 1:
        more = plural("{number} more of the same", "{number} more of the same", clips - 1).format(number=clips - 1)
        lines.append((more, _price(order) * (clips - 1)))
    return lines


def _every_line(orders: Sequence[Order]) -> list[tuple[str, int]]:
    return [
        (f"{in_force.model(model_id).name}: {name}", credits)
        for model_id, same in _by_model(orders).items()
        for name, credits in _lines(same[0], len(same))
    ]


def _price(order: Order) -> int:
    return pricing.priced(order.spec).total_credits


def _balance_words(available: int, after: int, clips: int) -> str:
    """Before and after, in credits and rupiah."""
    now = _("You have {credits} credits ({worth})").format(
        credits=wording.credits(available), worth=wording.worth(available)
    )
    if after < 0:
        return _("{now}; {credits} too few.").format(now=now, credits=wording.credits(-after))
    left = plural("{credits} left after this one ({worth}).", "{credits} left after these ({worth}).", clips)
    return f"{now}; {left.format(credits=wording.credits(after), worth=wording.worth(after))}"


def _made_before(row: Generation) -> None:
    """Say, before anything is paid, that this very clip is there or under way."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="generate_made"):
        if poster := components.media_link(row.thumbnail_key):
            st.html(
                f'<img src="{html.escape(poster)}" alt="" width="96" style="display:block;border-radius:6px">',
                width="content",
            )
        with st.container(gap="xsmall"):
            age = wording.age(row.created_at, utc_now())
            done = row.status is Status.COMPLETED
            words = (
                _("You already made this, {age}.") if done else _("You already ordered this, {age}; it is under way.")
            )
            st.markdown(words.format(age=age))
            if st.button(_("Open it"), key="generate_made_open", icon=":material/play_circle:"):
                dialog.open_it(row.id)


def _blocked(
    orders: Sequence[Order], problems: Mapping[str, Message], after: int, *, configured: Collection[str], is_full: bool
) -> str | None:
    """Why the button cannot be pressed, as a sentence."""
    if any(in_force.model(order.spec.model_id).provider not in configured for order in orders):
        return translate_message(errors.ProviderNotConfigured.sentence)
    if problems:
        return translate_message(next(iter(problems.values())))
    if after < 0:
        short = _("This needs {price} more than you have.").format(price=wording.priced(-after))
        return f"{short} {translate_message(errors.InsufficientCredits.sentence)}"
    if is_full:
        return translate_message(errors.StorageFull.sentence)
    return None


def _submit(
    person: Member,
    orders: Sequence[Order],
    *,
    configured: Collection[str],
    quota_bytes: int,
    shown_credits: int | None,
) -> None:
    """Submit once, all or nothing; the page then shows them under way."""
    extended = form_state.extended()
    extends_id = extended["id"] if extended else None
    digests = [order.trimmed().digest() for order in orders]
    wanted = digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    try:
        with (
            components.outage_refuses(),
            idempotency.request_key("generate", f"{wanted}{extends_id or ''}") as key,
            db.write_session() as session,
        ):
            rows = batches.submit_batch(
                session,
                person,
                orders,
                configured=configured,
                quota_bytes=quota_bytes,
                key=key,
                extends_id=extends_id,
                shown_credits=shown_credits,
            )
    except errors.AppError as problem:
        components.error_box(problem)
        return
    draft.forget_note()
    words = plural(
        "Ordered. {price} are reserved until the clip is here.",
        "Ordered. {price} are reserved until the clips are here.",
        len(rows),
    )
    components.flash(words.format(price=wording.priced(sum(row.credits for row in rows))))
    st.rerun()
