from dataclasses import replace

import pytest

from tests.api.conftest import Client, refusal, team_of
from tests.factories import workspaces as teams


def test_inbox_when_it_is_listed_and_read(ana: Client, ben: Client) -> None:
    """What one was told is one's own, newest first, in English; reading it is noted and can be taken back."""
    first, second = ana.finished(), ana.finished()
    told = ana.get("/notices").json()["notices"]
    assert [one["generationId"] for one in told] == [second.id, first.id]
    assert told[0]["title"].startswith("A clip is finished")
    assert (told[0]["kind"], told[0]["clipCount"], told[0]["readAt"]) == ("clips_done", 1, None)
    assert ben.get("/notices").json()["notices"] == []

    own = f"/notices/{told[0]['id']}"
    assert refusal(ben.send("PATCH", own, json={"read": True}))[0] == 404
    assert ana.send("PATCH", own, json={"read": True}).json()["notice"]["readAt"] is not None
    assert [one["id"] for one in ana.get("/notices?unread=true").json()["notices"]] == [told[1]["id"]]
    assert ana.send("PATCH", own, json={"read": False}).json()["notice"]["readAt"] is None
    assert ana.post("/notices/read").json() == {"success": True, "readCount": 2}
    assert ana.post("/notices/read").json()["readCount"] == 0


def test_inbox_when_it_is_read_page_by_page(ana: Client) -> None:
    """Every notice comes once; a cursor that is nobody's is refused."""
    for _ in range(3):
        ana.finished()
    page = ana.get("/notices?limit=2").json()
    rest = ana.get(f"/notices?limit=2&cursor={page['nextCursor']}").json()
    ids = [one["id"] for one in page["notices"] + rest["notices"]]
    assert (len(set(ids)), rest["nextCursor"]) == (3, None)
    assert ana.get("/notices?cursor=00000000-0000-7000-8000-000000000000").status_code == 404


def test_inbox_when_its_person_has_left(ana: Client, ben: Client) -> None:
    """What was told of a team is gone with the membership."""
    ana, ben = team_of(ana, ben)
    ben.finished()
    assert len(ben.get("/notices").json()["notices"]) == 1
    assert ben.person is not None
    teams.remove(ben.person)
    assert replace(ben, workspace_id=None).get("/notices").json()["notices"] == []


@pytest.mark.parametrize("is_on", [True, False])
def test_prompts_when_a_manager_decides(ana: Client, is_on: bool) -> None:
    """Whether prompts leave the installation is said of a workspace, and stays off until somebody says so."""
    assert ana.person is not None
    path = f"/workspaces/{ana.person.workspace_id}"
    assert ana.get(path).json()["workspace"]["tellsPrompts"] is False
    assert ana.send("PATCH", path, json={"tellsPrompts": is_on}).json()["workspace"]["tellsPrompts"] is is_on
