from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from streamlit.testing.v1 import AppTest

from core import db
from core.clock import utc_now
from core.db.tables import Draft, Generation, Upload
from core.installation import Installation
from core.projects import uploads
from tests.factories.images import create_image
from tests.factories.studio import Studio
from tests.pages.conftest import Open, choose, chosen, prompt, sent, write
from tests.pages.test_generate import BUTTON, captions, ordered, prices


def drafts() -> list[Draft]:
    """All that is kept."""
    with db.read_session() as session:
        return list(session.scalars(select(Draft)))


def add_image(at: AppTest, installation: Installation, studio: Studio) -> AppTest:
    """A start image, as it is when it was dropped into the form."""
    data = create_image(size=(90, 160))
    upload, notes = uploads.store_image(
        studio.person,
        identity=data,
        picture=lambda: data,
        file_name="photo.jpg",
        storage=installation.storage,
        quota_bytes=10**9,
    )
    at.session_state["generate_start_image"] = {"key": upload.storage_key, "title": "photo.jpg", "notes": notes}
    return at.run()


def test_draft_outlives_the_session(open_page: Open, studio: Studio, installation: Installation) -> None:
    """Another session of the same person, as a reload or a restart makes one, shows the same order and price."""
    studio.project()
    second = studio.project("Second film")
    at = write(open_page("generate"), "Ten minutes of thought")
    at.selectbox(key="generate_project").set_value(second.id).run()
    choose(at, resolution="1080p")
    choose(at, aspect_ratio="9:16")
    choose(at, duration_seconds=8)
    choose(at, generate_audio=True)
    choose(at, variations=2)
    at = add_image(at, installation, studio)
    price = at.button(key=BUTTON).label

    again = open_page("generate")

    assert prompt(again) == "Ten minutes of thought"
    assert again.selectbox(key="generate_project").value == second.id
    assert chosen(again)["resolution"] == "1080p"
    assert chosen(again)["aspect_ratio"] == "9:16"
    assert chosen(again)["duration_seconds"] == 8
    assert chosen(again)["generate_audio"] is True
    assert "Start image (+20%)" in prices(again)
    assert again.button(key=BUTTON).label == price
    assert "Your draft is back" in captions(again)
    again.run()
    again.button(key=BUTTON).click().run()
    assert [(row.prompt, row.resolution, bool(row.start_image_key)) for row in ordered()] == [
        ("Ten minutes of thought", "1080p", True)
    ] * 2
    assert "Your draft is back" not in captions(again)


def test_form_that_nobody_touched_is_no_draft(open_page: Open, studio: Studio) -> None:
    """Looking at the page writes nothing."""
    studio.project()
    open_page("generate").run()
    assert drafts() == []


def test_what_is_written_before_the_page_is_drawn_is_kept(open_page: Open, studio: Studio) -> None:
    """Who writes at once overtakes the first run, which then ends before it has kept what the form begins with."""
    studio.project()
    at = open_page("generate")
    at.session_state["generate_draft"] = {**at.session_state["generate_draft"], "saved": None, "is_own": False}
    write(at, "A lake")
    assert prompt(open_page("generate")) == "A lake"


def test_unchanged_form_is_written_once(open_page: Open, studio: Studio) -> None:
    """Drawing the page again costs no write."""
    studio.project()
    at = write(open_page("generate"), "A lake")
    [before] = drafts()
    at.run()
    [after] = drafts()
    assert (after.updated_at, after.content) == (before.updated_at, before.content)


def test_draft_shown_again_keeps_its_age(open_page: Open, studio: Studio) -> None:
    """A reload says when it was written, also the second time."""
    studio.project()
    write(open_page("generate"), "A lake")
    with db.write_session() as session:
        session.execute(update(Draft).values(updated_at=utc_now() - timedelta(hours=3)))
    for _reload in range(2):
        assert "as you left it 3 h ago." in captions(open_page("generate"))


def test_address_counts_more_than_the_draft(open_page: Open, studio: Studio) -> None:
    """A link to a model or an earlier clip fills the form, and the draft the rest."""
    project = studio.project()
    row = studio.order(project, "A red fox", aspect_ratio="1:1")
    write(open_page("generate"), "A lake")
    at = open_page("generate", model="wan-2.2-t2v")
    assert (sent(at, "model_picker") or {})["chosen"] == "wan-2.2-t2v"
    assert prompt(at) == "A lake"
    assert prompt(open_page("generate", from_=row.id)) == "A red fox"


