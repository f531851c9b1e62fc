"""The viewer of one to four clips that fills the window; what is looked at is in the address, so that a link works.

`?clip=` is the clip, `?compare=` the two to four that play side by side, `?clips=` the few that it was opened with
where they are not those of the page. A page calls `show` once, as the last thing it draws, and `open_it` to open
something.
"""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core import db, installation
from core.clock import utc_now
from core.db import ReadSession
from core.db.enums import Status
from core.db.tables import Generation
from core.generations import queries
from core.generations.list_filter import ListFilter, ReviewStatus
from core.generations.queries import ListRow
from core.workspaces.access import Member
from pages.elements import viewer
from pages.elements.viewer import Pressed, Shown
from pages.sections import ended_text, whose
from pages.sections.clip import differences, panel
from pages.sections.sharing import dialog as sharing
from pages.ui import components, current_member
from pages.ui.language import _

PARAM, TOGETHER, FEW = "clip", "compare", "clips"
FEWEST_TOGETHER, MOST_TOGETHER = 2, 4
MOST_CLIPS = 48
"""So many can be opened by their ids; a listing goes on for as long as it is."""

BESIDE = 12
"""So many clips before and after the present one the viewer knows, and moves among without asking."""

FURTHER = 200
"""Among so many after those it is told of the first that nobody has judged."""

_OPENER, _OPENED, _AT, _TURN = (f"clip_viewer_{name}" for name in ("opener", "opened", "at", "turn"))


def open_it(ids: Sequence[str], *, at: str | None = None, together: bool = False, opener: str = "") -> None:
    """Open one clip, or several to walk through or `together` side by side, at one of them: the page runs again.

    One alone is walked from through the listing of its page. `opener` is the key of the button that was pressed, which
    gets the focus back; a card of a clip gets it by itself.
    """
    close()
    if len(ids) > 1:
        st.query_params[TOGETHER if together else FEW] = ",".join(ids[: MOST_TOGETHER if together else MOST_CLIPS])
    st.query_params[PARAM] = at or ids[0]
    st.session_state[_OPENER] = opener
    st.rerun()


def close() -> None:
    """Forget what is looked at."""
    for param in (PARAM, TOGETHER, FEW):
        st.query_params.pop(param, None)
    st.session_state.pop(_OPENED, None)


def can_play_together(rows: Sequence[Generation]) -> bool:
    """Whether these can be looked at side by side: two to four finished clips."""
    return FEWEST_TOGETHER <= len(rows) <= MOST_TOGETHER and all(row.status is Status.COMPLETED for row in rows)


def show(person: Member, listing: ListFilter | None = None) -> None:
    """Draw the viewer when the address names a clip; the last thing a page does.

    With `listing` a clip that was opened alone is walked from through that, however long it is.
    """
    del person  # who looks is asked again in every run of the viewer, which the page has no part in
    if sharing.dialog_if_open():  # one dialog at a time; this one comes back when that is closed
        return
    if _wanted():
        st.dialog(_("Clip"), width="large", on_dismiss=close)(_dialog)(listing)


def _wanted() -> list[str]:
    """Ids of the address: of the clip, else of the first of those side by side."""
    together = st.query_params.get(TOGETHER, "").split(",")
    return list(filter(None, (st.query_params.get(PARAM), *together[:1])))[:1]


def _dialog(listing: ListFilter | None) -> None:
    with components.error_boundary():
        pressed = viewer.pressed(st.session_state.get(viewer.KEY, {}))
        if pressed.reuse:
            st.switch_page("generate.py", query_params={"from": pressed.reuse})
        if not (wanted := _wanted()):
            return
        _follow(wanted[0], pressed)
        person = current_member.current_member()
        with db.read_session() as session:
            row = queries.get(session, person, st.session_state[_AT])
            together = _together(session, person)
            if TOGETHER in st.query_params and not together:
                st.info(_("Choose two to four finished clips to compare them."))
                return
            shown = _shown(session, person, row, listing, together)
            read = panel.read(session, person, row)
        installation.current().openings.note(each.output_key for each in together or (row,))
        ended_text.note_told(person, [row])
        viewer.show(person, shown)
        with panel.place():
            panel.draw(read, together=together, on_close=close, on_open=lambda id: open_it([id]))


def _follow(opened: str, pressed: Pressed) -> None:
    """Remember where the viewer has come to from the clip that it was opened with.

    The viewer writes it into the address itself. A session that wrote it, too, would do so later, and each time that
    it was behind put a step into the history of the browser.
    """
    if st.session_state.get(_OPENED) != opened:
        st.session_state[_OPENED] = st.session_state[_AT] = opened
        st.session_state[_TURN] = 0
    if pressed.at:
        st.session_state[_AT], st.session_state[_TURN] = pressed.at, pressed.turn


def _together(session: ReadSession, person: Member) -> Sequence[Generation]:
    """Those side by side; none where the address names none, or what cannot be played so."""
    ids = [id for id in st.query_params.get(TOGETHER, "").split(",") if id][:MOST_TOGETHER]
    rows = queries.get_many(session, person, ids) if ids else ()
    return rows if can_play_together(rows) else ()


def _shown(
    session: ReadSession, person: Member, row: Generation, listing: ListFilter | None, together: Sequence[Generation]
) -> Shown:
    rows: Sequence[Generation | ListRow] = together
    further: Sequence[ListRow] = ()
    is_listing = False
    if not rows:
        few = [id for id in st.query_params.get(FEW, "").split(",") if id][:MOST_CLIPS]
        rows = queries.get_many(session, person, few) if row.id in few else ()
    if not rows and listing is not None:
        rows, further, is_listing = *_beside(session, person, row, listing), True
    rows = rows or (row,)
    owned = whose.of(session, person, [*rows, *further], everywhere=len(person.roles) > 1)
    now = utc_now()
    return Shown(
        row.id if any(row.id == each.id for each in rows) else rows[0].id,
        [viewer.clip(person, each, now, owned) for each in rows],
        [viewer.clip(person, each, now, owned) for each in further],
        together=bool(together),
        is_listing=is_listing,
        oldest_first=listing is not None and listing.oldest_first,
        facts=differences.differing(together) if together else (),
        opener=st.session_state.get(_OPENER, ""),
        turn=st.session_state.get(_TURN, 0),
    )


def _beside(
    session: ReadSession, person: Member, row: Generation, listing: ListFilter
) -> tuple[Sequence[Generation | ListRow], Sequence[ListRow]]:
    """A clip among those before and after it in a listing, and where all after it are judged the next that are not."""
    turned = replace(listing, oldest_first=not listing.oldest_first)
    before = queries.list_page(session, person, turned, cursor=row.id, limit=BESIDE).rows[::-1]
    after = queries.list_page(session, person, listing, cursor=row.id, limit=BESIDE)
    further: list[ListRow] = []
    if after.next_cursor and not any(map(_is_undecided, after.rows)):
        more = queries.list_page(session, person, listing, cursor=after.next_cursor, limit=FURTHER).rows
        further = [each for each in more if _is_undecided(each)][:2]
    return (*before, row, *after.rows), further


def _is_undecided(row: ListRow) -> bool:
    return row.status is Status.COMPLETED and ReviewStatus.of(row.kept) is ReviewStatus.UNDECIDED
