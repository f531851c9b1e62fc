"""Whose the clips of a page are: who made each, and in which workspace; asked once a page, where it matters."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import streamlit as st

from core.db import Reader
from core.workspaces import profiles
from core.workspaces.access import Member
from core.workspaces.profiles import Profile
from pages.ui import avatar
from pages.ui.language import _


class Clip(Protocol):
    """What has a maker and a workspace: a row of a clip, or the half of it that lists show."""

    @property
    def user_id(self) -> str:
        """Who made it."""

    @property
    def workspace_id(self) -> str:
        """Whose it is."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Makers and workspaces of some clips by their ids; empty where it goes without saying."""

    people: Mapping[str, Profile] = field(default_factory=dict)
    workspaces: Mapping[str, str] = field(default_factory=dict)

    def card(self, clip: Clip) -> dict[str, Any]:
        """What a card says of it: `maker`, as `avatar.data` has it or None, and `place`, which may be empty."""
        found = self.people.get(clip.user_id)
        maker = avatar.data(found.name, found.id) if found else None
        return {"maker": maker, "place": self.workspaces.get(clip.workspace_id, "")}

    def heard(self, clip: Clip) -> str:
        """The same as words."""
        maker = self.people.get(clip.user_id)
        words = (maker.name if maker else None, self.workspaces.get(clip.workspace_id))
        return " · ".join(filter(None, words))


NOBODY_ELSE = Whose()


def of(session: Reader, person: Member, clips: Sequence[Clip], *, everywhere: bool = False) -> Whose:
    """Whose these are. One's own in one's own workspace need no word; their workspace is named on a view of several."""
    places = profiles.workspace_names(session, [clip.workspace_id for clip in clips]) if everywhere else {}
    if not everywhere and person.workspace_id == person.id and all(clip.user_id == person.id for clip in clips):
        return NOBODY_ELSE
    return Whose(profiles.people(session, [clip.user_id for clip in clips]), places)


def line(person: Member, clip: Clip, whose: Whose) -> None:
    """Say it of one clip: its maker, and where it is when that is not where one is at work; nothing of one's own."""
    maker = whose.people.get(clip.user_id)
    if maker is None:
        return
    place = whose.workspaces.get(clip.workspace_id, "") if clip.workspace_id != person.id else ""
    words = _("in {workspace}").format(workspace=place) if place else ""
    st.html(
        '<p style="margin:0;display:flex;flex-wrap:wrap;align-items:center;gap:.35em;font-size:.9rem">'
        f'{avatar.named(maker.name, maker.id)}<span style="opacity:.8">{html.escape(words)}</span></p>'
    )
