import threading

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from core import db
from core.db.enums import Role
from core.db.tables import User
from core.generations.list_filter import ListFilter
from core.generations.queries import list_page
from core.installation import Installation
from core.sample import make, presence
from core.sample.presence import Presence, SamplePerson
from core.workspaces import members
from tests.factories import installations
from tests.factories.studio import Studio
from tests.pages.conftest import Open, sent

FEW = 8
SWITCH = "bar_look_as"


@pytest.fixture
def company(studio: Studio, installation: Installation) -> dict[str, SamplePerson]:
    """A small company, its people by what they are."""
    make.make(installation, studio.person, takes=FEW)
    with db.read_session() as session:
        found = presence.people(session)
    return {str(one.workspace_role if one.role is Role.USER else one.role): one for one in reversed(found)}


def words(at: AppTest) -> str:
    """Everything that is said on the page."""
    return " ".join(part.value for part in (*at.markdown, *at.caption))


def cards(at: AppTest) -> list[str]:
    """Ids of the clips in the gallery."""
    return [card["id"] for card in (sent(at, "clip_gallery") or {"cards": []})["cards"]]


def clips_of(person: SamplePerson) -> list[str]:
    """Ids of the newest clips where somebody was last at work."""
    with db.read_session() as session:
        user = session.get_one(User, person.id)
        member = members.at_work(session, user, user.last_workspace_id)
        return [row.id for row in list_page(session, member, ListFilter()).rows]


@pytest.mark.parametrize("page", ["generate", "history", "usage"])
def test_company_is_offered_where_there_is_nothing(open_page: Open, studio: Studio, page: str) -> None:
    """Each empty page says in a sentence what a look as a team is, with the one button for it."""
    at = open_page(page)
    assert not at.exception
    assert [button.label for button in at.button if "sample" in str(button.key)] == ["Try it as a team"]
    assert "sample company" in words(at)
    assert not [box for box in at.selectbox if box.key == SWITCH]


def test_company_is_offered_beside_work_of_ones_own(open_page: Open, studio: Studio) -> None:
    """Who has ordered finds the offer where teams are explained, though their other pages are not empty any more."""
    studio.order(studio.project())
    at = open_page("team")
    assert not at.exception
    assert [button.label for button in at.button if button.key == "team_sample"] == ["Try it as a team"]


def test_press_makes_the_company_and_looks_as_a_producer(open_page: Open, studio: Studio) -> None:
    """One press later there are projects to see, and a line that says whose."""
    at = open_page("history")
    at.button(key="history_sample").click().run(timeout=280)

    assert not at.exception
    with db.read_session() as session:
        assert presence.presence(session) is Presence.THERE
    assert "You look as **Bima Saputra**, producer in Social." in words(at)
    assert len((sent(at, "project_cards") or {"projects": []})["projects"]) == 3


def test_switch_names_everybody_with_their_role(open_page: Open, company: dict[str, SamplePerson]) -> None:
    """The bar lists oneself first, then the people of the company."""
    at = open_page("projects")
    box = at.selectbox(key=SWITCH)
    assert box.options[0] == "You"
    assert len(box.options) == 13
    assert "Tessa Okoye · analyst" in box.options


def test_producer_sees_the_clips_of_their_team_and_goes_back(open_page: Open, company: dict[str, SamplePerson]) -> None:
    """Looking as somebody shows what they see; going back shows one's own again."""
    maker = company["maker"]
    at = open_page("history")
    at.selectbox(key=SWITCH).select(maker.email).run()

    assert not at.exception
    assert cards(at) == clips_of(maker) != []
    assert f"You look as **{maker.name}**" in words(at)
    assert at.query_params["as"] == maker.email

    at.button(key="look_as_nobody").click().run()
    assert cards(at) == []
    assert "You look as" not in words(at)
    assert "as" not in at.query_params


