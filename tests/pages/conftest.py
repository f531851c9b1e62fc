"""The dashboard, opened at a page by a script instead of a browser."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.installation import Installation
from tests.factories.studio import Studio

SHELL = Path(__file__).parents[2] / "pages" / "shell.py"
Open = Callable[..., AppTest]


def sent(at: AppTest, element: str) -> dict[str, Any] | None:
    """What an element of ours was given, by the name it is registered with; None when it is not on the page."""
    found = [each.proto for each in at.get("bidi_component")]
    return next((json.loads(proto.json)[0] for proto in found if proto.component_name == element), None)


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
