import pytest

from core.db.enums import Stage, Status
from core.installation import Installation
from tests.api.conftest import Client, refusal
from tests.api.test_workspaces import administrator, id_of
from tests.factories.books import broken_rules
from tests.factories.generations import load_generation


@pytest.fixture
def root(installation: Installation) -> Client:
    """An administrator."""
    return administrator("root@example.org")


def test_cases_are_listed_without_prompts(root: Client, ana: Client) -> None:
    """Whose they are and what is known, oldest first, a page at a time; no administrator reads what was asked for."""
    ids = [ana.uncertain() for _ in range(3)]

    first = root.get("/uncertain", params={"limit": 2})
    rest = root.get("/uncertain", params={"limit": 2, "cursor": first.json()["nextCursor"]}).json()

    cases = first.json()["uncertain"] + rest["uncertain"]
    assert ([case["id"] for case in cases], rest["nextCursor"]) == (ids, None)
    assert (cases[0]["workspaceId"], cases[0]["person"]) == (id_of(ana), "ana · ana@example.org")
    assert (cases[0]["errorCode"], cases[0]["providerJobId"]) == ("submit_uncertain", None)
    assert "lake" not in first.text
    assert refusal(ana.get("/uncertain"))[:2] == (403, "forbidden")


def test_case_is_released_once(root: Client, ana: Client) -> None:
    """Its credits come back; a second decision is refused, and so is anybody else's."""
    case = ana.uncertain()
    assert refusal(ana.post(f"/uncertain/{case}/release"))[:2] == (403, "forbidden")

    decided = root.post(f"/uncertain/{case}/release").json()["generation"]

    assert (decided["status"], decided["stage"]) == ("failed", "ended")
    assert ana.get("/credits").json()["credits"]["available"] == 10_000
    assert refusal(root.post(f"/uncertain/{case}/release"))[:2] == (409, "conflict")
    assert broken_rules() == []


def test_case_is_found(root: Client, ana: Client) -> None:
    """It is waited for under the job's id; an id that no provider gives is refused on its field."""
    case = ana.uncertain()
    wrong = root.post(f"/uncertain/{case}/found", json={"providerJobId": ""})
    assert (wrong.status_code, set(refusal(wrong)[2])) == (422, {"providerJobId"})

    assert root.post(f"/uncertain/{case}/found", json={"providerJobId": "job-1"}).json()["generation"]["status"] == (
        "processing"
    )

    row = load_generation(case)
    assert (row.status, row.stage, row.provider_job_id) == (Status.PROCESSING, Stage.WAITING, "job-1")
