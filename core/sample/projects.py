"""What the sample company works on: invented projects with their scenes and prompts; data, and pure."""

from dataclasses import dataclass

from core.sample import pictures
from core.sample.company import BRAND, PLACES, SOCIAL
from core.sample.pictures import Palette


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture of a project, and the prompts it was asked for with."""

    outline: str
    palette: Palette
    aspect_ratio: str
    prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Project:
    """A project that was worked on from so many days ago until so many days ago; `share` is of all the company's work.

    `archived` ones are over and put away.
    """

    team: str
    name: str
    description: str
    since_days: int
    until_days: int
    share: int
    tags: tuple[str, ...]
    scenes: tuple[Scene, ...]
    monthly_budget_credits: int | None = None
    archived: bool = False


PROJECTS = (
    Project(
        BRAND,
        "Kopi Senja launch film",
        "Thirty seconds for cinema and television; warm, slow, no people in view.",
        120,
        0,
        14,
        ("cinema", "hero", "client-ok"),
        (
            Scene(
                "hills",
                pictures.SPICE,
                "16:9",
                (
                    "Coffee hills at golden hour, low sun behind the ridge, slow dolly to the left, film grain",
                    "Terraced coffee farm in warm evening haze, layered ridges, gentle camera drift",
                    "Bukit kopi saat senja, cahaya hangat dari balik punggung bukit, kamera bergerak pelan",
                ),
            ),
            Scene(
                "forest",
                pictures.MIST,
                "16:9",
                (
                    "Shade trees over a coffee farm in morning mist, soft light, slow push in",
                    "Wide shot of a quiet forest edge above the plantation, fog rolling between the trunks",
                ),
            ),
        ),
        monthly_budget_credits=60_000,
    ),
    Project(
        BRAND,
        "Batik Pesisir heritage series",
        "Four films of a minute each about the coast the patterns come from.",
        330,
        150,
        11,
        ("heritage", "series"),
        (
            Scene(
                "sea",
                pictures.MINT,
                "16:9",
                (
                    "Calm Java Sea seen from the shore, long even waves in green light, locked camera",
                    "Slow rolling sea in indigo and green like a batik cloth, flat illustration",
                ),
            ),
            Scene(
                "temple",
                pictures.DUSK,
                "16:9",
                (
                    "An old temple at dusk, its steps in silhouette against a red sky, slow tilt up",
                    "Candi tua di kala senja, siluet bertingkat, langit merah, gerak kamera lambat",
                ),
            ),
        ),
        archived=True,
    ),
    Project(
        BRAND,
        "Bank Arunika mobile app",
        "Short backgrounds for the product film; figures are laid over them later.",
        210,
        20,
        9,
        ("loop", "background"),
        (
            Scene(
                "city",
                pictures.NOON,
                "16:9",
                (
                    "Bright clean skyline of a modern city, pale blue morning, parallax, space for text above",
                    "Abstract skyline in soft blue and green, calm, seamless loop, no text",
                ),
            ),
            Scene(
                "dunes",
                pictures.ROSE,
                "16:9",
                ("Smooth pastel waves of paper, rose and violet, very slow movement, studio light",),
            ),
        ),
    ),
    Project(
        BRAND,
        "Ramadan greeting",
        "One film, three lengths, on air for thirty days.",
        290,
        240,
        6,
        ("seasonal", "client-ok"),
        (
            Scene(
                "temple",
                pictures.NIGHT,
                "16:9",
                (
                    "Silhouette of a stepped tower under a full moon and stars, still night, slow zoom",
                    "Malam tenang di bawah bulan purnama, siluet menara, bintang berkelip",
                ),
            ),
        ),
        archived=True,
    ),
    Project(
        BRAND,
        "Winter lookbook Oslo",
        "Backdrops for the collection that is shown in the north.",
        60,
        0,
        6,
        ("fashion", "backdrop"),
        (
            Scene(
                "peaks",
                pictures.MIST,
                "16:9",
                (
                    "Snow mountains in flat grey light, drifting haze, wide and quiet, fashion film",
                    "A single white peak above lower ridges, overcast, minimal, slow lateral move",
                ),
            ),
        ),
    ),
    Project(
        SOCIAL,
        "E-scooter spring campaign",
        "Vertical, six seconds, three a week.",
        160,
        0,
        12,
        ("reel", "a/b", "hero"),
        (
            Scene(
                "city",
                pictures.ROSE,
                "9:16",
                (
                    "City at pink dawn seen from a riding scooter, skyline sways past, playful, vertical",
                    "Pastel skyline at sunrise, camera glides sideways, upbeat, 9:16",
                ),
            ),
            Scene(
                "city",
                pictures.NIGHT,
                "9:16",
                (
                    "Night ride past dark towers under a large moon, cool blue, vertical",
                    "Jalan malam di antara gedung tinggi, bulan besar, nuansa biru, vertikal",
                ),
            ),
        ),
        monthly_budget_credits=25_000,
    ),
    Project(
        SOCIAL,
        "Sambal Ibu recipes",
        "Loops between the cooking shots of the channel.",
        365,
        30,
        8,
        ("loop", "reel"),
        (
            Scene(
                "dunes",
                pictures.SPICE,
                "1:1",
                (
                    "Chili powder like dunes, macro, warm light, slow camera, square",
                    "Bukit-bukit bubuk cabai dari dekat, cahaya hangat, gerak pelan, persegi",
                ),
            ),
        ),
    ),
    Project(
        SOCIAL,
        "Meditation shorts",
        "Quiet backgrounds with nothing that happens.",
        280,
        0,
        9,
        ("calm", "loop"),
        (
            Scene(
                "sea",
                pictures.DUSK,
                "9:16",
                (
                    "Ocean horizon at dusk, slow even swell, nothing else in view, vertical loop",
                    "Very calm sea under a violet evening sky, breathing rhythm, vertical",
                ),
            ),
            Scene(
                "forest",
                pictures.MINT,
                "9:16",
                ("Deep green forest in soft light, tree tops swaying slowly, vertical, no people",),
            ),
        ),
    ),
    Project(
        SOCIAL,
        "Back to school",
        "Eight posts in July.",
        150,
        120,
        4,
        ("seasonal", "a/b"),
        (
            Scene(
                "hills",
                pictures.NOON,
                "1:1",
                (
                    "Cheerful green hills on a bright day, paper cut-out style, gentle parallax, square",
                    "Sunny hills in flat colours like a picture book, camera moves to the right, square",
                ),
            ),
        ),
        archived=True,
    ),
    Project(
        PLACES,
        "Bromo sunrise",
        "The opening of the tourism film, and stills out of it.",
        240,
        60,
        10,
        ("hero", "opening"),
        (
            Scene(
                "peaks",
                pictures.DAWN,
                "16:9",
                (
                    "Volcano at dawn above a sea of mist, layered ridges, slow aerial move, cinematic",
                    "Gunung Bromo saat fajar, lautan kabut, langit ungu dan jingga, gerak udara perlahan",
                    "First light on a volcanic cone, haze in the valleys, wide lens",
                ),
            ),
            Scene(
                "dunes",
                pictures.DAWN,
                "16:9",
                ("Sand sea below a volcano at first light, soft dunes, low camera, slow pan",),
            ),
        ),
    ),
    Project(
        PLACES,
        "Raja Ampat from above",
        "Islands and water for the travel fair.",
        100,
        0,
        7,
        ("aerial", "fair"),
        (
            Scene(
                "hills",
                pictures.MINT,
                "16:9",
                (
                    "Green islands rising out of turquoise water, aerial, light haze, slow orbit",
                    "Gugusan pulau hijau di laut toska dari udara, kabut tipis, gerak melingkar pelan",
                ),
            ),
            Scene(
                "sea",
                pictures.NOON,
                "16:9",
                ("Clear blue sea under a wide sky at noon, small even waves, drone at low height",),
            ),
        ),
    ),
    Project(
        PLACES,
        "Jakarta at night",
        "For the screens at the airport.",
        190,
        0,
        7,
        ("screen", "loop"),
        (
            Scene(
                "city",
                pictures.DUSK,
                "16:9",
                (
                    "Jakarta skyline in a burning sunset, towers in layers, slow truck to the right",
                    "Langit Jakarta saat matahari terbenam, gedung berlapis, kamera bergeser pelan",
                ),
            ),
        ),
    ),
    Project(
        PLACES,
        "Desert retreat Jaisalmer",
        "Website header and three posts.",
        75,
        10,
        4,
        ("header",),
        (
            Scene(
                "dunes",
                pictures.NIGHT,
                "16:9",
                (
                    "Desert dunes under a starry sky, moonlight on the ridges, very slow pan",
                    "Quiet desert night, deep blue, one bright moon, wide shot",
                ),
            ),
        ),
    ),
    Project(
        PLACES,
        "Temple trail podcast cover",
        "Moving covers, square.",
        45,
        0,
        3,
        ("cover",),
        (
            Scene(
                "temple",
                pictures.SPICE,
                "1:1",
                ("Stepped temple against an orange sky, flat poster style, slow parallax, square",),
            ),
        ),
    ),
)
