"""Web processes behind nginx: one dies under a browser, both are started anew under load, people are known at both."""

import re
import time
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from core.config import API_PATH
from core.db.enums import Status
from tests.browser.conftest import Visit, Visitor, settle
from tests.browser.signing_in import sign_in
from tests.factories.images import create_image
from tests.many import load
from tests.many.company import Company
from tests.system.sign_in import browser

pytestmark = [pytest.mark.process, pytest.mark.timeout(900)]

TAKES_IMAGES = "kling-2.5"
PROMPT = "A quiet harbour at dawn, seen from a crane"


def node_of(company: Company, visit: Visit) -> int:
    """Which machine's web process a browser sits on: who has answered what nginx was asked for with its cookie."""
    with httpx.Client(trust_env=False, timeout=30) as client:
        for each in visit.context.cookies(company.stack.address):
            client.cookies.set(each["name"], each["value"])
        mark = f"who-answers-{time.monotonic_ns()}"
        client.get(f"{company.stack.address}{API_PATH}/health", headers={"X-Request-Id": mark})
    company.until(lambda: mark in company.stack.front.access_log.read_text(), "nginx has written it down")
    # Where one that is gone was tried before, both stand there, and the last has answered.
    [port] = re.findall(rf" node=(?:\S+, )*127\.0\.0\.1:(\d+) id={mark}", company.stack.front.access_log.read_text())
    return next(number for number, each in company.stack.web_ports.items() if each == int(port))


def until_asked(access_log: Path, port: int) -> None:
    """Wait until nginx sends requests to a server again, which it takes for dead for a second after it was."""
    before, end = access_log.stat().st_size, time.monotonic() + 60
    while f" node=127.0.0.1:{port} id=" not in access_log.read_text()[before:]:
        assert time.monotonic() < end, f"nginx sends nothing to {port}"
        time.sleep(0.1)


def prepared(company: Company, visit: Visit) -> Page:
    """The form of somebody who has signed in, with a prompt and a start image."""
    page = visit.open("/")
    sign_in(page, "ana")
    settle(page)
    same = {"Origin": company.stack.address}
    made = visit.context.request.post(
        f"{company.stack.address}{API_PATH}/projects", data={"name": "Harbour film"}, headers=same
    )
    assert made.ok, made.text()
    page.goto(f"{company.stack.address}/generate?model={TAKES_IMAGES}")
    settle(page)
    field = page.get_by_role("textbox", name="Prompt", exact=True)
    field.fill(PROMPT)
    field.blur()
    file = {"name": "start.png", "mimeType": "image/png", "buffer": create_image(size=(320, 180))}
    page.locator("input[type=file]").first.set_input_files(file)  # type: ignore[arg-type]  # a FilePayload
    expect(page.get_by_role("button", name="Start image: start.png, 320 × 180")).to_be_visible()
    settle(page)
    return page


def price(page: Page) -> str:
    """What the button that spends says."""
    return page.locator(".st-key-generate_button button").inner_text()


def test_node_dies_under_a_browser(company: Company, visitor: Visitor) -> None:
    """The page goes on at the other node, with prompt, price and start image; what is ordered then is what it shows."""
    began = time.monotonic()
    visit = visitor(company.stack.address)
    page = prepared(company, visit)
    before = price(page)
    assert "credits" in before
    opened: list[str] = []
    page.on("websocket", lambda socket: opened.append(socket.url))
    number = node_of(company, visit)
    company.stack.programs[f"web {number}"].kill()
    killed = time.monotonic()
    while not opened:
        assert time.monotonic() < killed + 60, "the page never came back"
        page.wait_for_timeout(50)
    settle(page)

    assert node_of(company, visit) != number
    expect(page.get_by_role("textbox", name="Prompt", exact=True)).to_have_value(PROMPT)
    expect(page.get_by_role("button", name="Start image: start.png, 320 × 180")).to_be_visible()
    assert price(page) == before
    page.locator(".st-key-generate_button button").click()
    listing = f"{company.stack.address}{API_PATH}/generations"
    company.until(lambda: bool(visit.context.request.get(listing).json()["generations"]), "it is ordered")
    [row] = visit.context.request.get(listing).json()["generations"]
    assert (row["prompt"], bool(row["startImagePath"])) == (PROMPT, True)
    count = company.count("kill -9 of the node a browser sits on", [row["id"]], began=began)
    assert (count.completed, count.lost, count.twice, count.stuck) == (1, 0, 0, 0)
    assert company.broken_rules() == []


def test_rolling_restart_under_load(company: Company) -> None:
    """Each web process is stopped and started again while scripts ask and order: every request is answered well."""
    began = time.monotonic()
    stack = company.stack
    with load.running(company) as asked:
        company.until(lambda: asked.asked > 50, "scripts are at work")
        for number, port in stack.web_ports.items():
            stack.programs[f"web {number}"].stop()
            stack.programs[f"web {number}"].start()
            stack.until_web(number)
            until_asked(stack.front.access_log, port)
    count = company.count(
        "both web processes started anew under load",
        asked.ids,
        began=began,
        load=asked,
    )

    assert asked.failures == []
    assert count.clips > 5
    assert (count.completed, count.lost, count.twice, count.stuck) == (count.clips, 0, 0, 0)
    assert company.broken_rules() == []


def test_events_pass_nginx_at_once(company: Company) -> None:
    """Who listens behind nginx hears of a clip while it is on its way, and not when a buffer is full."""
    began = time.monotonic()
    heard: list[str] = []
    with company.client() as client, client.stream("GET", "/generations/events") as stream:
        assert stream.status_code == 200
        ids = company.order("a lake that somebody listens to")
        for line in stream.iter_lines():
            heard += [line] if ids[0] in line else []
            if any(Status.COMPLETED in each for each in heard):
                break
    count = company.count("an event stream through nginx", ids, began=began)

    assert len(heard) > 1, "each step was told"
    assert (count.completed, count.lost, count.twice, count.stuck) == (1, 0, 0, 0)


def test_sign_in_counts_at_both_nodes(company: Company) -> None:
    """Who signs in through nginx is signed in at both nodes, and who signs out at one is signed out at both."""
    projects = [f"{company.stack.node(number)}{API_PATH}/projects" for number in company.stack.web_ports]
    for away in company.stack.web_ports:
        with browser(company.site, "ben") as client:
            [session] = [str(each.value) for each in client.cookies.jar if each.name == "avg"]
            held = {"Cookie": f"avg={session}"}
            assert [client.get(each, headers=held).status_code for each in projects] == [200, 200]
            left = client.get(f"{company.stack.node(away)}/auth/logout", headers=held)
            assert left.is_redirect, left.text
            assert [client.get(each, headers=held).status_code for each in projects] == [401, 401]
