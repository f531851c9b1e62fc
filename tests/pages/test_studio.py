"""Stage and dock: takes of a press, drafts and finals, budgets above the button, what the list of models knows."""

from typing import Any

import pytest
from sqlalchemy import select, update
from streamlit.testing.v1 import AppTest

from core import db
from core.db.enums import ChangeKind
from core.db.tables import Generation
from core.installation import Installation
from core.usage import budgets
from pages.sections.generate import final_take
from tests.factories import installations
from tests.factories.catalogue import put_back, say
from tests.factories.studio import Studio
from tests.pages.conftest import Open, choose, presses, sent, write

BUTTON = "generate_button"
DRAFT = "generate_draft_order"


@pytest.fixture
def with_keys(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation whose vendors have keys, and where no model has ended; nothing is sent from a page."""
    for name in ("MODELSLAB", "EDENAI"):
        monkeypatch.setenv(f"{name}_API_KEY", "key-of-a-test")
    installations.reopen()
    put_back(db.default(), "veo3", "veo2", "runway-gen3", "nova-reel")


def ordered() -> list[Generation]:
    """All generations, oldest first."""
    with db.read_session() as session:
        return list(session.scalars(select(Generation).order_by(Generation.id)))


def captions(at: AppTest) -> str:
    """All small print."""
    return "\n".join(caption.value for caption in at.caption)


def small_print(at: AppTest) -> str:
    """All Markdown."""
    return "\n".join(text.value for text in at.markdown)


def models(at: AppTest) -> dict[str, dict[str, Any]]:
    """The list of models by id."""
    return {model["id"]: model for model in (sent(at, "model_picker") or {})["models"]}


def test_clip_opened_on_the_stage_is_walked_from_through_its_project(open_page: Open, studio: Studio) -> None:
    """Arrows and the keys that judge go on to the other clips of the project, as they do in the library."""
    project, other = studio.project("Lake"), studio.project("Desert")
    first, second, third = (studio.complete(studio.order(project, title)) for title in ("one", "two", "three"))
    studio.complete(studio.order(other, "elsewhere"))
    at = open_page("generate", project=project.id, clip=second.id)
    shown = sent(at, "clip_viewer")
    assert [clip["id"] for clip in shown["clips"]] == [third.id, second.id, first.id]


def test_press_fills_in_place(open_page: Open, studio: Studio) -> None:
    """Takes are numbered and named; one that is done has its clip, one under way its progress, on the same press."""
    studio.project()
    at = choose(write(open_page("generate"), "A lake"), variations=2)
    at.button(key=BUTTON).click().run()
    [before] = presses(at)
    assert [(take["number"], take["model"], take["source"]) for take in before["takes"]] == [
        ("1", "Demo Film", None),
        ("2", "Demo Film", None),
    ]
    studio.complete(ordered()[0])
    [after] = presses(at.run())
    assert after["id"] == before["id"]
    first, second = after["takes"]
    assert first["progress"] is None
    assert "/videos/" in first["source"]
    assert (second["progress"], second["source"]) == (0.0, None)
    assert second["cancel"]["can"]
    assert (sent(at, "stage") or {})["lead"] == after["id"]


def test_presses_of_one_prompt_are_told_apart(open_page: Open, studio: Studio) -> None:
    """Beside the stage stands what was changed since the press before; the whole prompt is there, too."""
    project = studio.project()
    lake = "A rower crosses a still lake at dawn, mist over the water, soft light"
    for prompt, resolution in ((lake, "720p"), (f"{lake}, geese", "720p"), (f"{lake}, geese", "1080p")):
        studio.order(project, prompt, resolution=resolution)
    found = presses(open_page("generate", project=project.id))
    assert [press["name"] for press in found] == ["1080p", "… water, soft light, geese", lake]
    assert [press["title"] for press in found] == [f"{lake}, geese", f"{lake}, geese", lake]


def test_takes_under_way_have_the_shape_that_was_ordered(open_page: Open, studio: Studio) -> None:
    """The stage can show the frame of a clip before there is a picture of it."""
    project = studio.project()
    studio.order(project, aspect_ratio="9:16")
    [press] = presses(open_page("generate", project=project.id))
    assert press["takes"][0]["shape"] == [9, 16]


def test_note_on_an_order_tells_which(open_page: Open, studio: Studio) -> None:
    """Model, shape and length stand beside the price, so that one order's note is not the next one's."""
    studio.project()
    at = write(open_page("generate"), "A lake")
    at.button(key=BUTTON).click().run()
    assert "until the clip is here. Demo Film · 720p · 16:9 · 5 s" in captions(at).replace("\\", "")
    at = choose(write(at, "A sea"), aspect_ratio="9:16", variations=2)
    at.button(key=BUTTON).click().run()
    assert "until the clips are here. Demo Film · 2 clips · 720p · 9:16 · 5 s" in captions(at).replace("\\", "")


def test_word_on_the_negative_prompt_is_for_who_has_written_one(open_page: Open, studio: Studio) -> None:
    """That a model leaves it aside concerns nobody who asked for none; what else it says of itself stays."""
    studio.project()
    at = write(open_page("generate"), "A lake")
    assert "anything else is shown by its own words" in captions(at)
    assert "negative prompt" not in captions(at)
    at.session_state["generate_negative_prompt"] = "blur"
    assert "The negative prompt is ignored." in captions(at.run())


def test_dock_leads_to_many_orders_at_once(open_page: Open, studio: Studio) -> None:
    """Who wants more than a few clips finds the way beside the settings."""
    studio.project()
    links = [link.proto for link in open_page("generate").get("page_link")]
    assert "Batch" in [link.label for link in links]


def test_own_order_is_not_held_against_its_person(open_page: Open, studio: Studio) -> None:
    """What was just ordered is confirmed in the dock, and not called a repeat."""
    studio.project()
    at = write(open_page("generate"), "A lake")
    at.button(key=BUTTON).click().run()
    assert "Ordered. 50 credits are reserved until the clip is here." in captions(at)
    assert "You already" not in small_print(at)
    again = write(open_page("generate"), "A lake")
    assert "You already ordered this" in small_print(again)


def test_draft_on_the_cheapest_that_fits(open_page: Open, studio: Studio, with_keys: None) -> None:
    """One press orders the same idea where it costs least, without what a draft does not need; never with the demo."""
    studio.project()
    at = choose(write(open_page("generate", model="veo3"), "A lake"), aspect_ratio="9:16", generate_audio=True)
    label = at.button(key=DRAFT).label
    at.button(key=DRAFT).click().run()
    [row] = ordered()
    assert label == f"Draft for {row.credits}"
    assert row.provider != "demo"
    assert (row.prompt, row.aspect_ratio, row.generate_audio) == ("A lake", "9:16", False)
    assert row.credits < 2_500
    assert at.button(key=BUTTON).label == "Generate for 2,510 credits", "the form still wishes for the final"


def test_draft_pays_what_its_button_said(open_page: Open, studio: Studio) -> None:
    """A price that has changed since orders nothing."""
    studio.project()
    at = choose(write(open_page("generate"), "A lake"), resolution="4K")
    assert at.button(key=DRAFT).label == "Draft for 50"
    say(db.default(), "demo-film", ChangeKind.PRICE, {"base_credits": 70, "default_seconds": 5})
    at.button(key=DRAFT).click().run()
    assert ordered() == []
    assert at.button(key=DRAFT).label == "Draft for 70"
    at.button(key=DRAFT).click().run()
    assert [(row.resolution, row.credits) for row in ordered()] == [("720p", 70)]


def test_no_draft_where_nothing_is_cheaper(open_page: Open, studio: Studio) -> None:
    """Who has chosen the cheapest already is offered nothing below it."""
    studio.project()
    with pytest.raises(KeyError):
        write(open_page("generate"), "A lake").button(key=DRAFT)


def test_final_of_a_draft(open_page: Open, studio: Studio, with_keys: None) -> None:
    """The take's order goes to the chosen model, changes and price are said before; it knows its draft."""
    row = studio.complete(studio.order(studio.project(), "A lake", duration_seconds=7))
    at = open_page("generate", model="kling-2.5")
    at.session_state[final_take._OPEN] = row.id  # the press on the stage, which a test cannot make
    at.run()
    assert at.selectbox(key="generate_final_model").value == "kling-2.5"
    assert "7 s became 5 s: Kling 2.5 makes 5 or 10 s only." in captions(at)
    order = at.button(key="generate_final_order")
    assert order.label == "Make the final for 500 credits"
    order.click().run()
    assert not at.error
    [_draft, final] = ordered()
    assert (final.model_id, final.credits, final.source_id) == ("kling-2.5", 500, row.id)
    assert final_take._OPEN not in at.session_state or at.session_state[final_take._OPEN] is None


def test_budget_stands_above_the_button(open_page: Open, studio: Studio) -> None:
    """From four fifths on it is said, and what the order goes beyond it; nothing is refused."""
    project = studio.project()
    studio.complete(studio.order(project, "Before"))
    with db.write_session() as session:
        budgets.set_workspace(session, studio.person, credits=120)
    at = write(open_page("generate"), "A lake")
    assert "This month 50 of 120 credits of the budget are spent." in captions(at)
    choose(at, variations=2)
    said = small_print(at)
    assert "This month 50 of 120 credits of the budget are spent. With this order it is 30 over." in said
    assert not at.button(key=BUTTON).disabled
    with db.write_session() as session:
        budgets.set_workspace(session, studio.person, credits=10_000)
    assert "This month" not in captions(at.run()) + small_print(at)


@pytest.mark.parametrize(("judged", "kept"), [(9, ""), (10, "60% of 10")])
def test_list_tells_the_kept_share_only_of_enough(open_page: Open, studio: Studio, judged: int, kept: str) -> None:
    """Of fewer than ten judged clips no share is shown, and none is sorted by."""
    project = studio.project()
    for number in range(judged):
        row = studio.complete(studio.order(project, f"A lake, {number}"))
        with db.write_session() as session:
            session.execute(update(Generation).where(Generation.id == row.id).values(kept=number < 6))
    found = models(open_page("generate"))["demo-film"]
    assert found["kept"] == kept
    assert found["by"]["kept"] == (0.6 if kept else None)
    assert found["by"]["recent"] == 0


def test_only_what_is_offered_is_taken(open_page: Open, studio: Studio) -> None:
    """A browser that sends another value, or of another kind, changes nothing."""
    studio.project()
    at = open_page("generate")
    at.session_state["generate_variations"] = 7
    at.session_state["generate_resolution"] = "8K"
    at.run()
    assert not at.exception
    assert at.button(key=BUTTON).label == "Generate for 50 credits"
