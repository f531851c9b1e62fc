import re

import pytest

from core.workspaces.profiles import Profile
from pages.elements import avatar


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Ana Lim", "AL"),
        ("ana maria de lim", "AL"),
        ("ben", "B"),
        ("eve.adams@example.org", "EA"),
        ("李 小龙", "李小"),
        ("émile", "É"),
        ("ﬁona", "F"),
        ("🎬", "?"),
        ("", "?"),
    ],
)
def test_initials(name: str, initials: str) -> None:
    """One or two capitals, of the first and the last word."""
    assert avatar.initials(Profile("1", name, "someone@example.org")) == initials


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colour", avatar.COLOURS)
def test_initials_can_be_read(colour: str) -> None:
    """White letters stand out by 4.5 at least (WCAG 2.2, 1.4.3), so the theme around does not matter."""
    assert 1.05 / (_luminance(colour) + 0.05) >= 4.5


def test_markup_of_a_hostile_name() -> None:
    """A name is text: it opens no tag and no attribute."""
    told = avatar.markup(Profile("1", '"><img src=x>', "x@example.org"), with_name=False)

    assert "<img" not in told
    assert re.findall(r"<(\w+)", told) == ["span"]
    assert 'aria-label="&quot;&gt;&lt;img src=x&gt;"' in told
