from pages import language


def test_words_without_a_session_are_the_source() -> None:
    """Outside of a page there is no reader to ask, so texts stay as they are written."""
    assert language.current() == "en"
    assert language._("Total") == "Total"
    assert language.plural("{number} clip", "{number} clips", 2) == "{number} clips"


def test_every_language_has_a_catalogue() -> None:
    """Each language that can be chosen is English or has its words."""
    for tag in language.LANGUAGES:
        assert language._catalogue(tag).gettext("a text that no catalogue has") == "a text that no catalogue has"
