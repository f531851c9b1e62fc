"""Exports over REST: a pack at once and one made meanwhile, single files, what is refused, and what the log keeps."""

import csv
import io
import json
import zipfile

import pyarrow as pa
import pytest
from pyarrow import parquet
from sqlalchemy import select, update

from core import db
from core.analyst_pack import sending
from core.db.enums import Role, Scope
from core.db.tables import Account, AuditLogEntry, User
from core.identity import api_tokens
from core.installation import Installation, current
from core.worker import analyst_packs
from tests.api.conftest import Client, arrive

pytestmark = pytest.mark.both_databases


@pytest.fixture
def ana(site: Installation) -> Client:
    """Somebody who has made a clip."""
    assert site.database is db.default()
    found = arrive("ana@example.org")
    found.finished()
    return found


@pytest.fixture
def analyst(ana: Client) -> Client:
    """Somebody who reads everybody's figures."""
    assert ana.person is not None
    found = arrive("ida@example.org")
    with db.write_session() as session:
        session.execute(update(User).where(User.email == "ida@example.org").values(role=Role.ANALYST))
    return found


def read(data: bytes) -> pa.Table:
    """A Parquet file."""
    return parquet.read_table(io.BytesIO(data))


def exports() -> list[tuple[str, str | None, dict[str, object] | None]]:
    """What the log of administrative acts says of exports: of what, of which workspace, and with what details."""
    with db.read_session() as session:
        made = select(AuditLogEntry).where(AuditLogEntry.action == "export.made").order_by(AuditLogEntry.id)
        return [(entry.target, entry.workspace_id, entry.after) for entry in session.scalars(made)]


def test_pack_of_the_workspace(ana: Client) -> None:
    """Its manager gets the whole file with its length, prompts and all; the log keeps who took what."""
    assert ana.person is not None
    answer = ana.get("/export/pack?period=month")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert "analyst-pack-" in answer.headers["content-disposition"]
    packed = zipfile.ZipFile(io.BytesIO(answer.content))
    assert packed.testzip() is None
    assert read(packed.read("prompts.parquet")).num_rows == 1
    [(what, workspace_id, details)] = exports()
    assert (what, workspace_id) == ("analyst_pack", ana.person.workspace_id)
    assert details is not None
    assert (details["format"], details["pseudonymous"]) == ("zip", False)


def test_pack_of_everybody(ana: Client, analyst: Client) -> None:
    """An analyst gets all figures, and no prompt of a workspace that they are not in; others are refused."""
    packed = zipfile.ZipFile(io.BytesIO(analyst.get("/export/pack?people=everybody").content))
    assert read(packed.read("clips.parquet")).num_rows == 1
    assert read(packed.read("prompts.parquet")).num_rows == 0
    assert json.loads(packed.read("checks.json"))["agrees"]
    assert ana.get("/export/pack?people=everybody").status_code == 403


def test_single_files(ana: Client) -> None:
    """Each file by itself as Parquet, and as CSV with the same rows."""
    for name in ("people", "projects", "accounts", "clips", "prompts", "ledger", "usage", "budgets", "judgements"):
        answer = ana.get(f"/export/{name}")
        assert answer.status_code == 200, answer.text
        rows = read(answer.content)
        as_csv = ana.get(f"/export/{name}?format=csv")
        assert as_csv.headers["content-type"].startswith("text/csv")
        lines = list(csv.DictReader(io.StringIO(as_csv.content.decode("utf-8-sig"), newline="")))
        assert len(lines) == rows.num_rows
        if lines:
            assert list(lines[0]) == rows.schema.names
    assert ana.get("/export/secrets").status_code == 422


def test_days_that_cannot_be(ana: Client) -> None:
    """A refusal names the field."""
    for query, field in (("period=never", "period"), ("since=2026-11-02&until=2026-11-01", "since")):
        answer = ana.get(f"/export/ledger?{query}")
        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, [field])


def test_export_when_the_books_disagree(ana: Client, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is sent: 409 names what differs, the log says so, and no export is written down."""
    with db.write_session() as session:
        session.execute(update(Account).values(available_credits=Account.available_credits + 1))
    answer = ana.get("/export/pack")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "books_disagree")
    assert "balances_available" in answer.json()["error"]["message"]
    assert ana.get("/export/accounts").status_code == 409
    assert ana.get("/export/accounts?format=csv").status_code == 409
    assert ana.get("/export/ledger").status_code == 200  # it is as it was
    assert "is not handed out" in caplog.text
    assert [what for what, _workspace, _details in exports()] == ["ledger"]


def test_export_when_many_are_made(ana: Client) -> None:
    """Who comes while as many as can be are being made is told when to come again."""
    taken = [sending._places.acquire(blocking=False) for _ in range(sending.AT_ONCE)]
    try:
        answer = ana.get("/export/pack")
        assert (all(taken), answer.status_code, answer.headers["retry-after"]) == (True, 429, "30")
    finally:
        for _ in taken:
            sending._places.release()
    assert ana.get("/export/pack").status_code == 200


def test_packs_of_all_need_a_token_that_reaches_far(analyst: Client) -> None:
    """A token that only reads neither makes, finds nor fetches what is of all workspaces, whoever's it is."""
    assert analyst.person is not None
    with db.write_session() as session:
        reads = Client(analyst.person, api_tokens.create(session, analyst.person.user, name="r", scope=Scope.READ))
    pack_id = analyst.post("/analyst-packs", json={"people": "everybody"}).json()["pack"]["id"]
    assert analyst.get(f"/analyst-packs/{pack_id}").json()["pack"]["everybody"]
    assert [pack["id"] for pack in analyst.get("/analyst-packs").json()["packs"]] == [pack_id]
    assert reads.get(f"/analyst-packs/{pack_id}").status_code == 403
    assert reads.get("/analyst-packs").json()["packs"] == []
    for path in ("/export/pack?people=everybody", "/export/ledger?people=everybody"):
        assert (reads.get(path).status_code, analyst.get(path).status_code) == (403, 200)
    days = {"since": "2026-11-01", "until": "2026-11-30", "people": "everybody"}
    answer = analyst.post("/analyst-packs", json=days)
    assert answer.status_code == 202, answer.text
    assert (answer.json()["pack"]["since"], answer.json()["pack"]["until"]) == ("2026-11-01", "2026-11-30")


def test_pack_made_meanwhile(ana: Client, analyst: Client) -> None:
    """It is asked for, made by a worker, and fetched by its link; it is nobody else's."""
    answer = ana.post("/analyst-packs", json={"period": "month", "pseudonymous": True})
    assert answer.status_code == 202, answer.text
    pack = answer.json()["pack"]
    assert (pack["state"], pack["url"], pack["everybody"], pack["pseudonymous"]) == ("waiting", None, False, True)

    analyst_packs.work_down(current())

    pack = ana.get(f"/analyst-packs/{pack['id']}").json()["pack"]
    assert (pack["state"], pack["progress"], pack["errorMessage"]) == ("done", 100, None)
    assert ana.get("/analyst-packs").json()["packs"][0]["id"] == pack["id"]
    fetched = ana.get(pack["url"])
    assert len(fetched.content) == pack["sizeBytes"]
    packed = zipfile.ZipFile(io.BytesIO(fetched.content))
    assert "README.md" in packed.namelist()
    assert read(packed.read("prompts.parquet")).num_rows == 0
    assert analyst.get(f"/analyst-packs/{pack['id']}").status_code == 404
    assert analyst.get("/analyst-packs").json()["packs"] == []
    assert [what for what, _workspace, _details in exports()] == ["analyst_pack"]
