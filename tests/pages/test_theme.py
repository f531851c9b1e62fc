"""The colours of the theme can be read."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

CONFIG = Path(__file__).parents[2] / ".streamlit" / "config.toml"
TEXT, MARK = 4.5, 3.0
"""The least contrast of text and of marks (WCAG 2.2, 1.4.3 and 1.4.11)."""
WHITE = "#FFFFFF"


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2, "contrast ratio")."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """The relative luminance of `#RRGGBB` (WCAG 2.2, "relative luminance")."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("name", ["light", "dark"])
def test_theme_when_read(name: str) -> None:
    """Text stands out from both grounds, white from a primary button, an open tab from the page, a mark from both."""
    theme: dict[str, Any] = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"][name]
    page, field = theme["backgroundColor"], theme["secondaryBackgroundColor"]

    for text in ("textColor", "grayTextColor", "linkColor"):
        assert contrast(theme[text], page) >= TEXT, text
        assert contrast(theme[text], field) >= TEXT, text
    assert contrast(theme["primaryColor"], WHITE) >= TEXT
    assert contrast(theme["primaryColor"], page) >= TEXT
    for mark in theme["chartCategoricalColors"]:
        assert contrast(mark, page) >= MARK, mark
