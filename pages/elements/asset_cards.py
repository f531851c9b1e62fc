"""Assets and named groups of them as cards with pictures: a press opens one, or several are chosen in an order."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from core.db.tables import Upload
from pages.ui import components, wording
from pages.ui.custom_element import custom_element
from pages.ui.language import _

_element = custom_element(__file__, "asset_cards", html="<ul></ul>", triggers=("pressed",))


@dataclass(frozen=True, slots=True)
class Card:
    """A card: links to its pictures, what it is called, and what is said of it; `sign` is drawn where it has none.

    `badge` stands in a corner of the picture.
    """

    id: str
    title: str
    facts: str
    pictures: Sequence[str] = field(default_factory=tuple)
    sign: str = ""
    badge: str = ""


def of_asset(asset: Upload, *, facts: str) -> Card:
    """The card of an asset."""
    shown = asset.poster_key or (asset.storage_key if asset.kind == "image" else None)
    link = components.media_link(shown)
    seconds = _("{number} s").format(number=wording.decimal(asset.seconds)) if asset.seconds else ""
    return Card(
        asset.id,
        asset.name or asset.file_name,
        facts,
        pictures=(link,) if link else (),
        sign="♪" if asset.kind == "sound" else "",
        badge=f"▶ {seconds}" if asset.kind == "video" else seconds,
    )


def show(cards: Sequence[Card], *, label: str, key: str, chosen: Sequence[str] | None = None) -> str | None:
    """Draw them; the id of what was just pressed. `label` is what they are, for who cannot see them.

    With `chosen`, ids in their order, each card can be on or off, and says which number it is.
    """
    places = {each: place + 1 for place, each in enumerate(chosen or ())}
    data = {
        "label": label,
        "choosing": chosen is not None,
        "cards": [
            {
                "id": card.id,
                "title": card.title,
                "facts": card.facts,
                "pictures": list(card.pictures),
                "sign": card.sign,
                "badge": card.badge,
                "place": places.get(card.id, 0),
            }
            for card in cards
        ],
    }
    pressed = _element(key=key, data=data).pressed
    known: Collection[str] = {card.id for card in cards}
    return pressed["id"] if isinstance(pressed, dict) and pressed.get("id") in known else None
