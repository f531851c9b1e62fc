import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from core import db, errors
from core.clock import utc_now
from core.db.enums import Role
from core.db.tables import Generation
from core.generations import lifecycle
from core.identity import users
from core.installation import current
from tests.api.conftest import Client, refusal
from tests.factories import generations
from tests.factories.generations import DISPATCHED, SUBMITTING, WAITING, advance


def failed(client: Client, error: errors.AppError | None = None) -> str:
    """The id of a clip that its provider could not make."""
    assert client.person is not None
    row = generations.create_generation(db.default(), client.person)
    row = advance(db.default(), row.id, DISPATCHED, SUBMITTING, WAITING)
    with db.write_session() as session:
        assert lifecycle.fail(session, row, error or errors.GenerationFailed())
    return row.id


def test_waste_by_reason(ana: Client, ben: Client) -> None:
    """What failed stands by its code, what was rejected by why; costs are not for a member, others' clips neither."""
    failed(ana)
    failed(ana, errors.ContentRefused())
    failed(ben)
    clip = ana.finished()
    assert ana.send("PATCH", f"/generations/{clip.id}", json={"kept": False, "rejectReason": "motion"}).is_success

    found = ana.get("/usage/waste").json()

    assert [(row["outcome"], row["reason"]) for row in found["rows"]] == [
        ("failed", "content_refused"),
        ("failed", "generation_failed"),
        ("rejected", "motion"),
    ]
    totals: dict[str, Any] = found["totals"]
    assert (totals["failed"], totals["returnedCredits"], totals["rejectedCredits"]) == (2, 100, 50)
    assert totals["rejectedIdr"] == 2500
    assert not {"paidIdr", "atRiskIdr"} & set(totals)


def test_costs_are_for_analysts(ana: Client) -> None:
    """Who sees the figures of all workspaces is told what is at risk, by person too."""
    failed(ana)
    with db.write_session() as session:
        users.get(session, "ana@example.org").role = Role.ANALYST

    [row] = ana.get("/usage/waste?groupBy=user&people=everybody").json()["rows"]

    assert (row["userName"], row["failed"], row["paidIdr"], row["atRiskIdr"]) == ("ana", 1, 0, 0)


def test_waste_as_a_file_runs_nothing(ana: Client) -> None:
    """A name that begins like a formula is a text there; the last line has the totals."""
    failed(ana)
    with db.write_session() as session:
        users.get(session, "ana@example.org").name = "=HYPERLINK(1)"

    answer = ana.get("/usage/waste?groupBy=user&format=csv&since=2026-01-01&until=2026-12-31")
    heads, line, total = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))

    assert "waste-2026-01-01-to-2026-12-31.csv" in answer.headers["content-disposition"]
    assert dict(zip(heads, line, strict=True))["user_name"] == "'=HYPERLINK(1)"
    assert (total[0], dict(zip(heads, total, strict=True))["returned_credits"]) == ("total", "50")
    assert "at_risk_idr" not in heads


def test_what_failed_for_the_providers_fault_is_ordered_again(ana: Client) -> None:
    """It is listed with its price, ordered for just that, and once for one key."""
    ids = [failed(ana), failed(ana)]
    failed(ana, errors.ContentRefused())

    listed = ana.get("/retry-batch").json()
    body = {"generationIds": listed["generationIds"], "expectedCredits": listed["total"]}
    dearer = ana.post("/retry-batch", json=body | {"expectedCredits": 99})
    answers = [ana.post("/retry-batch", json=body, headers={"Idempotency-Key": "one"}) for _ in range(2)]

    assert (listed["generationIds"], listed["total"], listed["more"]) == (ids[::-1], 100, 0)
    assert refusal(dearer)[:2] == (409, "price_changed")
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["generations"] == answers[1].json()["generations"]
    assert answers[0].json()["total"] == 100
    assert ana.get("/credits").json()["credits"]["held"] == 100
    assert ana.get("/retry-batch").json()["generationIds"] == []


def test_others_are_not_found(ana: Client, ben: Client) -> None:
    """Somebody else's failed clip is ordered again by nobody but them."""
    body = {"generationIds": [failed(ben)]}

    assert refusal(ana.post("/retry-batch", json=body))[0] == 404


@pytest.mark.parametrize(
    ("path", "field"),
    [("/usage/waste?groupBy=colour", "groupBy"), ("/usage/waste?since=2026-02-01&until=2026-01-01", "since")],
)
def test_waste_that_cannot_be(ana: Client, path: str, field: str) -> None:
    """What cannot be told is a field error."""
    found, _, fields = refusal(ana.get(path))

    assert (found, list(fields)) == (422, [field])


def test_library_is_asked_by_the_code_of_an_error(ana: Client) -> None:
    """The list of generations finds what failed with it."""
    broken = failed(ana)
    failed(ana, errors.ContentRefused())

    found = ana.get("/generations?errorCode=generation_failed").json()["generations"]

    assert [clip["id"] for clip in found] == [broken]


def test_clips_that_nobody_opened(ana: Client) -> None:
    """They stand among waste a week after they were delivered, and are listed by that, until somebody opens them."""
    left, opened, new = (ana.finished() for _ in range(3))
    long_ago = utc_now() - timedelta(days=9)
    with db.write_session() as session:
        old = update(Generation).where(Generation.id.in_([left.id, opened.id]))
        session.execute(old.values(ended_at=long_ago))
    assert ana.get(f"/download/{opened.id}").is_success
    assert current().openings.written(60)

    found = ana.get("/usage/waste").json()
    [row] = found["rows"]
    assert (row["outcome"], row["reason"], row["unopened"], row["unopenedCredits"]) == (
        "unopened",
        "",
        1,
        left.credits,
    )
    assert found["totals"]["unopenedIdr"] == left.credits * 50
    sheet = ana.get("/usage/waste", params={"format": "csv", "groupBy": "model"}).text
    [line, _total] = csv.DictReader(io.StringIO(sheet.removeprefix("\ufeff")))
    assert (line["unopened"], line["unopened_credits"]) == ("1", str(left.credits))

    def listed(opened: str) -> set[str]:
        return {clip["id"] for clip in ana.get("/generations", params={"opened": opened}).json()["generations"]}

    assert listed("false") == {left.id, new.id}
    assert listed("true") == {opened.id}
