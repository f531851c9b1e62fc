import logging
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from core import errors
from core.db import Database
from core.db.tables import Generation
from core.installation import Installation, using
from tests.factories.studio import Studio
from tests.pages.conftest import Open, prompt, write


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


def test_order_while_the_database_is_locked(open_page: Open, studio: Studio, installation: Installation) -> None:
    """An order that cannot be written is refused beside the button, with what to do, and nothing is ordered."""
    studio.project()
    path = str(installation.database.engine.url.database)
    hasty = Database(f"sqlite:///{path}", patience_seconds=0.1)
    holder = sqlite3.connect(path, isolation_level=None)
    with using(replace(installation, database=hasty)):
        at = open_page("generate")
        write(at, "A lake at dusk")
        button = next(each for each in at.button if each.label.startswith("Generate"))
        holder.execute("BEGIN IMMEDIATE")
        button.click().run()
        holder.execute("ROLLBACK")
    holder.close()
    hasty.dispose()

    assert [box.value for box in at.error] == [errors.DatabaseUnavailable.sentence]
    assert prompt(at) == "A lake at dusk"
    with installation.database.read_session() as session:
        assert session.scalars(select(Generation)).all() == []
