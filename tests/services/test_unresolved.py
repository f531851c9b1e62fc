import pytest

from core import errors
from core.billing import ledger
from core.db import Database
from core.db.enums import Role, Stage, Status
from core.generations import unresolved
from core.workspaces.access import Member
from tests.factories.generations import DISPATCHED, SUBMITTING, advance, create_generation
from tests.factories.users import ensure_member


def test_uncertain_is_decided_by_an_administrator(database: Database, person: Member) -> None:
    """An administrator, and nobody else, ends the uncertain: given back, or found and waited for."""
    rows = [create_generation(database, person) for _ in range(2)]
    for row in rows:
        advance(database, row.id, DISPATCHED, SUBMITTING, (Status.UNCERTAIN, Stage.SUBMITTING))
    with database.write_session() as session:
        root = ensure_member(session, "root@example.org", signup_credits=0, role=Role.ADMIN)
        assert [row.id for row in unresolved.list_unresolved(session)] == [row.id for row in rows]
        with pytest.raises(errors.Forbidden):
            unresolved.release_hold(session, person, rows[0].id)
        assert unresolved.release_hold(session, root, rows[0].id).status is Status.FAILED
        found = unresolved.resolve_with_job(session, root, rows[1].id, provider_job_id="j-1")

    assert (found.status, found.stage, found.provider_job_id) == (Status.PROCESSING, Stage.WAITING, "j-1")
    with database.read_session() as session:
        assert ledger.balance(session, person.workspace_id) == ledger.Balance(9_950, 50)


def test_uncertain_is_decided_once(database: Database, person: Member) -> None:
    """A second decision, whichever it is, changes nothing and says why; so does one about nothing."""
    row = create_generation(database, person)
    advance(database, row.id, DISPATCHED, SUBMITTING, (Status.UNCERTAIN, Stage.SUBMITTING))
    with database.write_session() as session:
        root = ensure_member(session, "root@example.org", signup_credits=0, role=Role.ADMIN)
        unresolved.release_hold(session, root, row.id)
    with pytest.raises(errors.Conflict, match="failed, not uncertain"), database.write_session() as session:
        unresolved.release_hold(session, root, row.id)
    with pytest.raises(errors.Conflict, match="failed, not uncertain"), database.write_session() as session:
        unresolved.resolve_with_job(session, root, row.id, provider_job_id="j-1")
    with pytest.raises(errors.NotFound), database.write_session() as session:
        unresolved.release_hold(session, root, "0198c0de-0000-7000-8000-000000000000")
    with database.read_session() as session:
        assert unresolved.list_unresolved(session) == []
        assert ledger.balance(session, person.workspace_id) == ledger.Balance(10_000, 0)


@pytest.mark.parametrize("job_id", ["", "x" * 201, "job\x00", "job\n1", "\x7f"])
def test_job_id_when_no_provider_gives_such(database: Database, person: Member, job_id: str) -> None:
    """What is no job id is refused by field before the database sees it; the row stays to be decided."""
    row = create_generation(database, person)
    advance(database, row.id, DISPATCHED, SUBMITTING, (Status.UNCERTAIN, Stage.SUBMITTING))
    with database.write_session() as session:
        root = ensure_member(session, "root@example.org", signup_credits=0, role=Role.ADMIN)
    with pytest.raises(errors.InvalidRequest) as refused, database.write_session() as session:
        unresolved.resolve_with_job(session, root, row.id, provider_job_id=job_id)

    assert list(refused.value.fields) == ["providerJobId"]
    with database.read_session() as session:
        assert [each.id for each in unresolved.list_unresolved(session)] == [row.id]
