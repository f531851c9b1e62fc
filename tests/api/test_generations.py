from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import update

from core import db, errors
from core.audit import runs
from core.clock import utc_now
from core.db.tables import Generation
from core.files.findings import Finding, FindingKind
from core.generations import delivery_findings, lifecycle
from core.ids import new_id
from tests.api.conftest import Client, arrive, refusal
from tests.factories import generations

LIST_SHAPE = {
    "id",
    "projectId",
    "status",
    "stage",
    "progress",
    "progressIsEstimate",
    "provider",
    "modelId",
    "modelName",
    "prompt",
    "negativePrompt",
    "resolution",
    "seed",
    "fps",
    "references",
    "duration",
    "aspectRatio",
    "startImagePath",
    "endImagePath",
    "generateAudio",
    "enhancePrompt",
    "creditUsed",
    "breakdown",
    "priceVersion",
    "videoUrl",
    "thumbnailUrl",
    "previewUrl",
    "errorCode",
    "errorMessage",
    "retryOf",
    "favourite",
    "kept",
    "rejectReason",
    "createdAt",
    "submittedAt",
    "completedAt",
    "file",
}


def balance(client: Client) -> tuple[int, int]:
    """Available and held credits."""
    credits = client.get("/credits").json()["credits"]
    return credits["available"], credits["held"]


def failed(client: Client) -> str:
    """The id of a generation that its provider failed."""
    generation_id = client.generate()
    generations.advance(db.default(), generation_id, generations.DISPATCHED, generations.SUBMITTING)
    with db.write_session() as session:
        row = lifecycle.locked(session, generation_id)
        assert row is not None
        assert lifecycle.fail(session, row, errors.ContentRefused(detail="raw words of the provider"))
    return generation_id


def test_order_is_accepted(ana: Client) -> None:
    """An order answers 202 with its price, which is reserved at once."""
    answer = ana.post("/generate", json=ana.order(resolution="1080p"))

    assert answer.status_code == 202
    body = answer.json()
    assert set(body) == {"success", "generation", "message"}
    assert body["generation"] == {"id": body["generation"]["id"], "status": "pending", "creditUsed": 65}
    assert balance(ana) == (10_000 - 65, 65)


def test_status_of_a_pending_one(ana: Client) -> None:
    """The status has exactly the published shape; links are null until there is something to link to."""
    generation_id = ana.generate()

    assert ana.get(f"/generations/{generation_id}/status").json() == {
        "success": True,
        "status": {
            "id": generation_id,
            "status": "pending",
            "progress": 0,
            "videoUrl": None,
            "thumbnailUrl": None,
            "errorCode": None,
            "errorMessage": None,
        },
    }


def test_progress_is_a_whole_percent_below_a_hundred(ana: Client) -> None:
    """A hundred is for completed ones alone."""
    generation_id = ana.generate()
    generations.advance(db.default(), generation_id, generations.DISPATCHED, generations.SUBMITTING)
    generations.advance(db.default(), generation_id, generations.WAITING, progress=1.0)

    status = ana.get(f"/generations/{generation_id}/status").json()["status"]

    assert (status["status"], status["progress"]) == ("processing", 99)


def test_status_of_a_completed_one(ana: Client, nobody: Client) -> None:
    """A completed one links to its file; the link works without a token."""
    row = ana.finished()

    status = ana.get(f"/generations/{row.id}/status").json()["status"]

    assert (status["status"], status["progress"]) == ("completed", 100)
    assert status["videoUrl"].startswith("http://studio.test/api/apps/video-generator/media/videos/")
    assert nobody.get(status["videoUrl"]).status_code == 200


def test_status_of_a_failed_one(ana: Client) -> None:
    """A failure says why in words for people; the provider's own words stay inside."""
    answer = ana.get(f"/generations/{failed(ana)}/status")

    assert answer.json()["status"]["errorCode"] == "content_refused"
    assert "nothing was charged" in answer.json()["status"]["errorMessage"]
    assert "raw words" not in answer.text


