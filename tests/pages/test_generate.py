import re
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from streamlit.testing.v1 import AppTest

from core import db, errors
from core.billing import ledger, pricing
from core.catalog import offered
from core.clock import utc_now
from core.db.enums import ChangeKind, WorkspaceRole
from core.db.tables import Generation, Project, ProviderHealth, Upload, Workspace, WorkspaceMember
from core.files import storage as storages
from core.files.findings import Finding, FindingKind
from core.generations import delivery_findings
from core.insights import workers
from core.installation import Installation, current, using
from core.projects import presets, projects
from core.providers import registry
from core.providers.models import VideoModel
from core.redis import presence
from core.workspaces import members
from pages.ui import wording
from tests import redis as redis_server
from tests.factories import installations
from tests.factories.catalogue import put_back, say, withdraw
from tests.factories.generations import build_spec
from tests.factories.images import create_image
from tests.factories.studio import Studio
from tests.factories.users import create_member
from tests.fixtures.clips import brightening
from tests.pages.conftest import Open, bring, choose, chosen, presses, prompt, sent, write

BUTTON = "generate_button"


def ordered() -> list[Generation]:
    """All generations, oldest first."""
    with db.read_session() as session:
        return list(session.scalars(select(Generation).order_by(Generation.id)))


def prices(at: AppTest) -> str:
    """The breakdown as it was sent."""
    return next(str(element.proto.body) for element in at.get("html") if "Total" in element.proto.body)


def picker(at: AppTest) -> dict[str, Any]:
    """What the choice of models was sent."""
    return sent(at, "model_picker") or {}


def cards(at: AppTest) -> dict[str, dict[str, Any]]:
    """The cards by model id."""
    return {model["id"]: model for model in picker(at)["models"]}


def takes(at: AppTest) -> list[dict[str, Any]]:
    """The takes on the stage, press by press, newest press first."""
    return [take for press in presses(at) for take in press["takes"]]


def captions(at: AppTest) -> str:
    """All small print."""
    return "\n".join(caption.value for caption in at.caption)


def own_projects() -> list[tuple[str, int]]:
    """Names of all projects, and how many generations each has."""
    with db.read_session() as session:
        return [(row.name, row.generation_count) for row in session.scalars(select(Project))]


def test_first_order_makes_the_first_project(open_page: Open, studio: Studio) -> None:
    """A newcomer writes and presses, nothing asks for a form; a second click at once makes and buys nothing more."""
    at = write(open_page("generate"), "A lake at dawn")
    assert own_projects() == []
    for _press in range(2):
        at.button(key=BUTTON).click().run()
    assert not at.exception
    assert own_projects() == [("My first project", 1)]
    assert [take["id"] for take in takes(at)] == [row.id for row in ordered()]


def test_refused_first_order_leaves_no_project(open_page: Open, studio: Studio) -> None:
    """What is refused in the transaction of the order leaves nothing behind."""
    at = write(open_page("generate"), "A lake at dawn")
    say(db.default(), "demo-film", ChangeKind.PRICE, {"base_credits": 70, "default_seconds": 5})
    at.button(key=BUTTON).click().run()
    assert [error.value for error in at.error] == [str(errors.PriceChanged())]
    assert (own_projects(), ordered()) == ([], [])


def test_first_orders_of_two_tabs_share_the_project(open_page: Open, studio: Studio) -> None:
    """Each tab was drawn without a project; the second press finds the one of the first."""
    tabs = [write(open_page("generate"), prompt) for prompt in ("A lake", "A heron")]
    for tab in tabs:
        tab.button(key=BUTTON).click().run()
    assert own_projects() == [("My first project", 2)]


def test_order_for_a_project_that_is_gone_goes_to_no_other(open_page: Open, studio: Studio) -> None:
    """Deleted or archived elsewhere, it is said and nothing is ordered; the next press, with that in view, orders."""
    kept, doomed = studio.project("Kept"), studio.project("Doomed")
    at = open_page("generate", project=doomed.id)
    write(at, "A lake at dawn")
    with db.write_session() as session:
        projects.delete(session, studio.person, doomed.id)
    at.button(key=BUTTON).click().run()
    assert ordered() == []
    assert any(
        "The project that was chosen is not here any more. Nothing was ordered" in said.value for said in at.info
    )
    assert any("What you order now goes to Kept" in caption.value for caption in at.caption)
    at.button(key=BUTTON).click().run()
    assert [row.project_id for row in ordered()] == [kept.id]
    assert not any("goes to Kept" in caption.value for caption in at.caption)


