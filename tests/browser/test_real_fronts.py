"""The studio behind nginx and HAProxy, as the guides' own examples set them up, below a path."""

import http.client
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor, picture, settle
from tests.fixtures import real_fronts
from tests.system.app import API, App, free_port, running

ELSEWHERE = "127.0.0.5"
"""Another address of this machine, from which somebody asks the proxy."""


@pytest.fixture(scope="module", params=["nginx", "haproxy"])
def behind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, App]]:
    """The public address, with its path, and the app behind it."""
    folder: Path = tmp_path_factory.mktemp("behind")
    port, app_port = free_port(), free_port()
    address = f"http://127.0.0.1:{port}/studio"
    with ExitStack() as started:
        if request.param == "nginx":
            started.enter_context(real_fronts.nginx(folder, port, app_port))
        else:
            started.enter_context(real_fronts.haproxy(port, app_port))
        environ = {"PUBLIC_URL": address, "FORWARDED_ALLOW_IPS": "127.0.0.1"}
        yield address, started.enter_context(running(folder / "data", port=app_port, environ=environ))


def test_studio(behind: tuple[str, App], visitor: Visitor) -> None:
    """An order over REST is made and told to an open page by its own address; the clip plays from there."""
    address, app = behind
    public = httpx.Client(
        base_url=f"{address}{API}",
        headers=app.client.headers,
        transport=httpx.HTTPTransport(local_address=ELSEWHERE, retries=5),
        timeout=60,
    )
    visit = visitor(address)
    with visit.context.expect_event("response", lambda answer: f"{API}/live" in answer.url) as looked:
        page = visit.open("/history")
    settle(page)
    project = public.post("/projects", json={"name": "Lakes"}).json()["project"]
    wanted = {"projectId": project["id"], "modelId": "demo-film", "prompt": "A lake at dusk", "duration": 2}
    ordered = public.post("/generate", json=wanted | {"resolution": "720p", "aspectRatio": "1:1"})
    assert ordered.status_code == 202, ordered.text
    clip = page.get_by_role("button", name=re.compile("A lake at dusk.*Open clip"))
    expect(clip).to_be_visible(timeout=150_000)
    app.until_ended(ordered.json()["generation"]["id"])
    settle(page)
    clip.first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("video")).to_have_js_property("readyState", 4, timeout=60_000)
    with page.expect_download() as download:
        dialog.get_by_role("link", name=re.compile("^Download")).click()

    assert looked.value.status == 200
    assert looked.value.url.startswith(address)
    assert download.value.url.startswith(f"{address}{API}/media/")
    assert public.get("/health").status_code == 200
    found = public.get(f"/generations/{ordered.json()['generation']['id']}/status").json()["status"]
    assert found["videoUrl"].startswith(address), "links begin with PUBLIC_URL"
    assert public.get("/no-such-address").json()["error"]["code"] == "not_found"
    assert visit.complaints == []
    picture(page, "behind-a-front")


def test_who_asks_is_known(behind: tuple[str, App]) -> None:
    """The audit log has the address that asked the proxy; what somebody writes into the header before counts not."""
    address, app = behind
    secret = app.admin("token", "demo@localhost", "--scope", "admin").splitlines()[-1]
    headers = {"Authorization": f"Bearer {secret}"}
    with httpx.Client(
        base_url=f"{address}{API}",
        transport=httpx.HTTPTransport(local_address=ELSEWHERE, retries=5),
        headers=headers | {"X-Forwarded-For": "127.0.0.9"},
        timeout=60,
    ) as asking:
        made = asking.post("/tokens", json={"name": "from afar"})
        entries = asking.get("/audit-log").json()["entries"]

    assert made.status_code == 201, made.text
    assert {entry["address"] for entry in entries if entry["target"] == "from afar"} == {ELSEWHERE}


def test_body_beyond_every_limit(behind: tuple[str, App]) -> None:
    """More than any address takes ends before it has arrived, with 413."""
    address, app = behind
    parts = urlsplit(f"{address}{API}/upload-image")
    asking = http.client.HTTPConnection(parts.netloc, timeout=60)
    asking.putrequest("POST", parts.path)
    asking.putheader("Authorization", app.client.headers["Authorization"])
    asking.putheader("Content-Length", str(40 * 1024 * 1024))
    asking.endheaders(b"x" * 1024)

    assert asking.getresponse().status == 413
    asking.close()
