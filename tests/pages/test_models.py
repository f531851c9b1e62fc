"""The page on which administrators change the catalogue."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core import db
from core.catalog import catalogue
from core.catalog_changes import current
from core.clock import utc_now
from core.db.enums import ChangeKind, NoteKind, Role
from core.db.tables import AuditLogEntry, CatalogueChange, ModelNote, User
from tests.factories.catalogue import note_on_models, say
from tests.factories.studio import Studio
from tests.pages.conftest import Open

CHANGE, ADD = "Change", "Add the model"


def shown(at: AppTest) -> str:
    """The HTML of the page."""
    return " ".join(element.proto.body for element in at.get("html"))


def kept() -> list[CatalogueChange]:
    """All changes, oldest first."""
    with db.read_session() as session:
        return list(session.scalars(select(CatalogueChange).order_by(CatalogueChange.id)))


def press(at: AppTest, label: str) -> AppTest:
    """Submit a form."""
    [button] = [each for each in at.button if each.label == label]
    return button.click().run()


def pick(at: AppTest, model_id: str, kind: ChangeKind) -> AppTest:
    """The form that changes one thing of a model."""
    at.selectbox(key="models_model").set_value(model_id)
    return at.selectbox(key="models_kind").set_value(kind).run()


def test_models_are_shown_as_they_stand(open_page: Open, studio: Studio) -> None:
    """Life, price and vendor's ID of every model, what comes next, and nothing changed yet."""
    say(
        db.default(),
        "kling-2.5",
        ChangeKind.VENDOR_ID,
        {"upstream_id": "kling/next"},
        since=utc_now() + timedelta(days=9),
    )
    at = open_page("models")
    assert not at.error
    text = shown(at)
    for words in (
        "Ended · since 30 Jun 2026 · then Google Veo 3.1 Fast · Google has ended it.",
        "2,500 credits up to 8 s",
        "kling/kling-v2-5-turbo",
        "catalogue@example.org",
    ):
        assert words in text
    assert text.count("ID, ") >= 1
    assert all(entry.model.id in text for entry in catalogue.shipped().entries.values())


def test_model_is_withdrawn_on_the_page(open_page: Open, studio: Studio) -> None:
    """From now on it has ended, with its successor; the act stands in the log, under who did it."""
    at = pick(open_page("models"), "kling-2.5", ChangeKind.LIFE)
    at.radio(key="models_state_kling-2.5").set_value("withdrawn")
    at.selectbox(key="models_successor_kling-2.5").set_value("fal-kling-2.5-turbo")
    at.text_input(key="models_reason_kling-2.5").set_value("It is not sold there.")
    at = press(at, CHANGE)
    assert not at.error
    assert "It is not sold there." in shown(at)
    [row] = kept()
    assert row.value == {
        "state": "withdrawn",
        "successor": "fal-kling-2.5-turbo",
        "reason": "It is not sold there.",
    }
    with db.read_session() as session:
        logged = session.scalars(select(AuditLogEntry).where(AuditLogEntry.noun == "model")).one()
    assert (logged.action, logged.actor) == ("model.life_changed", studio.person.email)


def test_price_from_a_day_on_is_set_and_taken_back(open_page: Open, studio: Studio) -> None:
    """It begins with that day; until then the button takes it back."""
    at = pick(open_page("models"), "veo3", ChangeKind.PRICE)
    at.number_input(key="models_base_veo3").set_value(2600)
    day = (utc_now() + timedelta(days=30)).date()
    at.date_input(key="models_since_veo3_price").set_value(day)
    at = press(at, CHANGE)
    [row] = kept()
    assert (row.since.date(), row.value) == (day, {"base_credits": 2600, "default_seconds": 8})
    at.button(key=f"models_take_back_{row.id}").click().run()
    assert not at.error
    assert "taken back" in shown(at)
    with db.read_session() as session:
        assert current.of(session).get("veo3").prices == catalogue.shipped().get("veo3").prices


def test_vendor_id_and_place_are_changed_at_once(open_page: Open, studio: Studio) -> None:
    """Both hold in the next moment."""
    at = pick(open_page("models"), "svd", ChangeKind.VENDOR_ID)
    at.text_input(key="models_vendor_id_svd").set_value("svd:2")
    at = pick(press(at, CHANGE), "svd", ChangeKind.POSITION)
    at.selectbox(key="models_before_svd").set_value("veo3")
    press(at, CHANGE)
    with db.read_session() as session:
        known = current.of(session)
    assert next(iter(known.entries)) == "svd"
    assert known.get("svd").model_at(utc_now()).upstream_id == "svd:2"


@pytest.mark.parametrize(
    ("text", "refusal"),
    [("provider = ", "TOML: "), ('provider = "demo"\nid = "demo/a b"', "id: An ID has 1 to 80")],
)
def test_record_that_cannot_be_used_names_its_field(open_page: Open, studio: Studio, text: str, refusal: str) -> None:
    """Nothing is kept, and the field that is wrong is named."""
    at = open_page("models")
    at.text_area(key="models_record_modelslab").set_value(text)
    at = press(at, ADD)
    assert refusal in at.error[0].value
    assert kept() == []


def test_model_is_added_on_the_page(open_page: Open, studio: Studio) -> None:
    """The record that stands there is one that can be used; a price by the second is changed rate by rate."""
    at = press(open_page("models"), ADD)
    assert not at.error
    at = pick(at, "modelslab-new-model", ChangeKind.PRICE)
    at.number_input(key="models_rate_modelslab-new-model_720p").set_value(80)
    at = press(at, CHANGE)
    assert not at.error
    assert [row.kind for row in kept()] == [ChangeKind.RECORD, ChangeKind.PRICE]
    assert kept()[1].value == {"credits_per_second": {"720p": 80, "1080p": 154}}


def test_model_is_added_as_it_stands_in_a_file(open_page: Open, studio: Studio) -> None:
    """A record that is copied from a file of models names no provider: that is the one that was chosen."""
    at = open_page("models")
    at.selectbox(key="models_provider").set_value("demo")
    at = at.run()
    record = at.text_area(key="models_record_demo").value or ""
    copied = "\n".join(line for line in record.splitlines() if not line.startswith("provider"))
    at.text_area(key="models_record_demo").set_value(f"[[model]]\n{copied}")
    at = press(at, ADD)
    assert not at.error
    assert [row.value["provider"] for row in kept()] == ["demo"]


def test_others_do_not_come_to_the_page(open_page: Open, studio: Studio) -> None:
    """Who is no administrator has no such page."""
    with db.write_session() as session:
        session.get_one(User, studio.person.id).role = Role.USER
    at = open_page("generate")
    assert "models" not in str(at.get("page_link"))
    assert not shown(open_page("models")).count("kling/kling-v2-5-turbo")


def test_notes_on_vendors_lists_wait_and_are_put_aside(open_page: Open, studio: Studio) -> None:
    """The Admin page says that there are some, the page of models which; aside it is gone from both."""
    note_on_models()
    with db.write_session() as session:
        session.add(
            ModelNote(
                provider="edenai",
                kind=NoteKind.NOT_LISTED,
                vendor_id="kling/kling-v2-5-turbo",
                model_id="kling-2.5",
                noted_at=utc_now(),
            )
        )
    assert any("have told 2 things" in warning.value for warning in open_page("admin").warning)
    at = open_page("models")
    assert "Eden AI does not list Kling 2.5, which is offered here." in shown(at)
    while put_aside := [each for each in at.button if each.label == "Put aside"]:
        at = put_aside[0].click().run()
    assert not at.error
    assert not open_page("admin").warning
