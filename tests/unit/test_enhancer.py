import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import validation
from core.prompting.enhancer import improve
from core.prompting.lexicon import ENGLISH, INDONESIAN, Aspect

A = Aspect
LIMIT = 2_000


@pytest.mark.parametrize(
    ("prompt", "added"),
    [
        ("A red fox", {A.SETTING, A.MOVEMENT, A.CAMERA, A.LIGHT, A.STYLE}),
        ("A red fox in a snowy forest", {A.MOVEMENT, A.CAMERA, A.LIGHT, A.STYLE}),
        ("A red fox running through a forest at dawn", {A.CAMERA, A.STYLE}),
        ("A red fox at dawn", {A.SETTING, A.MOVEMENT, A.CAMERA, A.STYLE}),
        ("Mountain lake, morning", {A.MOVEMENT, A.CAMERA, A.STYLE}),
        ("Slow aerial shot of a lake at sunset, water rippling, cinematic", set()),
        ("A cup of coffee on a table, close-up", {A.MOVEMENT, A.LIGHT, A.STYLE}),
        ("Seekor rubah merah", {A.SETTING, A.MOVEMENT, A.CAMERA, A.LIGHT, A.STYLE}),
        ("Seorang penari menari di tepi pantai saat senja", {A.CAMERA, A.STYLE}),
    ],
)
def test_improve_adds_what_is_missing(prompt: str, added: set[Aspect]) -> None:
    """Only what the prompt does not say is added, and the prompt itself stands first, word for word."""
    found = improve(prompt, limit_chars=LIMIT)

    assert set(found.added) == added
    assert found.text.startswith(prompt)
    assert (found.text == prompt) is not bool(added)


@pytest.mark.parametrize(
    ("prompt", "phrase"),
    [
        ("A bottle of perfume", "studio light"),
        ("A red fox", "eye level"),
        ("Rain on a tin roof", "rainy day"),
        ("Rain on a tin roof", "drops bouncing"),
        ("A kitchen, an old man", "from a window"),
        ("Anime girl", "even light"),
        ("Corals underwater", "from the surface"),
        ("Zorblax", "natural daylight"),
        ("Perahu nelayan", "matahari sore"),
        ("Hujan di kota", "hari hujan"),
    ],
)
def test_improve_follows_the_prompt(prompt: str, phrase: str) -> None:
    """What is added suits the subject, the place, the weather and the style, in the prompt's own language."""
    assert phrase in improve(prompt, limit_chars=LIMIT).text


def test_improve_when_the_picture_is_given() -> None:
    """A start image has place, light and look already; what it lacks is what happens."""
    assert improve("A red fox", limit_chars=LIMIT, start_image=True).added == (A.MOVEMENT, A.CAMERA)


def test_improve_when_the_style_is_drawn() -> None:
    """A drawing gets no lens and no photograph's words."""
    found = improve("A watercolour fox", limit_chars=LIMIT).text
    assert "hotoreal" not in found
    assert "across the picture" in found


def test_improve_follows_the_settings() -> None:
    """Long and upright clips get a camera that suits them, and sound only where the clip has it."""
    plain = improve("A red fox", limit_chars=LIMIT)
    other = improve("A red fox", limit_chars=LIMIT, duration_seconds=10, aspect_ratio="9:16", with_sound=True)

    assert "upright" not in plain.text
    assert "holds" not in plain.text
    assert "upright" in other.text
    assert "holds" in other.text
    assert set(other.added) - set(plain.added) == {A.SOUND}


@pytest.mark.parametrize(
    "prompt",
    ["", "   ", "...", "夕暮れの湖", "Лиса в снегу", "Un renard dans la neige", "Ein Fuchs und eine Katze", "🦊"],
)
def test_improve_when_the_language_is_not_known(prompt: str) -> None:
    """Nothing is added to what cannot be read."""
    found = improve(prompt, limit_chars=LIMIT)
    assert (found.text, found.added) == (prompt.strip(), ())


@pytest.mark.parametrize("ending", ["", ".", "!", "…", ","])
def test_improve_closes_an_open_sentence(ending: str) -> None:
    """No full stop is doubled and none is missing."""
    found = improve(f"A red fox{ending}", limit_chars=LIMIT).text
    assert found.startswith(f"A red fox{ending or '.'} In its natural surroundings.")


WORDS = st.sampled_from(
    [
        "fox",
        "a",
        "in",
        "forest",
        "dawn",
        "running",
        "camera",
        "rubah",
        "di",
        "hutan",
        "yang",
        "anime",
        "hujan",
        "coffee",
    ]
)


@given(
    prompt=st.one_of(st.text(max_size=300), st.lists(WORDS, max_size=12).map(" ".join)),
    how=st.fixed_dictionaries(
        {
            "limit_chars": st.integers(300, 700),
            "duration_seconds": st.integers(1, 16),
            "aspect_ratio": st.sampled_from(["16:9", "9:16"]),
            "start_image": st.booleans(),
            "with_sound": st.booleans(),
        }
    ),
)
def test_improve_keeps_words_and_limits(prompt, how) -> None:  # type: ignore[no-untyped-def]  # drawn
    """For any prompt: the words stay, the limit holds, what is added can be stored, and twice is as good as once."""
    found = improve(prompt, **how)

    assert found.text.startswith(prompt.strip())
    assert len(found.text) <= max(how["limit_chars"], len(prompt))
    assert improve(prompt, **how) == found
    assert validation.text_error(found.text.removeprefix(prompt.strip()), limit_chars=LIMIT) is None
    again = improve(found.text, **(how | {"limit_chars": 10_000}))
    assert not set(again.added) & set(found.added)


@pytest.mark.parametrize("language", [ENGLISH, INDONESIAN])
@pytest.mark.parametrize("kind", ENGLISH.scenes)
def test_every_subject_has_a_scene_in_every_language(language, kind: str) -> None:  # type: ignore[no-untyped-def]  # a table
    """Every kind of subject that is recognised has its own sentences, without a full stop of their own."""
    assert set(language.scenes) == {*language.subjects, ""}
    scene = language.scenes[kind]
    for sentence in (scene.movement, scene.camera, scene.light, scene.sound):
        assert sentence[0].isupper()
        assert sentence[-1].isalpha()
