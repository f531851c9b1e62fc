"""Pages of somebody who works with others: whose each clip is, wherever clips of several stand together."""

from typing import Any

import pytest

from core import db
from core.clock import utc_now
from core.db.enums import Role, WorkspaceRole
from core.db.tables import Generation, User
from core.generations import progress
from core.projects import projects
from core.workspaces.access import Member
from tests.factories import generations, histories
from tests.factories.histories import Ended
from tests.factories.projects import create_project
from tests.factories.studio import Studio
from tests.factories.users import create_member
from tests.factories.workspaces import create_team
from tests.pages.conftest import Open, presses, sent
from tests.pages.test_history import bar, cards, choose, said
from tests.pages.test_live_endpoint import look, token
from tests.pages.test_usage import metrics, values


class Team:
    """The studio's person and Ben at work in one team, with a project of theirs."""

    def __init__(self, studio: Studio) -> None:
        ben = create_member(db.default(), "ben@example.org")
        people = ((studio.person, WorkspaceRole.MAKER), (ben, WorkspaceRole.MAKER))
        self.me, self.ben = create_team(db.default(), *people, name="Lakes", credits=100_000)
        self.own = studio.person
        studio.person = self.me
        self.studio = studio
        self.project = create_project(db.default(), self.me, "Shared film")

    def done(self, maker: Member, prompt: str, **changes: Any) -> Generation:
        """A finished clip of one of them."""
        return self.studio.complete(self.order(maker, prompt, **changes))

    def order(self, maker: Member, prompt: str, **changes: Any) -> Generation:
        """An order of one of them."""
        where = changes.pop("project_id", self.project.id)
        return generations.create_generation(db.default(), maker, project_id=where, prompt=prompt, **changes)

    def address(self, **more: str) -> dict[str, str]:
        """Where the team is at work."""
        return {"workspace": self.me.workspace_id, **more}


@pytest.fixture
def team(studio: Studio) -> Team:
    """A team of two."""
    return Team(studio)


def makers(at: Any) -> dict[str, tuple[str | None, str]]:
    """Title -> the maker's name and the workspace, as the cards say them."""
    return {card["title"]: ((card["maker"] or {}).get("name"), card["place"]) for card in cards(at)}


def made_by(at: Any) -> dict[str, Any]:
    """The filter by maker, as the bar was given it."""
    [chip] = [chip for chip in bar(at)["chips"] if chip["param"] == "whose"]
    found: dict[str, Any] = chip
    return found


def test_cards_of_a_team_say_whose_they_are(open_page: Open, team: Team) -> None:
    """Maker and initials stand on each card, and are heard with it; the workspace goes without saying."""
    team.done(team.me, "mine")
    team.done(team.ben, "bens")

    at = open_page("history", **team.address())

    assert not at.exception
    assert makers(at) == {"mine": ("demo", ""), "bens": ("ben", "")}
    [card] = [card for card in cards(at) if card["title"] == "bens"]
    assert card["maker"]["initials"] == "B"
    assert "ben Open clip" in card["label"]


def test_cards_of_ones_own_say_nothing(open_page: Open, team: Team) -> None:
    """Alone in one's own workspace, whose it is goes without saying, and there is nobody to choose."""
    project = create_project(db.default(), team.own)
    team.done(team.own, "alone", project_id=project.id)

    at = open_page("history", workspace=team.own.workspace_id)

    assert makers(at) == {"alone": (None, "")}
    assert "whose" not in {chip["param"] for chip in bar(at)["chips"]}


def test_mine_is_one_press_away(open_page: Open, team: Team) -> None:
    """One press shows one's own; it stands in the address, as every maker does who is chosen."""
    team.done(team.me, "mine")
    team.done(team.ben, "bens")
    at = open_page("history", **team.address())

    [value, words] = made_by(at)["shortcut"]
    assert words == "Mine"
    at = choose(at, "whose", value)

    assert set(makers(at)) == {"mine"}
    assert at.query_params["whose"] == team.me.id
    assert made_by(at)["value"] == value
    at = open_page("history", **team.address(whose=team.ben.id))
    assert set(makers(at)) == {"bens"}
    assert [name for _id, name in made_by(at)["options"]] == ["demo", "ben"]
    assert set(makers(open_page("history", **team.address(whose="nobody")))) == {"mine", "bens"}


def test_all_workspaces_in_one_view(open_page: Open, team: Team) -> None:
    """Somebody with several workspaces sees all of them together, and on each card where it is."""
    project = create_project(db.default(), team.own)
    team.done(team.own, "alone", project_id=project.id)
    team.done(team.ben, "bens")

    at = open_page("history", **team.address(where="all"))

    assert makers(at) == {"alone": ("demo", "demo"), "bens": ("ben", "Lakes")}
    assert set(makers(open_page("history", **team.address()))) == {"bens"}


def test_clip_says_who_made_it_and_where(open_page: Open, team: Team) -> None:
    """The dialog names maker and team; one's own in one's own workspace has no such line."""
    bens = team.done(team.ben, "bens")
    own = team.done(team.own, "alone", project_id=create_project(db.default(), team.own).id)

    told = said(open_page("history", **team.address(clip=bens.id)))
    assert ">ben</span>" in told
    assert "in Lakes" in told
    told = said(open_page("history", workspace=team.own.workspace_id, clip=bens.id))
    assert "in Lakes" in told
    told = said(open_page("history", workspace=team.own.workspace_id, clip=own.id))
    assert "in Lakes" not in told


