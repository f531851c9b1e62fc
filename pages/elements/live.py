"""What is under way moves by itself on every page: one invisible element that looks, and asks for a rerun at an end.

The element asks with a `video-live-shown` event on `window` whose ids to look at: elements that show what is under way
add them to its `detail`, a Set. It tells the answer with a `video-live` event, whose `detail.items` are those of
`standing.item`; the elements patch themselves with it, without a rerun.
"""

from collections.abc import Collection, Sequence

import streamlit as st

from core import db, installation
from core.clock import utc_now
from core.db import Reader, ReadSession
from core.db.enums import Status
from core.db.tables import Generation
from core.generations import progress
from core.workspaces import profiles
from core.workspaces.access import Member
from pages.elements import live_endpoint
from pages.ui import current_member, language, links, wording
from pages.ui.custom_element import custom_element
from pages.ui.language import _, plural

PROMPT_CHARS = 60
MAX_NAMES = 3

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
    number, text = st.session_state.get("live_told", (0, ""))
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
                now=utc_now(),
                session_id=current_member.session_id(),
            ),
            "state": live_endpoint.state(now, newest, outage),
            "outage": outage,
            "well": _("Workers answer again."),
            "live": len(now),
            "told": {"number": number, "text": text},
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


def _met() -> Sequence[str]:
    """What the element saw begin since the last run: it may have ended before it could be drawn."""
    changed = st.session_state.get("live", {}).get("changed") or {}
    return [str(met) for met in changed.get("met", ())][: progress.MAX_WATCHED]


def _tell_of_ended(person: Member, gone: Collection[str]) -> None:
    with db.read_session() as session:
        ended = progress.ended(session, person, gone)
        if ended:
            number, _text = st.session_state.get("live_told", (0, ""))
            st.session_state["live_told"] = (number + 1, summary(ended, _others(session, person, ended)))


def _begun(reader: Reader, person: Member, newest: str) -> Sequence[str]:
    """What began since the last run, up to the newest by now: it may have ended before anybody looked."""
    before = st.session_state.get("live_newest")
    return () if before in (None, newest) else progress.ids_after(reader, person, before)


def _others(session: ReadSession, person: Member, ended: Sequence[Generation]) -> Sequence[str]:
    """The names of those who made some of these, without the person's own."""
    theirs = [row.user_id for row in ended if row.user_id != person.id]
    return [profile.name for profile in profiles.people(session, theirs).values()] if theirs else ()


def summary(ended: Sequence[Generation], others: Sequence[str] = ()) -> str:
    """What ended, in a line: one clip by its prompt, several by how many; and `others` who made some of them."""
    returned = sum(row.credits for row in ended if row.status is not Status.COMPLETED)
    back = _("{price} returned").format(price=wording.priced(returned)) if returned else ""
    if len(ended) == 1:
        row = ended[0]
        cut = row.prompt if len(row.prompt) <= PROMPT_CHARS else f"{row.prompt[: PROMPT_CHARS - 1].rstrip()}…"
        said = _ONE[row.status]().format(prompt=cut)
    else:
        counts = [(status, sum(row.status is status for row in ended)) for status in _MANY]
        said = ", ".join(
            _MANY[status](count).format(number=wording.credits(count)) for status, count in counts if count
        )
    whose = ", ".join(others[:MAX_NAMES]) + (", …" if len(others) > MAX_NAMES else "")
    if others:
        said = _("{what} ({people})").format(what=said, people=whose)
    return "; ".join(filter(None, (said, back)))


_ONE = {
    Status.COMPLETED: lambda: _("Finished: {prompt}"),
    Status.FAILED: lambda: _("Failed: {prompt}"),
    Status.CANCELLED: lambda: _("Cancelled: {prompt}"),
}
_MANY = {
    Status.COMPLETED: lambda count: plural("{number} clip finished", "{number} clips finished", count),
    Status.FAILED: lambda count: plural("{number} failed", "{number} failed", count),
    Status.CANCELLED: lambda count: plural("{number} cancelled", "{number} cancelled", count),
}
