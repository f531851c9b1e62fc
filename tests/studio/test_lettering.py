import itertools

import pytest

from studio import lettering, typeface
from studio.kinetic import BOX, DRIFT, GROWTH, MIDDLE

SHAPES = [(1280, 720), (720, 1280), (720, 720), (320, 180)]
PROMPTS = [
    "dog",
    "A red fox walks through fresh snow at dawn",
    "Seekor kucing oranye tidur di jendela saat hujan sore",
    "Привет мир, красный закат над городом",
    "مرحبا بالعالم هذا قط صغير",
    "W" * 200,
    "i i i i i i i i i i i i",
    "gypsy quay ÅÉÎ jagged " * 30,
]


@pytest.mark.parametrize("seconds", [1, 5, 16])
@pytest.mark.parametrize("prompt", PROMPTS)
def test_beats_say_every_word_in_order_and_fill_the_clip(prompt: str, seconds: float) -> None:
    """Beats follow one another from the first moment to the last; what cannot be said in time ends in an ellipsis."""
    beats = lettering.beats(prompt, seconds)
    assert beats[0].start == 0
    assert beats[-1].end == pytest.approx(seconds)
    assert all(before.end == pytest.approx(after.start) for before, after in itertools.pairwise(beats))
    words = typeface.words(prompt)
    said = [word for beat in beats for word in beat.words]
    if said[: len(words)] == words:
        assert said[len(words) :] in ([], words), "only the whole text may be said again"
    else:
        assert said[:-1] == words[: len(said) - 1]
        assert said[-1].endswith("…")


def test_beats_end_a_short_text_with_the_whole_of_it() -> None:
    """The last thing seen of a short prompt is all of it; no beat before ends in a little word."""
    beats = lettering.beats("A red fox walks through fresh snow at dawn", 5)
    assert len(beats) == 3
    assert " ".join(beats[-1].words) == "A red fox walks through fresh snow at dawn"
    assert not any(lettering.is_quiet(beat.words[-1]) for beat in beats)


@pytest.mark.parametrize(("width", "height"), SHAPES)
@pytest.mark.parametrize("prompt", PROMPTS)
def test_standing_words_lie_within_the_frame_and_apart(prompt: str, width: int, height: int) -> None:
    """While a beat stands, no ink is cut off by the frame or lies on the ink of another word."""
    zoom = 1 + GROWTH / 2
    for beat in lettering.beats(prompt, 5):
        words = lettering.set_words(beat.words, width * BOX[0], height * BOX[1])
        assert [word.line for word in words] == sorted(word.line for word in words)
        boxes = []
        for word in words:
            ink = word.mask.getbbox()
            assert ink is not None
            left, top = word.x - word.mask.width / 2, word.y - word.mask.height / 2
            boxes.append((left + ink[0], top + ink[1], left + ink[2], top + ink[3]))
        for left, top, right, bottom in boxes:
            assert width * (0.5 - DRIFT / 2) + left * zoom >= 0
            assert width * (0.5 + DRIFT / 2) + right * zoom <= width
            assert height * MIDDLE + top * zoom >= 0
            assert height * MIDDLE + bottom * zoom <= height
        for one, other in itertools.combinations(boxes, 2):
            across = min(one[2], other[2]) - max(one[0], other[0])
            down = min(one[3], other[3]) - max(one[1], other[1])
            assert min(across, down) <= max(1.5, 0.012 * min(width, height)), (one, other)


def test_set_words_keeps_the_line_order_of_right_to_left_text() -> None:
    """Arabic begins at the right."""
    first, second = lettering.set_words(("هذا", "قط"), 2000, 200)
    assert first.line == second.line
    assert first.x > second.x
