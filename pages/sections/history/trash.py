"""Deleted clips below the library, for who may delete: what can still be brought back, and until when."""

import streamlit as st

from core import db, errors, installation
from core.clock import utc_now
from core.db.tables import Generation
from core.generations import queries, trash
from core.generations.queries import Take
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.sections import whose
from pages.sections.whose import Whose
from pages.ui import components, current_member, wording
from pages.ui.language import _, plural

PAGE_SIZE = 24
_PAGES, _OF = "history_trash_pages", "history_trash_of"


def show(person: Member) -> None:
    """Nothing where deleted clips go at once; what is in it is read when somebody opens it."""
    days = installation.current().settings.trash_days
    if not days or not person.may(Action.DELETE):
        return
    with st.expander(_("Trash"), icon=":material/delete:", key="history_trash", on_change="rerun") as opened:
        if opened.open:
            _rows(person, days)


def _rows(person: Member, days: int) -> None:
    pages = _pages_of(person.workspace_id)
    with db.read_session() as session:
        try:
            found = trash.page(session, person, days=days, before_id=pages[-1] or None, limit=PAGE_SIZE + 1)
        except errors.NotFound:  # what this page began behind is back, or gone for good
            pages[:] = [""]
            found = trash.page(session, person, days=days, limit=PAGE_SIZE + 1)
        shown = found[:PAGE_SIZE]
        owned, takes = whose.of(session, person, shown), queries.takes(session, shown)
    said = plural(
        "Deleted clips can be brought back for {number} day; then their files go for good.",
        "Deleted clips can be brought back for {number} days; then their files go for good.",
        days,
    ).format(number=wording.credits(days))
    nothing = _("Nothing is in it.")
    st.caption(said if found else f"{nothing} {said}")
    for row in shown:
        _row(row, _facts(row, owned, takes.get(row.id), days))
    components.pager(pages, shown[-1].id if len(found) > PAGE_SIZE else None, key="history_trash")


def _pages_of(workspace_id: str) -> list[str]:
    """Behind what each page up to the present one begins; anew in another workspace."""
    if st.session_state.get(_OF) != workspace_id:
        st.session_state[_OF], st.session_state[_PAGES] = workspace_id, [""]
    found: list[str] = st.session_state[_PAGES]
    return found


def _row(row: Generation, facts: list[str]) -> None:
    """One clip: its words, what tells it from others of the same words, and the way back."""
    with st.container(horizontal=True, vertical_alignment="center", wrap=False, key=f"card_trash_{row.id}"):
        with st.container(gap=None):
            components.plain_text(row.prompt or row.model_name, lines=2)
            components.plain_text(" · ".join(facts), small=True)
        st.button(_("Bring back"), key=f"history_trash_{row.id}", on_click=_bring_back, args=(row,), width="content")


def _facts(row: Generation, owned: Whose, take: Take | None, days: int) -> list[str]:
    maker = owned.people.get(row.user_id)
    taken = _("take {number} of {of}").format(number=take.number, of=take.of) if take else ""
    made = _("made {age}").format(age=wording.age(row.created_at, utc_now()))
    until = _("until {day}").format(day=wording.day(trash.gone_at(row, days=days)))
    known = (taken, maker.name if maker else "", row.model_name if row.prompt else "", made, until)
    return [fact for fact in known if fact]


def _bring_back(row: Generation) -> None:
    days = installation.current().settings.trash_days
    st.session_state[_PAGES] = [""]
    components.act_in_callback(
        lambda session: trash.bring_back(session, current_member.current_member(), [row.id], days=days),
        done=_("The clip is back."),
    )
