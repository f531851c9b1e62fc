"""An aspect ratio as what it is: a little frame of that shape, beside its figures."""

import base64
import html
from functools import cache

LONG_SIDE = 16
"""The longer side of a frame, in pixels."""
_GREY = "#7A898B"
"""Seen at 3:1 or better on every surface of both themes: a picture in a label cannot take the colour of its text."""


def size_px(ratio: str) -> tuple[int, int]:
    """Width and height of the frame of a ratio such as `16:9`; a square for what is no ratio."""
    parts = ratio.split(":")
    if len(parts) != 2 or not all(part.isdigit() and int(part) for part in parts):
        return LONG_SIDE - 2, LONG_SIDE - 2
    wide, high = int(parts[0]), int(parts[1])
    scale = LONG_SIDE / max(wide, high)
    return max(6, round(wide * scale)), max(6, round(high * scale))


def frame(ratio: str) -> str:
    """The frame as HTML in the colour of the text around it; says nothing aloud, the figures stand beside it."""
    wide, high = size_px(ratio)
    return (
        f'<span class="studio-ratio" aria-hidden="true" style="width:{wide}px;height:{high}px" '
        f'title="{html.escape(ratio, quote=True)}"></span>'
    )


@cache
def label(ratio: str) -> str:
    """`[] 16:9` in the Markdown of a label, for `format_func` of a choice."""
    wide, high = size_px(ratio)
    place = LONG_SIDE + 4
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{place}" height="{place}" viewBox="0 0 {place} {place}">'
        f'<rect x="{(place - wide) / 2}" y="{(place - high) / 2}" width="{wide}" height="{high}" rx="2" fill="none" '
        f'stroke="{_GREY}" stroke-width="1.8"/></svg>'
    )
    return f"![](data:image/svg+xml;base64,{base64.b64encode(drawn.encode()).decode()}) {ratio}"
