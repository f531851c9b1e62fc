import time

from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core import db, errors, ledger
from core.models import Generation
from tests.pages.conftest import Open, sent
from tests.pages.studio import Studio

BUTTON = "generate_button"


def ordered() -> list[Generation]:
    """All generations, oldest first."""
    with db.session(read_only=True) as session:
        return list(session.scalars(select(Generation).order_by(Generation.id)))


def prices(at: AppTest) -> str:
    """The breakdown as it was sent."""
    return next(str(element.proto.body) for element in at.get("html") if "Total" in element.proto.body)


def write(at: AppTest, prompt: str) -> AppTest:
    """Write a prompt."""
    return at.text_area(key="generate_prompt").set_value(prompt).run()


def test_without_a_project_one_button_makes_it(open_page: Open, studio: Studio) -> None:
    """A newcomer who comes by a deep link is not stuck."""
    at = open_page("generate")
    at.button[0].click().run()
    assert not at.exception
    assert at.button(key=BUTTON).label == "Generate for 50 credits"


def test_price_is_shown_line_by_line_in_both_units(open_page: Open, studio: Studio) -> None:
    """The breakdown follows the settings at once."""
    studio.project()
    at = open_page("generate")
    at.radio(key="generate_resolution_few").set_value("1080p").run()
    at.selectbox(key="generate_seconds_many").set_value(7).run()
    at.toggle(key="generate_audio").set_value(True).run()
    shown = prices(at)
    for words in ("Base price", "Resolution (+30 %)", "Extra seconds (+20 %)", "Sound", "85", "Rp 4.250"):
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
    with db.session(read_only=True) as session:
        assert ledger.balance(session, studio.person.id) == ledger.Balance(99_950, 50)
    assert any("Ordered. 50 credits are reserved" in toast.value for toast in at.toast)
    assert "**99,950** credits · 50 reserved" in " ".join(text.value for text in at.markdown)


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
    with db.session() as session:
        ledger.adjust(session, studio.person.id, credits=-99_980, key="spent", actor="test", reason="test")
    at = write(open_page("generate"), "A lake at dawn")
    assert at.button(key=BUTTON).disabled
    assert any("30 credits more than you have" in caption.value for caption in at.caption)


def test_provider_without_a_key_disables_the_button_with_a_reason(open_page: Open, studio: Studio) -> None:
    """A model that cannot be used here is priced, but not sold."""
    studio.project()
    at = write(open_page("generate", model="veo3"), "A lake at dawn")
    assert at.button(key=BUTTON).label == "Generate for 2,500 credits"
    assert at.button(key=BUTTON).disabled
    assert any(errors.ProviderNotConfigured.sentence in caption.value for caption in at.caption)


def test_models_say_whether_they_are_configured(open_page: Open, studio: Studio) -> None:
    """The picker offers what can be used first, and marks the rest."""
    studio.project()
    picker = sent(open_page("generate"), "model_picker") or {}
    usable = [model["usable"] for model in picker["models"]]
    assert picker["chosen"] == "demo-film"
    assert usable == [True] + [False] * (len(usable) - 1)
    assert all("not configured" in model["provider"] for model in picker["models"][1:])


def test_settings_that_still_fit_are_kept_when_the_model_changes(open_page: Open, studio: Studio) -> None:
    """Ratio and resolution stay where the new model has them; what it cannot make becomes its default."""
    studio.project()
    at = open_page("generate")
    at.radio(key="generate_resolution_few").set_value("1080p").run()
    at.radio(key="generate_ratio_few").set_value("9:16").run()
    at.selectbox(key="generate_seconds_many").set_value(3).run()
    at.session_state["generate_model"] = "veo3"
    at.run()
    assert not at.exception
    assert at.radio(key="generate_resolution_few").value == "1080p"
    assert at.radio(key="generate_ratio_few").value == "9:16"
    assert at.radio(key="generate_seconds_few").value == 8


def test_settings_of_a_clip_are_filled_in(open_page: Open, studio: Studio) -> None:
    """`?from=` gives the order of that clip, and the address is clean afterwards."""
    row = studio.order(studio.project(), "A red fox", aspect_ratio="1:1", duration_seconds=4, generate_audio=True)
    at = open_page("generate", from_=row.id)
    assert at.text_area(key="generate_prompt").value == "A red fox"
    assert at.radio(key="generate_ratio_few").value == "1:1"
    assert at.selectbox(key="generate_seconds_many").value == 4
    assert at.toggle(key="generate_audio").value is True
    assert "from" not in at.query_params


def test_somebody_elses_clip_fills_in_nothing(open_page: Open, studio: Studio) -> None:
    """An id that is not theirs ends in a sentence."""
    studio.project()
    at = open_page("generate", from_="0198c0de-0000-7000-8000-000000000000")
    assert [error.value for error in at.error] == ["This generation does not exist, or it is not yours."]
