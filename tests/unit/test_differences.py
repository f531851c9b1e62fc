"""What is said of one order that was made from another: what has changed, and nothing that both have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.generations.presses import Take
from pages.sections.clip import differences

LAKE = "A rower crosses a still lake at dawn, mist over the water, soft light"


def take(prompt: str, **changes: object) -> Take:
    """An order of a clip; what it does not say is None."""
    known = {
        "prompt": prompt,
        "model_name": "Film",
        "resolution": "720p",
        "aspect_ratio": "16:9",
        "duration_seconds": 5,
    }
    return Take(**{name: (known | changes).get(name) for name in Take._fields})  # type: ignore[arg-type]  # what is read is there


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (take(LAKE), take(f"{LAKE}, geese"), "… water, soft light, geese"),
        (take(LAKE), take(LAKE.replace("dawn,", "dusk,")), "… lake at dusk, …"),
        (take(LAKE), take(f"Slow pan: {LAKE}"), "Slow pan: …"),
        (take(LAKE), take(LAKE.replace("still ", "")), "without “still”"),
        (take(LAKE), take(LAKE, resolution="1080p", aspect_ratio="9:16"), "1080p · 9:16"),
        (take(LAKE), take(f"{LAKE}!", duration_seconds=8, model_name="Other"), "… water, soft light! · Other · 8 s"),
        (take("Rain 1"), take("Rain 2"), "Rain 2"),
        (take(LAKE), take(LAKE), ""),
        (take(LAKE), take("A red fox in snow", resolution="1080p"), ""),
    ],
)
def test_only_what_has_changed_is_said(before: Take, after: Take, said: str) -> None:
    """The end of a long prompt is told, and settings; of another prompt altogether nothing."""
    assert differences.since(before, after) == said


WORDS = st.lists(st.sampled_from(["lake", "mist", "slow", "pan", "light"]), min_size=2, max_size=9).map(tuple)


@given(WORDS, WORDS, st.integers(0, 9))
def test_whatever_is_put_in_is_said(words: tuple[str, ...], more: tuple[str, ...], place: int) -> None:
    """Words put in anywhere are told as they are, unless they are more than what was there."""
    before, after = take(" ".join(words)), take(" ".join((*words[:place], "geese", *more, *words[place:])))
    said = differences.since(before, after)
    assert differences.since(before, before) == ""
    if len(more) + 1 <= len(words):
        assert "geese" in said
        assert len(said) <= len(after.prompt) + len("…  …")
