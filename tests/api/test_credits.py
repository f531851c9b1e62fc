import csv
import io

import pytest

from core.clock import utc_now
from tests.api.conftest import Client, refusal


def test_balance(ana: Client) -> None:
    """What is reserved is no longer available."""
    ana.generate()

    assert ana.get("/credits").json() == {
        "success": True,
        "credits": {"available": 9950, "held": 50, "idrPerCredit": 50},
    }


def test_entries_page_by_page(ana: Client, ben: Client) -> None:
    """Every movement, newest first, each with the balance after it; nobody else's."""
    ben.generate()
    generation_id = ana.generate()
    ana.post(f"/generations/{generation_id}/cancel")

    first = ana.get("/credits/entries?limit=2").json()
    last = ana.get(f"/credits/entries?limit=2&cursor={first['nextCursor']}").json()

    assert [entry["kind"] for entry in first["entries"]] == ["release", "hold"]
    assert [entry["kind"] for entry in last["entries"]] == ["grant"]
    assert last["nextCursor"] is None
    release = first["entries"][0]
    assert set(release) == {
        "id",
        "kind",
        "amount",
        "availableAfter",
        "heldAfter",
        "generationId",
        "actor",
        "reason",
        "createdAt",
    }
    assert (release["amount"], release["availableAfter"], release["heldAfter"]) == (50, 10_000, 0)
    assert release["generationId"] == generation_id


@pytest.mark.parametrize("query", ["cursor=x", "cursor=0", "cursor=9223372036854775808", "limit=0", "page=2"])
def test_bad_page(ana: Client, query: str) -> None:
    """A page that was never handed out is a field error."""
    status, _, fields = refusal(ana.get(f"/credits/entries?{query}"))

    assert (status, list(fields)) == (422, [query.partition("=")[0]])


def test_statement(ana: Client, ben: Client) -> None:
    """All movements of a month, oldest first, with what each was for, separated as asked; nobody else's."""
    ben.generate()
    generation_id = ana.generate(prompt="=cmd()")
    answer = ana.get(f"/credits/statement?month={utc_now():%Y-%m}&separator=semicolon")
    lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";"))

    assert answer.headers["content-type"].startswith("text/csv")
    assert f"credits-{utc_now():%Y-%m}.csv" in answer.headers["content-disposition"]
    assert [line["kind"] for line in lines] == ["grant", "hold"]
    found = lines[1]
    assert (found["generation_id"], found["amount_credits"], found["available_after"]) == (generation_id, "50", "9950")
    assert (found["project"], found["prompt"]) == ("Lakes", "'=cmd()")
    assert ana.get("/credits/statement?month=2001-01").content.count(b"\r\n") == 1
    assert ana.get("/credits/statement?format=xlsx").content.startswith(b"PK")


@pytest.mark.parametrize("query", ["month=2026-13", "month=October", "separator=x", "format=pdf", "limit=5"])
def test_statement_of_no_month(ana: Client, query: str) -> None:
    """What cannot be is a field error before the first byte is sent."""
    status, _, fields = refusal(ana.get(f"/credits/statement?{query}"))

    assert (status, list(fields)) == (422, [query.partition("=")[0]])
