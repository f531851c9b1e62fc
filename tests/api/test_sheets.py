"""Tables of orders over REST: checked with every fault named, ordered all or not at all and once, followed, fetched."""

import csv
import io
from typing import Any

import openpyxl
import pytest
from sqlalchemy import func, select

from core import db
from core.db.tables import Generation
from core.generations.sheets.tables import MAX_FILE_BYTES
from tests.api.conftest import Client, refusal, team_of
from tests.factories import generations, installations


def written() -> int:
    """How many generations there are."""
    with db.read_session() as session:
        return session.scalar(select(func.count()).select_from(Generation)) or 0


def clip_ids(ana: Client, sheet_id: str) -> list[str]:
    """The clips of a table, in the order of its rows."""
    rows = ana.get(f"/sheets/{sheet_id}").json()["rows"]
    return [clip["id"] for row in rows for clip in row["clips"]]


def test_check_and_order(ana: Client) -> None:
    """A table is checked row by row, ordered for its total, and followed to its clips."""
    project = ana.project("Lakes")
    checked = ana.check("Prompt,Seconds,Client", "A lake,5,Acme", "Rain,10,Bolt", projectId=project)

    assert checked.status_code == 200, checked.text
    body = checked.json()
    sheet = body["sheet"]
    assert (sheet["name"], sheet["rowCount"], sheet["clipCount"], sheet["total"]) == ("clips.csv", 2, 2, 125)
    assert sheet["totalIdr"] == 125 * 50
    assert sheet["columns"] == [
        {"name": "Prompt", "field": "prompt"},
        {"name": "Seconds", "field": "duration"},
        {"name": "Client", "field": None},
    ]
    assert (body["faultyRows"], body["progress"], sheet["orderedAt"]) == (0, None, None)
    assert [(row["row"], row["credits"], row["values"]["Client"]) for row in body["rows"]] == [
        (2, 50, "Acme"),
        (3, 75, "Bolt"),
    ]
    assert written() == 0

    ordered = ana.post(f"/sheets/{sheet['id']}/order", json={"expectedCredits": 125})
    assert ordered.status_code == 202, ordered.text
    assert ordered.json()["message"] == "125 credits are reserved for 2 clips."
    assert "idempotency-replayed" not in ordered.headers
    again = ana.post(f"/sheets/{sheet['id']}/order", json={"expectedCredits": 125})
    assert (again.status_code, again.headers["idempotency-replayed"]) == (202, "true")
    assert written() == 2

    generations.finish(db.default(), clip_ids(ana, sheet["id"])[0])
    now = ana.get(f"/sheets/{sheet['id']}").json()
    assert now["progress"] == {
        **dict.fromkeys(("processing", "uncertain", "failed", "cancelled", "elsewhere"), 0),
        "pending": 1,
        "completed": 1,
        "chargedCredits": 50,
        "heldCredits": 75,
    }
    assert [[clip["status"] for clip in row["clips"]] for row in now["rows"]] == [["completed"], ["pending"]]
    assert ana.post(f"/sheets/{sheet['id']}/cancel").json()["cancelled"] == 1
    assert ana.get("/credits").json()["credits"]["available"] == 9_950
    assert [one["id"] for one in ana.get("/sheets").json()["sheets"]] == [sheet["id"]]


def test_check_names_every_fault(ana: Client) -> None:
    """A fault has its row, its column and field, a sentence, and what would be right; nothing can be ordered then."""
    checked = ana.check("Prompt,Durasi,Ratio", "A lake,5,09:16", "Rain,99,16:9", ",5,16-Sep").json()

    assert checked["faultyRows"] == 2
    found = {row["row"]: row for row in checked["rows"]}
    assert found[2]["problems"] == []
    assert [note["message"] for note in found[2]["notes"]] == ["The time '09:16' was taken for the ratio 9:16."]
    [length] = found[3]["problems"]
    assert (length["column"], length["field"]) == ("Durasi", "duration")
    assert length["allowed"] == list(range(1, 17))
    assert {(fault["column"], fault["field"]) for fault in found[4]["problems"]} == {
        ("Prompt", "prompt"),
        ("Ratio", "aspectRatio"),
    }
    assert [found[row]["credits"] for row in (2, 3, 4)] == [50, None, None]

    refused = ana.post(f"/sheets/{checked['sheet']['id']}/order", json={"expectedCredits": 50})
    status, code, fields = refusal(refused)
    assert (status, code) == (422, "invalid_request")
    assert set(fields) == {"rows.3.duration", "rows.4.prompt", "rows.4.aspectRatio"}
    assert written() == 0


def test_check_the_same_again(ana: Client) -> None:
    """The same content is the same table; another content, or another default, is another one."""
    project = ana.project()
    first, again, other, default = (
        ana.check("Prompt", prompt, projectId=project, **more).json()["sheet"]["id"]
        for prompt, more in (("A lake", {}), ("A lake", {}), ("A roof", {}), ("A lake", {"duration": "6"}))
    )
    assert first == again
    assert len({first, other, default}) == 3


def test_check_a_workbook(ana: Client) -> None:
    """A workbook is read like CSV; a formula in it is text."""
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["Prompt", "Seconds"])
    book.active.append(["=cmd|'/C calc'!A0", 5])
    target = io.BytesIO()
    book.save(target)
    fields = {"projectId": ana.project(), "modelId": "demo-film"}
    checked = ana.post("/sheets", files={"file": ("a.xlsx", target.getvalue())}, data=fields).json()
    assert [row["values"]["Prompt"] for row in checked["rows"]] == ["=cmd|'/C calc'!A0"]
    assert checked["faultyRows"] == 0


