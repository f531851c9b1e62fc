"""One page of the library: its clips as pictures or as a list, what is pressed on them, and why it may be empty."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core import db
from core.db import Reader
from core.db.enums import Stage
from core.generations import notes, queries, review
from core.generations.list_filter import ListFilter
from core.generations.progress import InFlightItem
from core.generations.queries import Page
from core.generations.review import Changes
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.elements import gallery
from pages.elements.gallery import Paper, Selection, Told
from pages.sections import progress_text, whose
from pages.sections.clip import viewer
from pages.sections.history import bar, filters, selection
from pages.sections.sample import offer
from pages.ui import components, current_member
from pages.ui.language import _

PAGE_SIZE = 24
KEY = "history_gallery"


def page_of(reader: Reader, person: Member, chosen: ListFilter) -> Page:
    """The page that the address names; the first one where that has nothing, or nothing any more."""
    cursor = filters.cursor()
    found = queries.list_page(reader, person, chosen, cursor=cursor, limit=PAGE_SIZE)
    if cursor is not None and not found.rows:
        filters.turn_to(None)
        found = queries.list_page(reader, person, chosen, limit=PAGE_SIZE)
    return found


def told_of(reader: Reader, person: Member, found: Page, chosen: ListFilter, projects: Mapping[str, str]) -> Told:
    """What is said of its clips beside what their rows say."""
    return Told(
        whose.of(reader, person, found.rows, everywhere=chosen.everywhere),
        projects,
        queries.takes(reader, found.rows),
        notes.counts(reader, [row.id for row in found.rows]),
        _standings(person, [row.id for row in found.rows if row.stage is not Stage.FINALIZED]),
    )


def _standings(person: Member, ids: Sequence[str]) -> Mapping[str, InFlightItem]:
    """How far those are that are under way, in the workspace that is looked at."""
    if not ids:
        return {}
    with db.read_session() as session:
        found = progress_text.board().snapshots(session, person.workspace_id, among=ids)
    return {each.row.id: each for each in found}


def show(person: Member, chosen: ListFilter, found: Page, told: Told) -> None:
    """Draw the page, and do what was pressed on it."""
    if not found.rows:
        _nothing(person, chosen)
        return
    cursor = filters.cursor()
    shown_from = person.workspace_ids if chosen.everywhere else (person.workspace_id,)
    pressed = gallery.board(
        found.rows,
        told,
        key=KEY,
        person_id=person.id,
        paper=Paper(cursor or "first", found.next_cursor, found.rows[0].id if cursor else None, chosen.oldest_first),
        selection=Selection(selection.ids(), selection.turn(), selection.is_everything()),
        is_list=bar.view() == "list",
        hearts=all(person.may(Action.EDIT, each) for each in shown_from),
        on_turn=_turn,
    )
    if pressed.hearts:
        _like(person, pressed.hearts)
    if selection.take(pressed) or pressed.hearts:
        st.rerun()
    if pressed.opened:
        viewer.open_it([pressed.opened])


def _turn() -> None:
    """Write into the address which page was just turned to."""
    match gallery.turned(KEY):
        case {"next": str(last)}:
            filters.turn_to(last)
        case {"before": str(first)}:
            person, chosen = current_member.current_member(), filters.remembered()
            with filters.refusal_is_drawn(), db.read_connection() as reader:
                filters.turn_to(queries.page_before(reader, person, chosen, first_id=first, limit=PAGE_SIZE))


def _like(person: Member, hearts: Mapping[str, bool]) -> None:
    """Write down the hearts that were just set or taken away."""
    for favourite in (True, False):
        ids = [row_id for row_id, on in hearts.items() if on is favourite]
        with db.write_session() as session:
            review.update_many(session, person, ids, Changes(favourite=favourite))


def _nothing(person: Member, chosen: ListFilter) -> None:
    """Why the library is empty, and the way out."""
    if chosen == ListFilter():
        components.lead_to_figures(person)
        text = _("Every clip that is ordered stays here, with its price and its story.")
        components.empty_state(_("No clips yet"), text, icon="movie")
        if person.may(Action.ORDER):
            with st.container(horizontal_alignment="center"):
                st.page_link("generate.py", label=_("Make the first one"), icon=":material/movie:")
        offer.show(person, key="history_sample")
        return
    components.empty_state(_("Nothing matches"), _("No clip fits these filters."), icon="filter_alt_off")
    with st.container(horizontal_alignment="center"):
        st.button(_("Show all clips"), key="history_show_all", on_click=filters.clear)
