"""What is under way moves by itself on every page: one invisible element that looks, and asks for a rerun at an end.

The element asks with a `video-live-shown` event on `window` whose ids to look at: elements that show what is under way
add them to its `detail`, a Set. It tells the answer with a `video-live` event, whose `detail.items` are those of
`standing.item`; the elements patch themselves with it, without a rerun. Where a rerun would disturb, as it begins an
open viewer anew, it tells what has ended at once, with a `video-live-ended` event whose `detail` are the ids, and asks
for the rerun later.
"""

from collections.abc import Collection, Sequence

import streamlit as st

from core import db, installation
from core.db import Reader
from core.generations import progress
from core.workspaces.access import Member
from pages.elements import live_endpoint
from pages.sections import ended_text
from pages.ui import current_member, language, links
from pages.ui.custom_element import custom_element
from pages.ui.language import _

_NOTHING_TOLD: tuple[int, str, Sequence[str]] = (0, "", ())

_element = custom_element(
    __file__,
    "live",
    html='<p class="heard"></p><p class="seen"></p>',
    triggers=("changed",),
)


def show(reader: Reader, person: Member, outage: str) -> None:
    """Mount the element; the shell does it once a run, before the page reads what it draws.

    `outage` is what the page says of workers that are away.
    """
    newest = progress.newest_id(reader, person.workspace_id)
    before = {*st.session_state.get("live_ids", ()), *_met(), *_begun(reader, person, newest)}
    now = progress.live_ids_of(reader, person)
    st.session_state["live_ids"] = now
    st.session_state["live_newest"] = newest
    if gone := before.difference(now):
        _tell_of_ended(person, gone)
    number, text, ids = st.session_state.get("live_told", _NOTHING_TOLD)
    _element(
        key="live",
        data={
            "language": language.current(),
            "address": links.from_page(live_endpoint.PATH),
            "token": progress.sign_token(
                person.id,
                person.workspace_id,
                language.current(),
                secret=installation.current().settings.secret_key,
                now=db.clock().now(),
                session_id=current_member.session_id(),
            ),
            "state": live_endpoint.state(now, newest, outage),
            "outage": outage,
            "well": _("Workers answer again."),
            "live": len(now),
            "told": {"number": number, "text": text, "ids": ids},
        },
        width=1,
        height=1,
    )


def forget() -> None:
    """Tell nothing of what was under way in another workspace."""
    for name in ("live_ids", "live_newest", "live_told"):
        st.session_state.pop(name, None)


def how_many() -> int:
    """How many are under way, as far as they are watched; the shell has just asked."""
    return len(st.session_state.get("live_ids", ()))


def are_live(ids: Collection[str]) -> bool:
    """Whether some of these are under way, as far as they are watched; the shell has just asked."""
    return not set(ids).isdisjoint(st.session_state.get("live_ids", ()))


def _met() -> Sequence[str]:
    """What the element saw begin since the last run: it may have ended before it could be drawn."""
    changed = st.session_state.get("live", {}).get("changed") or {}
    return [str(met) for met in changed.get("met", ())][: progress.MAX_WATCHED]


def _tell_of_ended(person: Member, gone: Collection[str]) -> None:
    with db.read_session() as session:
        ended = progress.ended(session, person, gone)
        if ended:
            number = st.session_state.get("live_told", _NOTHING_TOLD)[0]
            told = ended_text.told(session, person, ended)
            st.session_state["live_told"] = (number + 1, told, [row.id for row in ended])
    ended_text.note_told(person, ended)


def _begun(reader: Reader, person: Member, newest: str) -> Sequence[str]:
    """What began since the last run, up to the newest by now: it may have ended before anybody looked."""
    before = st.session_state.get("live_newest")
    return () if before in (None, newest) else progress.ids_after(reader, person, before)
