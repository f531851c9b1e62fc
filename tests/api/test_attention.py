"""What waits, over REST: of what one manages, and for administrators of everything."""

from datetime import timedelta

from core import db, errors
from core.clock import utc_now
from core.db.enums import WorkspaceRole
from core.db.tables import Generation
from core.insights import circuit_breaker
from tests.api.conftest import Client, refusal
from tests.api.test_workspaces import administrator, id_of
from tests.factories.generations import DISPATCHED, SUBMITTING, WAITING, advance, create_generation, rewrite
from tests.factories.workspaces import create_team


def test_what_waits_where_one_manages(ana: Client, ben: Client) -> None:
    """Unclear and late clips of one's own workspace, and nothing of what is of another one or the installation."""
    ben.uncertain()
    ana.uncertain()
    late = ana.generate()
    advance(db.default(), late, DISPATCHED, SUBMITTING, WAITING)
    then = utc_now() - timedelta(hours=2)
    with db.write_session() as session:
        rewrite(session, Generation.id == late, created_at=then, submitted_at=then)
        circuit_breaker.record_failure(session, "modelslab", errors.BadKey())

    found = ana.get("/attention").json()["attention"]
    assert (found["count"], found["unclearClips"], found["refusedProviders"]) == (2, 1, [])
    [told] = found["lateClips"]
    assert (told["id"], told["workspaceId"], told["stage"]) == (late, id_of(ana), "waiting")
    assert told["usualSeconds"] < 7200
    assert refusal(ana.get("/attention?installation=true"))[:2] == (403, "forbidden")


def test_what_waits_in_the_installation(ana: Client, ben: Client) -> None:
    """Everybody's, and the accounts that providers refuse, for who runs it."""
    root = administrator("root@example.org")
    ana.uncertain()
    ben.uncertain()
    with db.write_session() as session:
        circuit_breaker.record_failure(session, "modelslab", errors.BadKey())
    assert root.get("/attention").json()["attention"]["count"] == 0
    found = root.get("/attention", params={"installation": True}).json()["attention"]
    assert (found["count"], found["unclearClips"], found["refusedProviders"]) == (3, 2, ["modelslab"])


def test_maker_in_a_team_is_told_nothing_of_it(ana: Client, ben: Client) -> None:
    """What waits there is its managers'."""
    assert ana.person is not None
    assert ben.person is not None
    people = ((ana.person, WorkspaceRole.MAKER), (ben.person, WorkspaceRole.MANAGER))
    maker, _manager = create_team(db.default(), *people, credits=1000)
    create_generation(db.default(), maker)
    assert ana.get("/attention").json()["attention"]["fewCredits"] == []
    [few] = ben.get("/attention").json()["attention"]["fewCredits"]
    assert few == {"workspaceId": maker.workspace_id, "availableCredits": 950}
