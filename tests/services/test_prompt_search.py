import itertools
import re
import unicodedata
import uuid
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from core import normal_form
from core.db import Database
from core.db.tables import Generation
from core.generations import prompt_search
from core.generations.list_filter import ListFilter
from core.generations.queries import Page, list_page, neighbours
from core.workspaces.access import Member
from tests.factories.generations import create_generation, values_of
from tests.factories.users import create_member, ensure_member

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]

pytestmark = pytest.mark.both_databases  # FTS5 and tsvector are two searches

PROMPTS = (
    "A lake at dusk, mist rising",
    "LAKESIDE café in the rain",
    "100% rain_drops; don't stop",
    'a "quoted" city AND the sea',
)


def found(database: Database, user: Member, text: str) -> list[str]:
    """The prompts that a text finds, oldest first."""
    with database.read_session() as session:
        page = list_page(session, user, ListFilter(text=text, oldest_first=True))
    return [row.prompt for row in page.rows]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("lake", [0, 1]),
        ("LAKE dusk", [0]),
        ("dusk lake", [0]),
        ("lak du", [0]),
        ("ake", []),
        ("lakes", [1]),
        ("café", [1]),
        ("RAIN_", [1, 2]),
        ("100%", [2]),
        ("don't", [2]),
        ("quoted AND sea", [3]),
        ("lake OR sea", []),
        ("lake NOT dusk", []),
        ("a", [0, 3]),
        ("%", []),
        ("_", []),
        ("-", []),
    ],
)
def test_search_finds_beginnings_of_words(database: Database, person: Member, text: str, places: list[int]) -> None:
    """Every word begins a word of the prompt; case, order and signs between words mean nothing; no word, no clip."""
    for prompt in PROMPTS:
        create_generation(database, person, prompt=prompt)

    assert found(database, person, text) == [PROMPTS[place] for place in places]


_EXAMPLES = itertools.count()
LONG = ("lantern", "Lanterns", "lanternfish", "lant", "LANTERNS", "landscape", "lantern2")


@given(
    st.lists(st.lists(st.sampled_from(LONG), min_size=1, max_size=3), min_size=1, max_size=6),
    st.lists(st.tuples(st.sampled_from(LONG[:3]), st.integers(1, 12)), min_size=1, max_size=3),
)
def test_search_by_long_beginnings(database: Database, prompts: list[list[str]], wanted: list[tuple[str, int]]) -> None:
    """However long the beginnings are, a prompt is found if each of them begins one of its words, and not otherwise."""
    person = create_member(database, "many@example.org", credits=10_000_000)  # the same one for every example
    mark = f"m{next(_EXAMPLES)}x"  # tells the prompts of this example apart
    made = [f"{' '.join(words)} {mark}" for words in prompts]
    for prompt in made:
        create_generation(database, person, prompt=prompt)
    begins = [word[:length].lower() for word, length in wanted]

    expected = [
        prompt
        for prompt, words in zip(made, prompts, strict=True)
        if all(any(word.lower().startswith(begin) for word in words) for begin in begins)
    ]
    assert found(database, person, " ".join([*begins, mark])) == expected


def test_search_by_a_beginning_of_more_words_than_are_listed(database: Database, person: Member) -> None:
    """Words that begin alike are all found, be they ever so many, and so is one of letters that are not plain."""
    many = [f"lantern{number}" for number in range(prompt_search.LISTED_WORDS + 5)]
    for word in many:
        create_generation(database, person, prompt=word)
    create_generation(database, person, prompt="Überfahrt")
    with database.read_session() as session:
        page = list_page(session, person, ListFilter(text="lantern"), limit=100)
    assert sorted(row.prompt for row in page.rows) == sorted(many)
    assert found(database, person, "überf") == ["Überfahrt"]


@pytest.mark.parametrize(
    "text",
    [
        '"',
        "lake*",
        "prompt:lake",
        "lake AND",
        "NEAR(lake dusk)",
        "(",
        "^lake",
        "lake & !dusk",
        "':*",
        "\\",
        "{a}:b",
        "-lake",
    ],
)
def test_search_takes_query_syntax_as_words(database: Database, person: Member, text: str) -> None:
    """What a search language would read as an operator is a word or nothing here, and never an error."""
    create_generation(database, person, prompt="lake")

    words = [word.lower() for word in re.findall(r"[a-zA-Z]+", text)]
    assert found(database, person, text) == (["lake"] if set(words) == {"lake"} else [])


@given(text=st.text(max_size=30).filter(lambda text: text.strip() != "" and "\0" not in text))
def test_search_survives_any_text(database: Database, person: Member, text: str) -> None:
    """Whatever is typed is an answer, never an error of a database."""
    text = text.encode("utf-8", "ignore").decode()

    assert isinstance(found(database, person, text), list)


