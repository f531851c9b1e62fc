"""A clip to go through picture by picture, to take one of them; the moment comes back in seconds."""

from pages.ui import language
from pages.ui.custom_element import custom_element
from pages.ui.language import _

_element = custom_element(
    __file__,
    "frame_picker",
    html='<div class="picker"><video muted playsinline preload="auto"></video>'
    '<input class="line" type="range" min="0" step="any" value="0">'
    '<div class="row"><button class="back" type="button"></button><button class="on" type="button"></button>'
    '<output class="time"></output><button class="take" type="button"></button></div></div>',
    triggers=("take",),
)


def show(link: str, *, label: str, frame_rate: float, key: str) -> float | None:
    """Draw the clip behind a link; the moment whose picture was just asked for, in seconds of its player's clock."""
    data = {
        "link": link,
        "label": label,
        "rate": frame_rate,
        "language": language.current(),
        "words": {
            "moment": _("Moment of the clip"),
            "back": _("One picture back"),
            "on": _("One picture on"),
            "time": _("{seconds} s"),
            "take": _("Use this picture"),
        },
    }
    taken = _element(key=key, data=data).take
    return float(taken) if isinstance(taken, int | float) and taken >= 0 else None