def test_everything_of_a_completed_one(ana: Client) -> None:
    """The full shape tells settings, price line by line, file, timeline and receipt."""
    row = ana.finished(resolution="1080p", duration_seconds=7)

    answer = ana.get(f"/generations/{row.id}").json()["generation"]

    assert set(answer) == LIST_SHAPE | {"tags", "events", "entries"}
    assert answer["breakdown"] == {"base": 50, "resolution": 15, "duration": 10}
    assert sum(answer["breakdown"].values()) == answer["creditUsed"] == 75
    assert (answer["duration"], answer["provider"], answer["modelName"]) == (7, "demo", "Demo Film")
    assert answer["file"]["width"] == 1280
    assert answer["completedAt"].endswith("Z")
    assert [entry["kind"] for entry in answer["entries"]] == ["hold", "settle"]
    assert answer["events"][0]["stage"] == "queued"
    assert answer["events"][-1]["status"] == "completed"
    assert set(answer["events"][0]) == {"at", "status", "stage", "what", "actor"}


def test_file_size_is_that_of_the_file(ana: Client) -> None:
    """What is counted for poster and preview makes the clip's own file no larger."""
    row = ana.finished()
    with db.write_session() as session:
        session.execute(update(Generation).where(Generation.id == row.id).values(stored_bytes=row.stored_bytes + 777))

    assert row.output_facts is not None
    size = row.output_facts["size_bytes"]
    assert ana.get(f"/generations/{row.id}").json()["generation"]["file"]["sizeBytes"] == size == row.stored_bytes
    assert ana.get("/generations").json()["generations"][0]["file"]["sizeBytes"] == size


def test_error_that_was_left_behind_is_not_shown(ana: Client) -> None:
    """An uncertain one that was found goes on without its old error."""
    generation_id = ana.generate()
    row = generations.advance(db.default(), generation_id, generations.DISPATCHED, generations.SUBMITTING)
    with db.write_session() as session:
        assert lifecycle.mark_uncertain(session, row, errors.SubmitUncertain(), next_at=utc_now())
    assert ana.get(f"/generations/{generation_id}/status").json()["status"]["errorCode"] == "submit_uncertain"

    generations.advance(db.default(), generation_id, generations.WAITING)

    status = ana.get(f"/generations/{generation_id}/status").json()["status"]
    assert (status["status"], status["errorCode"], status["errorMessage"]) == ("processing", None, None)


def test_default_duration(ana: Client) -> None:
    """Without a duration the model's default is taken, and is the same order as with it."""
    body = ana.order()
    without = {name: value for name, value in body.items() if name != "duration"}
    key = {"Idempotency-Key": "one"}

    first = ana.post("/generate", json=without, headers=key).json()["generation"]

    assert ana.get(f"/generations/{first['id']}").json()["generation"]["duration"] == 5
    assert ana.post("/generate", json=body, headers=key).json()["generation"]["id"] == first["id"]


def test_repeated_key_orders_once(ana: Client) -> None:
    """The same key with the same body gives the first generation, as it stands now; with another body a conflict."""
    body, key = ana.order(), {"Idempotency-Key": "order-1"}
    first = ana.post("/generate", json=body, headers=key).json()["generation"]
    generations.advance(db.default(), first["id"], generations.DISPATCHED, generations.SUBMITTING)

    again = ana.post("/generate", json=body, headers=key)
    other = ana.post("/generate", json=body | {"prompt": "a hill"}, headers=key)

    assert again.status_code == 202
    assert again.json()["generation"] == first | {"status": "processing"}
    assert refusal(other)[:2] == (409, "idempotency_conflict")
    assert balance(ana) == (9950, 50)


def test_keys_of_two_people_are_apart(ana: Client, ben: Client) -> None:
    """A key is one person's own."""
    key = {"Idempotency-Key": "order-1"}
    first = ana.post("/generate", json=ana.order(), headers=key).json()["generation"]["id"]

    answer = ben.post("/generate", json=ben.order(), headers=key)

    assert answer.status_code == 202
    assert answer.json()["generation"]["id"] != first


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_bad_key(ana: Client, key: str) -> None:
    """A key that cannot be kept is a field error."""
    answer = ana.post("/generate", json=ana.order(), headers={"Idempotency-Key": key})

    assert refusal(answer)[0] == 422
    assert "Idempotency-Key" in answer.json()["error"]["fields"]


