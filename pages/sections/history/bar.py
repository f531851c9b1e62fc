"""The bar of the library: what it shows of the address, and what a press of it changes there."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, tzinfo

import streamlit as st

from core import db
from core.generations import queries
from core.generations.list_filter import ListFilter
from core.generations.queries import Count
from core.workspaces import named
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.elements import library_bar
from pages.elements.library_bar import Choice, Shown
from pages.sections.history import filters, saved
from pages.ui import current_member, time_zone, wording
from pages.ui.language import _

KEY = "history_bar"
VIEWS = ("grid", "list")
ROUNDED_TO = 100
"""A figure that is not exact is rounded down, and does not look as if it were."""
_VIEW = "history_view"


def view() -> str:
    """How the clips are shown: as the address says, else as they were last in this session."""
    asked = st.query_params.get("view")
    if asked in VIEWS:
        st.session_state[_VIEW] = asked
    found: str = st.session_state.get(_VIEW, VIEWS[0])
    return found


def show(person: Member, chips: Sequence[filters.Chip], chosen: ListFilter, count: Count) -> None:
    """Draw it."""
    choices = [
        Choice(chip.param, chip.name, chip.everything, chip.options, chip.value, chip.shortcut) for chip in chips
    ]
    library_bar.show(
        Shown(
            person_id=person.id,
            text=filters.asked_text(),
            count=counted(count),
            choices=choices,
            jumps_in="days",
            oldest_first=chosen.oldest_first,
            view=view(),
            is_any_set=filters.is_any_set(),
            text_limit_chars=filters.SEARCH_LIMIT_CHARS,
            saved=saved.shown(person),
            may_share=person.may(Action.EDIT),
            name_limit_chars=named.NAME_LIMIT_CHARS,
        ),
        key=KEY,
        on_pressed=_pressed,
    )


def counted(count: Count) -> str:
    """`2,187 clips`, and honestly where it was not counted to the end."""
    if count.is_exact:
        return wording.count(count.number, "clip", "clips")
    at_least = count.number // ROUNDED_TO * ROUNDED_TO
    return _("more than {clips}").format(clips=wording.count(at_least, "clip", "clips"))


def _pressed() -> None:
    """Write into the address what was just pressed."""
    told = library_bar.pressed(KEY)
    match told:
        case {"set": str(param), "value": str() | None as value}:
            filters.change(param, value)
        case {"clear": True}:
            filters.clear()
        case {"view": str(wanted)} if wanted in VIEWS:
            st.session_state[_VIEW] = st.query_params["view"] = wanted
        case {"jump": str(wanted)}:
            jump(wanted)
        case _:
            with filters.refusal_is_drawn():
                saved.do(told)


def jump(wanted: str) -> None:
    """Go to the page that begins with a month (`2026-03`) or a day (`2026-03-14`), by the reader's clock."""
    person, chosen = current_member.current_member(), filters.remembered()
    moment = begin_of(wanted, oldest_first=chosen.oldest_first, zone=time_zone.own())
    if moment is None:
        return
    with filters.refusal_is_drawn(), db.read_connection() as reader:
        filters.turn_to(queries.cursor_at(reader, person, chosen, moment))


def begin_of(wanted: str, *, oldest_first: bool, zone: tzinfo) -> datetime | None:
    """Where a listing begins with a month or a day: at its end, where the oldest are first at its beginning."""
    is_month = wanted.count("-") == 1
    try:
        first = date.fromisoformat(f"{wanted}-01" if is_month else wanted)
        end = (first + timedelta(days=31)).replace(day=1) if is_month else first + timedelta(days=1)
    except (ValueError, OverflowError):
        return None
    return datetime.combine(first if oldest_first else end, time(), zone)
