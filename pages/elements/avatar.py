"""Who somebody is, at a glance: initials in a circle of their own colour; no picture is fetched from anywhere."""

import html
import zlib
from typing import Any

from core.workspaces.profiles import Profile

COLOURS = (
    "#0b6b74",
    "#1d5fa8",
    "#4b4fc4",
    "#7a3fb0",
    "#a02c86",
    "#b3264f",
    "#a8371a",
    "#8a4b00",
    "#6b5a00",
    "#3c6a1e",
    "#1f6b3a",
    "#4b5659",
)
"""White can be read on each (contrast of 4.5 at least), whatever theme is around it."""

SIZE_PX = 24


def initials(profile: Profile) -> str:
    """One or two letters: of the first and the last word of a name, or of an address before its @."""
    words = "".join(letter if letter.isalnum() else " " for letter in profile.name.partition("@")[0]).split()
    if not words:
        return "?"
    return "".join(word[0].upper()[:1] for word in (words[0], *words[1:][-1:]))


def colour(person_id: str) -> str:
    """The same for a person wherever and whenever they are shown."""
    return COLOURS[zlib.crc32(person_id.encode()) % len(COLOURS)]


def data(profile: Profile) -> dict[str, Any]:
    """What an element's code needs to draw one: `initials`, `colour` and `name`; texts only."""
    return {"initials": initials(profile), "colour": colour(profile.id), "name": profile.name}


def markup(profile: Profile, *, size_px: int = SIZE_PX, with_name: bool = True) -> str:
    """One as HTML for `st.html`, with the name beside it, which else is only read aloud and told by pointing."""
    name = html.escape(profile.name, quote=True)
    heard = "aria-hidden=true" if with_name else f'role="img" aria-label="{name}"'
    circle = (
        f'<span {heard} title="{name}" style="'
        f"flex:none;display:inline-grid;place-items:center;width:{size_px}px;height:{size_px}px;border-radius:50%;"
        f"font-size:{size_px * 0.42:.1f}px;font-weight:650;line-height:1;letter-spacing:.01em;color:#fff;"
        f'background:{colour(profile.id)}">{html.escape(initials(profile))}</span>'
    )
    if not with_name:
        return circle
    return f'<span style="display:inline-flex;align-items:center;gap:.4em">{circle}<span>{name}</span></span>'
