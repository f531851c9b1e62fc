import pytest

from tests.api.conftest import Client, refusal, team_of


def test_note_when_written_read_changed_and_deleted(ana: Client, ben: Client) -> None:
    """The life of a note: all of the workspace read it, nobody but its writer changes it."""
    ana, ben = team_of(ana, ben)
    path = f"/generations/{ana.finished().id}/notes"
    made = ana.post(path, json={"text": " Too <dark> ", "atSeconds": 2.5})
    assert made.status_code == 201
    note = made.json()["note"]
    assert (note["text"], note["atSeconds"], note["mine"], note["editedAt"]) == ("Too <dark>", 2.5, True, None)
    ben.post(path, json={"text": "Keep it", "atSeconds": 0})

    [first, second] = ben.get(path).json()["notes"]
    assert (first["name"], first["mine"], first["userId"]) == ("ana", False, note["userId"])
    assert (second["name"], second["mine"], second["atSeconds"]) == ("ben", True, 0)
    own = f"{path}/{note['id']}"
    assert refusal(ben.send("PATCH", own, json={"text": "Mine"}))[0] == 404
    assert refusal(ben.send("DELETE", own))[0] == 404
    changed = ana.send("PATCH", own, json={"text": "Fine"}).json()["note"]
    assert (changed["text"], changed["atSeconds"]) == ("Fine", 2.5)
    assert changed["editedAt"] is not None
    assert ana.send("DELETE", own).json() == {"success": True}
    assert [note["text"] for note in ben.get(path).json()["notes"]] == ["Keep it"]


def test_note_when_it_is_repeated(ana: Client) -> None:
    """A repeat is answered by the note as it is by then, and with 404 when that was deleted."""
    path = f"/generations/{ana.finished().id}/notes"
    sent = {"json": {"text": "Too dark"}, "headers": {"Idempotency-Key": "one"}}
    note_id = ana.post(path, **sent).json()["note"]["id"]
    ana.send("PATCH", f"{path}/{note_id}", json={"text": "Fine"})
    again = ana.post(path, **sent)
    assert (again.json()["note"]["text"], again.headers["idempotency-replayed"]) == ("Fine", "true")
    assert len(ana.get(path).json()["notes"]) == 1
    ana.send("DELETE", f"{path}/{note_id}")
    assert ana.post(path, **sent).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": "  "}, "text"),
        ({"text": "x" * 2001}, "text"),
        ({"text": "Fine", "atSeconds": -1}, "atSeconds"),
        ({"text": "Fine", "atSeconds": 600}, "atSeconds"),
        ({"text": "Fine", "at": 1}, "at"),
    ],
)
def test_note_when_a_field_is_wrong(ana: Client, body: dict[str, object], field: str) -> None:
    """It is refused with a sentence for the field."""
    answer = ana.post(f"/generations/{ana.finished().id}/notes", json=body)
    assert (answer.status_code, list(refusal(answer)[2])) == (422, [field])


def test_notes_when_there_are_pages(ana: Client) -> None:
    """They come a page at a time, oldest first."""
    row = ana.finished()
    for number in range(3):
        ana.note(row.id, str(number))
    page = ana.get(f"/generations/{row.id}/notes?limit=2").json()
    rest = ana.get(f"/generations/{row.id}/notes?limit=2&cursor={page['nextCursor']}").json()
    assert [note["text"] for note in page["notes"] + rest["notes"]] == ["0", "1", "2"]
    assert rest["nextCursor"] is None
