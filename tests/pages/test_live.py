from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import db
from core.db.enums import Status
from core.db.tables import Generation
from core.generations import commands, progress
from pages.elements import live_endpoint
from pages.sections import ended_text
from tests.factories.studio import Studio
from tests.pages.conftest import Open, presses, sent


def watching(at: AppTest) -> dict[str, Any]:
    """What the element was given."""
    found = sent(at, "live")
    assert found is not None
    return found


@pytest.mark.parametrize("page", ["projects", "generate", "history", "usage", "admin"])
def test_every_page_watches(open_page: Open, studio: Studio, page: str) -> None:
    """The element is on every page, with a token of the person and the set of what is under way."""
    row = studio.order(studio.project())
    given = watching(open_page(page))
    user_id, workspace_id, tag, session_id = progress.check_token(
        given["token"], secrets=studio.settings.secrets_in_force, now=row.created_at
    )
    assert (user_id, workspace_id, tag) == (studio.person.id, studio.person.workspace_id, "en")
    assert session_id == "", "without sign-in there is no session"
    assert (given["live"], given["state"]) == (1, live_endpoint.state([row.id], row.id, ""))
    assert given["address"] == f".{live_endpoint.PATH}", "seen from the page, below whatever path that is"


def test_nothing_is_told_on_the_first_look(open_page: Open, studio: Studio) -> None:
    """What ended before a person came is no news."""
    studio.complete(studio.order(studio.project()))
    assert watching(open_page("generate"))["told"] == {"number": 0, "text": "", "ids": []}


def test_end_is_told_once_by_the_prompt(open_page: Open, studio: Studio) -> None:
    """The run after an end tells of it, with a number of its own; later runs tell nothing new."""
    row = studio.order(studio.project(), "A *lake* <b>at dawn</b>")
    at = open_page("generate")
    studio.complete(row)
    first = watching(at.run())["told"]
    assert first == {"number": 1, "text": "Finished: A *lake* <b>at dawn</b>", "ids": [row.id]}
    assert watching(at.run())["told"] == first


def test_clip_that_began_and_ended_between_two_runs_is_told_of(open_page: Open, studio: Studio) -> None:
    """No run and no look saw it under way, yet the page was drawn without it."""
    studio.complete(studio.order(studio.project(), "Before anybody came"))
    at = open_page("history")
    drawn = watching(at)["state"]
    row = studio.complete(studio.order(studio.project(), "A quick one"))
    given = watching(at.run())
    assert given["state"] != drawn
    assert given["told"] == {"number": 1, "text": "Finished: A quick one", "ids": [row.id]}
    assert watching(at.run())["told"]["number"] == 1


def test_end_is_told_on_another_page_too(open_page: Open, studio: Studio) -> None:
    """The session remembers what was under way, not the page."""
    row = studio.order(studio.project())
    at = open_page("generate")
    studio.fail(row)
    at.switch_page("usage.py")
    assert watching(at.run())["told"]["text"] == "Failed: A lake at dawn; 50 credits returned"


def ended(status: Status, prompt: str = "A lake", credits: int = 50) -> Generation:
    """A generation at its end, as far as a line about it needs."""
    return Generation(id=f"{status}-{prompt}", status=status, prompt=prompt, credits=credits)


def test_several_ends_are_one_line() -> None:
    """Each kind is counted, and what came back is added up."""
    rows = [ended(Status.COMPLETED), ended(Status.COMPLETED, "b"), ended(Status.FAILED), ended(Status.CANCELLED)]
    assert ended_text.summary(rows) == "2 clips finished, 1 failed, 1 cancelled; 100 credits returned"


def test_long_prompt_is_cut() -> None:
    """A toast stays a line or two."""
    text = ended_text.summary([ended(Status.COMPLETED, "word " * 400)])
    assert text.endswith("…")
    assert len(text) <= len("Finished: ") + ended_text.PROMPT_CHARS


def test_what_is_under_way_is_listed_with_its_stage(open_page: Open, studio: Studio) -> None:
    """A clip at its provider shows its share as an estimate, what cancelling costs, and whose it is."""
    row = studio.send(studio.order(studio.project(), "A lake"), progress=0.4)
    [press] = presses(open_page("generate"))
    [item] = press["takes"]
    assert (item["id"], press["title"], item["progress"]) == (row.id, "A lake", 0.4)
    assert "about 40%" in item["where"]
    assert item["cancel"]["can"]
    assert "50 credits" in item["cancel"]["text"]


def test_uncertain_one_cannot_be_cancelled(open_page: Open, studio: Studio) -> None:
    """What waits for an administrator says so, and offers nothing to its person."""
    studio.lose(studio.order(studio.project(), "lost"))
    [press] = presses(open_page("generate"))
    [item] = press["takes"]
    assert item["where"].startswith("Unclear whether the provider has it.")
    assert item["cancel"] is None


def test_page_without_anything_under_way_says_so(open_page: Open, studio: Studio) -> None:
    """An empty stage is a sentence, and deleted clips are not on it."""
    row = studio.complete(studio.order(studio.project()))
    with db.write_session() as session:
        commands.delete(session, studio.person, row.id)
    at = open_page("generate")
    assert presses(at) == []
    assert (sent(at, "stage") or {})["words"]["empty"] == "Your first clip plays here"


def test_what_is_under_way_elsewhere_is_one_press_away(open_page: Open, studio: Studio) -> None:
    """The stage is of one project; what moves in others is counted, with a way there."""
    here, there = studio.project("Here"), studio.project("There")
    for number in range(2):
        studio.order(there, f"There, {number}")
    studio.order(here, "Here")
    at = open_page("generate", project=here.id)
    assert [press["title"] for press in presses(at)] == ["Here"]
    assert "2 more under way" in [link.proto.label for link in at.get("page_link")]