def test_generate_shows_what_the_team_makes(open_page: Open, team: Team) -> None:
    """The stage has what everybody makes in the project, each with its maker; one's own newest leads."""
    team.done(team.ben, "bens")
    own = team.done(team.me, "mine")
    team.studio.send(team.order(team.ben, "moving"))

    at = open_page("generate", **team.address())

    made = [(press["title"], press["maker"]["name"], press["maker"]["initials"]) for press in presses(at)]
    assert made == [("moving", "ben", "B"), ("mine", "demo", "D"), ("bens", "ben", "B")]
    assert (sent(at, "stage") or {})["lead"] == own.id


def test_end_of_somebody_elses_clip_is_told_with_their_name(open_page: Open, team: Team) -> None:
    """What ended is told to everybody in the workspace, and says whose it was unless it is one's own."""
    at = open_page("history", **team.address())
    team.done(team.ben, "bens")
    at.run()
    assert (sent(at, "live") or {})["told"]["text"] == "Finished: bens (ben)"
    team.done(team.me, "mine")
    at.run()
    assert (sent(at, "live") or {})["told"]["text"] == "Finished: mine"
    team.done(team.me, "mine, too")
    team.done(team.ben, "bens, too")
    at.run()
    assert (sent(at, "live") or {})["told"]["text"] == "2 clips finished (ben)"


def test_two_in_one_project_see_each_others_clips_arrive(team: Team) -> None:
    """A page of one learns at its next look that the other has ordered, that it moves, and that it is there."""
    mine, bens = token(team.studio, team.me), token(team.studio, team.ben)
    before = look(mine).json()["state"]

    row = team.order(team.ben, "bens")
    told = look(mine, row.id).json()
    assert told["state"] != before
    assert (told["live"], told["newest"], told["items"][0]["status"]) == (1, [row.id], "pending")
    assert look(bens, row.id).json() == told

    team.studio.send(row, progress=0.6)
    assert look(mine, row.id).json()["items"][0]["progress"] == 0.6
    assert look(token(team.studio, team.own)).json()["live"] == 0  # not at work in the team

    state = look(mine).json()["state"]
    with db.write_session() as session:
        live = progress.live_ids_of(session, team.me)
    assert live == [row.id]
    team.done(team.ben, "another")
    assert look(mine).json()["state"] != state


def test_usage_of_a_team_by_person(open_page: Open, team: Team) -> None:
    """In a team everybody may stack by person and look at one of them; workspaces are for analysts."""
    with db.write_session() as session:
        session.get_one(User, team.me.id).role = Role.USER
        for member, clips in ((team.me, 1), (team.ben, 2)):
            histories.book(session, member, [Ended(utc_now().date(), team.project.id, "demo-film")] * clips)

    at = open_page("usage", **team.address(by="user"))

    assert not at.exception
    assert {value["series"] for value in values(at, "Bars of credits spent, ")} == {"demo", "ben"}
    assert at.selectbox(key="usage_by").options == ["By model", "By provider", "By project", "By person"]
    assert at.selectbox(key="usage_people").options == ["This workspace", "Mine", "ben", "demo"]
    assert metrics(at)["Spent credits"] == "150"
    assert metrics(open_page("usage", **team.address(people="mine")))["Spent credits"] == "50"
    assert metrics(open_page("usage", **team.address(people=team.ben.id)))["Spent credits"] == "100"


def test_usage_of_everybody_by_workspace(open_page: Open, team: Team) -> None:
    """Who sees everybody's figures sees them by workspace, a personal one as its person."""
    with db.write_session() as session:
        for member in (team.me, team.own):
            project = projects.create(session, member, name="Spring").id
            histories.book(session, member, [Ended(utc_now().date(), project, "demo-film")])

    at = open_page("usage", **team.address(by="workspace", people="everybody"))
    assert {value["series"] for value in values(at, "Bars of credits spent, ")} == {"Lakes", "demo"}
    at = open_page("usage", **team.address(by="project", people="everybody"))
    told = {"Spring · Lakes · demo", "Spring · demo"}
    assert {value["series"] for value in values(at, "Bars of credits spent, ")} == told
    assert set(at.selectbox(key="usage_project").options) == told


def test_projects_of_one_name_in_lists(open_page: Open, team: Team) -> None:
    """Where two people of a team have projects of one name, lists and cards say whose each is."""
    for member in (team.me, team.ben):
        create_project(db.default(), member, "Spring")

    shown = {
        project["name"]
        for project in (sent(open_page("projects", **team.address()), "project_cards") or {})["projects"]
    }

    assert shown == {"Shared film", "Spring · demo", "Spring · ben"}
    assert set(open_page("generate", **team.address()).selectbox(key="generate_project").options) == shown


def test_unclear_clip_says_in_which_workspace(open_page: Open, team: Team) -> None:
    """An administrator reads maker, project and workspace, and is led to a clip that is in their reach."""
    row = team.studio.lose(team.order(team.ben, "lost"))

    at = open_page("admin")

    assert "in the project Shared film of Lakes" in said(at)
    assert any(row.id in link.proto.query_string for link in at.get("page_link"))