def test_parallel_orders_spend_no_more_than_there_is(ana: Client) -> None:
    """Twelve orders at once with credits for five: five are made, seven refused, and the books are right."""
    cleo = arrive("cleo@example.org", credits=250)
    body = cleo.order()

    answers = cleo.send_at_once("POST", "/generate", [{"json": body} for _ in range(12)])

    assert sorted(answer.status_code for answer in answers) == [202] * 5 + [402] * 7
    assert balance(cleo) == (0, 250)
    with db.read_session() as session:
        assert all(result.holds for result in runs.run(session))


def test_parallel_orders_with_one_key_are_one(ana: Client) -> None:
    """Twelve copies of one order at once, with one key, are one generation."""
    body, key = ana.order(), {"Idempotency-Key": "the one"}

    answers = ana.send_at_once("POST", "/generate", [{"json": body, "headers": dict(key)} for _ in range(12)])

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["generation"]["id"] for answer in answers}) == 1
    assert balance(ana) == (9950, 50)


def test_not_enough_credits(ana: Client) -> None:
    """A price above the balance is refused with both figures, and nothing is reserved."""
    cleo = arrive("cleo@example.org", credits=49)

    answer = cleo.post("/generate", json=cleo.order())

    assert refusal(answer)[:2] == (402, "insufficient_credits")
    assert balance(cleo) == (49, 0)


def test_provider_without_a_key(ana: Client) -> None:
    """A model that cannot be used here is refused for good: no wait would help."""
    answer = ana.post("/generate", json=ana.order(modelId="text-to-video-ultra", duration=8))

    assert refusal(answer)[:2] == (409, "provider_not_configured")
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"modelId": "veo9"}, "modelId"),
        ({"modelId": "veo9", "duration": None}, "modelId"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": " \n "}, "prompt"),
        ({"prompt": "x" * 5000}, "prompt"),
        ({"prompt": "nul \0"}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": ["a lake"]}, "prompt"),
        ({"modelId": "seedance-t2v", "negativePrompt": "fog"}, "negativePrompt"),
        ({"negativePrompt": 1}, "negativePrompt"),
        ({"resolution": "480p"}, "resolution"),
        ({"duration": 17}, "duration"),
        ({"duration": "5"}, "duration"),
        ({"duration": 2**63}, "duration"),
        ({"aspectRatio": "4:3"}, "aspectRatio"),
        ({"aspectRatio": 1}, "aspectRatio"),
        ({"startImagePath": "images/00/none.jpg"}, "startImagePath"),
        ({"endImagePath": "../../etc/passwd"}, "endImagePath"),
        ({"endImagePath": "nul\0.jpg"}, "endImagePath"),
        ({"enhancePrompt": True}, "enhancePrompt"),
        ({"generateAudio": "yes"}, "generateAudio"),
        ({"projectId": 7}, "projectId"),
        ({"projectId": "nul\0"}, "projectId"),
        ({"seed": 1}, "seed"),
        ({"project_id": "x"}, "project_id"),
    ],
)
def test_bad_order(ana: Client, changes: dict[str, Any], field: str) -> None:
    """Each bad field is named as it was sent, and nothing is reserved."""
    status, code, fields = refusal(ana.post("/generate", json=ana.order() | changes))

    assert (status, code, list(fields)) == (422, "invalid_request", [field])
    assert balance(ana) == (10_000, 0)


def test_several_bad_fields_come_at_once(ana: Client) -> None:
    """A person need not find their mistakes one by one."""
    body = ana.order(prompt="", duration=99, aspectRatio="2:1")

    assert set(refusal(ana.post("/generate", json=body))[2]) == {"prompt", "duration", "aspectRatio"}


def test_lone_surrogate_in_a_prompt(ana: Client) -> None:
    """Half a character is refused, since no database keeps it."""
    content = b'{"modelId":"demo-film","prompt":"\\ud83d","resolution":"720p","aspectRatio":"16:9","projectId":"x"}'
    answer = ana.post("/generate", content=content, headers={"Content-Type": "application/json"})

    assert refusal(answer)[0] == 422
    assert list(refusal(answer)[2]) == ["prompt"]


def test_project_of_somebody_else(ana: Client, ben: Client) -> None:
    """Nobody can put clips into another person's project."""
    assert refusal(ben.post("/generate", json=ben.order(projectId=ana.project())))[:2] == (404, "not_found")