def test_lost_image_is_said(open_page: Open, studio: Studio, installation: Installation) -> None:
    """An image that is no longer theirs is left out with a word, and the price is without it."""
    studio.project()
    add_image(write(open_page("generate"), "A lake"), installation, studio)
    with db.write_session() as session:
        session.execute(delete(Upload))
    at = open_page("generate")
    assert "The start image of your draft is no longer here." in captions(at)
    assert at.button(key=BUTTON).label == "Generate for 50 credits"


@pytest.mark.parametrize(
    "content",
    [
        {"prompt": 7, "duration_seconds": "8", "also": "veo3", "start_image": {"title": "no key"}},
        {"model_id": "gone", "resolution": "8K", "duration_seconds": 999, "project": "nobody's", "variations": 9},
        {"also": ["gone"], "extends": {}, "aspect_ratio": "auto", "unknown": 1},
    ],
)
def test_draft_of_another_release_fills_what_it_can(open_page: Open, studio: Studio, content: dict[str, Any]) -> None:
    """What does not fit any more never stops the page."""
    studio.project()
    with db.write_session() as session:
        session.add(
            Draft(
                user_id=studio.person.id,
                workspace_id=studio.person.workspace_id,
                form="generate",
                content=content,
                written_by="old",
            )
        )
    at = open_page("generate")
    assert not at.exception
    assert not at.error
    assert at.button(key=BUTTON).label == "Generate for 50 credits" or "became" in captions(at)


def test_beginning_afresh_empties_form_and_draft(open_page: Open, studio: Studio, installation: Installation) -> None:
    """One press, and neither this page nor the next one knows the words."""
    studio.project()
    add_image(write(open_page("generate"), "A lake"), installation, studio)
    at = open_page("generate")
    at.button(key="generate_draft_clear").click().run()
    assert prompt(at) == ""
    assert at.button(key=BUTTON).label == "Generate for 50 credits"
    assert "Your draft is back" not in captions(at)
    again = open_page("generate")
    assert prompt(again) == ""
    assert "Your draft is back" not in captions(again)


def test_prompt_over_the_limit_is_taken_counted_and_blocked(open_page: Open, studio: Studio) -> None:
    """A paste is never refused without a word: it stands there, red, and the button says why not."""
    studio.project()
    at = write(open_page("generate"), "x" * 2_100)
    field = sent(at, "prompt_input") or {}
    assert (len(field["text"]), field["limit"]) == (2_100, 2_000)
    assert "Use at most 2,000 characters; these are 2,100." in captions(at)
    assert at.button(key=BUTTON).disabled
    write(at, "x" * 2_000)
    assert not at.button(key=BUTTON).disabled


def test_draft_that_cannot_be_read_is_not_written_over(
    open_page: Open, studio: Studio, installation: Installation
) -> None:
    """While the table is away the page says so, and what was kept is there when it is back."""
    studio.project()
    write(open_page("generate"), "A lake")
    with installation.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE drafts RENAME TO away")
    at = open_page("generate")
    assert at.error
    with installation.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO drafts")
    at.run()
    assert prompt(at) == "A lake"
    with db.read_session() as session:
        assert session.scalars(select(Generation)).all() == []


def test_two_tabs_lose_nothing_silently(open_page: Open, studio: Studio) -> None:
    """The newest is kept; the tab that has written over the other says so, and shows the other on request."""
    studio.project()
    one = write(open_page("generate"), "A lake")
    two = write(open_page("generate"), "A lake and a heron")
    assert "another tab" not in captions(two)
    write(one, "A lake at dawn")
    assert "In another tab or on another device you wrote, just now: “A lake and a heron”" in captions(one)
    assert prompt(one) == "A lake at dawn"
    one.button(key="generate_draft_take_back").click().run()
    assert prompt(one) == "A lake and a heron"
    assert "“A lake at dawn”" in captions(one)
    again = open_page("generate")
    assert prompt(again) == "A lake and a heron"
    assert "“A lake at dawn”" in captions(again)
    again.button(key="generate_draft_leave").click().run()
    assert "another tab" not in captions(again)
    assert "another tab" not in captions(open_page("generate"))


def test_own_changes_are_no_other_tab(open_page: Open, studio: Studio) -> None:
    """Who goes on writing, also after a reload, is told of nothing."""
    studio.project()
    write(write(open_page("generate"), "A lake"), "A lake at dawn")
    at = write(write(open_page("generate"), "A lake at dusk"), "A lake at night")
    assert "another tab" not in captions(at)
