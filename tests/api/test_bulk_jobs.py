import io
import zipfile
from urllib.parse import urlsplit

from core.installation import current
from core.worker import bulk_archives, bulk_changes
from tests.api.conftest import PREFIX, Client, refusal, team_of


def job(client: Client, **asked: object) -> dict[str, object]:
    """A job as the answer to its order has it."""
    answer = client.post("/bulk-jobs", json={"filter": {}} | asked)
    assert answer.status_code == 202, answer.text
    found: dict[str, object] = answer.json()["job"]
    return found


def test_bulk_job_from_order_to_end(ana: Client) -> None:
    """It is told with its figures at every moment, and changes what matched, as listing shows afterwards."""
    rows = [ana.finished(prompt=f"lake {number}") for number in range(3)]
    ana.finished(prompt="hills")
    made = job(ana, kind="tag", tags=["Night"], filter={"text": "lake", "status": ["completed"]})
    expected = {"kind": "tag", "state": "waiting", "matchedCount": 3, "doneCount": 0, "progress": 0, "files": []}
    assert expected.items() <= made.items()
    assert {"text": "lake", "status": ["completed"], "days": None}.items() <= dict(made["filter"]).items()  # type: ignore[call-overload]  # a mapping
    bulk_changes.work_down()

    told = ana.get(f"/bulk-jobs/{made['id']}").json()["job"]
    assert {
        "state": "done",
        "doneCount": 3,
        "leftCount": 0,
        "progress": 100,
        "errorMessage": None,
    }.items() <= told.items()
    assert {clip["id"] for clip in ana.get("/generations?tag=night").json()["generations"]} == {row.id for row in rows}
    assert [each["id"] for each in ana.get("/bulk-jobs").json()["jobs"]] == [made["id"]]
    assert refusal(ana.post(f"/bulk-jobs/{made['id']}/cancel"))[:2] == (409, "conflict")


def test_bulk_job_when_it_is_sent_twice(ana: Client) -> None:
    """A repeat is answered by the first; the same key with something else is a conflict."""
    ana.finished()
    headers = {"Idempotency-Key": "one"}
    body = {"kind": "favourite", "filter": {}}
    answers = [ana.post("/bulk-jobs", json=body, headers=headers) for _ in range(2)]
    assert len({answer.json()["job"]["id"] for answer in answers}) == 1
    assert answers[1].headers["idempotency-replayed"] == "true"
    other = ana.post("/bulk-jobs", json=body | {"kind": "keep"}, headers=headers)
    assert refusal(other)[:2] == (409, "idempotency_conflict")


def test_bulk_job_that_is_stopped(ana: Client) -> None:
    """It says so, and no worker takes it up."""
    ana.finished()
    made = job(ana, kind="favourite")
    assert ana.post(f"/bulk-jobs/{made['id']}/cancel").json()["job"]["state"] == "cancelled"
    bulk_changes.work_down()
    assert ana.get("/generations?favourite=true").json()["generations"] == []


def test_bulk_job_that_cannot_be(ana: Client) -> None:
    """What is wrong is named by its field."""
    assert refusal(ana.post("/bulk-jobs", json={"kind": "favourite", "filter": {}}))[2].keys() == {"filter"}
    ana.finished()
    for body, field in (
        ({"kind": "tag"}, "tags"),
        ({"kind": "move"}, "projectId"),
        ({"kind": "fetch", "names": "{x}"}, "names"),
        ({"kind": "melt"}, "kind"),
        ({"kind": "tag", "tags": ["x"], "filter": {"colour": "red"}}, "filter"),
    ):
        assert field in refusal(ana.post("/bulk-jobs", json={"filter": {}} | body))[2]
    missing = {"kind": "favourite", "filter": {"projectId": "0" * 36}}
    assert refusal(ana.post("/bulk-jobs", json=missing))[0] == 404


