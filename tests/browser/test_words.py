"""The pages in Indonesian in a real browser: no English word is left, and figures are written the Indonesian way."""

import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core import db
from core.audit import runs
from core.billing import ledger
from core.clock import utc_now
from core.db.enums import DisabledReason, Scope
from core.db.tables import Generation
from core.files import storage as storages
from core.generations import commands, review
from core.generations.list_filter import ReviewStatus
from core.generations.review import Changes
from core.identity import api_tokens, users
from core.messages import message
from core.notifications import webhooks
from core.projects import presets
from core.providers import registry
from core.spec import GenerationSpec
from core.usage import budgets
from tests.browser.conftest import Visitor, settle
from tests.browser.furnishing import installation, small_clip, stored
from tests.browser.reading import said, said_when_opened
from tests.factories import histories
from tests.factories.studio import Studio
from tests.system.app import App, running
from tools import catalogues

GAPS = (message("other_length", duration_seconds=5, seconds=4.2), message("no_sound"))
SETTINGS = GenerationSpec(model_id="kling-2.5", resolution="1080p", duration_seconds=10, aspect_ratio="16:9")
NAMES = [
    name
    for model in registry.models()
    for name in (model.name, model.name.partition(" (")[0], registry.provider_class(model.provider).display_name)
]
NOT_WORDS = re.compile(
    r"\S+://\S+|\S+@\S+|\w+_\w+|[0-9a-f]+(-[0-9a-f]+){4}|\d+(\.\d+){3}|python -m core\.audit|\d\d\.\d\d\.\d\d UTC"
    r"|AI Video Generator( [\d.]+)?|English|a lake at dusk|command line|read timeout|\w+\.csv"
)
"""Addresses, codes, ids, commands, times of day, names; a person's own words, what a provider answered, files."""
ENGLISH_FIGURE = re.compile(r"\d,\d{3}\b|\d\.\d{1,2}\b|\d %|Rp\d")


def spelled(texts: Iterable[str]) -> set[str]:
    """The words in texts, in small letters."""
    return {word for text in texts for word in re.findall(r"[a-z]{2,}", text.lower())}


def forms(side: Iterable[str | Sequence[str]]) -> list[str]:
    """Texts of a catalogue without their places and names of files, each form of a plural by itself."""
    whole = [form for text in side for form in ([text] if isinstance(text, str) else text)]
    return [re.sub(r"{[^}]*}|\w+\.csv", "", form) for form in whole]


KEPT = catalogues.read("id")
ENGLISH = spelled(forms(message.id for message in KEPT)) - spelled(forms(message.string or "" for message in KEPT))
"""The words that stand in English texts only."""


def english(texts: Iterable[str]) -> list[str]:
    """The texts that have an English word or a figure written the English way."""
    found = []
    for text in texts:
        own = NOT_WORDS.sub("", text)
        for name in sorted(NAMES, key=len, reverse=True):
            own = own.replace(name, "")
        if spelled([own]) & ENGLISH or ENGLISH_FIGURE.search(own):
            found.append(text)
    return found


def furnish(studio: Studio, folder: Path) -> dict[str, Generation]:
    """Everything that a page can show, its person's own words in Indonesian; clips by how they stand."""
    storage, clip = storages.open_storage(studio.settings.storage_url), small_clip(folder / "small.mp4")
    film, empty = studio.project("Filem danau"), studio.project("Gagasan")
    person = studio.person
    with db.write_session() as session:
        users.set_language(session, person.user, tag="id")
        ledger.grant(session, person.id, credits=2_000_000, key="x", actor="demo@localhost", reason="Hadiah")
        history = histories.invent(random.Random(3), [film.id], until=utc_now().date(), days=60, clips_a_day=4)
        histories.book(session, person, list(history))
        budgets.set_workspace(session, person, credits=1000)
        budgets.set_project(session, person, film.id, credits=1500)
        presets.create(session, person, name="Danau", spec=SETTINGS, shared=True)
        api_tokens.create(
            session, person.user, name="Skrip", scope=Scope.READ, expires_at=utc_now() + timedelta(days=400)
        )
        for number in range(3):
            webhooks.create(
                session,
                person,
                webhooks.ValidUrl(f"https://kait{number}.invalid/"),
                key=b"key of this test",
                description="Saya",
            )
        gone, failing, _kept = webhooks.list_for_workspace(session, person)
        webhooks.disable(session, gone, DisabledReason.GONE)
        webhooks.disable(session, failing, DisabledReason.FAILING)
    found = {}
    for name in ("completed", "another"):
        row = studio.order(film, "Hujan di atap seng", generate_audio=True, resolution="1080p", duration_seconds=8)
        output = stored(storage, row, clip)
        found[name] = studio.complete(row, replace(output, gaps=GAPS))
    with db.write_session() as session:
        liked = Changes(favourite=True, verdict=ReviewStatus.KEPT, tags=["danau"])
        review.update(session, person, found["completed"].id, liked)
    found["failed"] = studio.fail(studio.order(film, "Bangau terbang"))
    found["uncertain"] = studio.lose(studio.order(film, "Tinta", model_id="seedance-t2v"))
    found["processing"] = studio.send(studio.order(film, "Kabut", model_id="kling-2.5", duration_seconds=10))
    found["cancelled"] = studio.order(empty, "Perahu kertas")
    with db.write_session() as session:
        commands.cancel(session, person, found["cancelled"].id)
        runs.record(session, runs.run_incremental(session, full=True))
    return found


