"""The sample company is made with one press, whatever else moves the page meanwhile."""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Visitor, settle
from tests.system.app import running

MAKING_MS = 240_000
"""How long it may take on a busy machine."""

COVERED = """() => {
    const lists = [...document.querySelectorAll(".st-key-bar_first_list, .st-key-bar_second_list")];
    const root = [...document.querySelectorAll("*")].find((one) => one.shadowRoot?.querySelector(".top")) ?? document;
    const parts = [...(root.shadowRoot ?? root).querySelectorAll(".top > *, .top .pages > *")];
    const drawn = (element) => element.getClientRects().length > 0;
    const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1;
    const boxes = lists.filter(drawn).map((list) => list.getBoundingClientRect());
    const met = parts
        .filter((part) => drawn(part) && !part.matches(".room, .gap, .pages"))
        .filter((part) => boxes.some((box) => meet(box, part.getBoundingClientRect())));
    return [boxes.length, met.map((part) => part.className || part.textContent)];
}"""
"""How many lists of Streamlit lie in the bar, and what of the bar is under them."""


def test_company_comes_though_its_person_goes_elsewhere_meanwhile(visitor: Visitor, tmp_path: Path) -> None:
    """Reruns break nothing off: an end of a clip asks for one as another page does, and each page goes on waiting."""
    with running(tmp_path) as app:
        page = visitor(f"http://127.0.0.1:{app.port}").open("/history")
        settle(page)
        page.get_by_role("button", name="Try it as a team").click()
        making = page.get_by_text("Making the sample company; this takes some seconds.")
        expect(making).to_be_visible()
        page.get_by_role("link", name="Usage").first.click()
        page.wait_for_url("**/usage*")
        expect(making).to_be_visible()
        here = page.get_by_text("The sample company is here. You look as Bima Saputra.")
        expect(here).to_be_visible(timeout=MAKING_MS)
        page.wait_for_url(re.compile("[?&]as="))
        expect(page.get_by_role("heading", name="Projects")).to_be_visible()
        as_bima = page.url
        for address in (as_bima, f"http://127.0.0.1:{app.port}/usage"):
            page.goto(address)
            expect(page.locator(".chip.balance")).to_be_visible()
            expect(page.locator(".st-key-bar_first_list")).to_be_visible()
            settle(page)
            for width in (1440, 1280, 1024, 910, 390):
                page.set_viewport_size({"width": width, "height": 844})
                expect(page.locator(".chip.balance")).to_be_in_viewport(ratio=1)
                count, covered = page.evaluate(COVERED)
                assert (count >= 1, covered) == (True, []), (address, width)
