"""A person as a small circle: the initials of their name, in a colour of their own that stays while names change."""

import hashlib
import html

COLOURS = ("#0b6b74", "#9a5200", "#4f58b8", "#2f7a40", "#a23c70", "#626f0e", "#1f6fae", "#8a4a2c", "#6b5aa8", "#5a6470")
"""White on each is read at 4.5:1 or better."""


def initials(name: str) -> str:
    """One or two capital letters: of the first word and the last; `?` for a name without a letter."""
    words = [word for word in name.partition("@")[0].replace(".", " ").split() if word[0].isalnum()]
    letters = [word[0] for word in (words[:1] + words[1:][-1:])]
    return "".join(letters).upper() or "?"


def colour(person_id: str) -> str:
    """The colour of a person."""
    return COLOURS[hashlib.sha256(person_id.encode()).digest()[0] % len(COLOURS)]


def circle(name: str, person_id: str, *, size_px: int = 28) -> str:
    """The circle as HTML; whoever draws it writes the name beside it, so that it says nothing aloud."""
    return (
        f'<span aria-hidden="true" title="{html.escape(name, quote=True)}" style="display:inline-flex;flex:none;'
        f"align-items:center;justify-content:center;width:{size_px}px;height:{size_px}px;border-radius:50%;"
        f'background:{colour(person_id)};color:#fff;font-size:{size_px * 0.4:.1f}px;font-weight:600;line-height:1">'
        f"{html.escape(initials(name))}</span>"
    )


def named(name: str, person_id: str, *, size_px: int = 24) -> str:
    """The circle and the name beside it, as HTML."""
    drawn = circle(name, person_id, size_px=size_px)
    return (
        f'<span style="display:inline-flex;align-items:center;gap:.4em">{drawn}<span>{html.escape(name)}</span></span>'
    )


def data(name: str, person_id: str) -> dict[str, str]:
    """What an element's code needs to draw one: `initials`, `colour` and `name`; texts only."""
    return {"initials": initials(name), "colour": colour(person_id), "name": name}
