"""Parts a month of what grows for ever: how tables become them, how months come and go. PostgreSQL's alone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, create_engine, func, inspect, select, text
from sqlalchemy.exc import DBAPIError

from core import ids
from core.db import Database, indexes, partitions
from core.db.schema import alembic_config
from core.db.tables import AuditLogEntry, GenerationEvent, WebhookDelivery
from core.workspaces.access import Member
from tests.factories.generations import create_completed
from tests.factories.upgrades import dump
from tests.fixtures import schemas

pytestmark = pytest.mark.only_postgresql  # SQLite has its tables whole

BEFORE = "0044"


def test_upgrade_probe(database: Database, person: Member) -> None:
    create_completed(database, person)
    with database.engine.begin() as connection:
        print({t: partitions.parts(connection, t) for t in partitions.KEYS})
        command.downgrade(alembic_config(connection), BEFORE)
    with database.engine.begin() as connection:
        print({t: partitions.parts(connection, t) for t in partitions.KEYS})
        known = schemas.tables(connection)
        print(dump(connection, known).keys())
    database.migrate()
    with database.engine.begin() as connection:
        print({t: partitions.parts(connection, t) for t in partitions.KEYS})
    assert 0
