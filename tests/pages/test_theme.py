"""The colours of the theme can be read."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

CONFIG = Path(__file__).parents[2] / ".streamlit" / "config.toml"
LOOK = Path(__file__).parents[2] / "pages" / "ui" / "look.css"
TEXT, MARK = 4.5, 3.0
"""The least contrast of text and of marks (WCAG 2.2, 1.4.3 and 1.4.11)."""
ON_ACCENT = {"light": "#ffffff", "dark": "#04191b"}
"""What `pages/ui/look.css` writes on the primary colour."""


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2, "contrast ratio")."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """The relative luminance of `#RRGGBB` (WCAG 2.2, "relative luminance")."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def colour(look: str, property_name: str, theme: str) -> str:
    """What a property of the style sheet is in a theme."""
    found = re.search(rf"--studio-{property_name}: light-dark\((#\w+), (#\w+)\)", look)
    assert found is not None, property_name
    return found[1 if theme == "light" else 2]


@pytest.mark.parametrize("name", ["light", "dark"])
def test_theme_when_read(name: str) -> None:
    """Text stands out from every surface, that of a button from it, an open tab from the page, a mark from both."""
    theme: dict[str, Any] = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"][name]
    look = LOOK.read_text(encoding="utf-8")
    assert f"--studio-on-accent: light-dark({ON_ACCENT['light']}, {ON_ACCENT['dark']})" in look
    page, field = theme["backgroundColor"], theme["secondaryBackgroundColor"]

    for text in ("textColor", "grayTextColor", "linkColor"):
        assert contrast(theme[text], page) >= TEXT, text
        assert contrast(theme[text], field) >= TEXT, text
    for words in ("text", "muted", "good", "bad", "warn"):
        for surface in ("page", "card", "raised"):
            assert contrast(colour(look, words, name), colour(look, surface, name)) >= TEXT, (words, surface)
    assert colour(look, "accent", name).upper() == theme["primaryColor"]
    assert contrast(theme["primaryColor"], ON_ACCENT[name]) >= TEXT
    assert contrast(theme["primaryColor"], page) >= TEXT
    for place, mark in enumerate(theme["chartCategoricalColors"][:6], start=1):
        assert colour(look, f"series-{place}", name).upper() == mark, "a legend beside a chart has its colours"
    for mark in theme["chartCategoricalColors"]:
        assert contrast(mark, page) >= MARK, mark
