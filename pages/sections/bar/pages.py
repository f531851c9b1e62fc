"""The pages that the bar leads to: those of them that are for this person."""

from copy import copy
from functools import lru_cache
from typing import Literal

import streamlit as st

from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.ui.language import _


def offered(person: Member, *, waiting: int) -> list[st.Page]:
    """In the order of the bar; `waiting` is how many things wait for an administrator."""
    pages = [
        _page("projects.py", _("Projects"), ":material/folder:", is_default=True),
        _page("generate.py", _("Generate"), ":material/movie:"),
        _page("history.py", _("History"), ":material/grid_view:"),
        _page("usage.py", _("Usage"), ":material/bar_chart:"),
        _page("team.py", _("Team"), ":material/group:"),
        _page("verify.py", _("Verify"), ":material/verified_user:"),
    ]
    if person.may(Action.MANAGE_PEOPLE):
        pages.append(_page("people.py", _("People"), ":material/manage_accounts:"))
    if person.may(Action.OPERATE):
        label = _("Admin ({number})").format(number=waiting) if waiting else _("Admin")
        pages.append(_page("admin.py", label, ":material/shield_person:"))
    if person.may(Action.MANAGE_CATALOGUE):
        pages.append(_page("models.py", _("Models"), ":material/category:"))
    if person.may(Action.READ_AUDIT_LOG):
        pages.append(_page("audit_log.py", _("Audit log"), ":material/policy:"))
    pages.append(_page("account.py", _("Account"), ":material/account_circle:"))
    pages.append(_page("invitation.py", _("Invitation"), is_hidden=True))
    return pages


def _page(
    path: str, title: str, icon: str | None = None, *, is_default: bool = False, is_hidden: bool = False
) -> st.Page:
    """A copy for this run alone, which marks in it that the page may be run."""
    return copy(_made(path, title, icon, is_default, is_hidden))


@lru_cache(maxsize=100)  # each would look for its file on every run; titles differ by language and by what waits
def _made(path: str, title: str, icon: str | None, is_default: bool, is_hidden: bool) -> st.Page:
    visibility: Literal["visible", "hidden"] = "hidden" if is_hidden else "visible"
    return st.Page(path, title=title, icon=icon, default=is_default, visibility=visibility)
