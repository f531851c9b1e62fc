from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from core import db
from core.db.tables import ApiToken, Generation, Preset, Project, WebhookEndpoint
from tests.api.conftest import ORDER, Client, refusal

WEBHOOK = {"url": "https://93.184.215.14/video"}
PRESET = {"name": "Reels", "settings": {name: value for name, value in ORDER.items() if name != "projectId"}}
MAKERS: list[tuple[str, dict[str, Any], str, type[Any]]] = [
    ("/projects", {"name": "Lakes"}, "project", Project),
    ("/tokens", {"name": "cron", "scope": "read"}, "token", ApiToken),
    ("/webhooks", WEBHOOK, "webhook", WebhookEndpoint),
    ("/presets", PRESET, "preset", Preset),
]
KEY = {"Idempotency-Key": "one"}


def count(table: type[Any]) -> int:
    """How many rows there are."""
    with db.read_session() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def made(answer: httpx.Response, name: str) -> str:
    """The id of what was made."""
    assert answer.status_code == 201, answer.text
    return str(answer.json()[name]["id"])


@pytest.mark.parametrize(("path", "body", "name", "table"), MAKERS)
def test_key_is_repeated(ana: Client, path: str, body: dict[str, Any], name: str, table: type[Any]) -> None:
    """A repeat makes nothing more, is answered by what the first has made, and says that it is a repeat."""
    before = count(table)
    first = ana.post(path, json=body, headers=KEY)

    again = ana.post(path, json=body, headers={"Idempotency-Key": " one\t"})

    assert made(first, name) == made(again, name)
    assert count(table) == before + 1
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    other = ana.post(
        path, json=body | {"name": "Other"} if "name" in body else {"url": "https://93.184.215.15/x"}, headers=KEY
    )
    assert refusal(other)[:2] == (409, "idempotency_conflict")
    assert count(table) == before + 1
    assert "idempotency-replayed" not in ana.post(path, json={}, headers=KEY).headers


@pytest.mark.parametrize(("path", "body", "name", "table"), MAKERS)
def test_key_is_repeated_at_once(ana: Client, path: str, body: dict[str, Any], name: str, table: type[Any]) -> None:
    """However many ask at the same time, one makes it."""
    before = count(table)

    answers = ana.send_at_once("POST", path, [{"json": body, "headers": dict(KEY)} for _ in range(8)])

    assert len({made(answer, name) for answer in answers}) == 1
    assert sorted(answer.headers.get("idempotency-replayed", "") for answer in answers) == [""] + ["true"] * 7
    assert count(table) == before + 1


def test_key_of_somebody_else(ana: Client, ben: Client) -> None:
    """Keys of two people have nothing to do with each other, and one key makes one kind of thing."""
    assert made(ana.post("/projects", json={"name": "A"}, headers=KEY), "project") != made(
        ben.post("/projects", json={"name": "A"}, headers=KEY), "project"
    )
    assert refusal(ana.post("/tokens", json={"name": "A"}, headers=KEY))[:2] == (409, "idempotency_conflict")


def test_secret_of_a_repeat(ana: Client) -> None:
    """A token's secret is told once; a webhook's, which can be told, is told again."""
    token = ana.post("/tokens", json={"name": "cron"}, headers=KEY).json()
    webhook = ana.post("/webhooks", json=WEBHOOK, headers={"Idempotency-Key": "two"}).json()

    assert token["secret"]
    assert ana.post("/tokens", json={"name": "cron"}, headers=KEY).json() == token | {"secret": None}
    assert ana.post("/webhooks", json=WEBHOOK, headers={"Idempotency-Key": "two"}).json() == webhook


@pytest.mark.parametrize(("path", "body", "name", "table"), MAKERS)
def test_key_of_what_is_gone(ana: Client, path: str, body: dict[str, Any], name: str, table: type[Any]) -> None:
    """What was made and then deleted is not made again by a late repeat."""
    found = made(ana.post(path, json=body, headers=KEY), name)
    assert ana.send("DELETE", f"{path}/{found}").status_code == 200
    before = count(table)

    assert refusal(ana.post(path, json=body, headers=KEY))[0] == 404
    assert count(table) == before


@pytest.mark.parametrize("path", ["/projects", "/generate"])
@pytest.mark.parametrize("key", ["", " ", "x" * 201, "a\x7fb"])
def test_key_that_cannot_be(ana: Client, path: str, key: str) -> None:
    """A key that cannot be kept is refused, since its sender relies on it."""
    body = ana.order() if path == "/generate" else {"name": "A"}

    assert refusal(ana.post(path, json=body, headers={"Idempotency-Key": key}))[0] == 422


def test_order_is_repeated(ana: Client) -> None:
    """Orders and batches say so, too; white space around a key is no part of it."""
    body = ana.order()
    first, again = (ana.post("/generate", json=body, headers={"Idempotency-Key": key}) for key in ("one", "one "))
    assert first.json() == again.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"

    batch = {"generations": [body, body]}
    first, again = (ana.post("/generate-batch", json=batch, headers={"Idempotency-Key": "b"}) for _ in range(2))
    assert first.json() == again.json()
    assert (first.headers.get("idempotency-replayed"), again.headers.get("idempotency-replayed")) == (None, "true")


def failed(client: Client) -> str:
    """A cancelled generation, which can be made again."""
    found = client.generate()
    client.post(f"/generations/{found}/cancel")
    return found


def retry(client: Client, old: str, key: str | None = None) -> tuple[str, bool]:
    """The id of a retry, and whether it was a repeat."""
    answer = client.post(f"/generations/{old}/retry", headers={} if key is None else {"Idempotency-Key": key})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["generation"]["id"]), answer.headers.get("idempotency-replayed") == "true"


def test_retries_at_once(ana: Client) -> None:
    """Ten retries at the same time without a key are one order, paid once."""
    old, orders = failed(ana), count(Generation)

    answers = ana.send_at_once("POST", f"/generations/{old}/retry", [{} for _ in range(10)])

    assert [answer.status_code for answer in answers] == [202] * 10
    assert len({answer.json()["generation"]["id"] for answer in answers}) == 1
    assert count(Generation) == orders + 1


def test_retry_after_the_first_has_ended(ana: Client) -> None:
    """While a retry is under way every other is that one, whatever its key; once it has ended, a new one is made."""
    old = failed(ana)
    first, _ = retry(ana, old)
    assert retry(ana, old) == (first, True)
    assert retry(ana, old, "k") == (first, True)
    ana.post(f"/generations/{first}/cancel")

    assert retry(ana, old, "k") == (first, True), "a late repeat buys nothing"
    second, repeated = retry(ana, old)
    assert (second != first, repeated) == (True, False)
    third_key = retry(ana, failed(ana), "new")
    assert third_key[1] is False
