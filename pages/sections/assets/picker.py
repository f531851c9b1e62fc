"""Assets to choose from, wherever a page takes one or several: by kind and name, a page at a time."""

from collections.abc import Sequence

import streamlit as st

from core import db
from core.assets import library
from core.db.tables import Upload
from core.projects import uploads
from core.providers.contract import MediaKind
from core.workspaces.access import Member
from pages.elements import asset_cards
from pages.sections.assets.words import KIND
from pages.ui import components
from pages.ui.language import _

PAGE_SIZE = 24


def pick(person: Member, *, key: str, kind: MediaKind = MediaKind.IMAGE) -> Upload | None:
    """Draw the assets of a kind with a search; the one that was just pressed."""
    rows = _page(person, kind, key)
    pressed = _cards(rows, kind, key)
    return next((row for row in rows if row.id == pressed), None)


def choose(person: Member, chosen: Sequence[str], *, key: str, kind: MediaKind = MediaKind.IMAGE) -> list[str]:
    """The same to choose several by their ids, in the order of the presses; a further press takes one out."""
    rows = _page(person, kind, key)
    pressed = _cards(rows, kind, key, chosen)
    if pressed is None:
        return list(chosen)
    return [each for each in chosen if each != pressed] if pressed in chosen else [*chosen, pressed]


def _page(person: Member, kind: MediaKind, key: str) -> Sequence[Upload]:
    pages: list[str] = st.session_state.setdefault(f"{key}_pages", [""])
    search = st.text_input(
        _("Search"),
        key=f"{key}_search",
        type="search",
        placeholder=_("Name"),
        max_chars=uploads.NAME_LIMIT_CHARS,
        on_change=_from_the_beginning,
        args=(f"{key}_pages",),
    )
    with db.read_session() as session:
        page = library.list_page(
            session, person, kind=kind, search=search or "", cursor=pages[-1] or None, limit=PAGE_SIZE
        )
    st.session_state[f"{key}_after"] = page.next_cursor
    return page.rows


def _cards(rows: Sequence[Upload], kind: MediaKind, key: str, chosen: Sequence[str] | None = None) -> str | None:
    if not rows:
        st.caption(_("Nothing here yet. What is uploaded under Assets can be chosen here."))
        return None
    cards = [asset_cards.of_asset(row, facts="") for row in rows]
    pressed = asset_cards.show(cards, label=KIND[kind.value], key=f"{key}_cards", chosen=chosen)
    components.pager(st.session_state[f"{key}_pages"], st.session_state[f"{key}_after"], key=key)
    return pressed


def _from_the_beginning(pages_key: str) -> None:
    st.session_state[pages_key] = [""]
