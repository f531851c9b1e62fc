"""What the explorer is asked: its lists, all of them kept in the address."""

from collections.abc import Mapping
from datetime import date

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.usage import periods
from core.usage.dimensions import Dimension, Interval
from core.usage.exploration import Measure
from core.usage.views import Unit, View, Whose
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.sections.explore import words
from pages.sections.usage import choice
from pages.ui import query_param
from pages.ui.language import _

PARAMS = ("when", "since", "until", "by", "and", "over", "what", "in", "of")
"""What of the address is the explorer's, beside `show`."""

OWN, FLAT, NOTHING = "own", "flat", "nothing"
WIDTH_PX = 164


def choose(person: Member, today: date, fields: DeltaGenerator) -> View | None:
    """Draw what there is to choose, beside which charts; what is asked for, None while days are being chosen."""
    first, second = usual(person)
    dimensions = {each.value: name for each, name in (words.DIMENSIONS | {}).items()}
    dates = st.container()
    with fields:
        period = _select(_("Period"), "when", choice.PERIODS | choice.months(today), periods.LAST_MONTH)
        one = Dimension(_select(_("First by"), "by", dimensions, first.value))
        others = {NOTHING: _("and nothing else")} | {
            value: _("and by {dimension}").format(dimension=name.lower())
            for value, name in dimensions.items()
            if value != one
        }
        usual_second = second if second != one else first
        other = _select(_("Then by"), "and", others, usual_second.value)
        steps = {FLAT: _("In all")} | {each.value: name for each, name in (words.INTERVALS | {}).items()}
        over = _select(_("Over time"), "over", steps, FLAT)
        measure = Measure(_select(_("What"), "what", _values(words.MEASURES), Measure.SPENT.value))
        unit = Unit.CREDITS
        if measure in words.MONEY:
            unit = Unit(_select(_("Currency"), "in", _values(words.UNITS), Unit.CREDITS.value))
        whose = Whose.PRESENT
        if (places := _places(person)) and len(places) > 1:
            whose = Whose(_select(_("Of what"), "of", places, usual_place(person).value))
    since = until = None
    if period == OWN:
        with dates:
            days = choice.days_asked(OWN, today)
        if days is None:
            return None
        since, until = days
    return View(
        period=None if period == OWN else period,
        since=since,
        until=until,
        by=(one,) if other == NOTHING else (one, Dimension(other)),
        over=None if over == FLAT else Interval(over),
        measure=measure,
        unit=unit,
        whose=whose,
    )


def usual(person: Member) -> tuple[Dimension, Dimension]:
    """Who spent what on which project; alone in a workspace, which project on which model."""
    is_alone = person.workspace_id == person.id and not person.may(Action.SEE_ALL_USAGE)
    return (Dimension.PROJECT, Dimension.MODEL) if is_alone else (Dimension.PERSON, Dimension.PROJECT)


def usual_place(person: Member) -> Whose:
    """Analysts are here for all figures."""
    is_analyst = person.may(Action.SEE_ALL_USAGE) and not person.may(Action.OPERATE)
    return Whose.ALL if is_analyst else Whose.PRESENT


def open_view(person: Member, view: View) -> None:
    """Write a view into the address, in place of what stands there."""
    first, second = usual(person)
    other = view.by[1].value if len(view.by) > 1 else NOTHING
    is_usual = view.by[0] is first and other == second.value
    found = {
        "when": view.period if view.since is None else OWN,
        "since": view.since.isoformat() if view.since else None,
        "until": view.until.isoformat() if view.until else None,
        "by": None if is_usual else view.by[0].value,
        "and": None if is_usual else other,
        "over": view.over,
        "what": view.measure if view.measure is not Measure.SPENT else None,
        "in": view.unit if view.unit is not Unit.CREDITS else None,
        "of": view.whose if view.whose is not usual_place(person) else None,
    }
    for param in PARAMS:
        st.query_params.pop(param, None)
    for param, value in found.items():
        if value:
            st.query_params[param] = str(value)


def _places(person: Member) -> Mapping[str, str]:
    left_out = {
        Whose.MINE: len(person.roles) < 2,
        Whose.ALL: not person.may(Action.SEE_ALL_USAGE),
    }
    return {value: name for value, name in _values(words.WHOSE).items() if not left_out.get(Whose(value))}


def _values(names: Mapping[Measure, str] | Mapping[Unit, str] | Mapping[Whose, str]) -> dict[str, str]:
    return {each.value: name for each, name in names.items()}


def _select(label: str, param: str, options: Mapping[str, str], default: str) -> str:
    """A list to choose from, as the address has it."""
    known = options if default in options else {default: default, **options}
    key = query_param.widget_key("explore", param, query_param.one_of(param, known, default))
    chosen = st.selectbox(
        label,
        list(known),
        key=key,
        format_func=lambda value: known.get(value, value),
        on_change=query_param.save,
        args=("explore", param, default),
        label_visibility="collapsed",
        width=WIDTH_PX,
    )
    return chosen or default