@pytest.fixture(scope="module")
def indonesian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, dict[str, Generation]]]:
    """An app whose person reads Indonesian, and its clips by how they stand."""
    folder = tmp_path_factory.mktemp("indonesian")
    with installation(folder) as studio:
        found = furnish(studio, folder)
    with running(folder) as app:
        yield app, found


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/generate",
        "/generate?model=veo3&from={failed}",
        "/generate?extend={completed}",
        "/sheets",
        "/assets",
        "/history",
        "/history?text=qqq",
        "/history?clip={completed}",
        "/history?clip={failed}",
        "/history?clip={cancelled}",
        "/history?clip={uncertain}",
        "/history?clip={processing}",
        "/history?compare={completed},{another}",
        "/usage?period=own&by=project",
        "/usage?show=outcome",
        "/usage?show=cost",
        "/usage?period=own&since=2026-01-01&until=2026-01-02",
        "/admin",
        "/credits",
        "/account",
    ],
)
def test_page_has_no_english_left(indonesian: tuple[App, dict[str, Generation]], visitor: Visitor, path: str) -> None:
    """Whatever a page says or tells a screen reader is Indonesian, with figures as they are written there."""
    app, clips = indonesian
    page = visitor(f"http://127.0.0.1:{app.port}", height=3000).open(
        path.format(**{name: row.id for name, row in clips.items()})
    )
    expect(page.locator("html")).to_have_attribute("lang", "id")
    settle(page)

    assert english(said_when_opened(page)) == []


def name_no_project(page: Page) -> None:
    """Ask for a project without a name."""
    page.get_by_test_id("stPopoverButton").click()
    page.locator(".st-key-projects_create button").click()


def ask_for_words(page: Page) -> None:
    """Have a prompt improved, and keep settings without a name."""
    page.get_by_label("Prompt", exact=True).fill("seekor kucing berlari di taman")
    page.get_by_role("button", name="Perbaiki prompt saya").click()
    expect(page.locator(".st-key-generate_offer").get_by_text("seekor kucing berlari di taman")).to_be_visible()
    page.locator(".st-key-generate_more button").first.click()
    page.get_by_text("Simpan preset").click()
    page.locator(".st-key-generate_preset_save button").click()


def give_a_private_address(page: Page) -> None:
    """Add a webhook that nobody outside can reach."""
    page.get_by_role("tab", name="Token dan webhook").click()
    page.get_by_role("button", name="Tambah webhook").click()
    page.get_by_label("Alamat", exact=True).fill("https://127.0.0.1/kait")
    page.locator(".st-key-webhooks_add button").click()


def make_tokens(page: Page) -> None:
    """Make a token, and one without a name."""
    page.get_by_role("tab", name="Token dan webhook").click()
    make = page.get_by_role("button", name="Buat token")
    page.get_by_label("Kegunaannya").fill("Skrip kedua")
    make.click()
    expect(page.get_by_text("Token baru Anda", exact=False)).to_be_visible()
    make.click()


def book_to_nobody(page: Page) -> None:
    """Grant credits to somebody there is not."""
    page.get_by_role("tab", name="Pengguna").click()
    page.get_by_label("Alamat email").fill("siapa@contoh.id")
    page.get_by_label("Alasan").fill("Hadiah")
    page.get_by_role("button", name="Terapkan").click()


@pytest.mark.parametrize(
    ("path", "act", "answer"),
    [
        ("/", name_no_project, "Beri nama proyek ini."),
        ("/generate", ask_for_words, "Beri nama preset ini."),
        ("/account", give_a_private_address, "127.0.0.1 bukan alamat publik"),
        ("/account", make_tokens, "Beri nama."),
        ("/admin", book_to_nobody, "Tidak ada pengguna dengan alamat"),
    ],
)
def test_answer_has_no_english_left(
    indonesian: tuple[App, dict[str, Generation]], visitor: Visitor, path: str, act: Callable[[Page], None], answer: str
) -> None:
    """What a page answers, and why it refuses, is Indonesian too."""
    page = visitor(f"http://127.0.0.1:{indonesian[0].port}", height=3000).open(path)
    settle(page)
    act(page)
    expect(page.get_by_text(answer).first).to_be_visible()
    settle(page)

    assert english(said(page)) == []


def test_reader_tells_english_from_indonesian() -> None:
    """The proof of the proof: leftovers are found, Indonesian is not."""
    left = ["9 clips", "Veo 3 makes 720p", "1,250 kredit", "3.5 MB", "+25 %", "Cancelled"]

    assert english([*left, "1.250 kredit", "3,5 MB", "Google Veo 3.1 Fast", "21 Nov 2026, 09.30.05 UTC"]) == left
