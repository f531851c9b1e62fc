"""Sign-in on two nodes that share a database and nothing else, behind a front that asks now one and now the other."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from core.api.routers import event_hub
from tests.fixtures.identity_provider import Account
from tests.system.app import API
from tests.system.sign_in import Site, browser, signing_in, status_of_websocket

pytestmark = pytest.mark.process

NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
ACCOUNTS = [Account(name, f"{name}@example.org", name.title()) for name in ("ana", "ben", "cleo", "dan")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two nodes on PostgreSQL."""
    with signing_in(tmp_path_factory.mktemp("nodes"), ACCOUNTS, nodes=2, environ={"SIGNUP_CREDITS": "1000"}) as found:
        yield found


def asked_at_each(site: Site, client: httpx.Client) -> list[list[int]]:
    """What each node answers to this browser: the API, a page and a websocket."""
    cookie = "; ".join(f"{each.name}={each.value}" for each in client.cookies.jar if each.name == "avg")
    headers = {"Cookie": cookie} if cookie else {}
    found = []
    for node in site.nodes:
        here = f"http://127.0.0.1:{node.port}"
        answers = [
            httpx.get(f"{here}{API}/projects", headers=headers, trust_env=False).status_code,
            httpx.get(f"{here}/usage", headers=headers | NAVIGATION, trust_env=False).status_code,
            status_of_websocket(node.port, "/_stcore/stream", origin=site.address, headers=headers),
        ]
        found.append(answers)
    return found


def test_every_step_at_another_node(site: Site) -> None:
    """What one node has begun the other one ends, and both know who is signed in."""
    first, second = (f"http://127.0.0.1:{node.port}" for node in site.nodes)
    for began, ended in ((first, second), (second, first)):
        with browser(site) as client:
            begun = client.get(f"{began}/auth/login?next=/usage").headers["location"]
            back = site.provider.let_in(client, begun, "ana").replace(site.address, ended)
            answer = client.get(back)
            assert (answer.status_code, answer.headers["location"]) == (303, f"{site.address}/usage")
            assert asked_at_each(site, client) == [[200, 200, 101]] * 2


def test_sign_out_at_one_node(site: Site) -> None:
    """Who signs out at one node is signed out at both at once."""
    with browser(site, "ben") as client:
        assert asked_at_each(site, client) == [[200, 200, 101]] * 2
        [held] = [str(each.value) for each in client.cookies.jar if each.name == "avg"]
        away = client.get(f"http://127.0.0.1:{site.nodes[0].port}/auth/logout")
        assert away.headers["location"].startswith(site.provider.issuer)
        client.cookies.set("avg", held, domain="127.0.0.1")
        assert asked_at_each(site, client) == [[401, 401, 403]] * 2


def test_sessions_that_end_at_the_provider(site: Site) -> None:
    """The provider tells whichever node it reaches; all sessions of this person end at both, and nobody else's."""
    with browser(site, "cleo") as laptop, browser(site, "cleo") as phone, browser(site, "dan") as other:
        site.provider.end_sessions("cleo")
        for client in (laptop, phone):
            assert asked_at_each(site, client) == [[401, 401, 403]] * 2
        assert asked_at_each(site, other) == [[200, 200, 101]] * 2


def test_first_sign_in_at_both_at_once(site: Site) -> None:
    """Two browsers of somebody new who come back at the same moment are one person with one workspace."""
    site.provider.add(Account("eva", "eva@example.org", "Eva"))
    with browser(site) as one, browser(site) as two, ThreadPoolExecutor() as pool:
        backs = []
        for client in (one, two):
            begun = client.get("/auth/login").headers["location"]
            backs.append(site.provider.let_in(client, begun, "eva"))
        places = [f"http://127.0.0.1:{node.port}" for node in site.nodes]
        waiting = [
            pool.submit(client.get, back.replace(site.address, place))
            for client, back, place in zip((one, two), backs, places, strict=True)
        ]
        assert [answer.result().status_code for answer in waiting] == [303, 303]
        same = {"Sec-Fetch-Site": "same-origin"}
        made = one.post(f"{API}/projects", json={"name": "Of Eva"}, headers=same)
        assert made.status_code == 201, made.text
        names = [each["name"] for each in two.get(f"{API}/projects").json()["projects"]]
        assert "Of Eva" in names
        credits = json.loads(two.get(f"{API}/credits").text)
        assert credits == json.loads(one.get(f"{API}/credits").text)


def test_one_time_link_pressed_at_both_at_once(site: Site) -> None:
    """A link that is used at both nodes at the same moment lets one browser in."""
    with browser(site, "ana"):
        pass  # she is known here from then on
    link = next(line for line in site.app.admin("session", "ana@example.org").split() if "/auth/link" in line)
    path = link.removeprefix(site.address)
    token = path.partition("token=")[2]
    with browser(site) as one, browser(site) as two, ThreadPoolExecutor() as pool:
        headers = {"Sec-Fetch-Site": "same-origin", "Origin": site.address}
        waiting = [
            pool.submit(client.post, f"http://127.0.0.1:{node.port}{path}", data={"token": token}, headers=headers)
            for client, node in zip((one, two), site.nodes, strict=True)
        ]
        answers = [each.result() for each in waiting]
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses[0] == 303, [answer.text[:300] for answer in answers]
        assert statuses[1] >= 400
        assert sorted(asked_at_each(site, client)[0][0] for client in (one, two)) == [200, 401]


def test_events_for_a_browser(site: Site) -> None:
    """A browser's own stream of events goes on as long as its session, and ends with it."""
    order = {"modelId": "demo-film", "prompt": "a lake", "resolution": "720p", "duration": 2, "aspectRatio": "1:1"}
    same = {"Sec-Fetch-Site": "same-origin"}
    patience = httpx.Timeout(60, read=30)
    with browser(site, "dan") as client:
        project = client.post(f"{API}/projects", json={"name": "Lakes"}, headers=same).json()["project"]["id"]
        with client.stream("GET", f"{API}/generations/events", timeout=patience) as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith("retry")
            time.sleep(2.5 * event_hub.CHECK_SECONDS)  # it is looked at whether they may still listen
            made = client.post(f"{API}/generate", json=order | {"projectId": project}, headers=same)
            assert made.status_code == 202, made.text
            assert any(made.json()["generation"]["id"] in line for line in lines)
            site.provider.end_sessions("dan")
            for _line in lines:
                pass  # until it ends, within the patience
        assert client.get(f"{API}/generations/events").status_code == 401