@pytest.mark.parametrize("rare", [0, 1, 3])
def test_search_goes_on_where_the_newest_do_not_fill_a_page(database: Database, person: Member, rare: int) -> None:
    """What stands behind many newer clips is found, on every page, from either end, and beside every clip."""
    pattern = create_generation(database, person, prompt="a pattern")
    kept = values_of(database, pattern.id)
    count = prompt_search.WALKED_ROWS + 10
    rows = [
        kept | {"id": str(uuid.UUID(int=n + 1)), "prompt": f"{'quokka' if n < rare else 'lake'} {n}"}
        for n in range(count)
    ]
    with database.write_session() as session:
        session.execute(insert(Generation), rows)
    last = create_generation(database, person, prompt="a lake")
    wanted = [row["id"] for row in reversed(rows[:rare])]

    def page(text: str, cursor: str | None = None, *, oldest_first: bool = False) -> Page:
        with database.read_session() as session:
            chosen = ListFilter(text=text, oldest_first=oldest_first)
            return list_page(session, person, chosen, cursor=cursor, limit=2)

    assert [row.id for row in page("quok").rows] == wanted[:2]
    assert [row.id for row in page("quok", oldest_first=True).rows] == wanted[::-1][:2]
    assert [row.id for row in page("quok", page("quok").next_cursor).rows] == wanted[2:] or rare < 3
    assert [row.id for row in page("lake").rows] == [last.id, rows[-1]["id"]]
    assert [row.id for row in page("lake", rows[-1]["id"]).rows] == [row["id"] for row in rows[-2:-4:-1]]
    with database.read_session() as reading:
        beside = neighbours(reading, person, ListFilter(text="quokka"), last.id)
    assert (beside.before, beside.after) == (None, wanted[0] if wanted else None)


def test_search_sees_only_ones_own(database: Database, person: Member) -> None:
    """Another person's words, and the ids that the index holds beside them, lead nobody to their clips."""
    with database.write_session() as session:
        stranger = ensure_member(session, "eve@example.org", signup_credits=10_000)
    row = create_generation(database, person, prompt="secret lake")

    assert found(database, stranger, "secret") == []
    assert found(database, stranger, row.user_id.replace("-", "")) == []
    assert found(database, person, row.id.replace("-", "")) == []


SIGNS = (
    *(
        "Zürich",
        "zu\u0308rich",
        "ZURICH",
        "Straße",
        "STRASSE",
        "ſtrasse",
        "İstanbul",
        "istanbul",
        "ISTANBUL",
        "Iğdır",
        "igdir",
    ),
    *(
        "ﬁlm",
        "film",
        "ｆｉｌｍ",
        "ze\u200bro",
        "zero",
        "café",
        "cafe\u0301",
        "हिन्दी",
        "हिन्द",
        "हिंदी",
        "फ़िल्म",
        "फिल्म",
        "की",
        "कि",
    ),
    *(
        "مـــحمد",
        "محمد",
        "مُحَمَّد",
        "אָלֶף",
        "אלף",
        "が",
        "か",
        "カ",
        "夕日",
        "日夕",
        "ไทย",
        "ไท",
        "phở",
        "pho",
        "٣",
        "3",
        "½",
        "Ⅳ",
        "iv",
    ),
    *(
        "Ёлка",
        "елка",
        "ΟΔΟΣ",
        "οδος",
        "x" * 70,
        "x" * 64,
        "_",
        "-",
        "'",
        '"',
        "\\",
        "*",
        "\U0001f3ac",
        "\ufdfa",
        "a\u0345",
    ),
)


@given(
    prompts=st.lists(
        st.lists(st.sampled_from(SIGNS) | st.text(max_size=6), min_size=1, max_size=3), min_size=1, max_size=4
    ),
    asked=st.lists(st.sampled_from(SIGNS) | st.text(min_size=1, max_size=4), min_size=1, max_size=2),
    form=st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]),
)
def test_search_in_any_script(database: Database, prompts: list[list[str]], asked: list[str], form: Form) -> None:
    """Both databases find what the words say, in their normal form, whatever the signs are and however composed."""
    person = create_member(database, "any@example.org", credits=10_000_000)
    mark = f"m{next(_EXAMPLES)}x"
    made = [storable(f"{' '.join(words)} {mark}").strip() for words in prompts]
    for prompt in made:
        create_generation(database, person, prompt=prompt)
    text = storable(f"{unicodedata.normalize(form, ' '.join(asked))} {mark}")

    wanted = normal_form.words(text)
    expected = [
        prompt
        for prompt in made
        if all(any(word.startswith(begin) for word in normal_form.words(prompt)) for begin in wanted)
    ]
    assert sorted(found(database, person, text)) == sorted(expected)


def storable(text: str) -> str:
    """What text is without the characters that no prompt may have."""
    return "".join(letter for letter in text if unicodedata.category(letter) not in ("Cc", "Cs"))


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("Zu\u0308rich in winter", "Zu\u0308rich"),
        ("Zu\u0308rich in winter", "Zürich"),
        ("Zürich", "zurich"),
        ("café", "CAFE"),
        ("cafe", "café"),
        ("हिन्दी फ़िल्म", "हिन्दी"),
        ("हिन्दी फ़िल्म", "फिल्म"),
        ("Straße", "strasse"),
        ("İSTANBUL", "istanbul"),
        ("the ﬁlm", "film"),
        ("ze\u200bro", "zero"),
        ("مـــحمد", "مُحَمَّد"),
        ("夕日の湖", "湖"),
        ("ｆｕｌｌ ｗｉｄｔｈ", "full width"),
    ],
)
def test_search_in_another_spelling(database: Database, person: Member, prompt: str, text: str) -> None:
    """What looks the same to people is found, whichever way it was typed."""
    create_generation(database, person, prompt=prompt)
    assert found(database, person, text) == [prompt]


@pytest.mark.parametrize(("prompt", "text"), [("की", "कि"), ("か", "が"), ("ไท", "ไทย"), ("हनद", "हिन्दी")])
def test_search_when_marks_spell_another_sound(database: Database, person: Member, prompt: str, text: str) -> None:
    """Vowel signs and voicing are no accents: another one is another word."""
    create_generation(database, person, prompt=prompt)
    assert found(database, person, text) == []
