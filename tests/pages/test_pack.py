"""The analyst pack on the page Usage: asked for with one press, followed, and fetched by a link."""

from streamlit.testing.v1 import AppTest

from core import db
from core.analyst_pack import jobs
from core.db.enums import BulkState, Role
from core.db.tables import Account
from core.identity import users
from core.installation import current
from core.worker import analyst_packs
from core.workspaces import members
from core.workspaces.access import Member
from tests.factories.studio import Studio
from tests.pages.conftest import Open, widget


def person() -> Member:
    """The person of the pages as they are now."""
    with db.read_session() as session:
        return members.at_work(session, users.get(session, "demo@localhost"))


def texts(at: AppTest) -> str:
    """All that the page says."""
    return "\n".join(each.value for each in (*at.markdown, *at.caption, *at.header))


def links(at: AppTest) -> list[str]:
    """What stands on the page as HTML."""
    return [str(each.proto.body) for each in at.get("html")]


def test_a_press_makes_a_pack(open_page: Open, studio: Studio) -> None:
    """It is written down at once, and when a worker has made it, it is there with a link."""
    studio.complete(studio.order(studio.project()))
    at = open_page("usage", show="export")
    assert not at.error
    assert widget(at, "pack_whose").value == "everybody"
    widget(at, "pack_whose").set_value("workspace")
    widget(at, "pack_names").set_value("pseudonyms")
    widget(at, "pack_make").click().run()

    assert not at.error
    assert "waits for a worker" in texts(at)
    with db.read_session() as session:
        [pack] = jobs.list_visible(session, person())
    assert (pack.workspace_id, pack.asked["pseudonymous"], pack.state) == (
        studio.person.workspace_id,
        True,
        BulkState.WAITING,
    )
    analyst_packs.work_down(current())
    at = open_page("usage", show="export")
    assert "totals agree with the ledger" in texts(at)
    assert "One workspace, everything, with pseudonyms" in texts(at)
    assert any(f"packs/{pack.id}/1.zip" in html and "download=" in html for html in links(at))


def test_pack_that_disagrees_says_so(open_page: Open, studio: Studio) -> None:
    """There is no link, and the page names what differs."""
    studio.complete(studio.order(studio.project()))
    at = open_page("usage", show="export")
    widget(at, "pack_make").click().run()
    with db.write_session() as session:
        session.query(Account).update({"available_credits": Account.available_credits + 1})
    analyst_packs.work_down(current())

    at = open_page("usage", show="export")
    assert "Totals differ from the ledger, so this is not handed out: accounts_available" in texts(at)
    assert not any("packs/" in html for html in links(at))


def test_section_for_who_may_not(open_page: Open, studio: Studio) -> None:
    """A manager has a pack of their workspace alone; the list of packs has no others."""
    studio.project()
    with db.write_session() as session:
        users.get(session, "demo@localhost").role = Role.USER
    at = open_page("usage", show="export")
    assert widget(at, "pack_whose").options == ["This workspace"]
