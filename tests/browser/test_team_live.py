"""People at work at once: what one of a team orders appears on the others' pages by itself, and to nobody else."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Locator, Page, Request, expect

from core.db import Database
from core.db.enums import WorkspaceRole
from core.db.tables import Project
from core.identity import users
from core.workspaces import members
from core.workspaces.access import Member
from pages.elements import live_endpoint
from tests.browser.conftest import Visit, Visitor, picture, settle
from tests.browser.hearing import Ear
from tests.browser.signing_in import sign_in
from tests.factories.projects import create_project
from tests.factories.workspaces import create_team
from tests.fixtures.identity_provider import Account
from tests.system.app import API
from tests.system.sign_in import Site, browser, signing_in

MAKING_MS = 240_000
"""How long a clip may take to draw on a busy machine."""
LOOKS_EVERY_MS = 6000
"""How often a page looks on which nothing moves."""
NOTICING_MS = 40_000
"""Such a page may look twice, and ask again for a drawing that was overtaken."""
QUIET = {"state": live_endpoint.state([], "", ""), "live": 0, "newest": [], "items": [], "unread": 0}
"""What a look is answered where nothing was ever ordered."""
NOT_IN_IT = "This workspace does not exist, or you are not in it."

ACCOUNTS = [
    Account("ana", "ana@example.org", "Ana Marsh"),
    Account("ben", "ben@example.org", "Ben Lund"),
    Account("dan", "dan@example.org", "Dan Frost"),
    Account("mia", "mia@example.org", "Mia Holm"),
    Account("carla", "carla@example.org", "Carla Reed"),
]


@dataclass(frozen=True)
class Place:
    """An installation with a team of makers and their manager, and with a team of somebody else's."""

    site: Site
    database: Database
    film: Project
    harbour: Project
    dan: Member

    def enter(self, visit: Visit, subject: str, page: str, project: Project) -> Page:
        """A tab of somebody who has signed in on the way to this page of a project."""
        tab = visit.open(f"/{page}?workspace={project.workspace_id}&project={project.id}")
        sign_in(tab, subject)
        settle(tab)
        visit.complaints.clear()  # of the provider's pages
        return tab

    def clips(self, visit: Visit, prompt: str) -> list[str]:
        """The ids of the team's clips that were ordered with this prompt, as the API tells whose browser this is."""
        headers = {"Workspace-Id": self.film.workspace_id}
        answer = visit.context.request.get(f"{self.site.address}{API}/generations", headers=headers)
        assert answer.ok, answer.text()
        return [row["id"] for row in answer.json()["generations"] if row["prompt"] == prompt]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Everybody has signed in once, so that they have names."""
    with ExitStack() as opened:
        site = opened.enter_context(signing_in(tmp_path_factory.mktemp("team-live"), ACCOUNTS))
        for account in ACCOUNTS:
            opened.enter_context(browser(site, account.subject))
        site.app.until_working()
        database = Database(f"sqlite:///{site.app.environ['DATA_DIR']}/studio.db")
        opened.callback(database.dispose)
        with database.read_session() as session:
            ana, ben, dan, mia, carla = (members.at_work(session, users.get(session, each.email)) for each in ACCOUNTS)
        maker, manager = WorkspaceRole.MAKER, WorkspaceRole.MANAGER
        ana, _ben, dan, _mia = create_team(database, (ana, maker), (ben, maker), (dan, maker), (mia, manager))
        [carla] = create_team(database, (carla, maker), name="Harbour")
        film, harbour = (create_project(database, member, "Summer film") for member in (ana, carla))
        yield Place(site, database, film, harbour, dan)


def until_look(page: Page) -> None:
    """Wait for the end of this page's next live look."""
    with page.expect_event("requestfinished", lambda asked: live_endpoint.PATH in asked.url):
        pass


def order(page: Page, prompt: str, *, watcher: Page) -> None:
    """Order as a person does, a clip that takes some time to draw, and shortly before this watcher's page looks."""
    page.get_by_role("button", name=re.compile("^Resolution: ")).click()
    page.get_by_role("radio", name="4K", exact=True).click()
    page.get_by_role("textbox", name="Prompt", exact=True).fill(prompt)
    until_look(watcher)
    watcher.wait_for_timeout(LOOKS_EVERY_MS - 2000)
    page.locator(".st-key-generate_button button").click()
    expect(page.get_by_text("Ordered. ")).to_be_visible()


def cards(page: Page, prompt: str, *, moving: bool) -> Locator:
    """What shows this clip on a page, while it is being made or afterwards."""
    bar = page.locator(".bar:not([hidden])")
    shown = page.locator("li:not(.entry), .stage .main").filter(
        has_text=prompt
    )  # entries: what the stage showed before
    return shown.filter(has=bar) if moving else shown.filter(has_not=bar)


def expect_maker(shown: Locator, initials: str, name: str) -> None:
    """Somebody's circle and name stand on it."""
    expect(shown.locator(".avatar")).to_have_text(initials)
    expect(shown.locator(".by")).to_have_text(re.compile(rf"^{name}( ·)?$"))
    expect(shown.locator(".by")).to_be_visible()


def looks(visit: Visit) -> list[Request]:
    """The live looks that a browser takes from here on."""
    taken: list[Request] = []
    visit.context.on("request", lambda asked: taken.append(asked) if live_endpoint.PATH in asked.url else None)
    return taken


def told(look: Request) -> dict[str, Any]:
    """What a look was answered."""
    answer = look.response()
    assert answer is not None
    found: dict[str, Any] = answer.json()
    return found


