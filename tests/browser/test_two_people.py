"""Two browsers, two people: nothing of the other's reaches a browser, on any page, by whatever address it is asked."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from core.db import Database
from tests.browser.conftest import Visit, Visitor, picture, settle
from tests.browser.hearing import WEBSOCKET, Ear
from tests.browser.signing_in import sign_in
from tests.fixtures import receiver as receivers
from tests.fixtures.identity_provider import Account
from tests.system.app import API, ROOT
from tests.system.sign_in import Site, browser, signing_in
from tests.system.two_people import ASKED, SECRET, SHARED, Pair, arrived, furnished

PAGES = ["", *sorted(path.stem for path in (ROOT / "pages").glob("[a-z]*.py") if path.stem != "shell")]


@dataclass(frozen=True)
class Place:
    """An installation with the things of two people."""

    site: Site
    pair: Pair


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Ana and Ben have signed in once; Ana has things of her own, in a team, and in one with Ben."""
    accounts = [Account(name, f"{name}@example.org", name.title()) for name in ("ana", "ben")]
    folder: Path = tmp_path_factory.mktemp("two-people")
    with ExitStack() as opened:
        receiver = opened.enter_context(receivers.receiver())
        environ = {"WEBHOOK_ALLOW_HOSTS": receiver.host_port, "API_REQUESTS_PER_MINUTE": "100000"}
        site = opened.enter_context(signing_in(folder, accounts, environ=environ))
        for account in accounts:
            opened.enter_context(browser(site, account.subject))
        database = Database(f"sqlite:///{site.app.environ['DATA_DIR']}/studio.db")
        opened.callback(database.dispose)
        ana, ben = (opened.enter_context(arrived(site.app, database, name)) for name in ("ana", "ben"))
        yield Place(site, furnished(ana, ben, database, receiver.url))


def addresses(pair: Pair) -> Iterator[str]:
    """Every page in every workspace, and with everything of Ana's that an address can name."""
    clips, projects = (
        [each["id"] for space in pair.ana.spaces for each in pair.ana.get(f"/{noun}", space).json()[noun]]
        for noun in ("generations", "projects")
    )
    for page in PAGES:
        for space in (*pair.ben.spaces, pair.shared_id, *pair.ana.spaces):
            yield f"/{page}?workspace={space}"
    for page, asked in (
        ("history", {"clip": clips[0]}),
        ("history", {"clip": clips[1], "workspace": pair.shared_id}),
        ("history", {"compare": ",".join(clips)}),
        ("history", {"share": ",".join(clips)}),
        ("history", {"text": ASKED, "where": "all", "whose": pair.ana.id}),
        ("history", {"project": projects[0], "tag": f"tag {ASKED}"}),
        ("generate", {"project": projects[0]}),
        ("generate", {"project": projects[1], "from": clips[1], "clip": clips[1]}),
        ("generate", {"extends": clips[0], "repeat": clips[0]}),
        ("usage", {"project": projects[0], "show": "all", "person": pair.ana.id, "period": "365"}),
        ("", {"project": projects[0], "search": ASKED}),
        ("team", {"workspace": pair.ana.spaces[1]}),
        ("people", {"person": pair.ana.id}),
        ("audit_log", {"of": pair.ana.id}),
    ):
        yield f"/{page}?{urlencode(asked)}"


def shows(page: Page, word: str) -> bool:
    """Whether a page has this word anywhere, also within elements of ours."""
    return re.search(word, page.locator("body").inner_text(), re.IGNORECASE) is not None


@pytest.mark.timeout(900)  # some sixty pages, each whole
def test_pages(place: Place, visitor: Visitor) -> None:
    """Ben's browser is told nothing of Ana's while hers shows it, and he sees what they share."""
    hers, his = visitor(place.site.address), visitor(place.site.address)
    ear, control = Ear(his), Ear(hers)
    first = hers.open(f"/history?workspace={place.pair.ana.id}")
    sign_in(first, "ana")
    settle(first)
    expect(first.get_by_text(re.compile(SECRET)).first).to_be_visible()
    assert any(leak.endswith(WEBSOCKET) for leak in control.leaks(SECRET)), "what a page shows is heard"

    page = his.open(f"/history?workspace={place.pair.shared_id}")
    sign_in(page, "ben")
    settle(page)
    expect(page.get_by_text(re.compile(SHARED)).first).to_be_visible()
    picture(page, "two-people-shared")
    for address in addresses(place.pair):
        ear.where = address
        page.goto(f"{place.site.address}{address}")
        settle(page)
        assert not shows(page, SECRET), address
    assert ear.leaks(SECRET) == []
    picture(page, "two-people-other")


def test_links_of_a_page(place: Place, visitor: Visitor) -> None:
    """An address of a clip that stands on Ana's page is nothing to Ben and to strangers, and to her when she is out."""
    hers, his, nobody = (visitor(place.site.address) for _ in range(3))
    asked: list[str] = []
    hers.context.on("request", lambda request: asked.append(request.url) if "/media/" in request.url else None)
    page = hers.open(f"/history?workspace={place.pair.ana.id}")
    sign_in(page, "ana")
    settle(page)
    tab = his.open("/usage")
    sign_in(tab, "ben")
    settle(tab)
    links = [url for url in asked if API in url]
    assert links

    def answers(visit: Visit) -> set[int]:
        return {visit.context.request.get(url).status for url in links}

    assert [answers(visit) for visit in (hers, his, nobody)] == [{200}, {404}, {401}]
    place.site.provider.end_sessions("ana")
    assert answers(hers) == {401}