@pytest.mark.parametrize(
    ("file", "field"),
    [(b"", "file"), (b"\x89PNG\0\0\0\0", "file"), (b"Seconds\n5\n", "file")],
)
def test_check_what_is_no_table(ana: Client, file: bytes, field: str) -> None:
    """A file that is no table is refused with a sentence."""
    answer = ana.post("/sheets", files={"file": ("a.csv", file)})
    assert set(refusal(answer)[2]) == {field}


def test_check_what_is_too_large(ana: Client) -> None:
    """A file over the limit is refused while it comes in, one of too many rows when it was read."""
    large = ana.post("/sheets", files={"file": ("a.csv", b"a" * (MAX_FILE_BYTES + 1))})
    assert refusal(large)[:2] == (413, "too_large")
    assert ana.post("/sheets", files={"file": ("a.csv", b"a" * (MAX_FILE_BYTES + 200_000))}).status_code == 413
    many = ana.post("/sheets", files={"file": ("a.csv", b"Prompt\n" + b"a\n" * 2_001)})
    assert "2,000 rows" in refusal(many)[2]["file"]


def test_check_by_a_setting(ana: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many rows a table may have is the operator's to say."""
    monkeypatch.setenv("SHEET_ROWS", "1")
    installations.reopen()
    assert ana.check("Prompt", "a").status_code == 200
    assert ana.check("Prompt", "a", "b").status_code == 422


def test_prompt_with_lists(ana: Client) -> None:
    """A prompt with variables makes a table of every combination, or goes row by row."""
    body: dict[str, Any] = {
        "prompt": "A {animal} at the {place}",
        "lists": {"animal": ["fox", "heron"], "place": ["lake", "wood"]},
        "projectId": ana.project(),
        "modelId": "demo-film",
        "duration": 5,
    }
    made = ana.post("/sheets/from-prompt", json=body).json()
    assert (made["sheet"]["clipCount"], made["sheet"]["total"]) == (4, 200)
    assert made["rows"][1]["values"] == {"Prompt": "A fox at the wood", "animal": "fox", "place": "wood"}
    zipped = ana.post("/sheets/from-prompt", json=body | {"combine": "zip"}).json()
    assert [row["values"]["Prompt"] for row in zipped["rows"]] == ["A fox at the lake", "A heron at the wood"]
    wrong = ana.post("/sheets/from-prompt", json=body | {"lists": {"animal": ["fox"]}})
    assert set(refusal(wrong)[2]) == {"lists.place"}


def test_order_at_another_price(ana: Client) -> None:
    """Nothing is ordered at a total that was not shown."""
    answer = ana.post(f"/sheets/{ana.sheet()}/order", json={"expectedCredits": 49})
    assert refusal(answer)[:2] == (409, "price_changed")
    assert written() == 0


def test_order_with_too_few_credits(ana: Client) -> None:
    """What the table costs and what is there is said, and nothing is ordered."""
    checked = ana.check("Prompt,Variations", *(f"{n},20" for n in range(11))).json()["sheet"]
    answer = ana.post(f"/sheets/{checked['id']}/order", json={"expectedCredits": checked["total"]})
    assert refusal(answer)[:2] == (402, "insufficient_credits")
    assert "11,000" in answer.json()["error"]["message"]
    assert written() == 0


def test_order_by_several_at_once(ana: Client, ben: Client) -> None:
    """Presses of several people at one moment order one batch."""
    ana, ben = team_of(ana, ben)
    project = ana.project()
    sheets = {client.check("Prompt", "a", "b", projectId=project).json()["sheet"]["id"] for client in (ana, ben)}
    [sheet_id] = sheets
    answers = [
        answer
        for client in (ana, ben)
        for answer in client.send_at_once("POST", f"/sheets/{sheet_id}/order", [{"json": {"expectedCredits": 100}}] * 3)
    ]
    assert {answer.status_code for answer in answers} == {202}
    assert ["idempotency-replayed" in answer.headers for answer in answers].count(False) == 1
    assert written() == 2


def test_result(ana: Client) -> None:
    """What was brought comes back with what became of it, as CSV and as a workbook, and no cell is a formula."""
    sheet = ana.check("Prompt;Client", '"=1+1";+Acme', "Rain;@Bolt").json()["sheet"]
    ana.post(f"/sheets/{sheet['id']}/order", json={"expectedCredits": sheet["total"]})
    first, second = clip_ids(ana, sheet["id"])
    generations.finish(db.default(), first)

    as_csv = ana.get(f"/sheets/{sheet['id']}/result.csv")
    assert as_csv.headers["content-type"].startswith("text/csv")
    assert "clips-result.csv" in as_csv.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(as_csv.content.decode("utf-8-sig"))))
    assert [row["Prompt"] for row in rows] == ["'=1+1", "Rain"]
    assert [row["Client"] for row in rows] == ["'+Acme", "'@Bolt"]
    assert [(row["Clip status"], row["Credits charged"]) for row in rows] == [("completed", "50"), ("pending", "0")]
    assert first in rows[0]["Clip link"]
    assert rows[0]["File link"].endswith(f"/download/{first}")

    as_workbook = ana.get(f"/sheets/{sheet['id']}/result.xlsx")
    active = openpyxl.load_workbook(io.BytesIO(as_workbook.content)).active
    assert active is not None
    kinds = {cell.data_type for row in active.iter_rows() for cell in row if cell.value is not None}
    assert kinds == {"s", "n"}
    assert active["A2"].value == "=1+1"

    again = ana.post("/sheets", files={"file": ("again.csv", as_csv.content)}, data={"modelId": "demo-film"}).json()
    assert [row["values"] for row in again["rows"]] == [
        {"Prompt": "=1+1", "Client": "+Acme"},
        {"Prompt": "Rain", "Client": "@Bolt"},
    ]
    assert ana.get(f"/sheets/{ana.sheet()}/result.csv").status_code == 200
    assert second