def but_outage(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer as it is while workers answer, which they may fail to do in time on a busy machine."""
    outage = answer.get("outage", "")
    is_quiet = answer["state"] == live_endpoint.state([], "", outage)
    kept = {key: value for key, value in answer.items() if key != "outage"}
    return kept | ({"state": QUIET["state"]} if is_quiet else {})


def look_again(visit: Visit, look: Request, *shown: str) -> APIResponse:
    """What that look's token is answered now to who asks for these clips."""
    address = look.url.partition("?")[0]
    headers = {"Authorization": look.headers["authorization"]}
    return visit.context.request.get(address, params={"shown": ",".join(shown)}, headers=headers)


@pytest.mark.timeout(500)  # a large clip is drawn
@pytest.mark.parametrize("name", ["history", "generate"])
def test_clip_of_one_appears_to_the_other(place: Place, visitor: Visitor, name: str) -> None:
    """Ben, who touches nothing, sees Ana's clip begin, move and end, as hers; Carla, elsewhere, is told nothing."""
    hers, his, elsewhere = (visitor(place.site.address) for _ in range(3))
    ear, control, carlas_looks = Ear(elsewhere), Ear(his), looks(elsewhere)
    ana = place.enter(hers, "ana", "generate", place.film)
    ben = place.enter(his, "ben", name, place.film)
    carla = place.enter(elsewhere, "carla", name, place.harbour)
    prompt = f"A quokka swims, seen from {name}"
    ben.evaluate("window.untouched = true")
    expect(ben.get_by_text(prompt)).to_have_count(0)

    order(ana, prompt, watcher=ben)
    expect_begins_and_ends(ben, prompt, f"team-live-{name}")
    assert ben.evaluate("window.untouched") is True

    until_look(carla)  # after the end, too
    answers = [told(look) for look in carlas_looks]
    assert len(answers) > 1
    assert [but_outage(answer) for answer in answers] == [QUIET] * len(answers)
    [clip] = place.clips(his, prompt)
    for word in (prompt, clip, place.film.id, place.film.workspace_id, "Ana Marsh"):
        assert control.leaks(word), "what a page is told is heard"
        assert ear.leaks(word) == []
    assert but_outage(look_again(elsewhere, carlas_looks[-1], clip).json()) == QUIET, "asked for by its id as well"
    expect(carla).to_have_title(f"{name.title()} · Summer film – AI Video Generator")
    expect(carla.get_by_text(prompt)).to_have_count(0)
    assert [*hers.complaints, *his.complaints, *elsewhere.complaints] == []


def expect_begins_and_ends(page: Page, prompt: str, pictured: str) -> None:
    """A clip of Ana's appears on this page as under way, moves, and becomes one to watch, of which is told."""
    begun = cards(page, prompt, moving=True)
    expect(begun).to_be_visible(timeout=NOTICING_MS)
    expect_maker(begun, "AM", "Ana Marsh")
    picture(page, f"{pictured}-under-way")
    fill = begun.locator(".fill").element_handle()
    before = fill.evaluate("fill => parseInt(fill.style.width)")
    page.wait_for_function("([fill, before]) => parseInt(fill.style.width) > before", arg=[fill, before])

    done = cards(page, prompt, moving=False)
    poster = done.locator("img.poster")
    expect(poster).to_be_visible(timeout=MAKING_MS)
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=poster.element_handle())
    expect(done.locator(".badge")).to_be_hidden()
    expect_maker(done, "AM", "Ana Marsh")
    expect(page.get_by_role("status").filter(has_text="Finished")).to_have_text(f"Finished: {prompt} (Ana Marsh)")
    picture(page, f"{pictured}-finished")


def test_click_of_somebody_who_was_removed(place: Place, visitor: Visitor) -> None:
    """Dan's next click orders nothing once the manager has removed him; a page that he leaves alone closes itself."""
    his, hers = visitor(place.site.address), visitor(place.site.address)
    looked = looks(his)
    watching = place.enter(his, "dan", "history", place.film)
    ordering = his.open(f"/generate?workspace={place.film.workspace_id}&project={place.film.id}")
    settle(ordering)
    ordering.get_by_role("textbox", name="Prompt", exact=True).fill("A wombat digs")
    ordering.route(f"**{live_endpoint.PATH}?*", lambda route: route.abort())  # it learns nothing before the click
    mia = place.enter(hers, "mia", "team", place.film)
    row = mia.locator(f".st-key-card_team_people_{place.dan.id}")
    row.get_by_role("button", name="Remove").click()
    mia.get_by_role("button", name="Remove from this workspace").click()
    expect(mia.get_by_text("dan@example.org is not in this workspace any more.")).to_be_visible()

    ordering.locator(".st-key-generate_button button").click()
    expect(ordering.get_by_text(NOT_IN_IT)).to_be_visible()
    expect(ordering.get_by_role("textbox", name="Prompt", exact=True)).to_have_count(0)
    picture(ordering, "team-live-removed")
    assert place.clips(hers, "A wombat digs") == []

    expect(watching.get_by_text(NOT_IN_IT)).to_be_visible(timeout=NOTICING_MS)
    expect(watching.get_by_text("Summer film")).to_have_count(0)
    assert look_again(his, looked[0]).status == 401
    watching.get_by_role("button", name="Go to my workspace").click()
    expect(watching.get_by_role("heading", name="History", level=1)).to_be_visible()
    expect(watching.get_by_text("Summer film")).to_have_count(0)
