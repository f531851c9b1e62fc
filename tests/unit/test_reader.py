"""In which language a stranger reads."""

import pytest

from core.api.http import reader


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("id-ID,id;q=0.9,en;q=0.8", "id"),
        ("en-GB,id;q=0.9", "en"),
        ("fr,id;q=0.5,en;q=0.4", "id"),
        ("id , en", "id"),
        ("fr", "en"),
        ("", "en"),
        ("id;q=0", "en"),
        ("id;q=x,en", "en"),
        (",;,", "en"),
    ],
)
def test_language_that_the_browser_likes_best(accepted: str, language: str) -> None:
    """By weight, then by order; English for who reads none of them."""
    assert reader.language(accepted, ("en", "id"), otherwise="en") == language
