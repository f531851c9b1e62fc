"""The page of assets, and the names in a prompt beside it."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core import db
from core.assets import groups, library
from core.db.enums import GroupKind
from core.db.tables import AssetGroup, Generation, Upload
from core.generations import commands
from pages.elements.prompt_input import Name
from pages.sections.assets import mentioned
from tests.factories.assets import create_asset, create_group
from tests.factories.models import able_demo
from tests.factories.studio import Studio
from tests.pages.conftest import Open, press, sent, write

ONE_OF_EACH = {"image": "lake.jpg", "video": "walk.mp4", "sound": "voice.mp3"}


@pytest.fixture
def able() -> Iterator[None]:
    """The demo takes three images as references."""
    with able_demo():
        yield


def cards(at: AppTest) -> list[dict[str, Any]]:
    """What the cards of the page say."""
    found: list[dict[str, Any]] = (sent(at, "asset_cards") or {"cards": []})["cards"]
    return found


def said(at: AppTest) -> str:
    """All small print and warnings."""
    return "\n".join(each.value for each in (*at.caption, *at.warning))


def test_empty_library_teaches_by_an_example(open_page: Open, studio: Studio) -> None:
    """Whoever has no name yet sees how one is used."""
    at = open_page("assets")
    assert not at.exception
    assert "No characters yet" in "".join(each.value for each in at.markdown)
    assert at.code[0].value.startswith("@mira")
    assert "No images yet" in "".join(each.value for each in open_page("assets", show="image").markdown)


def test_assets_by_kind(open_page: Open, studio: Studio) -> None:
    """Each kind has its cards, with size or length and the number of clips."""
    for kind, name in ONE_OF_EACH.items():
        create_asset(db.default(), studio.person, name, kind=kind, seconds=2.5 if kind != "image" else None)
    with db.read_session() as session:
        image = session.scalars(select(Upload).where(Upload.kind == "image")).one()
    studio.order(studio.project(), "a lake", start_image_key=image.storage_key)

    [card] = cards(open_page("assets", show="image"))
    assert (card["title"], card["facts"]) == ("lake.jpg", "320 × 180 · in 1 clip")
    [card] = cards(open_page("assets", show="video"))
    assert card["badge"] == "▶ 2.5 s"
    [card] = cards(open_page("assets", show="sound"))
    assert (card["sign"], card["badge"], card["pictures"]) == ("♪", "2.5 s", [])


def test_place_to_bring_files(open_page: Open, studio: Studio) -> None:
    """It is told where to send them; what came is there when it says so."""
    at = open_page("assets", show="image")
    place = sent(at, "asset_drop")
    assert place is not None
    assert place["address"].endswith("/page-assets")
    create_asset(db.default(), studio.person, "lake.jpg")
    at = press(at, "asset_drop", "brought", {"number": 1, "at": 1})
    assert [card["title"] for card in cards(at)] == ["lake.jpg"]


def test_asset_is_renamed_put_away_and_deleted(open_page: Open, studio: Studio) -> None:
    """In its dialog, which says what deleting means."""
    asset = create_asset(db.default(), studio.person, "lake.jpg")
    create_group(db.default(), studio.person, "mira", items=(groups.Item(asset.id),))
    at = press(open_page("assets", show="image"), "asset_cards", "pressed", {"id": asset.id, "at": 1})
    key = f"assets_asset_{asset.id}"
    assert "@mira" in said(at)
    at.text_input(key=f"{key}_name").set_value("Front").run()
    at.button(key=f"{key}_save").click().run()
    assert [card["title"] for card in cards(at)] == ["Front"]
    assert "The names that it belongs to lose it." in "".join(each.value for each in at.markdown)
    at.button(key=f"{key}_delete_now").click().run()
    assert not at.exception
    assert cards(at) == []
    with db.read_session() as session:
        assert library.list_page(session, studio.person).rows == []


def test_character_is_made_and_changed(open_page: Open, studio: Studio) -> None:
    """A name, what it is, and images in the order of the presses; a name that is taken is refused where it is given."""
    first, second = (create_asset(db.default(), studio.person, name) for name in ("a.jpg", "b.jpg"))
    at = open_page("assets")
    at.button(key="assets_new").click().run()
    at.text_input(key="assets_form_name").set_value("Mira").run()
    for asset in (second, first):
        at = press(at, "asset_cards", "pressed", {"id": asset.id, "at": 1})
        at.run()
    at.button(key="assets_form_save").click().run()
    assert not at.exception
    with db.read_session() as session:
        [group] = groups.list_all(session, studio.person)
    assert (group.row.name, group.row.kind) == ("Mira", GroupKind.CHARACTER)
    assert [asset.name for asset, _role in group.items] == ["b.jpg", "a.jpg"]
    assert [(card["title"], card["facts"]) for card in cards(at)] == [("@Mira", "2 assets")]

    at.button(key="assets_new").click().run()
    at.text_input(key="assets_form_name").set_value("mira").run()
    at.button(key="assets_form_save").click().run()
    assert any("already" in error.value for error in at.error)


def test_prompt_with_names(open_page: Open, studio: Studio, able: None) -> None:
    """What goes along is said and priced before the press; the clip is made from it."""
    create_group(db.default(), studio.person, "mira", pictures=2)
    studio.project()
    at = write(open_page("generate"), "@mira and @somebody")
    assert "Goes along: @mira (2 references)" in said(at)
    assert "Nothing is called @somebody; it is sent as text." in said(at)
    at.button(key="generate_button").click().run()
    with db.read_session() as session:
        row = session.scalars(select(Generation)).one()
    assert (row.prompt, len(row.references)) == ("mira (image 1, image 2) and @somebody", 2)


def test_prompt_with_a_name_that_cannot_go_along(open_page: Open, studio: Studio) -> None:
    """It is said at once, and the press orders nothing."""
    create_group(db.default(), studio.person, "mira", pictures=2)
    studio.project()
    at = write(open_page("generate"), "@mira walks")
    assert "takes no references, so that @mira cannot go along" in said(at)
    at.button(key="generate_button").click().run()
    assert at.error
    at = write(at, "@mirra walks")
    assert "Did you mean @mira?" in said(at)
    with db.read_session() as session:
        assert session.scalars(select(Generation)).all() == []


def test_old_clip_is_filled_in_as_it_was(open_page: Open, studio: Studio, able: None) -> None:
    """Its words and images come as they were ordered, whatever the name stands for by now."""
    mira = create_group(db.default(), studio.person, "mira", pictures=1)
    row = studio.order(studio.project(), "@mira walks")
    with db.write_session() as session:
        commands.cancel(session, studio.person, row.id)
        groups.update(session, studio.person, mira.row.id, items=[])
    at = open_page("generate", from_=row.id)
    at.button(key="generate_button").click().run()
    with db.read_session() as session:
        _old, again = session.scalars(select(Generation).order_by(Generation.id)).all()
    assert (again.prompt, again.references) == (row.prompt, row.references)


def test_history_of_an_asset(open_page: Open, studio: Studio) -> None:
    """A link leads to the clips that were made from it."""
    asset = create_asset(db.default(), studio.person, "lake.jpg")
    project = studio.project()
    studio.order(project, "a lake", start_image_key=asset.storage_key)
    studio.order(project, "a hill")
    shown = sent(open_page("history", asset=asset.storage_key), "clip_gallery")
    assert shown is not None
    assert "a hill" not in str(shown)
    assert "a lake" in str(shown)


def test_names_for_suggestions(studio: Studio) -> None:
    """The prompt field is given every name with its kind."""
    create_group(db.default(), studio.person, "mira", pictures=0, description="In red")
    with db.read_session() as session:
        assert session.scalars(select(AssetGroup.name)).all() == ["mira"]
    assert mentioned.names(studio.person) == [Name("mira", "Character · In red", "")]
