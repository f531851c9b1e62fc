"""Who is not signed in sees the sign-in page and nothing else, wherever they look."""

import html
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from core.api import api
from tests.fixtures.identity_provider import Account
from tests.system.app import API, ROOT
from tests.system.sign_in import Site, browser, signing_in, status_of_websocket

pytestmark = pytest.mark.process

SECRET = "wombat"
PAGES = ["", *sorted(path.stem for path in (ROOT / "pages").glob("[a-z]*.py") if path.stem != "shell")]
"""Every page by the name of its script, and the first one."""

STREAMLIT = [
    *("/_stcore/host-config", "/_stcore/stream", "/_stcore/metrics", "/_stcore/agent", "/_stcore/script-health-check"),
    *("/_stcore/upload_file/0/0", "/_stcore/bidi-components/live/live.js", "/media/0", "/component/live/live.js"),
    *(
        "/app/static/0",
        "/static/index.html",
        "/static/manifest.json",
        "/index.html",
        "/manifest.json",
        "/oauth2callback",
    ),
]
OPEN = {"/health", "/openapi.json", "/docs"}
"""What the API tells everybody; the rest without a token is a signed or a secret address."""

NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
SIGN_IN = re.compile(r'href="([^"]*/auth/login\?[^"]*)')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An installation where somebody has something."""
    folder: Path = tmp_path_factory.mktemp("signed-out")
    with ExitStack() as opened:
        found = opened.enter_context(signing_in(folder, [Account("ana", "ana@example.org", "Ana")]))
        ana = opened.enter_context(browser(found, "ana"))
        made = ana.post(f"{API}/projects", json={"name": SECRET}, headers={"Sec-Fetch-Site": "same-origin"})
        assert made.status_code == 201, made.text
        yield found


@pytest.fixture(params=["no cookie", "a guess", "a session that ended"])
def stranger(request: pytest.FixtureRequest, site: Site) -> Iterator[httpx.Client]:
    """Somebody who is not signed in, with whatever cookie."""
    with browser(site) as client:
        if request.param == "a guess":
            client.cookies.set("avg", "0" * 43)
        if request.param == "a session that ended":
            with browser(site, "ana") as ana:
                assert SECRET in ana.get(f"{API}/projects").text
                client.cookies.update(ana.cookies)
                site.provider.end_sessions("ana")
        yield client


def test_pages(stranger: httpx.Client) -> None:
    """A page's address, with whatever it asks for, shows the sign-in page that leads back to it."""
    for address in (f"/{page}{query}" for page in PAGES for query in ("", "?clip=1&workspace=2")):
        answer = stranger.get(address, headers=NAVIGATION)
        assert (answer.status_code, answer.headers["cache-control"]) == (401, "no-store"), address
        link = html.unescape(SIGN_IN.findall(answer.text)[0])
        assert parse_qs(urlsplit(link).query)["next"] == [address]
        assert "stApp" not in answer.text
        assert "/static/js/" not in answer.text


def test_what_streamlit_serves(stranger: httpx.Client) -> None:
    """Nothing that Streamlit answers by itself is answered to who is not signed in."""
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"):
        for path in STREAMLIT:
            for headers in ({}, NAVIGATION):
                answer = stranger.request(method, path, headers=headers)
                assert answer.status_code in (401, 403, 404, 405), f"{method} {path}: {answer.text}"
                assert SECRET not in answer.text


def test_api(stranger: httpx.Client) -> None:
    """Every route of the API asks for a token or a session, but for those that everybody may ask."""
    answers: dict[tuple[bool, str], set[int]] = {}
    for door in api.state.table.permissions:
        path = re.sub(r"\{[^}]*\}", "0197a3c2-5e1b-7c40-8f21-3b9f6d2a7e10", door.path)
        for headers in ({}, NAVIGATION, {"Sec-Fetch-Site": "same-origin"}):
            answer = stranger.request(door.method, f"{API}{path}", headers=headers)
            assert SECRET not in answer.text
            answers.setdefault((door.need is None, door.path), set()).add(answer.status_code)
    guarded = {path: found for (is_open, path), found in answers.items() if not is_open}
    assert len(guarded) > 30
    assert {path: found for path, found in guarded.items() if found != {401}} == {}
    told = {path: found for (is_open, path), found in answers.items() if is_open and found & {200}}
    assert set(told) <= OPEN, told


def test_api_beside_its_routes(stranger: httpx.Client) -> None:
    """What lies beside the routes of the API, as the pages' own look at what is under way, tells nothing either."""
    for path in (f"{API}/live", f"{API}/live?shown=1", f"{API}/nothing-here", f"{API}/", API, "/api", "/API/x"):
        answer = stranger.get(path)
        assert answer.status_code in (401, 404), f"{path}: {answer.status_code}"
        assert SECRET not in answer.text


def test_websocket(site: Site, stranger: httpx.Client) -> None:
    """No websocket is opened, whichever page it says it is of."""
    cookie = "; ".join(f"{each.name}={each.value}" for each in stranger.cookies.jar)
    paths = ("/_stcore/stream", "/_stcore/stream/", "//_stcore/stream", "/history/_stcore/stream")
    for path in (*paths, "/auth/_stcore/stream"):
        headers = {"Cookie": cookie} if cookie else {}
        found = status_of_websocket(site.app.port, path, origin=site.address, headers=headers)
        assert found in (401, 403, 404), path


def test_files_that_say_nothing(stranger: httpx.Client) -> None:
    """The published scripts of Streamlit come all the same: a page that is open needs them to say that it is over."""
    scripts = Path(httpx.__file__).parents[1] / "streamlit" / "static" / "static" / "js"
    some = next(scripts.glob("Html.*.js"))
    assert stranger.get(f"/static/js/{some.name}").status_code == 200
    assert stranger.get("/static/js/../index.html").status_code == 401
    assert stranger.get("/static/js/%2e%2e/index.html").status_code in (400, 401, 404)
