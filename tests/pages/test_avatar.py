import re

from pages.ui import avatar


def test_name_beside_its_circle_is_text() -> None:
    """A name opens no tag and no attribute, and is read aloud once."""
    told = avatar.named('"><img src=x>', "1")

    assert re.findall(r"<(\w+)", told) == ["span", "span", "span"]
    assert 'title="&quot;&gt;&lt;img src=x&gt;"' in told
    assert told.count("aria-hidden") == 1
