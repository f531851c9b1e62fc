"""What the price names of OpenRouter's list of video models mean; pure.

Names are not uniform: five families were in its list of 2026-08-21, each with a size, a kind of input or the sound in
its name. One that is not known leaves the whole model unpriced, since it may be a surcharge.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from core.providers.contract import ListedCost

MICRO = 10**6
"""Millionths of a dollar in a dollar, and tokens in a million."""
CENT = Decimal("0.01")

_SIZE = r"(?:_(?P<size>\d{3,4}p|[1-9]k))?"
_SOUND = r"(?:_(?P<sound>with|without)_audio)?"
_SECONDS = re.compile(rf"(?:(?:text|image)_to_video_)?duration_seconds{_SOUND}{_SIZE}")
_CENTS = re.compile(rf"cents_per_(?:second_output|video_output_second){_SIZE}")
_TOKENS = re.compile(rf"video_tokens{_SIZE}{_SOUND}")
_FROM_VIDEO = re.compile(r"video_tokens(_\w+)?_with_video_input|cents_per_second_video_continuation(_\w+)?")
"""What is added or asked for a clip made of a clip, which is not ordered here."""


@dataclass(frozen=True, slots=True)
class _Rate:
    """A price of one family: for a size in small letters and with or without sound, or for all ("", None)."""

    size: str
    sound: bool | None
    micro: int


def cost(prices: Mapping[str, str], resolutions: Sequence[str], *, has_sound: bool) -> ListedCost | None:
    """What a model costs by the names and figures of its list; None where a part of it is not understood.

    Where text and image cost differently it is the dearer. `has_sound`: there is a choice, so that both are priced.
    """
    seconds, tokens, once = list[_Rate](), list[_Rate](), dict[str, int]()
    for name, text in prices.items():
        if (figure := _figure(text)) is None:
            return None
        if found := _SECONDS.fullmatch(name):
            seconds.append(_rate(found, figure))
        elif found := _CENTS.fullmatch(name):
            seconds.append(_rate(found, figure * CENT))
        elif found := _TOKENS.fullmatch(name):
            tokens.append(_rate(found, figure * MICRO))
        elif name in _ONCE:
            once |= dict.fromkeys(_ONCE[name][0], _micro(figure * _ONCE[name][1]))
        elif not _FROM_VIDEO.fullmatch(name):
            return None
    if bool(seconds) == bool(tokens):
        return None
    by_size = _by_size(seconds or tokens, resolutions or ("any",), has_sound=has_sound)
    if not by_size:
        return None
    return ListedCost(
        per_second=by_size if seconds else {},
        per_million_tokens=by_size if tokens else {},
        per_image=once.get("per_image", 0),
        per_reference=once.get("per_reference", 0),
        minimum=once.get("minimum", 0),
    )


_ONCE: Mapping[str, tuple[tuple[str, ...], Decimal]] = {
    "reference_images": (("per_reference",), Decimal(1)),
    "cents_per_image_input": (("per_image", "per_reference"), CENT),
    "minimum_cents_per_generation": (("minimum",), CENT),
}
"""Name -> the fields of a cost that it is, and its unit in dollars."""


def _by_size(rates: Sequence[_Rate], resolutions: Iterable[str], *, has_sound: bool) -> dict[str, int]:
    """Price by size, and by size with sound where that differs."""
    found: dict[str, int] = {}
    for resolution in resolutions:
        silent = _best(rates, resolution.lower(), sound=False)
        if silent is not None:
            found[resolution] = silent
        loud = _best(rates, resolution.lower(), sound=True) if has_sound else None
        if loud is not None and loud != silent:
            found[f"{resolution} sound"] = loud
    return found


def _best(rates: Sequence[_Rate], size: str, *, sound: bool) -> int | None:
    """The price that says most about this size and sound; of two that say as much the dearer."""
    plain = max((rate.micro for rate in rates if (rate.size, rate.sound) == ("", None)), default=None)
    fitting: dict[int, list[int]] = {}
    for rate in rates:
        if rate.size in ("", size) and rate.sound in (None, sound):
            tells_of_sound = rate.sound is not None and not (rate.size == "" and rate.micro == plain)
            fitting.setdefault(bool(rate.size) + tells_of_sound, []).append(rate.micro)
    return max(fitting[max(fitting)]) if fitting else None


def _rate(found: re.Match[str], dollars: Decimal) -> _Rate:
    parts = found.groupdict()
    sound = {"with": True, "without": False}.get(parts.get("sound") or "")
    return _Rate(parts["size"] or "", sound, _micro(dollars))


def _micro(dollars: Decimal) -> int:
    return math.ceil(dollars * MICRO)


def _figure(text: str) -> Decimal | None:
    """A figure above 0 as text; a price of nothing is not believed."""
    try:
        figure = Decimal(text)
    except InvalidOperation:
        return None
    return figure if figure.is_finite() and 0 < figure < MICRO else None
