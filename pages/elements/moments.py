"""Moments of the clip that plays beside it: a press takes the present one, or goes to one that was noted."""

from collections.abc import Sequence

from pages.ui.custom_element import custom_element
from pages.ui.language import _

_element = custom_element(
    __file__,
    "clip_moments",
    html='<div class="row"></div>',
    triggers=("taken",),
)


def clock(seconds: float) -> str:
    """A moment as players write it, to the tenth where it is between two seconds: `0:02.5`."""
    minutes, left = divmod(round(seconds, 1), 60)
    return f"{int(minutes)}:{left:04.1f}".removesuffix(".0")


def show(moments: Sequence[float], *, can_take: bool, key: str) -> float | None:
    """Buttons to the noted moments, and with `can_take` one that tells where the player stands; that in seconds."""
    data = {
        "moments": [{"at": at, "label": _("Go to {moment}").format(moment=clock(at))} for at in moments],
        "take": _("Take the player's moment") if can_take else None,
    }
    taken = _element(key=key, data=data).taken
    return float(taken) if isinstance(taken, int | float) and not isinstance(taken, bool) and taken >= 0 else None
