import logging
import sqlite3
from dataclasses import replace

import psycopg
import pytest

from core import db
from core.db import Database
from core.installation import Installation, using
from tests.api.conftest import Client, arrive, refusal
from tests.factories import installations


def test_order_while_sqlite_is_locked(
    ana: Client, installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    """An order that cannot be written soon is told to come back; reads go on, and the log has one line, no trace."""
    order = ana.order()
    path = installation.database.engine.url.database
    hasty = Database(f"sqlite:///{path}", patience_seconds=0.1)
    with caplog.at_level(logging.INFO), using(replace(installation, database=hasty)):
        holder = sqlite3.connect(str(path), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        answers = [ana.post("/generate", json=order) for _ in range(3)]
        assert ana.get("/projects").status_code == 200
        holder.execute("ROLLBACK")
        holder.close()
        assert ana.post("/generate", json=order).status_code == 202
    hasty.dispose()

    for answer in answers:
        assert refusal(answer)[:2] == (503, "database_unavailable")
        assert int(answer.headers["retry-after"]) > 0
        assert "locked" not in answer.text
    of_ours = [record for record in caplog.records if record.name.startswith("core.db.")]
    assert len(of_ours) == 2
    assert not any(record.exc_info for record in of_ours)


@pytest.mark.only_postgresql
def test_order_while_postgresql_is_read_only(site: Installation, database_url: str) -> None:
    """After a failover to a server that only reads, orders are told to come back, and reads go on."""
    ana = arrive("ana@example.org")
    order = ana.order()
    name = db.default().engine.url.database
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        installations.reopen()
        answer = ana.post("/generate", json=order)
        assert ana.get("/projects").status_code == 200
        other.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")

    assert refusal(answer)[:2] == (503, "database_unavailable")
    assert int(answer.headers["retry-after"]) > 0
