"""The bar above every page: where one can go, what one has, and what the window is called."""

import re
from pathlib import Path

from core.workspaces.access import Member
from pages.elements import bar
from pages.sections.bar import pages
from pages.ui import current_member, ratio
from pages.ui.language import _
from tests.factories.studio import Studio
from tests.pages.conftest import Open, sent


def test_bar_leads_to_every_page_of_its_person(open_page: Open, studio: Studio) -> None:
    """All but those that only links lead to, this one marked, and each at an address seen from any page."""
    shown = sent(open_page("usage"), "bar")
    assert shown is not None
    titles = [_(place.title) for place in pages.allowed(studio.person) if place.group is not pages.Group.LINKED]
    assert [link["title"] for link in shown["links"]] == titles
    assert [link["title"] for link in shown["links"] if link["current"]] == ["Usage"]
    assert shown["links"][0]["href"] == "./"
    assert all(link["href"].startswith("./") for link in shown["links"])


def test_pages_are_told_apart_by_their_icons() -> None:
    """Each page has one of its own, and the bar can draw it."""
    icons = [place.icon for place in pages.PLACES if place.icon]
    assert len(set(icons)) == len(icons)
    script = Path(bar.__file__).with_suffix(".js").read_text(encoding="utf-8")
    drawn = re.findall(r"^  (\w+): \[", script.partition("const ICONS")[2].partition("};")[0], re.MULTILINE)
    assert set(icons) <= set(drawn)


def test_search_is_offered_everywhere_but_where_it_leads(open_page: Open, studio: Studio) -> None:
    """Words are looked for in History, which has a field of its own."""
    shown = sent(open_page("projects"), "bar")
    assert shown is not None
    assert shown["search"] == "./history"
    shown = sent(open_page("history"), "bar")
    assert shown is not None
    assert shown["search"] is None


def test_first_page_answers_under_its_own_name_too(open_page: Open, studio: Studio) -> None:
    """Its heading is the same, and so is what the bar marks."""
    at = open_page("projects")
    at.switch_page("projects.py").run()
    assert [title.value for title in at.title] == ["Projects"]
    shown = sent(at, "bar")
    assert shown is not None
    assert [link["title"] for link in shown["links"] if link["current"]] == ["Projects"]


def test_link_keeps_who_has_several_workspaces_in_this_one(studio: Studio) -> None:
    """Opened in another tab it does not lead to the workspace of the last visit."""
    person = studio.person
    assert current_member.page_address("usage", person) == "./usage"
    in_two = Member(person.user, person.workspace_id, {**person.roles, "another": person.roles[person.workspace_id]})
    assert current_member.page_address("usage", in_two) == f"./usage?workspace={person.workspace_id}"


def test_frame_has_the_shape_of_its_ratio() -> None:
    """The longer side is the same for all; what is no ratio is a square."""
    assert ratio.size_px("16:9") == (16, 9)
    assert ratio.size_px("9:16") == (9, 16)
    assert ratio.size_px("1:1") == (16, 16)
    wide, high = ratio.size_px("auto")
    assert wide == high
    assert ratio.label("16:9").endswith(" 16:9")
