"""The dashboard, opened at a page by a script instead of a browser."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.components.v2.bidi_component.constants import EVENT_DELIM
from streamlit.runtime.state.session_state import STREAMLIT_INTERNAL_KEY_PREFIX
from streamlit.testing.v1 import AppTest

from core.installation import Installation, current
from core.projects import uploads
from tests.factories.studio import Studio

SHELL = Path(__file__).parents[2] / "pages" / "shell.py"
Open = Callable[..., AppTest]


def sent(at: AppTest, element: str) -> dict[str, Any] | None:
    """What an element of ours was given, by the name it is registered with; None when it is not on the page."""
    found = [each.proto for each in at.get("bidi_component")]
    return next((json.loads(proto.json)[0] for proto in found if proto.component_name == element), None)


def turned_to(at: AppTest, tab: str) -> AppTest:
    """A page with a clip open, at another tab beside it."""
    at.session_state["clip_tabs"] = tab
    return at.run()


def write(at: AppTest, prompt: str) -> AppTest:
    """Write a prompt into the order form, as it is when its field has told it."""
    at.session_state["generate_prompt"] = prompt
    return at.run()


def bring(at: AppTest, studio: Studio, field: str, *images: tuple[str, bytes]) -> AppTest:
    """Images (name, bytes) as their place in the order form tells of them when they were sent."""
    here, told = current(), []
    for name, data in images:
        upload, notes = uploads.store_image(
            studio.person,
            identity=data,
            picture=lambda data=data: data,  # type: ignore[misc]  # the bytes of this turn
            file_name=name,
            storage=here.storage,
            quota_bytes=here.settings.storage_quota_bytes,
        )
        told.append({"key": upload.storage_key, "name": name, "notes": [note.to_json() for note in notes]})
    at.session_state["generate_brought"] = {"field": field, "images": told}
    return at.run()


def slots(at: AppTest) -> dict[str, dict[str, Any]]:
    """The places for images of the order form, by field."""
    found = [each.proto for each in at.get("bidi_component") if each.proto.component_name == "image_slots"]
    return {slot["field"]: slot for proto in found for slot in json.loads(proto.json)[0]["slots"]}


def prompt(at: AppTest) -> str:
    """What stands in the field of the prompt."""
    return str((sent(at, "prompt_input") or {})["text"])


def widget(at: AppTest, key: str) -> Any:
    """What has a key, whatever kind of element it is."""
    return at.get_by_key(key)


def presses(at: AppTest) -> list[dict[str, Any]]:
    """What stands on the stage, newest press first."""
    found: list[dict[str, Any]] = (sent(at, "stage") or {})["presses"]
    return found


def choose(at: AppTest, **settings: Any) -> AppTest:
    """Choose settings of the order, which are chips of an element of ours, and draw the page."""
    for field, value in settings.items():
        offered = {choice["field"]: choice for choice in (sent(at, "order_settings") or {})["choices"]}
        assert value in [option["value"] for option in offered[field]["options"]], f"{field} does not offer {value}"
        at.session_state[f"generate_{field}"] = value
        at.run()
    return at


def chosen(at: AppTest) -> dict[str, Any]:
    """The settings of the order as its chips say them."""
    return {choice["field"]: choice["chosen"] for choice in (sent(at, "order_settings") or {})["choices"]}


def on_offer(at: AppTest, field: str) -> list[str]:
    """What a chip of the order offers, in words."""
    choices = {choice["field"]: choice for choice in (sent(at, "order_settings") or {})["choices"]}
    return [option["said"] for option in choices[field]["options"]]


def press(at: AppTest, element: str, trigger: str, value: Any) -> AppTest:
    """Press something within an element of ours, and let the page be drawn again, as the browser would.

    AppTest has no way of its own to it: what a browser sends is put together here.
    """
    [found] = [each.proto for each in at.get("bidi_component") if each.proto.component_name == element]
    states = at._tree.get_widget_states()
    pressed = states.widgets.add()
    pressed.id = f"{STREAMLIT_INTERNAL_KEY_PREFIX}_{found.id}{EVENT_DELIM}events"
    pressed.json_trigger_value = json.dumps([{"event": trigger, "value": value}])
    return at._run(states)


@pytest.fixture
def studio(installation: Installation) -> Studio:
    """An installation of its own with its one person."""
    return Studio(installation.settings)


@pytest.fixture
def open_page(installation: Installation) -> Open:
    """Open a page by its file name, with an address: `open_page("history", status="failed")`."""

    def opened(page: str, **address: str) -> AppTest:
        at = AppTest.from_file(str(SHELL), default_timeout=20)
        for name, value in address.items():
            at.query_params[name.rstrip("_")] = value
        if page != "projects":
            at.switch_page(f"{page}.py")
        return at.run()

    return opened