def test_order_after_the_only_project_is_gone_makes_no_other_unsaid(open_page: Open, studio: Studio) -> None:
    """What was drawn with a project does not become somebody's first order."""
    doomed = studio.project("Doomed")
    at = write(open_page("generate", project=doomed.id), "A lake at dawn")
    with db.write_session() as session:
        projects.update(session, studio.person, doomed.id, archived=True)
    at.button(key=BUTTON).click().run()
    assert (ordered(), own_projects()) == ([], [("Doomed", 0)])


def test_order_when_its_model_was_withdrawn_meanwhile(open_page: Open, studio: Studio, with_keys: None) -> None:
    """Its stand-in is shown first, whatever it costs; nothing is ordered by the press that was meant for another."""
    studio.project()
    at = write(open_page("generate", model="wan-2.2-t2v"), "A lake at dawn")
    withdraw(db.default(), "wan-2.2-t2v", successor="demo-film")
    at.button(key=BUTTON).click().run()
    assert ordered() == []
    refused = "The model that was chosen cannot be ordered any more. Nothing was ordered"
    assert any(refused in said.value for said in at.info)
    at.button(key=BUTTON).click().run()
    assert [row.model_id for row in ordered()] == ["demo-film"]


def test_confirmation_of_an_order_goes_when_another_is_written(open_page: Open, studio: Studio) -> None:
    """`Ordered` stands beside what was ordered, not beside the next prompt."""
    studio.project()
    at = write(open_page("generate"), "A lake at dawn")
    at.button(key=BUTTON).click().run()
    assert any("Ordered." in caption.value for caption in at.caption)
    write(at, "A heron")
    assert not any("Ordered." in caption.value for caption in at.caption)


def test_price_is_shown_line_by_line_in_both_units(open_page: Open, studio: Studio) -> None:
    """The breakdown follows the settings at once."""
    studio.project()
    at = open_page("generate")
    choose(at, resolution="1080p")
    choose(at, duration_seconds=7)
    choose(at, generate_audio=True)
    shown = prices(at)
    for words in ("Base price", "Resolution (+30%)", "Extra seconds (+20%)", "Sound", "85", "Rp 4,250"):
        assert words in shown
    assert at.button(key=BUTTON).label == "Generate for 85 credits"


def test_missing_prompt_is_said_and_buys_nothing(open_page: Open, studio: Studio) -> None:
    """The reason stands beside the button, and pressing it orders nothing."""
    studio.project()
    at = open_page("generate")
    assert any("Write what the clip should show." in caption.value for caption in at.caption)
    at.button(key=BUTTON).click().run()
    assert [error.value for error in at.error] == ["Write what the clip should show."]
    assert not ordered()


def test_pressing_orders_one_and_reserves_its_price(open_page: Open, studio: Studio) -> None:
    """One press, one generation, its price held."""
    studio.project()
    at = write(open_page("generate"), "A lake at dawn")
    at.button(key=BUTTON).click().run()
    assert not at.error
    assert [(row.prompt, row.credits) for row in ordered()] == [("A lake at dawn", 50)]
    with db.read_session() as session:
        assert ledger.balance(session, studio.person.id) == ledger.Balance(99_950, 50)
    assert "Ordered. 50 credits are reserved until the clip is here." in captions(at)
    assert not at.toast
    bar = sent(at, "bar")
    assert bar is not None
    assert bar["balance"]["text"] == "99,950 · 50 reserved"


def test_pressed_twice_in_a_hurry_orders_one(open_page: Open, studio: Studio) -> None:
    """A double click buys once."""
    studio.project()
    at = write(open_page("generate"), "A lake at dawn")
    at.button(key=BUTTON).click().run()
    at.button(key=BUTTON).click().run()
    assert len(ordered()) == 1


def test_pressed_again_later_orders_another(open_page: Open, studio: Studio) -> None:
    """The same order after a while is a second wish."""
    studio.project()
    at = write(open_page("generate"), "A lake at dawn")
    at.button(key=BUTTON).click().run()
    digest, key, _ended = at.session_state["intent_generate"]
    at.session_state["intent_generate"] = (digest, key, time.monotonic() - 4)
    at.button(key=BUTTON).click().run()
    assert len(ordered()) == 2


