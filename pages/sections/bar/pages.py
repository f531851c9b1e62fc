"""The pages of the dashboard: where the bar has each, and those of them that are for this person."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Literal
from urllib.parse import unquote, urlsplit

import streamlit as st

from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.ui.language import N_, _


class Group(StrEnum):
    """Where a page is led to from: the bar itself, or one of the groups of its menu; nowhere for what links lead to."""

    MAIN = "main"
    MORE = "more"
    MANAGE = "manage"
    LINKED = "linked"


@dataclass(frozen=True, slots=True)
class Place:
    """A page: the file it is in, which is its address, too; `icon` is one that `bar.js` draws.

    `action` is what a person has to be allowed for it to be there, None for everybody.
    """

    file: str
    title: str
    group: Group
    icon: str = ""
    action: Action | None = None

    @property
    def path(self) -> str:
        """What stands in the address."""
        return self.file.removesuffix(".py")


PLACES = (
    Place("projects.py", N_("Projects"), Group.MAIN, "folder"),
    Place("generate.py", N_("Generate"), Group.MAIN, "make"),
    Place("history.py", N_("History"), Group.MAIN, "grid"),
    Place("assets.py", N_("Assets"), Group.MAIN, "layers"),
    Place("usage.py", N_("Usage"), Group.MAIN, "chart"),
    Place("inbox.py", N_("Inbox"), Group.MORE, "bell"),
    Place("attention.py", N_("Attention"), Group.MORE, "flag", Action.ATTEND),
    Place("sheets.py", N_("Batch"), Group.MORE, "table"),
    Place("team.py", N_("Team"), Group.MORE, "people"),
    Place("budgets.py", N_("Budgets"), Group.MORE, "gauge"),
    Place("verify.py", N_("Verify"), Group.MORE, "check"),
    Place("credits.py", N_("Credits"), Group.MORE, "coin"),
    Place("account.py", N_("Account"), Group.MORE, "person"),
    Place("admin.py", N_("Admin"), Group.MANAGE, "shield", Action.OPERATE),
    Place("people.py", N_("People"), Group.MANAGE, "card", Action.MANAGE_PEOPLE),
    Place("models.py", N_("Models"), Group.MANAGE, "dials", Action.MANAGE_CATALOGUE),
    Place("audit_log.py", N_("Audit log"), Group.MANAGE, "list", Action.READ_AUDIT_LOG),
    Place("invitation.py", N_("Invitation"), Group.LINKED),
)
"""In the order of the bar. The first opens without a path in the address; a phone has the first four at its foot."""

HOME = PLACES[0]
QUIET_TITLES = ("generate", "history", "usage")
"""Pages whose whole window is for pictures or figures: the bar says where one is, and the heading is only heard."""


def allowed(person: Member) -> Sequence[Place]:
    """Those for this person."""
    return [place for place in PLACES if place.action is None or person.may(place.action)]


def offered(person: Member) -> list[st.Page]:
    """The pages for this person, as Streamlit finds them by an address.

    The first one answers at the root and under its own name. An address that none of them has is a page of its own,
    which says so in the words of the reader.
    """
    places = allowed(person)
    pages = [_page(HOME.file, _(HOME.title), "", is_default=True)]
    pages += [_page(place.file, _(place.title), place.path) for place in places]
    asked = _asked_path()
    if asked and all(asked != place.path for place in places):
        pages.append(_page("nowhere.py", _("Page not found"), asked))
    return pages


def _asked_path() -> str:
    """The last part of the address that the browser shows; empty at the root, and where there is no browser."""
    address = st.context.url
    return unquote(urlsplit(address).path.rpartition("/")[2]) if isinstance(address, str) else ""


def _page(path: str, title: str, url_path: str, *, is_default: bool = False) -> st.Page:
    """A copy for this run alone, which marks in it that the page may be run."""
    return copy(_made(path, title, url_path, is_default))


@lru_cache(maxsize=100)  # each would look for its file on every run; titles differ by language
def _made(path: str, title: str, url_path: str, is_default: bool) -> st.Page:
    visibility: Literal["visible", "hidden"] = "visible" if is_default else "hidden"
    return st.Page(path, title=title, url_path=url_path, icon="", default=is_default, visibility=visibility)
