"""Pictures to choose one of, each with what it is called; what is chosen comes back by its id."""

from collections.abc import Sequence
from dataclasses import dataclass

from pages.ui.custom_element import custom_element

_element = custom_element(__file__, "picture_grid", html="<ul></ul>", triggers=("pick",))


@dataclass(frozen=True, slots=True)
class Picture:
    """One to choose: its link, what it is called, and what else is to be said of it."""

    id: str
    link: str
    label: str
    note: str = ""


def show(pictures: Sequence[Picture], *, label: str, key: str) -> str | None:
    """Draw them; the id of what was just chosen. `label` is what they are, for who cannot see them."""
    given = [{"id": each.id, "link": each.link, "label": each.label, "note": each.note} for each in pictures]
    picked = _element(key=key, data={"pictures": given, "label": label}).pick
    return picked if picked in {each.id for each in pictures} else None
