"""The stage of the studio: the presses of a project, and what is asked for on them."""

from collections.abc import Sequence

import streamlit as st

from core import db
from core.db.enums import ENDED_STATUSES
from core.generations import commands, presses
from core.generations.presses import Press
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.elements import stage as stage_element
from pages.sections import progress_text, whose
from pages.sections.clip import viewer
from pages.sections.generate import final_take, form_state
from pages.ui import components
from pages.ui.language import N_, _

KEY = "generate_stage"
PRESSES = 9
IDEAS = (
    N_("A lake at dawn, mist over still water"),
    N_("Mountains under drifting clouds, seen from above"),
    N_("Folds of teal silk moving slowly"),
)
"""Prompts to begin with: what they ask for, the demo can draw, too."""


def show(person: Member, project_id: str | None) -> int:
    """Draw the newest presses of a project and do what is asked for; how many takes under way are among them."""
    may_order = person.may(Action.ORDER)
    with db.read_session() as session:
        found = presses.newest(session, person, project_id, limit=PRESSES) if project_id else []
        takes = [take for press in found for take in press.takes]
        live = [take.id for take in takes if take.status not in ENDED_STATUSES]
        board = progress_text.board()
        standings = board.snapshots(session, person.workspace_id, among=live) if live else ()
        owned = whose.of(session, person, [press.takes[0] for press in found])
    with st.container(key="generate_stage_place"):
        pressed = stage_element.show(
            found,
            key=KEY,
            lead=_lead(person, found),
            standings={standing.row.id: standing for standing in standings},
            waits=bool(live and progress_text.outage()),
            may_order=may_order,
            on_idea=_write,
            ideas=[_(idea) for idea in IDEAS] if may_order and not found else (),
            whose=owned,
        )
    _act(person, pressed)
    return len(live)


def _write(prompt: str) -> None:
    st.session_state[form_state.name("prompt")] = prompt


def _lead(person: Member, found: Sequence[Press]) -> str | None:
    """The press to show first: the person's own newest, for it is they who sit here."""
    own = next((press.id for press in found if press.takes[0].user_id == person.id), None)
    return own or next((press.id for press in found), None)


def _act(person: Member, pressed: stage_element.Pressed) -> None:
    if pressed.cancelled:
        wanted = pressed.cancelled
        components.save_and_rerun(lambda session: commands.cancel(session, person, wanted), done=_("Cancelling."))
    if pressed.opened:
        viewer.open_it([pressed.opened])
    if pressed.compared:
        few = len(pressed.compared) <= viewer.MOST_TOGETHER
        viewer.open_it(pressed.compared, together=few)  # more than fit side by side are walked through
    if pressed.final:
        final_take.open_it(pressed.final)
