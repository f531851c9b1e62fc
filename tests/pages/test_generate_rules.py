"""The order form offers what the model's rules let, says what they do not, and takes references along."""

from collections.abc import Iterator
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
from tests.pages.conftest import Open

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


def keys(at: AppTest) -> set[str]:
    """The keys of all widgets."""
    kinds = (at.button, at.radio, at.selectbox, at.toggle, at.number_input, at.text_input, at.file_uploader)
    return {str(widget.key) for kind in kinds for widget in kind}


def drop(at: AppTest, *colours: str) -> AppTest:
    """Drop images as references, one after the other."""
    for colour in colours:
        [place] = [each for each in at.file_uploader if str(each.key).startswith("generate_references_file")]
        place.set_value([(f"{colour}.png", create_image(colour), "image/png")]).run()
    return at


def write(at: AppTest, prompt: str) -> AppTest:
    """Write a prompt."""
    return at.text_area(key="generate_prompt").set_value(prompt).run()


def ordered() -> list[Generation]:
    """All generations, oldest first."""
    with db.read_session() as session:
        return list(session.scalars(select(Generation).order_by(Generation.id)))


def test_only_what_the_model_has_is_asked(open_page: Open, studio: Studio) -> None:
    """Seed, frames a second and references stand in the form of a model that takes them, and of no other."""
    studio.project()
    more = {"generate_seed", "generate_fps_few", "generate_references_file_0"}
    assert not more & keys(open_page("generate"))
    with able_demo():
        assert more <= keys(open_page("generate"))
        assert open_page("generate").radio(key="generate_fps_few").options == ["Any", "24", "50"]


@pytest.mark.usefixtures("able")
def test_what_a_rule_forbids_is_not_offered(open_page: Open, studio: Studio) -> None:
    """The rule's sentence stands where its values are missing; they are back when it is satisfied."""
    studio.project()
    at = open_page("generate")
    assert at.selectbox(key="generate_duration_seconds_many").options[-1] == "16 s"
    assert SHORT_AT_4K not in captions(at)
    at.radio(key="generate_resolution_few").set_value("4K").run()
    assert at.selectbox(key="generate_duration_seconds_many").options[-1] == "8 s"
    assert captions(at).count(SHORT_AT_4K) == 1
    at.radio(key="generate_resolution_few").set_value("720p").run()
    at.selectbox(key="generate_duration_seconds_many").set_value(12).run()
    assert at.radio(key="generate_resolution_few").options == ["720p", "1080p"]
    assert captions(at).count(SHORT_AT_4K) == 1


@pytest.mark.usefixtures("able")
def test_wish_that_a_rule_forbids_is_changed_with_its_sentence(open_page: Open, studio: Studio) -> None:
    """What comes from elsewhere is made to fit, and the rule says why."""
    studio.project()
    at = open_page("generate")
    at.session_state["generate_resolution"], at.session_state["generate_duration_seconds"] = "4K", 12
    at.run()
    assert f"4K became 720p. {SHORT_AT_4K}" in captions(at)
    assert at.radio(key="generate_resolution_few").value == "720p"


@pytest.mark.usefixtures("able")
def test_seed_frames_and_references_are_ordered(open_page: Open, studio: Studio) -> None:
    """What is chosen is ordered, each reference in its role, and shown with the clip; the rules hold meanwhile."""
    studio.project()
    at = write(drop(open_page("generate"), "teal", "red"), "A shoe")
    at.number_input(key="generate_seed").set_value(0).run()
    at.radio(key="generate_fps_few").set_value(50).run()
    [first_role, *_others] = [each for each in at.selectbox if str(each.key).endswith("_role")]
    assert first_role.options == ["subject", "style"]
    first_role.set_value("style").run()
    assert at.selectbox(key="generate_duration_seconds_many").options[-1] == "10 s"
    assert "generate_end_image_file_0" not in keys(at)
    assert captions(at).count(SHORT_WITH_REFERENCES) == 1
    at.button(key=BUTTON).click().run()
    assert not at.error

    [row] = ordered()
    with db.read_session() as session:
        brought = {upload.file_name: upload.storage_key for upload in session.scalars(select(Upload))}
    wanted = (Reference("image", "style", brought["teal.png"]), Reference("image", "subject", brought["red.png"]))
    assert (row.seed, row.fps, row.references) == (0, 50, wanted)
    shown = "".join(str(html.proto.body) for html in open_page("history", clip=row.id).get("html"))
    assert "Reference (style)" in shown
    assert "Frames a second" in shown
    again = open_page("generate", from_=row.id)
    again.button(key=BUTTON).click().run()
    assert ordered()[1].spec == row.spec


@pytest.mark.usefixtures("able")
def test_reference_is_taken_out_again(open_page: Open, studio: Studio) -> None:
    """Each has a way out, whoever is the last makes room, and no more can be dropped than the model takes."""
    studio.project()
    at = drop(open_page("generate"), "teal", "red", "blue")
    assert not [key for key in keys(at) if key.startswith("generate_references_file")]
    first = next(button for button in at.button if str(button.key).startswith("generate_reference_0"))
    first.click().run()
    kept = [reference["title"] for reference in at.session_state["generate_references"]]
    assert kept == ["red.png, 320 × 180", "blue.png, 320 × 180"]
    assert [key for key in keys(at) if key.startswith("generate_references_file")]


@pytest.mark.usefixtures("able")
def test_bad_reference_is_refused_beside_the_good_ones(open_page: Open, studio: Studio) -> None:
    """What is no image is said and left out; what is too many is said too."""
    studio.project()
    at = open_page("generate")
    place = next(each for each in at.file_uploader if str(each.key).startswith("generate_references_file"))
    files = [("word.png", b"no image at all", "image/png")]
    files += [(f"{colour}.png", create_image(colour), "image/png") for colour in ("teal", "red")]
    place.set_value(files).run()
    assert len(at.session_state["generate_references"]) == 2
    assert len(at.error) == 1
    place = next(each for each in at.file_uploader if str(each.key).startswith("generate_references_file"))
    place.set_value([(f"{colour}.png", create_image(colour), "image/png") for colour in ("blue", "green")]).run()
    assert len(at.session_state["generate_references"]) == 3
    assert [error.value for error in at.error] == ["Demo Film takes 3 reference images at most."]
    at.run()
    assert not at.error


@pytest.mark.usefixtures("able")
def test_variations_have_seeds_of_their_own(open_page: Open, studio: Studio) -> None:
    """The same seed would give the same clip again, and nobody pays for that."""
    studio.project()
    at = write(open_page("generate"), "A lake")
    at.number_input(key="generate_seed").set_value(2**32 - 2).run()
    at.radio(key="generate_variations").set_value(3).run()
    assert "Each variation has a seed of its own, from 4294967294 on." in captions(at)
    at.button(key=BUTTON).click().run()
    assert [row.seed for row in ordered()] == [2**32 - 2, 2**32 - 1, 0]


@pytest.mark.usefixtures("able")
def test_draft_keeps_references_and_seed(open_page: Open, studio: Studio) -> None:
    """They are there when the page is opened anew; what is no longer here is left out with a word."""
    studio.project()
    at = drop(open_page("generate"), "teal", "red")
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
        at = drop(open_page("generate"), "teal", "red")
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
        assert at.toggle(key="generate_generate_audio_forced").disabled
        assert "1080p comes with sound." in captions(at)
