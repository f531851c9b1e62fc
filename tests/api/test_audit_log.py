"""The log of administrative acts over REST, and what requests leave in it."""

import csv
import io
import json
import re
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from core import db
from core.audit_log import Act, record
from core.db.enums import Role, Scope
from core.db.tables import AuditLogEntry, User
from core.identity import api_tokens
from core.ids import is_id
from core.installation import Installation
from core.worker import maintenance
from tests.api.conftest import Client, arrive, refusal
from tests.factories import installations
from tests.postgres import restricted


@pytest.fixture
def admin(installation: Installation) -> Client:
    """An administrator with a token of scope admin."""
    return become_admin(arrive("admin@example.org"))


def become_admin(client: Client) -> Client:
    """The same person as an administrator."""
    assert client.person is not None
    with db.write_session() as session:
        session.execute(update(User).where(User.id == client.person.id).values(role=Role.ADMIN))
    return client


def acts(number: int) -> None:
    """So many acts, each on a target with its number, after those of making the people."""
    with db.write_session() as session:
        for place in range(number):
            record(session, None, Act.PROJECT_DELETED, target=f"Film {place}", target_id=f"film-{place}")


def entries(client: Client, **query: Any) -> list[dict[str, Any]]:
    """The entries of one page."""
    answer = client.get("/audit-log", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["entries"]
    return found


def test_log_when_asked_by_pages(admin: Client) -> None:
    """Newest first, each entry once, until there is no next page."""
    acts(5)
    seen: list[str] = []
    cursor = None
    while True:
        page = admin.get(
            "/audit-log", params={"limit": 2, "action": "project"} | ({"cursor": cursor} if cursor else {})
        )
        seen += [entry["target"] for entry in page.json()["entries"]]
        cursor = page.json()["nextCursor"]
        if cursor is None:
            break
    assert seen == [f"Film {place}" for place in reversed(range(5))]


def test_log_when_filtered(admin: Client) -> None:
    """One act or all of a kind, who, on what, words, and times."""
    acts(3)
    assert [entry["action"] for entry in entries(admin, action="token")] == ["token.made"]
    assert [entry["target"] for entry in entries(admin, action="project.deleted", targetId="film-1")] == ["Film 1"]
    assert {entry["actor"] for entry in entries(admin, actor="admin@example.org")} == {"admin@example.org"}
    assert admin.person is not None
    assert entries(admin, actor=admin.person.id) == entries(admin, actor="admin@example.org")
    assert [entry["target"] for entry in entries(admin, text="FILM 2")] == ["Film 2"]
    assert entries(admin, action="project", oldestFirst=True, limit=1)[0]["target"] == "Film 0"
    at = entries(admin, text="film 1")[0]["at"]
    assert [entry["target"] for entry in entries(admin, since=at, action="project")] == ["Film 2", "Film 1"]
    assert [entry["target"] for entry in entries(admin, until=at, action="project")] == ["Film 0"]


@pytest.mark.parametrize(
    "query", [{"cursor": "7"}, {"cursor": "x-1"}, {"format": "pdf"}, {"since": "yesterday"}, {"limit": 0}, {"who": "a"}]
)
def test_log_when_the_query_is_wrong(admin: Client, query: dict[str, Any]) -> None:
    """A bad value is a sentence at its name."""
    status, _code, fields = refusal(admin.get("/audit-log", params=query))
    assert (status, list(fields)) == (422, list(query))


@pytest.mark.parametrize("role", [Role.USER, Role.ANALYST])
def test_log_for_others(ana: Client, role: Role) -> None:
    """A token of scope admin is not enough; the person must be an administrator, whatever form is asked for."""
    assert ana.person is not None
    with db.write_session() as session:
        session.execute(update(User).where(User.id == ana.person.id).values(role=role))
    for options in ({}, {"params": {"format": "csv"}}, {"headers": {"Accept": "application/x-ndjson"}}):
        assert refusal(ana.get("/audit-log", **options))[:2] == (403, "forbidden")
    with db.read_session() as session:
        actions = session.scalars(select(AuditLogEntry.action)).all()
    assert Act.EXPORT_MADE not in actions


@pytest.mark.parametrize("asked", [{"headers": {"Accept": "application/x-ndjson"}}, {"params": {"format": "ndjson"}}])
def test_log_as_a_stream(admin: Client, asked: dict[str, Any]) -> None:
    """One object a line, the same as in a page, all that fits; and following the log does not fill it."""
    acts(3)
    asked = asked | {"params": {"action": "project", "oldestFirst": True} | asked.get("params", {})}
    answer = admin.get("/audit-log", **asked)
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines == entries(admin, action="project", oldestFirst=True)
    assert [line["target"] for line in lines] == ["Film 0", "Film 1", "Film 2"]
    assert entries(admin, action="export") == []


def test_log_as_csv(admin: Client) -> None:
    """A file for a spreadsheet, and an entry that says who has taken it."""
    acts(2)
    answer = admin.get("/audit-log", params={"format": "csv", "action": "project"})
    assert re.search(r"audit-log-\d{4}-\d\d-\d\d\.csv", answer.headers["content-disposition"])
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["target"] for row in rows] == ["Film 1", "Film 0"]
    [told] = entries(admin, action="export.made")
    assert (told["actor"], told["target"], told["after"]) == ("admin@example.org", "audit_log", {"format": "csv"})


