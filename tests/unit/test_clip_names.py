import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import errors
from core.db.tables import Generation
from core.generations import clip_names, queries


def test_name_of_the_usual_template() -> None:
    """The words of the prompt and the end of the id, as archives of the first release have it."""
    assert clip_names.preview(clip_names.DEFAULT) == "a-lake-at-dusk-mist-rising-3b9f6d.mp4"


def test_name_of_a_template_of_many_fields() -> None:
    """Date, project, model, take and words, joined by dashes."""
    expected = "2026-11-21-Spring-campaign-Google-Veo-3-2-a-lake-at-dusk-mist-rising.mp4"
    assert clip_names.preview("{date}-{project}-{model}-{take}-{words}") == expected


@pytest.mark.parametrize(
    "prompt", ["A lake", "  Fog, 7 a.m.! ", "?!", "", "wide " * 30, "a_b/c.mp4", "x" * 90, "\U0001f30a"]
)
def test_usual_name_is_that_of_a_clip_alone(prompt: str) -> None:
    """In an archive a clip has the name under which it is downloaded by itself; there it has plain letters alone."""
    clip = Generation(id="0198-3b9f6d", prompt=prompt)
    stem = clip_names.parse(clip_names.DEFAULT).stem({"words": clip_names.first_words(prompt), "id": clip.id[-6:]})
    assert f"{stem}.mp4" == queries.file_name(clip)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "names_empty"),
        ("{datum}", "names_unknown_field"),
        ("{date:%Y}", "names_unknown_field"),
        ("{0}", "names_unknown_field"),
        ("{}", "names_unknown_field"),
        ("{date", "names_open_brace"),
        ("{{date}}", "names_open_brace"),
        ("{project}/{words}", "names_bad_sign"),
        ("x" * 201, "text_too_long"),
    ],
)
def test_template_when_it_cannot_be_used(text: str, code: str) -> None:
    """Every mistake is told by what it is, on its field."""
    with pytest.raises(errors.InvalidRequest) as refused:
        clip_names.parse(text)
    assert refused.value.fields["names"].code == code


def test_name_when_a_field_is_empty() -> None:
    """Nothing is left of it, not even its dash."""
    values = {**clip_names.EXAMPLE, "seed": "", "words": "?!"}
    assert clip_names.parse("{model}-{seed}-{take}-{words}").stem(values) == "Google-Veo-3-2"
    assert clip_names.parse("{words}").stem(values) == "clip"


@pytest.mark.parametrize("word", ["con", "NUL", "com1", "Aux"])
def test_name_when_it_is_a_device_of_windows(word: str) -> None:
    """It gets a sign in front, so that it can be written there."""
    assert clip_names.parse("{words}").stem({**clip_names.EXAMPLE, "words": word}) == f"_{word}"


@given(st.lists(st.text(max_size=400), min_size=1, max_size=5))
def test_names_of_any_words(prompts: list[str]) -> None:
    """Whatever people write, names are short, different on every system, and have no sign that one of them refuses."""
    template = clip_names.parse("{words} ({project}).{id}")
    stems = [template.stem({**clip_names.EXAMPLE, "words": words, "project": words}) for words in prompts]
    names = clip_names.unique(stems)

    assert len({unicodedata.normalize("NFKC", name).casefold() for name in names}) == len(names)
    for name in names:
        assert len(name.encode()) <= 255
        assert not set(name) & set('<>:"/\\|?*\0')
        assert not name.startswith((".", " "))
        assert all(unicodedata.category(sign)[0] in "LNM" or sign in " -_.()" for sign in name)
