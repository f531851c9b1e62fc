from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import db
from core.db.enums import Status
from core.db.tables import Generation
from core.generations import commands, progress
from pages.elements import live as element
from pages.elements import live_endpoint
from tests.factories.studio import Studio
from tests.pages.conftest import Open, sent


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
    assert watching(open_page("generate"))["told"] == {"number": 0, "text": ""}


def test_end_is_told_once_by_the_prompt(open_page: Open, studio: Studio) -> None:
    """The run after an end tells of it, with a number of its own; later runs tell nothing new."""
    row = studio.order(studio.project(), "A *lake* <b>at dawn</b>")
    at = open_page("generate")
    studio.complete(row)
    first = watching(at.run())["told"]
    assert first == {"number": 1, "text": "Finished: A *lake* <b>at dawn</b>"}
    assert watching(at.run())["told"] == first


def test_clip_that_began_and_ended_between_two_runs_is_told_of(open_page: Open, studio: Studio) -> None:
    """No run and no look saw it under way, yet the page was drawn without it."""
    studio.complete(studio.order(studio.project(), "Before anybody came"))
    at = open_page("history")
    drawn = watching(at)["state"]
    studio.complete(studio.order(studio.project(), "A quick one"))
    given = watching(at.run())
    assert given["state"] != drawn
    assert given["told"] == {"number": 1, "text": "Finished: A quick one"}
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
    assert element.summary(rows) == "2 clips finished, 1 failed, 1 cancelled; 100 credits returned"


def test_long_prompt_is_cut() -> None:
    """A toast stays a line or two."""
    text = element.summary([ended(Status.COMPLETED, "word " * 400)])
    assert text.endswith("…")
    assert len(text) <= len("Finished: ") + element.PROMPT_CHARS


def test_what_is_under_way_is_listed_with_its_stage(open_page: Open, studio: Studio) -> None:
    """A clip at its provider shows its share as an estimate, what cancelling costs, and whose it is."""
    row = studio.send(studio.order(studio.project(), "A lake"), progress=0.4)
    [item] = (sent(open_page("generate"), "under_way") or {})["items"]
    assert (item["id"], item["title"], item["progress"]) == (row.id, "A lake", 0.4)
    assert "about 40%" in item["where"]
    assert item["cancel"]["can"]
    assert "50 credits" in item["cancel"]["text"]


def test_uncertain_ones_come_last_and_cannot_be_cancelled(open_page: Open, studio: Studio) -> None:
    """What moves is more interesting than what waits for an administrator."""
    project = studio.project()
    moving = studio.send(studio.order(project, "moves"))
    studio.lose(studio.order(project, "lost"))
    items = (sent(open_page("generate"), "under_way") or {})["items"]
    assert [item["title"] for item in items] == [moving.prompt, "lost"]
    assert items[1]["cancel"] is None


def test_page_without_anything_under_way_says_so(open_page: Open, studio: Studio) -> None:
    """An empty list is a sentence, and deleted or ended clips are not in it."""
    row = studio.complete(studio.order(studio.project()))
    with db.write_session() as session:
        commands.delete(session, studio.person, row.id)
    at = open_page("generate")
    assert sent(at, "under_way") is None
    assert any(caption.value.startswith("Nothing at the moment") for caption in at.caption)