def test_list_filters(ana: Client, ben: Client) -> None:
    """Each filter narrows the list, and nobody sees another person's clips."""
    lakes, hills = ana.project("Lakes"), ana.project("Hills")
    first = ana.generate(projectId=lakes, prompt="Blue 100% lake")
    second = ana.generate(projectId=hills, prompt="Green hill")
    ana.post(f"/generations/{second}/cancel")
    ben.generate()

    def ids(query: str) -> list[str]:
        answer = ana.get(f"/generations?{query}")
        assert answer.status_code == 200, answer.text
        assert set(answer.json()) == {"success", "generations", "nextCursor"}
        assert all(set(clip) == LIST_SHAPE for clip in answer.json()["generations"])
        return [clip["id"] for clip in answer.json()["generations"]]

    hour = timedelta(hours=1)
    assert ids("") == [second, first]
    assert ids(f"projectId={lakes}") == [first]
    assert ids("status=cancelled") == [second]
    assert ids("status=cancelled&status=pending") == [second, first]
    assert ids("status=completed") == []
    assert ids("modelId=demo-film") == [second, first]
    assert ids("modelId=veo3") == []
    assert ids("provider=demo") == [second, first]
    assert ids("text=BLUE") == [first]
    assert ids("text=100%25") == [first]
    assert ids("text=_") == []
    assert ids(f"since={quote((utc_now() - hour).isoformat())}") == [second, first]
    assert ids(f"until={quote((utc_now() - hour).isoformat())}") == []


def test_list_pages(ana: Client) -> None:
    """Pages follow one another without gap or overlap, also when something new is ordered in between."""
    project = ana.project()
    made = [ana.generate(projectId=project) for _ in range(5)]

    first = ana.get("/generations?limit=2").json()
    ana.generate(projectId=project)
    second = ana.get(f"/generations?limit=2&cursor={first['nextCursor']}").json()
    third = ana.get(f"/generations?limit=2&cursor={second['nextCursor']}").json()

    assert [clip["id"] for page in (first, second, third) for clip in page["generations"]] == made[::-1]
    assert third["nextCursor"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("status=done", "status"),
        ("cursor=abc", "cursor"),
        ("cursor=%00", "cursor"),
        ("since=yesterday", "since"),
        ("since=2026-11-21T00:00:00", "since"),
        ("since=2026-11-21", "since"),
        ("until=9999-12-31T23:59:59-12:00", "until"),
        ("text=%00", "text"),
        ("modelId=%00", "modelId"),
        ("projectId=%00", "projectId"),
        ("provider=" + "x" * 201, "provider"),
        ("statuses=pending", "statuses"),
        ("finding=ugly", "finding"),
        ("project_id=x", "project_id"),
    ],
)
def test_bad_filter(ana: Client, query: str, field: str) -> None:
    """A filter that cannot be understood, or is not known, is refused and never ignored."""
    status, code, fields = refusal(ana.get(f"/generations?{query}"))

    assert (status, code, list(fields)) == (422, "invalid_request", [field])


def test_filter_by_a_foreign_project(ana: Client, ben: Client) -> None:
    """Asking for another person's project is asking for what does not exist."""
    assert ben.get(f"/generations?projectId={ana.project()}").status_code == 404
    assert ben.get(f"/generations?projectId={new_id()}").status_code == 404


def test_cancel_while_pending(ana: Client) -> None:
    """What nobody has sent is cancelled for nothing, once."""
    generation_id = ana.generate()

    answer = ana.post(f"/generations/{generation_id}/cancel")

    assert answer.status_code == 200
    assert answer.json()["generation"]["status"] == "cancelled"
    assert "50 credits" in answer.json()["message"]
    assert balance(ana) == (10_000, 0)
    assert refusal(ana.post(f"/generations/{generation_id}/cancel"))[:2] == (409, "conflict")


def test_cancel_after_it_was_sent(ana: Client) -> None:
    """Where the provider can stop a job, cancelling is passed on; the credits stay reserved until it is known."""
    generation_id = ana.generate()
    generations.advance(
        db.default(), generation_id, generations.DISPATCHED, generations.SUBMITTING, generations.WAITING
    )

    answer = ana.post(f"/generations/{generation_id}/cancel")

    assert (answer.status_code, answer.json()["generation"]["status"]) == (200, "processing")
    assert balance(ana) == (9950, 50)


