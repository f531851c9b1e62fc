import hashlib
import itertools

import numpy as np
import pytest

from core.studio import noise, palette, scene

SHAPES = ((64, 36), (36, 64), (48, 48))
WORDS = [
    "gunung",
    "laut",
    "danau",
    "hutan",
    "kota",
    "malam",
    "senja",
    "fajar",
    "hujan",
    "salju",
    "pantai",
    "gurun",
    "bintang",
    "planet",
    "perahu",
    "burung",
    "kabut",
    "api",
    "mountain",
    "lake",
    "city",
    "neon",
    "boat",
    "aurora",
    "storm",
    "silk",
    "abstract",
    "galaxy",
    "saturn",
    "ring",
    "firefly",
    "rain",
    "snow",
    "gold",
    "violet",
    "of",
    "the",
    "🚀",
    "湖",
]
PROMPTS = (
    "A sailing boat on a mountain lake at sunset, golden reflections",
    "Northern lights over snowy mountains, arctic night",
    "Saturn and its rings in a colourful nebula",
    "A city at night in neon rain",
    "Desert dunes at dawn, birds",
    "Misty forest in the morning with fireflies",
    "Storm over the ocean",
    "Abstract silk in gold and violet",
    "Hutan hujan di pagi hari berkabut",
    "A volcano with embers, gunung berapi",
)


def read(prompt: str) -> palette.Brief:
    """Brief as compose() reads it."""
    return palette.read(prompt, noise.generator(prompt))


def fuzz_prompts() -> list[str]:
    """Ten odd prompts and ninety salads of words."""
    rng = np.random.default_rng(20)
    odd = [
        "",
        " ",
        "🌋🌊🛶",
        "山の上の湖、夕焼け",
        "日落 湖 山",
        "\x00\n\t",
        "\ud800",
        "a" * 4000,
        " ".join(WORDS * 10),
        "%s{}[]()*",
    ]
    return odd + [" ".join(rng.choice(WORDS, size=int(rng.integers(1, 9)))) for _ in range(90)]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_frame_of_same_arguments_is_identical(prompt: str) -> None:
    """Two scenes of the same prompt, size and length give the same bytes, in whatever order they are asked."""
    first = scene.compose(prompt, width=64, height=36, seconds=5)
    second = scene.compose(prompt, width=64, height=36, seconds=5)
    late = second.frame(3.0)
    early = first.frame(0.0)
    assert np.array_equal(first.frame(3.0), late)
    assert np.array_equal(second.frame(0.0), early)


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("shape", [*SHAPES, (32, 32), (101, 57)])
def test_frame_has_the_promised_form(prompt: str, shape: tuple[int, int]) -> None:
    """A frame is a contiguous uint8 array (height, width, 3) with more than one colour."""
    width, height = shape
    frame = scene.compose(prompt, width=width, height=height, seconds=5).frame(1.0)
    assert frame.shape == (height, width, 3)
    assert frame.dtype == np.uint8
    assert frame.flags.c_contiguous
    assert frame.std() > 4


def test_compose_of_odd_prompts_draws_in_every_shape() -> None:
    """A hundred prompts, empty, endless, emoji, CJK and word salad, are drawn at three shapes without an error."""
    prompts = fuzz_prompts()
    assert len(prompts) == 100
    for number, prompt in enumerate(prompts):
        for width, height in SHAPES:
            drawn = scene.compose(prompt, width=width, height=height, seconds=(2, 5, 16)[number % 3])
            assert drawn.frame((0.0, 1.9, 15.9)[number % 3]).shape == (height, width, 3)


def test_compose_of_different_prompts_gives_different_pictures() -> None:
    """The words that no list knows still change the picture, through the hash."""
    digests = {
        hashlib.sha256(scene.compose(f"thing {n}", width=64, height=36, seconds=5).frame(0).tobytes()).hexdigest()
        for n in range(8)
    }
    assert len(digests) == 8


@pytest.mark.parametrize("prompt", PROMPTS)
def test_frames_move_without_popping(prompt: str) -> None:
    """The picture changes over the clip, and no step between neighbours stands out among the other steps."""
    drawn = scene.compose(prompt, width=160, height=90, seconds=5)
    frames = [drawn.frame(i / 24).astype(np.int16) for i in range(30)]
    steps = [float(np.abs(after - before).mean()) for before, after in itertools.pairwise(frames)]
    assert np.abs(frames[-1] - frames[0]).mean() > 1.0
    assert max(steps) < 8.0
    assert max(steps) < 2.5 * float(np.median(steps)) + 0.15


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("gunung di waktu senja", ("landscape", "sunset", "mountain")),
        ("matahari terbenam", ("landscape", "sunset", None)),
        ("lautan di malam hari", ("landscape", "night", "sea")),
        ("danau saat fajar", ("landscape", "dawn", None)),
        ("pagi di hutan", ("landscape", "dawn", "forest")),
        ("kota di malam hari", ("landscape", "night", "city")),
        ("pantai cerah", ("landscape", "day", "sea")),
        ("gurun", ("landscape", "desert", "dunes")),
        ("gurun di malam hari", ("landscape", "night", "dunes")),
        ("kota neon", ("landscape", "neon", "city")),
        ("salju di gunung", ("landscape", "winter", "mountain")),
        ("hutan berkabut", ("landscape", "mist", "forest")),
        ("api", ("landscape", "ember", None)),
        ("Storm over the ocean", ("landscape", "storm", "sea")),
        ("luar angkasa", ("space", None, None)),
        ("sebuah planet", ("space", None, None)),
        ("Abstract silk", ("silk", None, None)),
        ("sutra ungu", ("silk", None, None)),
        ("Misty forest in the morning with fireflies", ("landscape", "mist", "forest")),
    ],
)
def test_read_finds_scene_palette_and_terrain(prompt: str, expected: tuple[str, str | None, str | None]) -> None:
    """English and Indonesian words lead to their scene, palette and terrain."""
    brief = read(prompt)
    for found, wanted in zip((brief.kind, brief.palette, brief.terrain), expected, strict=True):
        assert wanted is None or found == wanted


@pytest.mark.parametrize(
    ("word", "feature"),
    [
        ("perahu", "boat"),
        ("sailing", "boat"),
        ("burung", "birds"),
        ("hujan", "rain"),
        ("salju", "snow"),
        ("kunang-kunang", "fireflies"),
        ("fireflies", "fireflies"),
        ("api unggun", "embers"),
        ("kabut", "mist"),
        ("bintang", "stars"),
        ("Northern Lights", "aurora"),
    ],
)
def test_read_finds_features(word: str, feature: str) -> None:
    """Weather, figures and lights are found in both languages."""
    assert feature in read(f"x {word} y").features


def test_read_of_a_boat_brings_water() -> None:
    """A boat never stands on dry land."""
    assert read("perahu").water


def test_read_of_unknown_words_favours_landscapes() -> None:
    """Unknown prompts are mostly landscapes, some are silk, and none is space."""
    kinds = [read(f"zzz {n}").kind for n in range(200)]
    assert 0.7 < kinds.count("landscape") / 200 < 0.97
    assert "space" not in kinds


def test_accents_keep_the_order_of_the_words() -> None:
    """Colours are taken in the order in which the prompt names them."""
    gold, violet = palette.accents("gold")[0], palette.accents("ungu")[0]
    assert palette.accents("violet and gold") == (violet, gold)
    assert palette.accents("emas dan ungu") == (gold, violet)
