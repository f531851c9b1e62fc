"""The audit log in a real browser: details are unfolded without the server, filters stand in the address."""

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from core import db
from core.audit_log import Act, record
from tests.browser.conftest import Visitor, picture, settle
from tests.browser.furnishing import administer, installation
from tests.fixtures.front import front
from tests.system.app import API, running


def test_audit_log_is_searched_unfolded_and_saved(tmp_path: Path, visitor: Visitor) -> None:
    """What changed is one press away, a search survives a reload, older entries follow, and a file is an act, too."""
    with installation(tmp_path) as studio:
        with db.write_session() as session:
            for number in range(60):
                record(session, None, Act.PROJECT_DELETED, target=f"Film {number:02}")
        administer(studio)
    with running(tmp_path) as app:
        page = visitor(f"http://127.0.0.1:{app.port}", theme="dark").open("/audit_log")
        row = page.get_by_role("row").filter(has_text="Changed a role in the workspace from viewer to manager")
        expect(row).to_be_visible()
        expect(row.get_by_text("member.role_changed")).to_be_hidden()
        row.get_by_text("Details").click()
        expect(row.get_by_text("member.role_changed")).to_be_visible()
        expect(row.get_by_role("cell", name="viewer", exact=True)).to_be_visible()
        budget = page.get_by_role("row").filter(has_text="Changed the monthly budget")
        budget.get_by_text("Details").click()
        expect(budget.get_by_text("deploy-42")).to_be_visible()
        settle(page)
        picture(page, "audit-log-unfolded")

        page.get_by_role("button", name="Older").click()
        expect(page.get_by_text("Film 00")).to_be_visible()
        page.get_by_role("button", name="Newer").click()
        expect(row).to_be_visible()

        page.get_by_label("Who or on what").fill("film 07")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Film 07")).to_be_visible()
        expect(page.get_by_text("Film 08")).to_have_count(0)
        page.reload()
        expect(page.get_by_text("Film 07")).to_be_visible()
        expect(page.get_by_text("Film 08")).to_have_count(0)
        with page.expect_download() as saving:
            page.get_by_role("button", name="Download CSV").click()
        text = Path(saving.value.path()).read_text(encoding="utf-8-sig")
        assert text.count("Film 07") == 1
        assert "Film 08" not in text

        page.get_by_role("button", name="Clear filters").click()
        exported = page.get_by_role("row").filter(has_text="Exported data")
        expect(exported).to_contain_text("127.0.0.1")
        expect(exported).to_contain_text("demo@localhost")


def test_acts_behind_a_proxy_come_from_whom_it_speaks_for(
    tmp_path: Path, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages and API write down the address that the proxy in front has told, not the proxy's."""
    monkeypatch.setenv("AUTH_MODE", "open")
    with running(tmp_path) as app, front("/studio", app.port, client="203.0.113.9") as (address, _front):
        token = {"Authorization": app.client.headers["Authorization"], "X-Request-Id": "from-ci"}
        with httpx.Client(base_url=f"{address}{API}", headers=token, trust_env=False) as script:
            project = script.post("/projects", json={"name": "Old film"}).json()["project"]["id"]
            archived = script.patch(f"/projects/{project}", json={"archived": True})
        assert (archived.status_code, archived.headers["x-request-id"]) == (200, "from-ci")
        page = visitor(address).open("/audit_log")
        with page.expect_download():
            page.get_by_role("button", name="Download CSV").click()
        page.reload()
        for act in ("Exported data", "Archived a project"):
            expect(page.get_by_role("row").filter(has_text=act).first).to_contain_text("203.0.113.9")
