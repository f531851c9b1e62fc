import logging

import pytest

from core.db import Database
from core.db.enums import Scope
from core.identity import api_tokens
from core.workspaces import callers
from core.workspaces.access import Member


def test_acts_stand_in_the_log_once_they_are_done(
    database: Database, person: Member, caplog: pytest.LogCaptureFixture
) -> None:
    """Who made and ended a token is told, with its id and never with the token; what is rolled back is not."""
    caplog.set_level(logging.INFO, logger="security")
    with database.write_session() as session:
        token = api_tokens.create(session, person.user, name="script", scope=Scope.READ)
    with database.read_session() as session:
        [row] = api_tokens.list_for_user(session, person.user)
    with database.write_session() as session:
        api_tokens.revoke(session, person.user, row.id, cache=callers.CallerCache())
    with database.write_session() as session:
        api_tokens.create(session, person.user, name="never")
        session.rollback()

    assert [record.getMessage() for record in caplog.records if record.name == "security"] == [
        f"token.made by {person.email}: {row.id}",
        f"token.revoked by {person.email}: {row.id}",
    ]
    assert token not in caplog.text
