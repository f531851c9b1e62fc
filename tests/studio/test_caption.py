import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageFont

from core.studio import caption

FONT = ImageFont.truetype(caption.FONT, 24)
SIZES = [(128, 72), (720, 1280), (640, 640), (1920, 1080)]


def inside(overlay: caption.Overlay, width: int, height: int) -> bool:
    """Whether the overlay lies within the frame."""
    rows, columns = overlay.colours[0].shape
    return overlay.left >= 0 and overlay.top >= 0 and overlay.left + columns <= width and overlay.top + rows <= height


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize(
    "prompt",
    [
        "A boat",
        "many words " * 400,
        "W" * 3000,
        "مرحبا بالعالم، هذا قارب على البحيرة عند الغروب",
        "שלום עולם",
        "été — Привет, 山 lake 😀\u202e reversed\x00\ud800",
        "e\u0301" * 200,
    ],
)
def test_caption_lies_within_the_frame_when_the_prompt_is_odd(prompt: str, width: int, height: int) -> None:
    """Whatever was typed, the box stays inside the picture."""
    overlay = caption.caption(prompt, width=width, height=height)
    assert overlay is not None
    assert inside(overlay, width, height)


@pytest.mark.parametrize("prompt", ["", "  \n\t ", "日本語", "\ud800\udfff", "\u202e\u200f\ufeff"])
def test_caption_is_none_when_nothing_can_be_drawn(prompt: str) -> None:
    """No empty box is put on the picture."""
    assert caption.caption(prompt, width=128, height=72) is None


@given(st.text(st.characters(), max_size=120))
def test_caption_never_fails_when_text_is_arbitrary(prompt: str) -> None:
    """Any string at all makes a caption inside the frame or none."""
    overlay = caption.caption(prompt, width=320, height=180)
    assert overlay is None or inside(overlay, 320, 180)


def test_drawable_drops_what_the_font_lacks() -> None:
    """Missing glyphs leave no boxes and no double spaces; accents and other alphabets stay."""
    assert caption.drawable("naïve 漢字  Привет\nÑandú — ok") == "naïve Привет Ñandú — ok"


def test_wrapped_gives_one_line_when_the_text_is_short() -> None:
    """Nothing is broken or cut without need."""
    assert caption.wrapped("A boat on a lake", FONT, 600) == ["A boat on a lake"]


def test_wrapped_ends_in_an_ellipsis_when_two_lines_do_not_hold_it() -> None:
    """Two lines at most, both within the width, cut between words."""
    text = "word " * 60
    lines = caption.wrapped(text.strip(), FONT, 300)
    assert len(lines) == 2
    assert lines[1].endswith("word…")
    assert all(FONT.getlength(line) <= 300 for line in lines)


def test_wrapped_keeps_every_word_when_two_lines_hold_them() -> None:
    """Breaking loses nothing."""
    text = "a sailing boat on a quiet mountain lake"
    lines = caption.wrapped(text, FONT, 300)
    assert len(lines) == 2
    assert " ".join(lines) == text


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_chip_lies_in_the_top_right_corner(width: int, height: int) -> None:
    """The chip is whole and where it is looked for."""
    overlay = caption.chip(width=width, height=height)
    rows, columns = overlay.colours[0].shape
    assert inside(overlay, width, height)
    assert overlay.top + rows < height / 2
    assert overlay.left + columns > width * 0.9


def test_blend_draws_true_colours_when_opaque() -> None:
    """White text is luma 235 on neutral chroma, and nothing outside the rectangle changes."""
    overlay = caption.chip(width=1280, height=720)
    planes = [np.full(shape, 77, np.uint8) for shape in ((720, 1280), (360, 640), (360, 640))]
    overlay.blend(planes, 1.0)
    rows, columns = overlay.colours[0].shape
    part = planes[0][overlay.top : overlay.top + rows, overlay.left : overlay.left + columns]
    assert 215 <= part.max() <= 235
    planes[0][overlay.top : overlay.top + rows, overlay.left : overlay.left + columns] = 77
    assert (planes[0] == 77).all()
    assert abs(int(planes[1][(overlay.top + rows // 2) // 2, (overlay.left + 8) // 2]) - 128) < 30


def test_blend_changes_nothing_when_transparent() -> None:
    """At opacity 0 the frame is untouched, and half opacity changes less than full."""
    overlay = caption.chip(width=640, height=360)

    def drawn(opacity: float) -> int:
        planes = [np.full(shape, 200, np.uint8) for shape in ((360, 640), (180, 320), (180, 320))]
        overlay.blend(planes, opacity)
        return int(np.abs(planes[0].astype(int) - 200).sum())

    assert drawn(0.0) == 0
    assert 0 < drawn(0.5) < drawn(1.0)
