import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.db import Database
from core.identity import idempotency
from core.ids import new_id
from core.workspaces.access import Member


@pytest.mark.both_databases
def test_key_when_many_come_at_once(database: Database, person: Member) -> None:
    """Of many with one key the first makes something, and the others wait for it and are told what."""
    barrier = threading.Barrier(8)

    def try_once(_n: int) -> tuple[str, bool]:
        barrier.wait()
        with database.write_session() as session:
            found = idempotency.made_before(session, person.user, "one", request="project\n{}")
            if found is not None:
                return found, False
            made_id = new_id()
            idempotency.remember(session, person.user, "one", request="project\n{}", made_id=made_id)
            return made_id, True

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(try_once, range(8)))

    assert len({made_id for made_id, _is_new in found}) == 1
    assert sum(is_new for _made_id, is_new in found) == 1


def test_key_when_its_maker_failed(database: Database, person: Member) -> None:
    """A key whose request was undone has made nothing and can be used again."""
    with database.write_session() as session:
        idempotency.remember(session, person.user, "one", request="a", made_id=new_id())
        session.rollback()

    with database.write_session() as session:
        assert idempotency.made_before(session, person.user, "one", request="b") is None
