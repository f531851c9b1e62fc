"""What the names in a prompt come to, said before anything is paid, and the orders with what they stand for."""

from collections.abc import Collection, Sequence

import streamlit as st

from core import db
from core.assets import groups
from core.assets.resolving import Resolved
from core.generations import named
from core.generations.orders import Order
from core.workspaces.access import Member
from pages.elements.prompt_input import Name
from pages.sections.assets.words import ONE_OF
from pages.ui import components
from pages.ui.language import _, plural, translate_message

NOTE_CHARS = 60


def names(person: Member) -> list[Name]:
    """Every name of the workspace, for suggestions while a prompt is written."""
    with db.read_session() as session:
        found = groups.names(session, person)
    return [
        Name(
            each.name,
            " · ".join(filter(None, (ONE_OF[each.kind.value], each.description[:NOTE_CHARS]))),
            components.media_link(each.cover_key) or "",
        )
        for each in found
    ]


def resolved(
    person: Member, orders: Sequence[Order], configured: Collection[str]
) -> tuple[list[Order], list[Resolved]]:
    """The orders as they are priced, checked and made, and what their names come to.

    One with a problem stays as it was written, so that it is refused with that very problem and never made without
    what was meant.
    """
    if not any("@" in order.spec.prompt for order in orders):
        return list(orders), []
    with db.read_session() as session:
        looked = [named.look(session, person, order, configured=configured) for order in orders]
    made = [written if found.problems else order for written, (found, order) in zip(orders, looked, strict=True)]
    return made, [found for found, _order in looked]


def say(found: Sequence[Resolved]) -> None:
    """Say what goes along by which name, what stays text, and what has to be put right first."""
    if not found:
        return
    first = found[0]
    problems = dict.fromkeys(translate_message(problem.message) for each in found for problem in each.problems)
    for problem in problems:
        st.warning(problem, icon=":material/alternate_email:")
    if problems:
        return
    if first.used:
        said = ", ".join(
            f"@{components.escaped(used.name)} ({_count(len(used.references))})" if used.references else f"@{used.name}"
            for used in first.used
        )
        st.caption(":material/alternate_email: " + _("Goes along: {names}").format(names=said))
    if first.unknown:
        left = ", ".join(f"@{components.escaped(unknown.name)}" for unknown in first.unknown)
        st.caption(":material/info: " + _("Nothing is called {names}; it is sent as text.").format(names=left))


def _count(number: int) -> str:
    return plural("{number} reference", "{number} references", number).format(number=number)