def test_request_leaves_its_id_and_address(admin: Client) -> None:
    """The id that was sent comes back and stands in the log with the client's address."""
    answer = admin.post("/tokens", json={"name": "CI"}, headers={"X-Request-Id": "deploy-42"})
    assert answer.headers["x-request-id"] == "deploy-42"
    told = entries(admin, action="token.made", text="CI")[0]
    assert (told["requestId"], told["address"], told["actor"]) == ("deploy-42", "127.0.0.1", "admin@example.org")
    given = {"person": "admin@example.org", "scope": "generate", "expires_at": None, "cap_credits": None}
    assert told["after"] == given
    assert answer.json()["secret"] not in json.dumps(told)


@pytest.mark.parametrize("given", ["", "two words", "x" * 65, "a\tb", "<script>", "naïve".encode().decode("latin-1")])
def test_request_id_that_is_not_safe_is_replaced(admin: Client, given: str) -> None:
    """What could not be written down harmlessly is not; a new id takes its place, in refusals as well."""
    answer = admin.get("/projects/none", headers={"X-Request-Id": given.encode("latin-1")})
    assert is_id(answer.headers["x-request-id"])
    assert answer.json()["error"]["requestId"] == answer.headers["x-request-id"]


def test_every_answer_has_an_id(admin: Client, nobody: Client) -> None:
    """Also one that was refused at the gate, has no body, or is a stream; two have different ones."""
    answers = [
        nobody.get("/projects"),
        nobody.get("/health"),
        nobody.get("/nothing/here"),
        admin.send("HEAD", "/projects"),
        admin.get("/audit-log", params={"format": "ndjson"}),
    ]
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


def test_acts_of_a_day_are_all_there(admin: Client) -> None:
    """What people administer over REST is written down, once each, with what it was done to and no prompt."""
    administer_for_a_day(admin)


@pytest.mark.only_postgresql
def test_acts_of_a_day_when_the_role_may_only_append(
    installation: Installation, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole product works, chores included, with a database role that can neither change nor remove entries."""
    monkeypatch.setenv("DATABASE_URL", restricted(database_url))
    opened = installations.reopen()
    administer_for_a_day(become_admin(arrive("admin@example.org")))
    maintenance.run(opened)
    for statement in (update(AuditLogEntry).values(actor="x"), delete(AuditLogEntry)):
        with pytest.raises(DBAPIError, match="permission denied"), db.write_session() as session:
            session.execute(statement)


def administer_for_a_day(admin: Client) -> None:
    """Do over REST what is written down, and look it up."""
    token = admin.post("/tokens", json={"name": "CI"}).json()
    admin.send("DELETE", f"/tokens/{token['token']['id']}")
    project = admin.project("Old film")
    admin.send("PATCH", f"/projects/{project}", json={"archived": True})
    admin.send("PATCH", f"/projects/{project}", json={"archived": True})
    admin.send("PATCH", f"/projects/{project}", json={"archived": False})
    admin.send("DELETE", f"/projects/{project}")
    preset = admin.preset(shared=True)
    admin.send("PATCH", f"/presets/{preset}", json={"shared": False})
    admin.send("PATCH", f"/presets/{preset}", json={"name": "Longer reels"})
    clip = admin.finished()
    admin.post("/generations/zip", json={"ids": [clip.id]})
    admin.send("DELETE", f"/generations/{clip.id}")
    admin.get("/usage", params={"format": "xlsx"})

    told = [(entry["action"], entry["target"]) for entry in entries(admin, oldestFirst=True)]
    assert told == [
        ("token.made", "test"),
        ("token.made", "CI"),
        ("token.revoked", "CI"),
        ("project.archived", "Old film"),
        ("project.restored", "Old film"),
        ("project.deleted", "Old film"),
        ("preset.shared", "Reels"),
        ("preset.unshared", "Reels"),
        ("export.made", "clips"),
        ("clip.deleted", clip.model_name),
        ("export.made", "usage"),
    ]
    assert clip.prompt not in json.dumps(entries(admin))


def test_webhook_acts_tell_no_key(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Making, changing, a new secret and deleting are told, without what may be a key in the address."""
    monkeypatch.setenv("WEBHOOK_ALLOW_HOSTS", "127.0.0.1:9")
    installations.reopen()
    made = admin.post(
        "/webhooks", json={"url": "http://127.0.0.1:9/hook/abc123?key=abc123", "description": "Team"}
    ).json()
    hook = made["webhook"]["id"]
    admin.send("PATCH", f"/webhooks/{hook}", json={"description": "Ops", "enabled": False})
    admin.send("PATCH", f"/webhooks/{hook}", json={"description": "Ops"})
    admin.send("PATCH", f"/webhooks/{hook}", json={"url": "http://127.0.0.1:9/hook/abc124?key=abc123"})
    rotated = admin.post(f"/webhooks/{hook}/rotate").json()
    admin.send("DELETE", f"/webhooks/{hook}")

    told = entries(admin, action="webhook", oldestFirst=True)
    assert [entry["action"] for entry in told] == [
        "webhook.made",
        "webhook.changed",
        "webhook.changed",
        "webhook.secret_replaced",
        "webhook.deleted",
    ]
    assert (told[1]["before"], told[1]["after"]) == (
        {"description": "Team", "stopped": False},
        {"description": "Ops", "stopped": True},
    )
    assert list(told[2]["before"]) == ["address_fingerprint"]
    assert {entry["target"] for entry in told} == {"http://127.0.0.1:9/***?***"}
    text = json.dumps(told)
    assert "abc12" not in text
    assert all(str(each.get("secret")) not in text for each in (made, rotated))


def test_token_without_the_scope(admin: Client) -> None:
    """A token that only reads does not read this."""
    assert admin.person is not None
    with db.write_session() as session:
        reading = Client(admin.person, api_tokens.create(session, admin.person.user, name="r", scope=Scope.READ))
    assert refusal(reading.get("/audit-log"))[:2] == (403, "forbidden")
