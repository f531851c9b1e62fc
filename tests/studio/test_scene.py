import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from studio import brief, scene
from studio.picture import Picture, Shot

SHAPES = ((64, 36), (36, 64), (48, 48))
WORDS = ["gunung", "laut", "malam", "salju", "planet", "perahu", "lake", "aurora", "silk", "galaxy", "saturn", "ring",
         "snow", "gold", "of", "the", "🚀", "湖", "fox"]  # fmt: skip
FAMILIES = {
    "landscape": "A sailing boat on a mountain lake at sunset, golden reflections",
    "sea": "Waves of the ocean at dawn",
    "night": "Northern lights over snowy mountains, arctic night",
    "space": "Saturn in a colourful nebula",
    "silk": "Abstract silk",
    "words": "A red fox walks through fresh snow at dawn",
}
MOVING = pytest.mark.parametrize("family", FAMILIES)


def composed(prompt: str, width: int = 160, height: int = 90, seconds: float = 5) -> Picture:
    """The picture of a prompt."""
    return scene.compose(Shot(prompt, width, height, seconds))


def drawn(picture: Picture, t_seconds: float) -> NDArray[np.int_]:
    """The frame of a picture as numbers, (height, width, 3)."""
    return np.asarray(picture.frame(t_seconds)).astype(int)


@MOVING
def test_frame_is_the_same_whatever_was_drawn_before(family: str) -> None:
    """Two scenes of the same shot give the same bytes, in whatever order they are asked."""
    first, second = composed(FAMILIES[family]), composed(FAMILIES[family])
    forward = [first.frame(t).tobytes() for t in (0.0, 1.3, 4.9)]
    backward = [second.frame(t).tobytes() for t in (4.9, 1.3, 0.0)]
    assert forward == backward[::-1]


GOLDEN = {
    "landscape": "4f414a44493f 6064767a6a60 404259604e43 3f3843453c37",
    "sea": "7c7d83828182 a6a8abada9a6 a4a598a3a7a5 63646d686464",
    "night": "191c37271917 3833403b3538 2a2e36342827 181729201515",
    "space": "3a484e2d1a1d 603e7c2c2834 1f504017273b 2830423c2c3c",
    "silk": "3944607a562e 38495e6f4d27 4a6085a04042 8965bc76303d",
    "words": "363947241c32 659fac82a570 3b5c655a5d40 565a6b6f7c49",
}
"""Mean luminance of 6 x 4 cells of the middle frame, row by row, in hexadecimal."""


def luminance_of_cells(family: str) -> list[int]:
    """Mean luminance of the cells of a family's middle frame."""
    grey = composed(FAMILIES[family]).frame(2.5).convert("L")
    return np.asarray(grey.resize((6, 4), Image.Resampling.BOX)).ravel().tolist()


@MOVING
def test_middle_frame_looks_as_it_did(family: str) -> None:
    """Coarse light and dark of each family stay where they were, whatever machine draws them."""
    wanted = bytes.fromhex(GOLDEN[family])
    assert luminance_of_cells(family) == pytest.approx(list(wanted), abs=6)


@MOVING
def test_frames_move_without_popping(family: str) -> None:
    """Neighbours differ visibly all along, the end is another picture than the beginning, and nothing flickers."""
    picture = composed(FAMILIES[family])
    frames = [drawn(picture, i / 24) for i in range(30, 60)]
    steps = [float(np.abs(after - before).mean()) for before, after in itertools.pairwise(frames)]
    assert float(np.mean(steps)) > 1.2
    assert float(np.abs(drawn(picture, 0) - drawn(picture, 119 / 24)).mean()) > 15
    if family == "words":  # they leave and come at speed
        return
    assert max(steps) < 2.5 * float(np.median(steps))
    # A picture that flickered would be nearer to the frame after the next than to the next.
    apart = [float(np.abs(after - before).mean()) for before, after in zip(frames, frames[2:], strict=False)]
    assert all(far > 0.9 * near for far, near in zip(apart, steps, strict=False))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=60) | st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join))
@example("")
@example("山の上の湖、夕焼け")
@example("\x00\n\t\ud800")
@example("a" * 4000)
@example(" ".join(WORDS * 10))
@example("e\u0301" * 200 + "\u202e 😀🎬 %s{}[]()*")
@example("مرحبا بالعالم، هذا قارب")
def test_compose_of_odd_prompts_draws_in_every_shape(prompt: str) -> None:
    """Whatever was typed, there is a picture of the asked size at every moment."""
    for width, height in SHAPES:
        picture = composed(prompt, width, height, 1)
        for t in (0.0, 0.5, 1.0):
            assert drawn(picture, t).shape == (height, width, 3)


def test_compose_of_different_prompts_gives_different_pictures() -> None:
    """The words that no list knows still change the picture, and another take changes it too."""
    prompts = [f"lake number {n}" for n in range(6)]
    assert len({composed(prompt, 64, 36).frame(0).tobytes() for prompt in prompts}) == 6
    takes = [scene.compose(Shot("a lake", 64, 36, 5), take=take).frame(0).tobytes() for take in ("", "1", "2")]
    assert len(set(takes)) == 3


@pytest.mark.parametrize(
    ("prompt", "kind", "light"),
    [
        ("gunung di waktu senja", "landscape", "sunset"),
        ("danau saat fajar", "landscape", "dawn"),
        ("lautan di malam hari", "landscape", "night"),
        ("salju di gunung", "landscape", "winter"),
        ("pantai cerah", "landscape", "day"),
        ("perahu", "landscape", ""),
        ("Northern Lights", "landscape", "night"),
        ("luar angkasa", "space", ""),
        ("sebuah planet", "space", ""),
        ("Abstract silk", "silk", ""),
        ("sutra ungu", "silk", ""),
        ("日本語", "silk", ""),
        ("", "silk", ""),
        ("A red fox walks through fresh snow at dawn", "words", "winter"),
        ("A chef pours steaming soup in a busy Jakarta kitchen", "words", ""),
        ("perfume bottle on marble", "words", ""),
        ("A girl waves from a hot air balloon", "words", ""),
        ("A parking space downtown", "words", ""),
    ],
)
def test_read_finds_the_scene_and_its_light(prompt: str, kind: str, light: str) -> None:
    """English and Indonesian words lead to their scene; what is about none of them is shown by its words."""
    found = brief.read(prompt)
    assert (found.kind, found.light) == (kind, light)
