"""The order form offers what the model's rules let, says what they do not, and takes references along."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import delete, select
from streamlit.testing.v1 import AppTest

from core import db
from core.db.tables import Generation, Upload
from core.providers.models import CapabilityRule, Condition
from core.spec import Reference
from tests.factories.images import create_image
from tests.factories.models import ABLE, able_demo
from tests.factories.studio import Studio
from tests.pages.conftest import Open, bring, choose, chosen, on_offer, slots, turned_to, write

BUTTON = "generate_button"
SHORT_AT_4K = "At 4K a clip has 8 seconds at most."
SHORT_WITH_REFERENCES = "With references a clip has 10 seconds at most, and no end image."


@pytest.fixture
def able() -> Iterator[None]:
    """The demo takes a seed, frame rates and references, and has rules."""
    with able_demo():
        yield


def captions(at: AppTest) -> str:
    """All small print."""
    return "\n".join(caption.value for caption in at.caption)


def bodies(at: AppTest) -> str:
    """All markup of the page's own."""
    return "".join(str(html.proto.body) for html in at.get("html"))


def keys(at: AppTest) -> set[str]:
    """The keys of all widgets."""
    kinds = (at.button, at.radio, at.selectbox, at.toggle, at.number_input, at.text_input)
    return {str(widget.key) for kind in kinds for widget in kind}


def drop(at: AppTest, studio: Studio, *colours: str) -> AppTest:
    """Drop images as references, one after the other."""
    for colour in colours:
        bring(at, studio, "references", (f"{colour}.png", create_image(colour)))
    return at


def _choose_role() -> None:
    from pages.sections.generate import source_images

    source_images.choose_role("references", 0, "style")
    source_images.choose_role("references", 1, "hero")
    source_images.choose_role("references", 9, "style")


def _remove_first() -> None:
    from pages.sections.generate import source_images

    source_images.remove("references", 0)


def act(at: AppTest, action: Callable[[], None]) -> AppTest:
    """What an element's callback does to the form, then the page again."""
    form = {name: at.session_state[name] for name in ("generate_model_id", "generate_references")}
    inside = AppTest.from_function(action)
    for name, held in form.items():
        inside.session_state[name] = held
    assert not inside.run().exception
    at.session_state["generate_references"] = inside.session_state["generate_references"]
    return at.run()


def ordered() -> list[Generation]:
    """All generations, oldest first."""
    with db.read_session() as session:
        return list(session.scalars(select(Generation).order_by(Generation.id)))


def test_only_what_the_model_has_is_asked(open_page: Open, studio: Studio) -> None:
    """Seed, frames a second and references stand in the form of a model that takes them, and of no other."""
    studio.project()
    more = {"generate_seed", "generate_fps_few"}
    assert not more & keys(open_page("generate"))
    assert "references" not in slots(open_page("generate"))
    with able_demo():
        assert more <= keys(open_page("generate"))
        assert slots(open_page("generate"))["references"]["most"] == 3
        assert open_page("generate").radio(key="generate_fps_few").options == ["Any", "24", "50"]


@pytest.mark.usefixtures("able")
def test_what_a_rule_forbids_is_not_offered(open_page: Open, studio: Studio) -> None:
    """The rule's sentence stands where its values are missing; they are back when it is satisfied."""
    studio.project()
    at = open_page("generate")
    assert on_offer(at, "duration_seconds")[-1] == "16 s"
    assert SHORT_AT_4K not in captions(at)
    choose(at, resolution="4K")
    assert on_offer(at, "duration_seconds")[-1] == "8 s"
    assert captions(at).count(SHORT_AT_4K) == 1
    choose(at, resolution="720p")
    choose(at, duration_seconds=12)
    assert on_offer(at, "resolution") == ["720p", "1080p"]
    assert captions(at).count(SHORT_AT_4K) == 1


@pytest.mark.usefixtures("able")
def test_wish_that_a_rule_forbids_is_changed_with_its_sentence(open_page: Open, studio: Studio) -> None:
    """What comes from elsewhere is made to fit, and the rule says why."""
    studio.project()
    at = open_page("generate")
    at.session_state["generate_resolution"], at.session_state["generate_duration_seconds"] = "4K", 12
    at.run()
    assert f"4K became 720p. {SHORT_AT_4K}" in captions(at)
    assert chosen(at)["resolution"] == "720p"


@pytest.mark.usefixtures("able")
def test_seed_frames_and_references_are_ordered(open_page: Open, studio: Studio) -> None:
    """What is chosen is ordered, each reference in its role, and shown with the clip; the rules hold meanwhile."""
    studio.project()
    at = write(drop(open_page("generate"), studio, "teal", "red"), "A shoe")
    at.number_input(key="generate_seed").set_value(0).run()
    at.radio(key="generate_fps_few").set_value(50).run()
    assert [role["name"] for role in slots(at)["references"]["roles"]] == ["subject", "style"]
    act(at, _choose_role)
    assert [held["role"] for held in slots(at)["references"]["held"]] == ["style", "subject"]
    assert on_offer(at, "duration_seconds")[-1] == "10 s"
    assert "end_image" not in slots(at)
    assert captions(at).count(SHORT_WITH_REFERENCES) == 1
    at.button(key=BUTTON).click().run()
    assert not at.error

    [row] = ordered()
    with db.read_session() as session:
        brought = {upload.file_name: upload.storage_key for upload in session.scalars(select(Upload))}
    wanted = (Reference("image", "style", brought["teal.png"]), Reference("image", "subject", brought["red.png"]))
    assert (row.seed, row.fps, row.references) == (0, 50, wanted)
    clip = open_page("history", clip=row.id)
    assert "Reference (style)" in bodies(clip)
    assert "Frames a second" in bodies(turned_to(clip, "Settings"))
    again = open_page("generate", from_=row.id)
    again.button(key=BUTTON).click().run()
    assert ordered()[1].spec == row.spec


