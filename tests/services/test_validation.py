import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import validation
from core.db import Database
from core.db.tables import User
from core.workspaces.access import Member


@pytest.mark.both_databases
@given(value=st.text(st.characters(), max_size=40))
def test_text_that_is_accepted_can_be_kept_and_sent(database: Database, person: Member, value: str) -> None:
    """What has no problem comes back from each database as it went in, and can be sent as JSON in UTF-8."""
    if validation.text_error(value, limit_chars=40) is not None:
        return
    with database.write_session() as session:
        user = session.get(User, person.id)
        assert user is not None
        user.name = value
    with database.read_session() as session:
        kept = session.get(User, person.id)
        assert kept is not None
        assert kept.name == value
    assert json.loads(json.dumps({"prompt": value}, ensure_ascii=False).encode()) == {"prompt": value}
