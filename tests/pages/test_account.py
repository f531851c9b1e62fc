from datetime import timedelta

from sqlalchemy import select

from core import db
from core.billing import ledger as books
from core.clock import utc_now
from core.db.enums import Role
from core.db.tables import PersonExport
from core.identity import users
from core.usage.spreadsheet import Separator
from pages.ui import language
from tests.factories.books import booked_at
from tests.factories.studio import Studio
from tests.factories.users import ensure_member
from tests.factories.workspaces import create_team_of
from tests.pages.conftest import Open


def shown(at: object) -> str:
    """All of a page's own markup."""
    return " ".join(element.proto.body for element in at.get("html"))  # type: ignore[attr-defined]  # an AppTest


def test_account_shows_balance_storage_and_movements(open_page: Open, studio: Studio) -> None:
    """Figures, and each movement with a link to its clip."""
    row = studio.complete(studio.order(studio.project()))
    at = open_page("credits")
    assert not at.error
    assert not at.exception
    assert {metric.label: metric.value for metric in at.metric}["Available"] == "99,950"
    assert f"history?clip={row.id}" in shown(at)
    assert "Charged" in shown(at)
    assert "demo@localhost" in open_page("account").text[0].value


def test_language_is_kept_with_the_person(open_page: Open, studio: Studio) -> None:
    """A choice is stored, holds in the next session, and can be left to the browser again."""
    at = open_page("account")
    for read_in, chosen, stored in (("en", "id", "id"), ("id", "browser", None)):
        with language.using_language(read_in):  # the names of options are asked for again outside of the page
            at.selectbox(key="account_language").set_value(chosen).run()
        assert not at.error
        with db.read_session() as session:
            assert users.get(session, "demo@localhost").language == stored
        assert open_page("account").selectbox(key="account_language").value == chosen


def test_movements_page_without_gaps(open_page: Open, studio: Studio) -> None:
    """Older and Newer walk through all movements."""
    with db.write_session() as session:
        for number in range(25):
            books.grant(session, studio.person.id, credits=1, key=f"g{number}", actor="ana", reason=f"gift {number}.")
    at = open_page("credits")
    assert "gift 24." in shown(at)
    assert "gift 4." not in shown(at)
    at.button(key="account_older").click().run()
    assert "gift 4." in shown(at)
    assert "gift 24." not in shown(at)
    at.button(key="account_newer").click().run()
    assert "gift 24." in shown(at)


def test_movements_of_one_month(open_page: Open, studio: Studio) -> None:
    """A month by its name shows what moved in it, with the balance before and after; another one begins anew."""
    with db.write_session() as session:
        books.grant(session, studio.person.id, credits=7, key="old", actor="ana", reason="long ago.")
    now = utc_now()
    booked_at("old", now - timedelta(days=70))
    month = f"{now - timedelta(days=70):%Y-%m}"
    at = open_page("credits")
    assert "long ago." in shown(at)
    at.selectbox(key="account_month").set_value(f"{now:%Y-%m}").run()
    assert "long ago." not in shown(at)
    at.selectbox(key="account_month").set_value(month).run()
    assert not at.exception
    assert "long ago." in shown(at)
    assert {metric.label: metric.value for metric in at.metric}["Received"] == "7"
    assert f"{now - timedelta(days=70):%B %Y}" in at.selectbox(key="account_month").options


def test_charge_back_is_offered_for_months_of_other_workspaces(open_page: Open, studio: Studio) -> None:
    """An analyst whose own workspace is young chooses among the months of all of them, and gets the sheet."""
    with db.write_session() as session:
        users.get(session, "demo@localhost").role = Role.ANALYST
        other = ensure_member(session, "ana@example.org")
        books.grant(session, other.id, credits=7, key="old", actor="ana", reason="long ago.")
    booked_at("old", utc_now() - timedelta(days=70))
    month = f"{utc_now() - timedelta(days=70):%Y-%m}"
    at = open_page("credits")
    assert any("choose the month here" in caption.value for caption in at.caption)
    at.selectbox(key="account_month").set_value(month).run()
    assert not at.exception
    assert any("Nothing moved in this month." in caption.value for caption in at.caption)
    assert at.selectbox(key="account_charged_to").value == "workspace"


def test_statement_is_separated_as_the_readers_spreadsheets_are(open_page: Open, studio: Studio) -> None:
    """Comma in English, semicolon in Indonesian, and whatever else somebody chooses."""
    assert open_page("credits").selectbox(key="account_separator").value is Separator.COMMA
    with db.write_session() as session:
        users.set_language(session, users.get(session, "demo@localhost"), tag="id")
    assert open_page("credits").selectbox(key="account_separator").value is Separator.SEMICOLON


def test_movements_tell_where_credits_went_and_who_moved_them(open_page: Open, studio: Studio) -> None:
    """A transfer names the workspace at its other end, on either side."""
    team = create_team_of(db.default(), studio.person, name="Lakes", credits=0)
    with db.write_session() as session:
        mover = ensure_member(session, "finance@example.org")
        for key, ends in {"there": (studio.person.id, team), "back": (team, studio.person.id)}.items():
            books.transfer(session, *ends, credits=20, key=key, actor=mover.email, reason=key)
    text = shown(open_page("credits"))
    assert "there (to Lakes)" in text
    assert "back (from Lakes)" in text
    assert text.count(mover.email) == 2


def test_everything_is_packed_by_one_press(open_page: Open, studio: Studio) -> None:
    """The button asks for it once; while it is being made there is nothing more to press."""
    at = open_page("account")
    at.button(key="account_pack").click().run()

    assert not at.exception
    assert at.button(key="account_pack").disabled
    with db.read_session() as session:
        [asked] = session.scalars(select(PersonExport))
        assert asked.user_id == studio.person.id