def test_another_order_at_once_is_another_wish(open_page: Open, studio: Studio) -> None:
    """Changed settings within the three seconds order again."""
    studio.project()
    at = write(open_page("generate"), "A lake at dawn")
    at.button(key=BUTTON).click().run()
    write(at, "A lake at dusk").button(key=BUTTON).click().run()
    assert [row.prompt for row in ordered()] == ["A lake at dawn", "A lake at dusk"]


def test_too_few_credits_disable_the_button_with_a_reason(open_page: Open, studio: Studio) -> None:
    """Who cannot pay reads why."""
    studio.project()
    with db.write_session() as session:
        ledger.adjust(session, studio.person.id, credits=-99_980, key="spent", actor="test", reason="test")
    at = write(open_page("generate"), "A lake at dawn")
    assert at.button(key=BUTTON).disabled
    assert any("30 credits more than you have" in caption.value for caption in at.caption)


def test_provider_without_a_key_disables_the_button_with_a_reason(open_page: Open, studio: Studio) -> None:
    """A model that cannot be used here is priced, but not sold."""
    studio.project()
    at = write(open_page("generate", model="text-to-video-ultra"), "A lake at dawn")
    assert at.button(key=BUTTON).label == "Generate for 1,300 credits"
    assert at.button(key=BUTTON).disabled
    assert any(errors.ProviderNotConfigured.sentence in caption.value for caption in at.caption)


def test_models_say_whether_they_are_configured(open_page: Open, studio: Studio) -> None:
    """The picker offers what can be used first, and says of the rest why it cannot be."""
    studio.project()
    found = picker(open_page("generate"))
    usable = [model["usable"] for model in found["models"]]
    assert found["chosen"] == "demo-film"
    assert usable == [True] + [False] * (len(usable) - 1)
    states = Counter(model["state"] for model in found["models"][1:])
    assert states == {"Needs a key": len(usable) - 5, "Ended": 4}


def test_settings_that_still_fit_are_kept_when_the_model_changes(open_page: Open, studio: Studio) -> None:
    """Ratio and resolution stay where the new model has them; what it cannot make becomes its default."""
    studio.project()
    at = open_page("generate")
    choose(at, resolution="1080p")
    choose(at, aspect_ratio="9:16")
    choose(at, duration_seconds=3)
    at.session_state["generate_model_id"] = "kling-2.5"
    at.run()
    assert not at.exception
    assert chosen(at)["resolution"] == "1080p"
    assert chosen(at)["aspect_ratio"] == "9:16"
    assert chosen(at)["duration_seconds"] == 5


def test_settings_of_a_clip_are_filled_in(open_page: Open, studio: Studio) -> None:
    """`?from=` gives the order of that clip, and the address is clean afterwards."""
    row = studio.order(studio.project(), "A red fox", aspect_ratio="1:1", duration_seconds=4, generate_audio=True)
    at = open_page("generate", from_=row.id)
    assert prompt(at) == "A red fox"
    assert chosen(at)["aspect_ratio"] == "1:1"
    assert chosen(at)["duration_seconds"] == 4
    assert chosen(at)["generate_audio"] is True
    assert "from" not in at.query_params


def test_somebody_elses_clip_fills_in_nothing(open_page: Open, studio: Studio) -> None:
    """An id that is not theirs ends in a sentence."""
    studio.project()
    at = open_page("generate", from_="0198c0de-0000-7000-8000-000000000000")
    assert [error.value for error in at.error] == ["This generation does not exist, or it is not yours."]
    assert at.button(key=BUTTON).label == "Generate for 50 credits"


