from datetime import timedelta
from typing import Any
from urllib.parse import unquote

from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from core import db, errors, installation
from core.billing import ledger
from core.clock import utc_now
from core.db.enums import Role
from core.db.tables import Generation
from core.generations import lifecycle
from core.identity import users
from tests.factories.generations import create_generation, load_generation
from tests.factories.studio import Studio
from tests.factories.workspaces import create_team_of, now
from tests.pages.conftest import Open, sent, widget


def table(at: AppTest) -> list[dict[str, list[Any]]]:
    """The lines of the table, each cell by its head."""
    found = sent(at, "sorted_table") or {}
    heads = [column["head"] for column in found["columns"]]
    return [dict(zip(heads, row, strict=True)) for row in found["rows"]]


def test_page_without_waste_says_so(open_page: Open, studio: Studio) -> None:
    """Nothing failed: there is nothing to read."""
    studio.complete(studio.order(studio.project()))
    at = open_page("usage", show="waste")

    assert not at.error
    assert any("Nothing was in vain" in text.value for text in at.markdown)


def test_figures_lead_to_their_clips(open_page: Open, studio: Studio) -> None:
    """What failed stands by its reason in words, and a press of the figure shows just these clips in the library."""
    project = studio.project()
    broken = [studio.fail(studio.order(project, f"film {n}")) for n in range(2)]
    studio.fail(studio.order(project, "another"), errors.ContentRefused())
    at = open_page("usage", show="waste", period="7")

    assert not at.error
    assert {metric.label: metric.value for metric in at.metric}["Credits returned"] == "150"
    [made, refused] = table(at)
    assert (made["Reason"][0], made["Failed"][1], made["Credits returned"][1]) == (
        "The provider could not make it",
        2,
        100,
    )
    assert (refused["Reason"][0], refused["Failed"][1]) == ("Refused for its content", 1)
    assert "At risk, Rp" in made

    address = dict(part.split("=") for part in made["Failed"][2].partition("?")[2].split("&"))
    assert (address["status"], address["because"]) == ("failed", "generation_failed")
    shown = sent(open_page("history", **address), "clip_gallery") or {}
    assert {card["id"] for card in shown["cards"]} == {row.id for row in broken}


def test_figures_of_a_team_lead_to_its_own_library(open_page: Open, studio: Studio) -> None:
    """Opened anew, the link stays in the workspace whose figures were looked at."""
    team_id = create_team_of(db.default(), studio.person)
    here = now(db.default(), studio.person, team_id)
    row = create_generation(db.default(), here)
    with db.write_session() as session:
        assert lifecycle.fail(session, row, errors.GenerationFailed())
    [line] = table(open_page("usage", show="waste", period="7", people="mine", workspace=team_id))
    assert line["Failed"][2].endswith(f"&workspace={team_id}")


def test_groups_are_chosen_and_kept_in_the_address(open_page: Open, studio: Studio) -> None:
    """The same figures by person; a member reads no provider's cost."""
    studio.fail(studio.order(studio.project()))
    with db.write_session() as session:
        users.get(session, "demo@localhost").role = Role.USER
    at = open_page("usage", show="waste")
    widget(at, "usage_waste").set_value("user").run()

    [line] = table(at)
    assert next(iter(line)) == "Person"
    assert (line["Failed"][1], "At risk, Rp" in line) == (1, False)
    assert at.query_params["waste"] == "user"


def test_what_failed_for_the_providers_fault_is_ordered_again(open_page: Open, studio: Studio) -> None:
    """The button says the price of all; one press orders them, and then there is nothing left to order."""
    project = studio.project()
    for n in range(2):
        studio.fail(studio.order(project, f"film {n}"))
    at = open_page("usage", show="waste")
    assert widget(at, "usage_order_again").label == "Order 2 clips again for 100 credits"

    widget(at, "usage_order_again").click().run()

    assert not at.error
    with db.read_session() as session:
        assert ledger.balance(session, studio.person.workspace_id).held_credits == 100
    assert "usage_order_again" not in [button.key for button in at.button]


def test_clips_that_nobody_opened_lead_to_the_library(open_page: Open, studio: Studio) -> None:
    """They stand by themselves with what was spent on them; who opens one in the viewer takes it out."""
    project = studio.project()
    left, opened, _new = (studio.complete(studio.order(project, f"film {n}")) for n in range(3))
    long_ago = utc_now() - timedelta(days=9)
    with db.write_session() as session:
        old = update(Generation).where(Generation.id.in_([left.id, opened.id]))
        session.execute(old.values(created_at=long_ago, ended_at=long_ago))
    assert not open_page("history", clip=opened.id).error
    assert installation.current().openings.written(60)
    assert load_generation(opened.id).first_opened_at is not None
    at = open_page("usage", show="waste")

    assert not at.error
    assert {metric.label: metric.value for metric in at.metric}["Spent on never opened clips"] == str(left.credits)
    [line] = table(at)
    assert (line["Reason"][0], line["Never opened"][1], line["Spent on never opened"][1]) == (
        "Never opened",
        1,
        left.credits,
    )
    address = dict(part.split("=") for part in unquote(line["Never opened"][2]).partition("?")[2].split("&"))
    assert address["opened"] == "no"
    with db.write_session() as session:  # ids carry the time of their order, which the library goes by
        session.execute(update(Generation).where(Generation.id == left.id).values(created_at=utc_now()))
    del address["days"]
    shown = sent(open_page("history", **address), "clip_gallery") or {}
    assert left.id in {card["id"] for card in shown["cards"]}
    assert opened.id not in {card["id"] for card in shown["cards"]}