def test_generate_when_it_goes_on_from_a_clip(ana: Client, ben: Client) -> None:
    """`extendsId` is kept with the order; somebody else's clip does not exist."""
    source = ana.finished()

    extended = ana.generate(extendsId=source.id)

    with db.read_session() as session:
        assert session.get_one(Generation, extended).extends_id == source.id
    assert refusal(ben.post("/generate", json=ben.order(extendsId=source.id)))[:2] == (404, "not_found")


def test_generate_when_the_key_comes_with_another_clip_to_go_on_from(ana: Client) -> None:
    """Another `extendsId` under the same key is another body: 409."""
    body, keyed = ana.order(extendsId=ana.finished().id), {"Idempotency-Key": "one"}
    first = ana.post("/generate", json=body, headers=keyed)

    again = ana.post("/generate", json=body, headers=keyed)
    changed = ana.post("/generate", json=body | {"extendsId": ana.finished().id}, headers=keyed)

    assert again.json()["generation"]["id"] == first.json()["generation"]["id"]
    assert refusal(changed)[:2] == (409, "idempotency_conflict")


def test_status_says_when_to_ask_again(ana: Client) -> None:
    """While a generation has not ended its status says in how many seconds to ask again; afterwards nothing."""
    path = f"/generations/{ana.generate()}"
    assert int(ana.get(f"{path}/status").headers["retry-after"]) > 0

    ana.post(f"{path}/cancel")

    assert "retry-after" not in ana.get(f"{path}/status").headers


def test_retry_of_a_failed_one(ana: Client) -> None:
    """A retry is a new generation of the same settings that points to the old one; its key holds, too."""
    old, key = failed(ana), {"Idempotency-Key": "again"}

    answer = ana.post(f"/generations/{old}/retry", headers=key)

    assert answer.status_code == 202
    new = answer.json()["generation"]
    assert new["id"] != old
    assert new["creditUsed"] == 50
    assert ana.get(f"/generations/{new['id']}").json()["generation"]["retryOf"] == old
    assert ana.post(f"/generations/{old}/retry", headers=key).json()["generation"]["id"] == new["id"]
    assert refusal(ana.post(f"/generations/{new['id']}/retry"))[:2] == (409, "conflict")


def test_delete(ana: Client) -> None:
    """An ended one goes out of sight; one under way cannot."""
    generation_id = ana.generate()
    assert refusal(ana.send("DELETE", f"/generations/{generation_id}"))[:2] == (409, "conflict")
    ana.post(f"/generations/{generation_id}/cancel")

    assert ana.send("DELETE", f"/generations/{generation_id}").json() == {"success": True}

    assert ana.get(f"/generations/{generation_id}").status_code == 404
    assert ana.get("/generations").json()["generations"] == []


def test_change_of_a_clip(ana: Client) -> None:
    """Favourite, verdict, tags and project are changed one by one or together; what is not named stays."""
    row = ana.finished()
    other = ana.project("Other")
    path = f"/generations/{row.id}"

    first = ana.send("PATCH", path, json={"favourite": True, "kept": True, "tags": ["Night", "intro"]})
    assert first.status_code == 200
    assert set(first.json()["generation"]) == LIST_SHAPE | {"tags", "events", "entries"}
    second = ana.send("PATCH", path, json={"projectId": other}).json()["generation"]

    assert (second["favourite"], second["kept"], second["tags"]) == (True, True, ["intro", "night"])
    assert second["projectId"] == other
    assert ana.send("PATCH", path, json={"kept": None}).json()["generation"]["kept"] is None
    assert ana.send("PATCH", path, json={"kept": False}).json()["generation"]["kept"] is False
    rejected = ana.send("PATCH", path, json={"kept": False, "rejectReason": "motion"}).json()["generation"]
    assert (rejected["kept"], rejected["rejectReason"]) == (False, "motion")
    assert ana.get(path).json()["generation"]["tags"] == ["intro", "night"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"favourite": "yes"}, 422),
        ({"kept": "undecided"}, 422),
        ({"kept": False, "rejectReason": "a whim"}, 422),
        ({"kept": True, "rejectReason": "motion"}, 422),
        ({"rejectReason": "motion"}, 422),
        ({"tags": "night"}, 422),
        ({"tags": ["x" * 41]}, 422),
        ({"stars": 5}, 422),
        ({"projectId": "0198c0de-0000-7000-8000-000000000000"}, 404),
    ],
)
def test_change_that_cannot_be(ana: Client, body: dict[str, Any], status: int) -> None:
    """A change that says nothing, or something unknown, is refused and changes nothing."""
    row = ana.finished()

    answer = ana.send("PATCH", f"/generations/{row.id}", json=body)

    assert refusal(answer)[0] == status
    assert ana.get(f"/generations/{row.id}").json()["generation"]["tags"] == []


