import logging
from dataclasses import replace
from pathlib import Path

import pytest

from core import errors
from core.db import Database
from core.installation import Installation, using
from tests.factories.studio import Studio
from tests.pages.conftest import Open


def test_page_while_the_database_is_away(
    open_page: Open, studio: Studio, installation: Installation, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A page says in one sentence what to do, and the log has one line for all of them."""
    away = Database(f"sqlite:///{tmp_path / 'nowhere' / 'studio.db'}")
    with caplog.at_level(logging.WARNING), using(replace(installation, database=away)):
        found = [open_page("projects"), open_page("history")]

    for page in found:
        assert not page.exception
        assert [box.value for box in page.error] == [errors.DatabaseUnavailable.sentence]
    of_ours = [record for record in caplog.records if record.name.startswith(("core.", "pages"))]
    assert len(of_ours) == 1
    assert not of_ours[0].exc_info
