from typing import Any

from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core import db
from core.db.tables import Project
from core.projects import projects
from core.usage import budgets
from tests.factories.projects import create_project
from tests.factories.studio import Studio
from tests.factories.workspaces import create_team_of, now
from tests.pages.conftest import Open, press, sent


def saved(studio: Studio) -> list[Project]:
    """All projects of the studio's person, oldest first."""
    with db.read_session() as session:
        return list(session.scalars(select(Project).order_by(Project.id)))


def cards(at: AppTest) -> list[dict[str, Any]]:
    """What the cards on the page say."""
    found: list[dict[str, Any]] = (sent(at, "project_cards") or {"projects": []})["projects"]
    return found


def test_newcomer_comes_to_the_studio_first(open_page: Open, studio: Studio) -> None:
    """Who opens the app without a project sees where clips are made; who then goes to the projects is let."""
    at = open_page("projects")
    assert [title.value for title in at.title] == ["Generate"]
    at.switch_page("projects.py").run()
    assert [title.value for title in at.title] == ["Projects"]
    studio.project()
    assert [title.value for title in open_page("projects").title] == ["Projects"]


def test_newcomer_is_told_what_to_do(open_page: Open, studio: Studio) -> None:
    """Without a project the page explains itself; one button makes the first one and leads to its first clip."""
    at = open_page("projects").switch_page("projects.py").run()
    assert not at.exception
    assert [button.label for button in at.button] == ["Create project", "Try it as a team"]
    at.button[0].click().run()
    assert not at.error
    assert [project.name for project in saved(studio)] == ["My first project"]
    assert [title.value for title in at.title] == ["Generate"]
    at.switch_page("projects.py").run()
    assert [card["name"] for card in cards(at)] == ["My first project"]


def test_balance_is_shown_with_what_is_reserved(open_page: Open, studio: Studio) -> None:
    """The frame shows available and held credits."""
    studio.order(studio.project())
    at = open_page("projects")
    bar = sent(at, "bar")
    assert bar is not None
    assert bar["balance"]["text"] == "99,950 · 50 reserved"


def test_project_is_made_with_a_tidy_name(open_page: Open, studio: Studio) -> None:
    """The form makes it once and is empty afterwards."""
    studio.project("Lake")
    at = open_page("projects")
    at.text_input(key="projects_new_name_0").set_value("  Desert   film ")
    at.button(key="projects_create").click().run()
    assert [project.name for project in saved(studio)] == ["Lake", "Desert film"]
    at.switch_page("projects.py").run()
    assert at.text_input(key="projects_new_name_1").value == ""


def test_project_without_a_name_is_refused_with_a_sentence(open_page: Open, studio: Studio) -> None:
    """An empty name makes no project and says what to do."""
    studio.project("Lake")
    at = open_page("projects")
    at.button(key="projects_create").click().run()
    assert [error.value for error in at.error] == ["Give the project a name."]
    assert len(saved(studio)) == 1


def test_search_keeps_what_matches(open_page: Open, studio: Studio) -> None:
    """Only projects whose name has the words stay."""
    studio.project("Lake film")
    desert = studio.project("Desert film")
    at = open_page("projects")
    at.text_input(key="projects_search").set_value("desert").run()
    assert [card["id"] for card in cards(at)] == [desert.id]


def test_archived_project_is_out_of_the_way_and_comes_back(open_page: Open, studio: Studio) -> None:
    """The archive has its own list, where nothing new can be made in it."""
    lake = studio.project("Lake")
    with db.write_session() as session:
        projects.update(session, studio.person, lake.id, archived=True)
    at = open_page("projects")
    assert any("No active project." in caption.value for caption in at.caption)
    at.toggle(key="projects_archived").set_value(True).run()
    assert [(card["id"], card["archived"]) for card in cards(at)] == [(lake.id, True)]


def test_card_says_what_was_spent_and_what_is_reserved(open_page: Open, studio: Studio) -> None:
    """What this month has taken stands on the card, of its budget where there is one, and who made its clips."""
    lake = studio.project()
    studio.complete(studio.order(lake))
    studio.order(lake)
    with db.write_session() as session:
        budgets.set_project(session, studio.person, lake.id, credits=5000)
    [card] = cards(open_page("projects"))
    assert card["money"] == "100 of 5,000 credits this month"
    assert (card["share"], card["over"]) == (0.02, False)
    assert card["inAll"] == "50 credits spent in all · 50 reserved"
    assert card["facts"] == "2 clips · 1 under way · last clip just now"
    assert [face["name"] for face in card["people"]] == [studio.person.user.name or studio.person.email]


def test_card_without_a_budget_has_no_bar(open_page: Open, studio: Studio) -> None:
    """A bar would look like a budget that is used up."""
    lake = studio.project()
    studio.complete(studio.order(lake))
    [card] = cards(open_page("projects"))
    assert (card["share"], card["over"]) == (None, False)


def test_links_of_a_card_lead_to_its_workspace(open_page: Open, studio: Studio) -> None:
    """Opened in another tab, they stay where the project is."""
    team_id = create_team_of(db.default(), studio.person)
    lake = create_project(db.default(), now(db.default(), studio.person, team_id), "Lake")
    [card] = cards(open_page("projects", workspace=team_id))
    assert card["open"] == f"./history?project={lake.id}&workspace={team_id}"
    assert card["generate"] == f"./generate?project={lake.id}&workspace={team_id}"


def test_one_of_two_namesakes_is_deleted_by_the_name_on_its_card(open_page: Open, studio: Studio) -> None:
    """The question names the same one as the card."""
    _first, second = studio.project("Doomed"), studio.project("Doomed")
    at = open_page("projects")
    name = next(card["name"] for card in cards(at) if card["id"] == second.id)
    assert name != "Doomed"
    asked = press(at, "project_cards", "pressed", {"action": "delete", "id": second.id})
    assert any(name in text.value for text in asked.html)


def test_projects_are_sorted(open_page: Open, studio: Studio) -> None:
    """The order that is chosen is the order of the cards."""
    zoo, ant = studio.project("Zoo"), studio.project("Ant")
    studio.complete(studio.order(zoo))
    at = open_page("projects")
    for sort, first in (("name", ant), ("spent", zoo), ("newest", ant)):
        at.selectbox(key="projects_sort").set_value(sort).run()
        assert cards(at)[0]["id"] == first.id, sort