def test_change_of_a_foreign_clip(ana: Client, ben: Client) -> None:
    """Another person's clip does not exist."""
    assert ben.send("PATCH", f"/generations/{ana.finished().id}", json={"favourite": True}).status_code == 404


def test_verdict_before_there_is_a_clip(ana: Client) -> None:
    """Nothing can be kept before it is there."""
    answer = ana.send("PATCH", f"/generations/{ana.generate()}", json={"kept": True})

    assert refusal(answer)[:2] == (409, "conflict")


def test_list_by_what_people_think(ana: Client) -> None:
    """Favourites, verdicts, tags and order narrow and turn the list as they do on the page."""
    first, second, third = (ana.finished().id for _ in range(3))
    ana.send("PATCH", f"/generations/{first}", json={"favourite": True, "kept": True, "tags": ["night"]})
    ana.send("PATCH", f"/generations/{second}", json={"kept": False, "rejectReason": "sound", "tags": ["night"]})

    def ids(query: str) -> list[str]:
        return [clip["id"] for clip in ana.get(f"/generations?{query}").json()["generations"]]

    assert ids("favourite=true") == [first]
    assert ids("favourite=false") == [third, second]
    assert ids("kept=true") == [first]
    assert ids("kept=false") == [second]
    assert ids("kept=undecided") == [third]
    assert (ids("rejectReason=sound"), ids("rejectReason=motion")) == ([second], [])
    assert ids("tag=night") == [second, first]
    assert ids("oldestFirst=true") == [first, second, third]
    assert ids("text=lak%20dus&tag=night&kept=false") == [second]
    assert refusal(ana.get("/generations?kept=maybe"))[0] == 422


def test_list_by_what_was_noticed(ana: Client) -> None:
    """What was noticed about a clip stands with its file, each with its sentence, and narrows the list."""
    frozen, fine, unseen = (ana.finished() for _ in range(3))
    noticed = [Finding(FindingKind.FROZEN, 1.0, 2.5), Finding(FindingKind.LETTERBOX, measured=0.26)]
    with db.write_session() as session:
        assert delivery_findings.record(session, frozen, noticed, loudness_lufs=-14.2)
        assert delivery_findings.record(session, fine, [])

    def ids(query: str) -> list[str]:
        return [clip["id"] for clip in ana.get(f"/generations?{query}").json()["generations"]]

    files = {clip["id"]: clip["file"] for clip in ana.get("/generations").json()["generations"]}
    assert files[frozen.id] == ana.get(f"/generations/{frozen.id}").json()["generation"]["file"]
    assert files[frozen.id]["findings"] == [
        {
            "kind": "frozen",
            "message": "The picture stands still from 1.0 s to 2.5 s.",
            "startSeconds": 1.0,
            "endSeconds": 2.5,
            "measured": None,
        },
        {
            "kind": "letterbox",
            "message": "Of the picture, black bars take 26%.",
            "startSeconds": None,
            "endSeconds": None,
            "measured": 0.26,
        },
    ]
    assert (files[frozen.id]["checked"], files[frozen.id]["loudnessLufs"]) == (True, -14.2)
    told = [[files[row.id][name] for name in ("checked", "findings", "loudnessLufs")] for row in (fine, unseen)]
    assert told == [[True, [], None], [False, [], None]]
    assert ids("finding=any") == ids("finding=frozen") == ids("finding=black&finding=letterbox") == [frozen.id]
    assert ids("finding=black") == []
    assert ids("finding=any&text=lake&oldestFirst=true") == [frozen.id]