def test_somebody_who_is_in_no_team_is_named_so(open_page: Open, company: dict[str, SamplePerson]) -> None:
    """An administrator who plays with roles can make one of them nobody in particular; the page still makes sense."""
    admin = company["admin"]
    with db.write_session() as session:
        session.execute(update(User).where(User.id == admin.id).values(role=Role.USER))

    at = open_page("projects", as_=admin.email)
    assert f"You look as **{admin.name}**, who is in no team." in words(at)
    assert admin.name in at.selectbox(key=SWITCH).options


def test_link_that_names_somebody_shows_what_they_see(open_page: Open, company: dict[str, SamplePerson]) -> None:
    """An address can be opened again or handed on to another window of the same machine."""
    manager = company["manager"]
    at = open_page("history", as_=manager.email)
    assert cards(at) == clips_of(manager) != []


def test_analyst_sees_figures_of_everybody_and_no_clip(open_page: Open, company: dict[str, SamplePerson]) -> None:
    """Their usage begins with everybody, says that the sample is among it, and their history leads there."""
    at = open_page("usage", as_=company["analyst"].email, period="365")
    assert not at.exception
    assert at.selectbox(key="usage_people").value == "everybody"
    assert "among everybody" in words(at)
    assert at.metric

    at = open_page("history", as_=company["analyst"].email)
    assert cards(at) == []
    assert "Your figures are on the usage page" in words(at)
    assert not [button for button in at.button if "sample" in str(button.key)]


def test_administrator_of_the_company_sees_the_whole_installation(
    open_page: Open, company: dict[str, SamplePerson]
) -> None:
    """The page of administrators works with people of every role in it."""
    at = open_page("admin", as_=company["admin"].email)
    at.session_state["admin_tabs"] = "People"
    at.run()
    assert not at.exception
    assert not at.error
    assert at.button(key="sample_remove").label == "Remove for good"


def test_books_say_that_months_of_the_company_are_left_out(
    open_page: Open, company: dict[str, SamplePerson], studio: Studio
) -> None:
    """Without a month of one's own there is nothing to close, however much moved in the sample."""
    at = open_page("admin")
    at.session_state["admin_tabs"] = "Books"
    at.run()
    assert not at.exception
    assert "Months of the sample company are left out here" in words(at)


def test_company_is_removed_on_the_page_of_administrators(
    open_page: Open, company: dict[str, SamplePerson], studio: Studio, installation: Installation
) -> None:
    """It is asked first what goes; while it runs nothing can be pressed; then one is oneself again."""
    at = open_page("admin", as_=company["admin"].email)
    at.session_state["admin_tabs"] = "People"
    at.run()
    assert "are gone for good" in words(at)
    with presence.alone(installation.settings):  # as if it took long
        at.button(key="sample_remove").click().run()
        assert not at.exception
        assert "Removing the sample company…" in words(at)
        assert at.button(key="sample_remove").disabled
        assert at.get_by_key("sample_remove_popover").proto.popover.disabled
        assert "not finished" not in words(at)
    for thread in threading.enumerate():
        if thread.name == "sample":
            thread.join(120)
    at.run()

    assert not at.exception
    with db.read_session() as session:
        assert presence.presence(session) is Presence.NONE
    assert not [box for box in at.selectbox if box.key == SWITCH]
    assert "as" not in at.query_params


def test_somebody_real_cannot_be_looked_as(open_page: Open, company: dict[str, SamplePerson], studio: Studio) -> None:
    """The address looks as people of the company only; any other is oneself."""
    with db.write_session() as session:
        session.add(User(email="ana@example.org", name="Ana"))
    studio.project("Mine")
    at = open_page("projects", as_="ana@example.org")
    assert [card["name"] for card in (sent(at, "project_cards") or {"projects": []})["projects"]] == ["Mine"]


def test_nobody_is_looked_as_where_others_can_come_in(
    open_page: Open, company: dict[str, SamplePerson], studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every mode but local there is no switch, and an address with a name in it shows nothing of theirs."""
    project = studio.project("Mine")
    mine = studio.order(project)
    monkeypatch.setenv("AUTH_MODE", "open")
    installations.reopen()

    at = open_page("history", as_=company["maker"].email)
    assert cards(at) == [mine.id]
    assert not [box for box in at.selectbox if box.key == SWITCH]
    assert "You look as" not in words(at)
