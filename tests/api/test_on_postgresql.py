import pytest

from core import db
from core.audit import runs
from core.installation import Installation
from tests.api.conftest import Client, arrive

pytestmark = pytest.mark.only_postgresql


def test_list_carries_the_newest_twenty(site: Installation) -> None:
    """The one query of the project list says the same on PostgreSQL."""
    ana = arrive("ana@example.org")
    many, few = ana.project("Many"), ana.project("Few")
    of_many = [ana.generate(projectId=many) for _ in range(21)]
    of_few = [ana.generate(projectId=few)]

    found = {project["id"]: project for project in ana.get("/projects").json()["projects"]}

    assert [clip["id"] for clip in found[many]["generations"]] == of_many[:0:-1]
    assert [clip["id"] for clip in found[few]["generations"]] == of_few


def test_parallel_orders_spend_no_more_than_there_is(site: Installation) -> None:
    """Twelve orders at once with credits for five are five on PostgreSQL, too; with one key they are one."""
    cleo = arrive("cleo@example.org", credits=250)
    body = cleo.order()

    answers = cleo.send_at_once("POST", "/generate", [{"json": body} for _ in range(12)])

    assert sorted(answer.status_code for answer in answers) == [202] * 5 + [402] * 7
    with db.read_session() as session:
        assert all(result.holds for result in runs.run(session))

    dora = arrive("dora@example.org")
    options = {"json": dora.order(), "headers": {"Idempotency-Key": "one"}}
    answers = dora.send_at_once("POST", "/generate", [dict(options) for _ in range(12)])
    assert len({answer.json()["generation"]["id"] for answer in answers}) == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/generations?text=%00", 422),
        ("/generations?modelId=%00", 422),
        ("/generations?until=0001-01-01T00:00:00Z", 200),
        ("/generations?until=9999-12-31T23:59:59Z", 200),
        ("/generations/%00", 404),
        ("/projects?search=%00", 422),
        ("/projects?search=%25%5C", 200),
        ("/credits/entries?cursor=9223372036854775807", 200),
        ("/usage?projectId=%00", 422),
        ("/usage?until=0001-01-01", 200),
    ],
)
def test_what_postgresql_cannot_take_never_reaches_it(site: Installation, path: str, status: int) -> None:
    """Odd characters and far-off times are refused or answered, never an error of ours."""
    ana: Client = arrive("ana@example.org")

    assert ana.get(path).status_code == status


def test_odd_bodies(site: Installation) -> None:
    """The same for what comes in bodies."""
    ana = arrive("ana@example.org")
    good = ana.order()

    assert ana.post("/generate", json=good | {"projectId": "nul\0"}).status_code == 422
    assert ana.post("/generate", json=good | {"startImagePath": "nul\0"}).status_code == 422
    assert ana.post("/generate", json=good | {"prompt": "nul\0"}).status_code == 422
    assert ana.post("/projects", json={"name": "nul\0"}).status_code == 422
    assert ana.post("/generate", json=good | {"projectId": "unknown"}).status_code == 404