@pytest.mark.usefixtures("able")
def test_reference_is_taken_out_again(open_page: Open, studio: Studio) -> None:
    """Each has a way out, whoever is the last makes room, and no more can be dropped than the model takes."""
    studio.project()
    at = drop(open_page("generate"), studio, "teal", "red", "blue")
    place = slots(at)["references"]
    assert (len(place["held"]), place["most"]) == (3, 3)
    act(at, _remove_first)
    kept = [held["title"] for held in slots(at)["references"]["held"]]
    assert kept == ["red.png, 320 × 180", "blue.png, 320 × 180"]


@pytest.mark.usefixtures("able")
def test_too_many_references_are_refused_beside_the_others(open_page: Open, studio: Studio) -> None:
    """As many as there may be are taken, and what is too many is said, once."""
    studio.project()
    at = drop(open_page("generate"), studio, "teal", "red")
    bring(at, studio, "references", *((f"{colour}.png", create_image(colour)) for colour in ("blue", "green")))
    assert len(at.session_state["generate_references"]) == 3
    assert [error.value for error in at.error] == ["Demo Film takes 3 reference images at most."]
    at.run()
    assert not at.error


def test_image_of_nobody_is_refused(open_page: Open, studio: Studio) -> None:
    """What an element tells is looked up: a key that the workspace has not brought is none of its images."""
    studio.project()
    at = open_page("generate")
    at.session_state["generate_brought"] = {
        "field": "start_image",
        "images": [{"key": "images/aa/other.jpg", "name": "other.jpg", "notes": ["bad"]}],
    }
    at.run()
    assert [error.value for error in at.error] == ["This is not an image you uploaded. Upload it first."]
    assert slots(at)["start_image"]["held"] == []


@pytest.mark.usefixtures("able")
def test_variations_have_seeds_of_their_own(open_page: Open, studio: Studio) -> None:
    """The same seed would give the same clip again, and nobody pays for that."""
    studio.project()
    at = write(open_page("generate"), "A lake")
    at.number_input(key="generate_seed").set_value(2**32 - 2).run()
    choose(at, variations=3)
    assert "Each variation has a seed of its own, from 4294967294 on." in captions(at)
    at.button(key=BUTTON).click().run()
    assert [row.seed for row in ordered()] == [2**32 - 2, 2**32 - 1, 0]


@pytest.mark.usefixtures("able")
def test_draft_keeps_references_and_seed(open_page: Open, studio: Studio) -> None:
    """They are there when the page is opened anew; what is no longer here is left out with a word."""
    studio.project()
    at = drop(open_page("generate"), studio, "teal", "red")
    at.number_input(key="generate_seed").set_value(0).run()
    again = open_page("generate")
    assert again.number_input(key="generate_seed").value == 0
    assert len(again.session_state["generate_references"]) == 2
    with db.write_session() as session:
        session.execute(delete(Upload).where(Upload.file_name == "red.png"))
    lost = open_page("generate")
    assert "References of your draft are no longer here." in captions(lost)
    assert [each["title"] for each in lost.session_state["generate_references"]] == ["teal.png, 320 × 180"]


def test_other_model_leaves_references_out_and_says_so(open_page: Open, studio: Studio) -> None:
    """A model that takes fewer or none keeps the first ones, and the wish is not lost."""
    studio.project()
    with able_demo():
        at = drop(open_page("generate"), studio, "teal", "red")
    with able_demo(replace(ABLE, reference_images=1)):
        at.run()
        assert "1 reference is left out: Demo Film takes 1 at most." in captions(at)
    at.run()
    assert "The references are left out: Demo Film takes none." in captions(at)
    with able_demo():
        at.run()
        assert "left out" not in captions(at)


def test_sound_that_is_always_there_or_forced(open_page: Open, studio: Studio) -> None:
    """No switch where every clip has sound; one that cannot be moved where a rule forces it, with the sentence."""
    studio.project()
    with able_demo(replace(ABLE, always_audio=True)):
        at = open_page("generate")
        assert "Demo Film makes every clip with sound." in captions(at)
        assert not at.toggle
    loud = CapabilityRule({"resolution": Condition(("1080p",))}, {"sound": Condition((1,))}, "1080p comes with sound.")
    with able_demo(replace(ABLE, rules=(loud,))):
        at = open_page("generate")
        at.session_state["generate_resolution"] = "1080p"
        at.run()
        assert "Sound is switched on. 1080p comes with sound." in captions(at)
        assert on_offer(at, "generate_audio") == [""]
        assert "1080p comes with sound." in captions(at)
