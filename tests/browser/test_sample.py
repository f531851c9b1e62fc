"""The sample company is made with one press, whatever else moves the page meanwhile."""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Visitor, settle
from tests.system.app import running

MAKING_MS = 240_000
"""How long it may take on a busy machine."""


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