@pytest.fixture
def with_keys(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation whose vendors have keys, and where no model has ended; nothing is sent from a page."""
    for name in ("MODELSLAB", "EDENAI"):
        monkeypatch.setenv(f"{name}_API_KEY", "key-of-a-test")
    installations.reopen()
    put_back(db.default(), "veo3", "veo2", "runway-gen3", "nova-reel")


def test_cards_price_this_very_order(open_page: Open, studio: Studio, with_keys: None) -> None:
    """A card names the price of the form's order where its model makes that, else what it starts from."""
    studio.project()
    at = open_page("generate", model="kling-2.5")
    choose(at, duration_seconds=10)
    choose(at, resolution="1080p")
    shown = cards(at)
    assert (shown["kling-2.5"]["price"], shown["kling-2.5"]["rate"]) == ("900 credits", "90 a second")
    assert (shown["demo-film"]["price"], shown["demo-film"]["rate"]) == ("90 credits", "9 a second")
    assert (shown["veo3"]["price"], shown["veo3"]["rate"]) == ("from 312.5 credits a second", "")
    assert shown["veo3"]["features"] == ["Negative prompt", "Sound", "Prompt enhancement"]
    assert [shown[each]["by"]["price"] for each in ("kling-2.5", "demo-film", "veo3")] == [900, 90, 2_500]


def test_cards_tell_how_a_model_did_here(open_page: Open, studio: Studio) -> None:
    """Success and time come from this installation's own history; without one, the guess says so."""
    project = studio.project()
    for number in range(3):
        studio.complete(studio.order(project, f"A lake, {number}"))
    studio.fail(studio.order(project, "A heron"))
    shown = cards(open_page("generate"))
    assert shown["demo-film"]["record"] == f"3 of 4 succeeded, 1{wording.NO_BREAK}s"
    assert shown["wan-2.2-t2v"]["record"] == ""


@pytest.mark.parametrize(("clips", "told"), [(19, False), (20, True)])
def test_cards_tell_at_how_many_clips_something_was_noticed(
    open_page: Open, studio: Studio, clips: int, told: bool
) -> None:
    """From twenty clips on that were looked over: of fewer a share says nothing."""
    project = studio.project()
    for number in range(clips):
        row = studio.complete(studio.order(project, f"A lake, {number}"))
        found = [Finding(FindingKind.FROZEN, 1.0, 2.5)] if number < 5 else []
        with db.write_session() as session:
            assert delivery_findings.record(session, row, found)
    record = cards(open_page("generate"))["demo-film"]["record"]
    assert record.endswith(" · something noticed at 25%") is told
    assert ("noticed" in record) is told


def test_cards_say_when_a_provider_is_in_trouble(open_page: Open, studio: Studio) -> None:
    """Trouble stands on the card and beside it, and orders stay possible."""
    studio.project()
    with db.write_session() as session:
        now = utc_now()
        values = {"failures": 9, "retry_at": now + timedelta(minutes=5), "error_code": "provider_unavailable"}
        session.add(ProviderHealth(provider="demo", error_at=now, **values))
    at = write(open_page("generate"), "A lake")
    assert cards(at)["demo-film"]["state"] == "Trouble at the moment"
    assert [warning.value for warning in at.warning] == [
        "Demo Studio has trouble at the moment. Orders wait and are sent when it is back."
    ]
    assert not at.button(key=BUTTON).disabled


def test_what_had_to_change_is_said_and_comes_back(open_page: Open, studio: Studio, with_keys: None) -> None:
    """A model that makes less changes the order with a plain note; the wish itself is not lost."""
    studio.project()
    at = open_page("generate", model="kling-2.5")
    choose(at, duration_seconds=10)
    at.session_state["generate_model_id"] = "veo3"
    at.run()
    assert "10 s became 8 s: Google Veo 3 makes 8 s only." in captions(at)
    assert at.button(key=BUTTON).label == "Generate for 2,500 credits"
    choose(at, generate_audio=True)
    at.text_input(key="generate_negative_prompt").set_value("rain").run()
    at.session_state["generate_model_id"] = "kling-2.5"
    at.run()
    assert chosen(at)["duration_seconds"] == 10
    assert "became" not in captions(at)
    assert "Sound is left out: Kling 2.5 makes none." in captions(at)
    assert "The negative prompt is left out: Kling 2.5 takes none." in captions(at)
    assert at.button(key=BUTTON).label == "Generate for 750 credits"


def test_full_storage_disables_the_button_with_a_reason(open_page: Open, studio: Studio) -> None:
    """Who has no room for a clip reads it before paying."""
    studio.project()
    with db.write_session() as session:
        session.execute(update(Workspace).values(storage_bytes=studio.settings.storage_quota_bytes))
    at = write(open_page("generate"), "A lake")
    assert at.button(key=BUTTON).disabled
    assert errors.StorageFull.sentence in captions(at)


def test_too_long_a_prompt_is_counted_and_refused(open_page: Open, studio: Studio, with_keys: None) -> None:
    """Words that another model would not take are kept, counted, and the reason stands beside the button."""
    studio.project()
    at = write(open_page("generate"), "word " * 200)
    at.session_state["generate_model_id"] = "nova-reel"
    at.run()
    assert (sent(at, "prompt_input") or {})["limit"] == 512
    assert "Use at most 512 characters; these are 999." in captions(at)
    assert prompt(at) == "word " * 200


def test_several_are_ordered_with_one_press(open_page: Open, studio: Studio, with_keys: None) -> None:
    """Variations and other models: each and the total are shown before, and one press makes all of them, once."""
    studio.project()
    at = write(open_page("generate", model="kling-2.5"), "A lake at dawn")
    choose(at, variations=2)
    assert at.button(key=BUTTON).label == "Generate 2 clips for 1,000 credits"
    assert "1 more of the same" in prices(at)
    at.multiselect(key="generate_also_offered").select("demo-film").run()
    assert at.button(key=BUTTON).label == "Generate 4 clips for 1,100 credits"
    shown = prices(at)
    for words in ("Kling 2.5, 2 × 500", "Demo Film, 2 × 50", "1,100", "Rp 55,000"):
        assert words in shown
    assert "98,900 left after these" in captions(at)
    for _press in range(2):
        at.button(key=BUTTON).click().run()
    assert not at.error
    made = ordered()
    assert [row.model_id for row in made] == ["kling-2.5"] * 2 + ["demo-film"] * 2
    assert len({row.batch_id for row in made}) == 1
    with db.read_session() as session:
        assert ledger.balance(session, studio.person.id) == ledger.Balance(98_900, 1_100)


def test_several_that_cannot_all_be_paid_are_not_sold(open_page: Open, studio: Studio) -> None:
    """The total decides, not the single price."""
    studio.project()
    with db.write_session() as session:
        ledger.adjust(session, studio.person.id, credits=-99_900, key="spent", actor="test", reason="test")
    at = write(open_page("generate"), "A lake")
    choose(at, variations=3)
    assert at.button(key=BUTTON).disabled
    assert "This needs 50 credits more than you have." in captions(at)


def test_other_model_makes_the_nearest_and_says_so(open_page: Open, studio: Studio, with_keys: None) -> None:
    """A further model that cannot make the same is ordered with what comes nearest, named before the press."""
    studio.project()
    at = write(open_page("generate", model="demo-film"), "A lake")
    assert "Kling 2.5" in at.multiselect(key="generate_also_offered").options
    assert "Google Veo 3 (with changes)" in at.multiselect(key="generate_also_offered").options
    at.multiselect(key="generate_also_offered").select("kling-2.5").run()
    assert "became" not in captions(at)
    choose(at, duration_seconds=7)
    assert "**Kling 2.5**: 7 s became 5 s: Kling 2.5 makes 5 or 10 s only." in captions(at)
    assert at.button(key=BUTTON).label == "Generate 2 clips for 560 credits"
    at.button(key=BUTTON).click().run()
    assert [(row.model_id, row.duration_seconds, row.credits) for row in ordered()] == [
        ("demo-film", 7, 60),
        ("kling-2.5", 5, 500),
    ]


def test_other_model_that_no_longer_can_is_left_out(open_page: Open, studio: Studio, with_keys: None) -> None:
    """One that cannot make it whatever is changed is named and not ordered; it comes back when it can."""
    studio.project()
    at = write(open_page("generate", model="demo-film"), "A lake")
    at.multiselect(key="generate_also_offered").select("nova-reel").run()
    write(at, "word " * 200)
    assert "Left out, because they cannot make these settings: Amazon Nova Reel." in captions(at)
    assert at.button(key=BUTTON).label == "Generate for 50 credits"
    write(at, "A lake")
    assert at.button(key=BUTTON).label.startswith("Generate 2 clips")


def test_improved_prompt_is_offered_and_taken_only_on_request(open_page: Open, studio: Studio) -> None:
    """The rewrite is shown beside the person's words; it replaces them only when they say so."""
    studio.project()
    at = write(open_page("generate"), "A red fox")
    at.button(key="generate_improve").click().run()
    assert prompt(at) == "A red fox"
    assert "added after them: place, movement, camera, light, style" in captions(at)
    at.button(key="generate_offer_keep").click().run()
    assert prompt(at) == "A red fox"
    at.button(key="generate_improve").click().run()
    at.button(key="generate_offer_use").click().run()
    assert prompt(at).startswith("A red fox. In its natural surroundings.")
    assert not ordered()
    at.button(key="generate_improve").click().run()
    assert "Nothing to add" in captions(at)


def test_offer_follows_the_words(open_page: Open, studio: Studio) -> None:
    """An offer is for what is written by now, also where the press has overtaken the last words."""
    studio.project()
    at = write(open_page("generate"), "A red fox")
    at.button(key="generate_improve").click().run()
    write(at, "A blue fox")
    at.button(key="generate_offer_use").click().run()
    assert prompt(at).startswith("A blue fox. In its natural surroundings.")


def test_same_clip_is_named_before_it_is_paid_again(open_page: Open, studio: Studio) -> None:
    """Who made this very clip is told and can open it; ordering again stays possible."""
    row = studio.complete(studio.order(studio.project(), "A lake at dawn"))
    at = write(open_page("generate"), " A lake at dawn ")
    assert any("You already made this" in text.value for text in at.markdown)
    assert not at.button(key=BUTTON).disabled
    choose(at, aspect_ratio="1:1")
    assert not any("You already made this" in text.value for text in at.markdown)
    choose(at, aspect_ratio="16:9")
    at.button(key="generate_made_open").click().run()
    assert at.query_params["clip"] == row.id


def test_failed_or_deleted_clip_is_not_named(open_page: Open, studio: Studio) -> None:
    """Only what is there, or is coming, can spare an order."""
    project = studio.project()
    studio.fail(studio.order(project, "A lake at dawn"))
    row = studio.complete(studio.order(project, "A heron"))
    with db.write_session() as session:
        session.execute(update(Generation).where(Generation.id == row.id).values(deleted_at=utc_now()))
    at = open_page("generate")
    for written in ("A lake at dawn", "A heron"):
        write(at, written)
        assert not any("You already" in text.value for text in at.markdown)


def test_preset_is_kept_applied_shared_and_deleted(open_page: Open, studio: Studio) -> None:
    """The life of a preset on the page."""
    studio.project()
    at = write(open_page("generate"), "A lake at dawn")
    choose(at, aspect_ratio="9:16")
    at.text_input(key="generate_preset_name").set_value("Reels").run()
    at.button(key="generate_preset_save").click().run()
    assert "Saved." in captions(at)
    write(at, "Something else")
    choose(at, aspect_ratio="1:1")
    preset_id = at.selectbox(key="generate_preset").value
    at.selectbox(key="generate_preset").set_value(None).run()
    at.selectbox(key="generate_preset").set_value(preset_id).run()
    assert chosen(at)["aspect_ratio"] == "9:16"
    assert prompt(at) == "A lake at dawn"
    at.button(key="generate_preset_share").click().run()
    assert at.selectbox(key="generate_preset").options == ["Reels (shared)"]
    at.text_input(key="generate_preset_name").set_value("Reels").run()
    at.button(key="generate_preset_save").click().run()
    assert "You have a preset named 'Reels' already." in captions(at)
    at.button(key="generate_preset_delete").click().run()
    assert at.selectbox(key="generate_preset").options == []


def test_preset_of_a_model_that_is_gone_is_applied_as_far_as_it_fits(open_page: Open, studio: Studio) -> None:
    """What a colleague shared fills the form; what does not fit any more is said."""
    studio.project()
    colleague = create_member(db.default(), "eve@example.org", credits=0)
    with db.write_session() as session:
        session.add(WorkspaceMember(workspace_id=studio.person.id, user_id=colleague.id, role=WorkspaceRole.MAKER))
        session.flush()
        colleague = members.at_work(session, colleague.user, studio.person.id)
        wide = build_spec("kling-2.5", resolution="1080p", duration_seconds=10)
        kept = presets.create(session, colleague, name="Old", spec=wide, shared=True)
        kept.settings = {**kept.settings, "model_id": "retired", "aspect_ratio": "4:3"}
    at = open_page("generate")
    assert at.selectbox(key="generate_preset").options == ["Old (from a colleague)"]
    at.selectbox(key="generate_preset").set_value(kept.id).run()
    assert not at.exception
    assert chosen(at)["resolution"] == "1080p"
    assert chosen(at)["duration_seconds"] == 10
    assert "is unavailable; using Demo Film." in captions(at)
    assert "4:3 became 16:9: Demo Film makes 16:9, 9:16, 1:1 only." in captions(at)
    with pytest.raises(KeyError):
        at.button(key="generate_preset_delete")


def test_going_on_from_a_clip(open_page: Open, studio: Studio, with_keys: None, tmp_path: Path) -> None:
    """`?extend=` fills the settings, starts with the last picture, offers only models that can, and says from what."""
    row = studio.complete(studio.order(studio.project(), "A lake", model_id="seedance-t2v"))
    assert row.output_key is not None
    storage = storages.open_storage(studio.settings.storage_url)
    storage.put_file(row.output_key, brightening(tmp_path / "clip.mp4"), media_type="video/mp4")
    at = open_page("generate", extend=row.id)
    assert not at.error
    assert "extend" not in at.query_params
    assert "seedance-t2v" not in cards(at)
    assert picker(at)["chosen"] == "nova-reel"
    assert "is unavailable; using" in captions(at)
    assert "Start image (+20%)" in prices(at)
    at.button(key=BUTTON).click().run()
    [_first, second] = ordered()
    with db.read_session() as session:
        [frame] = session.scalars(select(Upload)).all()
    assert (second.extends_id, second.start_image_key, second.aspect_ratio) == (row.id, frame.storage_key, "16:9")
    at.button(key="generate_extends_stop").click().run()
    assert "Start image (+20%)" not in prices(at)
    assert "seedance-t2v" in cards(at)


def test_going_on_from_a_clip_that_is_not_here(open_page: Open, studio: Studio) -> None:
    """A clip under way or not theirs ends in a sentence, and fills in nothing."""
    row = studio.order(studio.project(), "A lake")
    at = open_page("generate", extend=row.id)
    assert [error.value for error in at.error] == ["Only a completed clip can be extended. Wait until it is here."]
    at = open_page("generate", extend="0198c0de-0000-7000-8000-000000000000")
    assert [error.value for error in at.error] == ["This generation does not exist, or it is not yours."]


def test_ratio_follows_the_start_image_and_says_so(open_page: Open, studio: Studio) -> None:
    """An upright picture makes an upright clip; who chooses another ratio reads what it does, and can go back."""
    studio.project()
    at = open_page("generate")
    at = bring(at, studio, "start_image", ("photo.jfif", create_image(size=(90, 160))))
    assert chosen(at)["aspect_ratio"] == "9:16"
    assert "The aspect ratio follows the start image, 90 × 160." in captions(at)
    choose(at, aspect_ratio="1:1")
    assert "The start image is 90 × 160: Demo Film may crop it to 1:1, or follow the image." in captions(at)
    at.button(key="generate_ratio_follow").click().run()
    assert chosen(at)["aspect_ratio"] == "9:16"


def test_cheapest_model_that_works_is_the_first_choice(open_page: Open, studio: Studio, with_keys: None) -> None:
    """A new person is not begun with the dearest model, nor with one whose provider is in trouble."""
    studio.project()
    shown = cards(open_page("generate"))
    first = registry.model(picker(open_page("generate"))["chosen"])
    assert (first.provider != "demo", shown[first.id]["usable"]) == (True, True)
    assert first.id not in ("veo3", "veo2")
    with db.write_session() as session:
        session.add(ProviderHealth(provider=first.provider, error_code="provider_bad_key", error_at=utc_now()))
    second = registry.model(picker(open_page("generate"))["chosen"])
    assert second.provider not in ("demo", first.provider)


def test_model_used_last_is_the_first_choice(open_page: Open, studio: Studio, with_keys: None) -> None:
    """Who comes back begins with what they ordered last, unless that has ended or its provider is in trouble."""
    studio.order(studio.project(), "A lake", model_id="wan-2.2-t2v")
    assert picker(open_page("generate"))["chosen"] == "wan-2.2-t2v"
    withdraw(db.default(), "wan-2.2-t2v")
    assert picker(open_page("generate"))["chosen"] not in ("wan-2.2-t2v", "demo-film")
    put_back(db.default(), "wan-2.2-t2v")
    with db.write_session() as session:
        session.add(ProviderHealth(provider="modelslab", error_code="provider_bad_key", error_at=utc_now()))
    assert cards(open_page("generate"))[picker(open_page("generate"))["chosen"]]["state"] == ""


def test_model_that_has_ended_is_shown_with_its_successor(open_page: Open, studio: Studio) -> None:
    """It stands apart, says what takes its place, and who asks for it is given that, with the reason."""
    studio.project()
    withdraw(db.default(), "wan-2.2-t2v", successor="demo-film")
    at = open_page("generate", model="wan-2.2-t2v")
    card = cards(at)["wan-2.2-t2v"]
    assert (card["usable"], card["state"]) == (False, "Ended")
    assert card["about"] == "Wan 2.2 T2V has ended. Use Demo Film instead."
    assert picker(at)["chosen"] == "demo-film"
    assert f"{card['about']} The requested model is unavailable; using Demo Film." in captions(at)
    say(db.default(), "svd", ChangeKind.LIFE, {"state": "hidden"})
    assert "svd" not in cards(open_page("generate"))


def test_price_that_changes_is_the_next_pages(open_page: Open, studio: Studio) -> None:
    """What the form shows follows the catalogue."""
    studio.project()
    say(db.default(), "demo-film", ChangeKind.PRICE, {"base_credits": 70, "default_seconds": 5})
    at = open_page("generate")
    assert at.button(key=BUTTON).label == "Generate for 70 credits"
    assert cards(at)["demo-film"]["price"] == "70 credits"


def test_every_model_is_priced_line_by_line(open_page: Open, studio: Studio) -> None:
    """Without any key each model can be looked at: its price stands there, with the reason why it cannot be ordered."""
    studio.project()
    for model in offered.models(utc_now()):
        at = open_page("generate", model=model.id)
        total = pricing.priced(build_spec(model.id, **first_choices(model))).total_credits
        assert at.button(key=BUTTON).label == f"Generate for {wording.priced(total)}"
        usable = model.provider == "demo"
        assert at.button(key=BUTTON).disabled is not usable
        assert (errors.ProviderNotConfigured.sentence in captions(at)) is not usable


def first_choices(model: VideoModel) -> dict[str, Any]:
    """What the form begins with for a model."""
    resolution = "720p" if "720p" in model.resolutions else model.resolutions[0]
    return {"resolution": resolution, "duration_seconds": model.default_seconds}


def test_order_form_says_that_orders_wait(open_page: Open, studio: Studio, installation: Installation) -> None:
    """Without a worker page and form say so, since when, and no time is promised for what is in line."""
    row = studio.order(studio.project(), "in line")
    with redis_server.server() as url, using(replace(installation, redis_url=url)):
        running = current()
        running.watch._began -= workers.START_SECONDS
        with db.write_session() as session:
            workers.note(session, [workers.Part.DISPATCHER, workers.Part.SUBMIT, workers.Part.COLLECT])
        at = open_page("generate")
        [said] = [warning.value for warning in at.warning]
        assert re.fullmatch(r"No worker has answered since .+, \d\d:\d\d UTC\. Orders are taken and wait\.", said)
        assert said in captions(at)
        [take] = takes(at)
        assert (take["id"], take["where"]) == (row.id, "Waiting in line. It waits for a worker")
        for role in presence.Role:
            presence.announce(running.redis, role)
        running.watch._looked_at = 0.0
        at.run()
        assert not at.warning
        running.redis.close()


def test_press_when_the_price_has_changed_since_it_was_shown(open_page: Open, studio: Studio) -> None:
    """The button that was pressed said another price: nothing is ordered, and the next press pays what it says then."""
    studio.project()
    at = write(open_page("generate"), "A lake at dawn")
    say(db.default(), "demo-film", ChangeKind.PRICE, {"base_credits": 70, "default_seconds": 5})
    at.button(key=BUTTON).click().run()

    assert [error.value for error in at.error] == [str(errors.PriceChanged())]
    assert ordered() == []
    assert at.button(key=BUTTON).label == "Generate for 70 credits"
    at.button(key=BUTTON).click().run()
    assert [row.credits for row in ordered()] == [70]
