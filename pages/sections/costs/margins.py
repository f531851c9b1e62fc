"""What is left of each model's price after the provider's, with marks, for those who see everybody's figures."""

from fractions import Fraction

import streamlit as st

from core import db
from core.billing.margins import USUAL, Margin, ModelMargins
from core.usage import model_margins
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.ui import components, wording
from pages.ui.language import _, plural, translate_message

NONE = "–"


def show(person: Member) -> None:
    """The table, drawn for administrators and analysts only."""
    if not person.may(Action.SEE_ALL_USAGE):
        return
    with db.read_session() as session:
        found = model_margins.of_today(session, person)
    st.header(_("Margin of each model"), anchor=False)
    components.table(
        [
            *(_("Model"), _("Base price, Rp"), _("Provider's price, Rp"), _("Markup")),
            *(_("Lowest"), _("Highest"), _("Note"), _("The provider's price is from")),
        ],
        [_line(one) for one in sorted(found, key=lambda one: (not one.losses, not one.is_unusual))],
        numbers=(1, 2, 3, 4, 5),
    )
    least, most = USUAL
    st.caption(
        _(
            "The markup is our price over the provider's, at today's dollar; lowest and highest are of all sizes, "
            "lengths and sound that a model makes. Prices are meant to be {least} to {most} times the provider's."
        ).format(least=wording.decimal(float(least)), most=wording.decimal(float(most)))
    )


def _line(one: ModelMargins) -> tuple[str, ...]:
    plain, markups = one.plain, one.markups
    return (
        one.entry.model.name,
        wording.credits(plain.price_idr),
        wording.credits(plain.cost_idr) if plain.estimate else NONE,
        _times(plain.markup),
        _times(markups[0] if markups else None),
        _times(markups[-1] if markups else None),
        _note(one),
        _source(plain),
    )


def _times(markup: Fraction | None) -> str:
    return NONE if markup is None else f"{wording.decimal(float(markup), 2)}×"


def _note(one: ModelMargins) -> str:
    """The worst that there is to say."""
    if one.losses:
        dearest = min(one.losses, key=lambda loss: loss.markup or Fraction(0))
        return plural(
            "Sold at a loss in {number} setting, worst in {resolution} with {seconds} s",
            "Sold at a loss in {number} settings, worst in {resolution} with {seconds} s",
            len(one.losses),
        ).format(
            number=wording.credits(len(one.losses)),
            resolution=dearest.spec.resolution,
            seconds=dearest.spec.duration_seconds,
        )
    if one.is_unknown:
        return _("Nobody knows the provider's price")
    return _("Outside what is meant") if one.is_unusual else ""


def _source(plain: Margin) -> str:
    if plain.estimate is None:
        return ""
    return f"{wording.day(plain.estimate.since)}: {translate_message(plain.estimate.source)}"