def test_archive_is_fetched_by_its_link(ana: Client, ben: Client) -> None:
    """The file is whole, comes under a name, in ranges, and is gone when the job's time is over."""
    row = ana.finished()
    made = job(ana, kind="fetch", names="{id}")
    bulk_archives.work_down(current())
    told = ana.get(f"/bulk-jobs/{made['id']}").json()["job"]
    [file] = told["files"]
    assert (told["state"], file["clipCount"]) == ("done", 1)
    link = urlsplit(file["url"])
    path = f"{link.path.removeprefix(PREFIX)}?{link.query}"
    answer = Client().get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert f"clips-{told['createdAt'][:10]}.zip" in answer.headers["content-disposition"]
    assert len(answer.content) == file["sizeBytes"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as found:
        assert found.namelist() == [f"{row.id[-6:]}.mp4", "clips.csv"]
    assert Client().get(path, headers={"Range": "bytes=0-1"}).content == b"PK"
    assert refusal(Client().get(path.replace("&s=", "&s=x")))[0] == 403
    current().storage.delete_below(f"exports/{made['id']}")
    assert Client().get(path).status_code == 404
    assert refusal(ben.get(f"/bulk-jobs/{made['id']}"))[0] == 404


def test_clip_names_are_kept_for_the_zip(ana: Client) -> None:
    """A template is tried, refused with its reason, chosen, and used by the ZIP of a few clips."""
    row = ana.finished()
    usual = ana.get("/clip-names").json()
    assert usual["template"] == "{words}-{id}"
    assert set(usual["fields"]) > {"date", "project", "model", "take", "words", "id"}
    assert ana.get("/clip-names", params={"template": "{take}_{id}"}).json()["preview"] == "2_3b9f6d.mp4"
    assert "{colour}" in refusal(ana.send("PUT", "/clip-names", json={"template": "{colour}"}))[2]["names"]
    assert ana.send("PUT", "/clip-names", json={"template": "{take}_{id}"}).json()["preview"] == "2_3b9f6d.mp4"
    content = ana.post("/generations/zip", json={"ids": [row.id]}).content
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        assert found.namelist() == [f"1_{row.id[-6:]}.mp4", "clips.csv"]
    assert ana.send("PUT", "/clip-names", json={"template": None}).json() == usual


def test_saved_filter_when_kept_shared_opened_and_deleted(ana: Client, ben: Client) -> None:
    """The life of a saved filter, seen by its person and by another of the team."""
    ana, ben = team_of(ana, ben)
    project = ana.project()
    body = {"name": "Lakes", "filter": {"projectId": project, "days": 7, "kept": "undecided", "text": "lake"}}
    made = ana.post("/saved-filters", json=body).json()["savedFilter"]
    assert body["filter"].items() <= made["filter"].items()  # type: ignore[attr-defined]  # a mapping
    assert (made["mine"], made["shared"]) == (True, False)
    assert ben.get("/saved-filters").json()["savedFilters"] == []

    path = f"/saved-filters/{made['id']}"
    assert ana.send("PATCH", path, json={"shared": True, "name": "Water"}).json()["savedFilter"]["shared"] is True
    [theirs] = ben.get("/saved-filters").json()["savedFilters"]
    assert (theirs["name"], theirs["mine"]) == ("Water", False)
    assert refusal(ben.send("DELETE", path))[0] == 404
    opened = ben.get(path).json()
    assert (opened["usable"], opened["gone"]) == (theirs["filter"], [])
    assert ana.send("PATCH", path, json={"filter": {"tag": "night"}}).status_code == 200
    opened = ana.get(path).json()
    assert (opened["usable"]["tag"], opened["savedFilter"]["filter"]["tag"]) == (None, "night")
    assert opened["gone"] == ["No clip has the tag 'night' any more, so this filter is shown without it."]
    assert ana.send("DELETE", path).json() == {"success": True}
    assert ana.get("/saved-filters").json()["savedFilters"] == []


def test_lineage_and_count(ana: Client, ben: Client) -> None:
    """What a clip was made from and led to, and how many there are; somebody else's is not there."""
    first = ana.finished()
    later = ana.generate(projectId=first.project_id, extendsId=first.id)
    told = ana.get(f"/generations/{later}/lineage").json()
    assert [(each["id"], each["relation"], each["steps"]) for each in told["ancestors"]] == [(first.id, "extension", 1)]
    assert told["ancestors"][0]["thumbnailUrl"].startswith("http")
    [after] = ana.get(f"/generations/{first.id}/lineage").json()["successors"]
    assert (after["id"], after["status"]) == (later, "pending")
    assert refusal(ben.get(f"/generations/{later}/lineage"))[0] == 404

    assert ana.get("/generations/count").json() == {"success": True, "count": 2, "isExact": True}
    assert ana.get("/generations/count?status=completed").json()["count"] == 1
    assert ben.get("/generations/count").json()["count"] == 0
