"""What an order costs, line by line, in all, and what is left after it."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core.billing import ledger, pricing
from core.catalog import in_force
from core.generations import batches
from core.generations.submit import Order
from pages.ui import components, wording
from pages.ui.language import _, plural


def show(orders: Sequence[Order], balance: ledger.Balance) -> None:
    """The total in rupiah on a chip; pressed, it explains itself."""
    total = batches.total_credits(orders)
    explained = _("What it costs, line by line")
    with st.popover(wording.worth(total), icon=":material/receipt_long:", key="generate_receipt", help=explained):
        components.breakdown(_summary(orders), total)
        if len({order.spec.model_id for order in orders}) > 1:
            with st.expander(_("Line by line")):
                components.breakdown(_every_line(orders), total)
        st.caption(_balance_words(balance.available_credits, balance.available_credits - total, len(orders)))


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
    return lines(orders[0], len(orders))


def lines(order: Order, clips: int = 1) -> list[tuple[str, int]]:
    """The lines of one order, and of further ones just like it."""
    found = [(wording.line(line.kind, line.percent), line.credits) for line in pricing.priced(order.spec).lines]
    if clips > 1:
        more = plural("{number} more of the same", "{number} more of the same", clips - 1).format(number=clips - 1)
        found.append((more, _price(order) * (clips - 1)))
    return found


def _every_line(orders: Sequence[Order]) -> list[tuple[str, int]]:
    return [
        (f"{in_force.model(model_id).name}: {name}", credits)
        for model_id, same in _by_model(orders).items()
        for name, credits in lines(same[0], len(same))
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
