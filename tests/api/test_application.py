import asyncio
import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import select, update

from core import db
from core.api import api
from core.db import Database
from core.db.enums import Scope
from core.db.tables import ApiToken, Generation
from core.ids import new_id
from core.installation import Installation, using
from tests.api.conftest import Client, arrive, refusal
from tests.api.routes import ADMINISTRATION, fitting_body, own_path

PUBLIC = {"/hooks/{id}/{signature}", "/openapi.json", "/docs", "/health", "/media/{key:path}", "/clips.zip"}
ROUTES = sorted(
    (method, context.path)
    for context in iter_route_contexts(api.routes)
    for method in (context.methods or ())
    if context.path is not None
)
GUARDED = [route for route in ROUTES if route[1] not in PUBLIC]
WITH_ID = [route for route in GUARDED if "{id}" in route[1] and route[1].split("/")[1] not in ADMINISTRATION]


def test_route_table_has_the_contract() -> None:
    """The published paths and methods are there."""
    assert set(ROUTES) >= {
        ("GET", "/openapi.json"),
        ("GET", "/docs"),
        ("GET", "/health"),
        ("GET", "/media/{key:path}"),
        ("HEAD", "/media/{key:path}"),
        ("POST", "/hooks/{id}/{signature}"),
        ("GET", "/projects"),
        ("POST", "/projects"),
        ("GET", "/projects/{id}"),
        ("PATCH", "/projects/{id}"),
        ("DELETE", "/projects/{id}"),
        ("GET", "/models"),
        ("GET", "/providers"),
        ("POST", "/estimate-credits"),
        ("POST", "/upload-image"),
        ("POST", "/generate"),
        ("POST", "/generate-batch"),
        ("POST", "/generations/{id}/last-frame"),
        ("GET", "/presets"),
        ("POST", "/presets"),
        ("PATCH", "/presets/{id}"),
        ("DELETE", "/presets/{id}"),
        ("GET", "/generations"),
        ("GET", "/generations/{id}"),
        ("PATCH", "/generations/{id}"),
        ("DELETE", "/generations/{id}"),
        ("GET", "/generations/{id}/status"),
        ("POST", "/generations/{id}/cancel"),
        ("POST", "/generations/{id}/retry"),
        ("POST", "/generations/zip"),
        ("GET", "/clips.zip"),
        ("GET", "/download/{id}"),
        ("HEAD", "/download/{id}"),
        ("GET", "/credits"),
        ("GET", "/credits/entries"),
        ("GET", "/usage"),
        ("GET", "/usage/month"),
        ("PUT", "/usage/budget"),
        ("GET", "/usage/what-if"),
        ("GET", "/usage/models"),
        ("GET", "/usage/substitution"),
        ("GET", "/usage/waste"),
        ("GET", "/retry-batch"),
        ("POST", "/retry-batch"),
        ("GET", "/metrics"),
        ("GET", "/tokens"),
        ("POST", "/tokens"),
        ("DELETE", "/tokens/{id}"),
        ("GET", "/generations/events"),
        ("HEAD", "/generations/events"),
        ("GET", "/webhooks"),
        ("POST", "/webhooks"),
        ("GET", "/webhooks/{id}"),
        ("PATCH", "/webhooks/{id}"),
        ("DELETE", "/webhooks/{id}"),
        ("POST", "/webhooks/{id}/rotate"),
        ("POST", "/webhooks/{id}/test"),
        ("GET", "/webhooks/{id}/deliveries"),
        ("POST", "/webhooks/{id}/deliveries/{deliveryId}/replay"),
    }


def test_every_route_has_a_decision() -> None:
    """Each route stands in the table with what it needs, and only the known ones need nothing."""
    doors = {(door.method, door.path): door.need for door in api.state.table.permissions}

    assert set(doors) == set(ROUTES)
    assert {path for (_method, path), need in doors.items() if need is None} == PUBLIC


def test_route_nobody_decided_about_wants_a_token(nobody: Client) -> None:
    """What is in no table is closed: even an unknown address asks for a token first."""
    assert api.state.table.required_scope("POST", "/forgotten") is Scope.READ
    assert refusal(nobody.post("/forgotten", json={}))[:2] == (401, "unauthorized")


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_every_other_route_wants_a_token(nobody: Client, method: str, path: str) -> None:
    """Without a token nothing answers but what is meant for everybody."""
    answer = nobody.send(method, path.replace("{id}", new_id()))

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    if method != "HEAD":
        assert refusal(answer)[1] == "unauthorized"


@pytest.mark.parametrize("header", ["Bearer avg_wrong", "Bearer ", "Basic YTpi", "avg_wrong", "Bearer \u00e9\u00ff"])
def test_wrong_token_is_refused(nobody: Client, header: str) -> None:
    """Only a token that was issued opens the door."""
    answer = nobody.get("/credits", headers={"Authorization": header.encode("latin-1")})

    assert refusal(answer) == (401, "unauthorized", {})


@pytest.mark.parametrize(("method", "path"), WITH_ID)
def test_foreign_id_looks_like_none(ana: Client, ben: Client, method: str, path: str) -> None:
    """What is somebody else's does not exist, on every route with an id; neither does an id in no form of ours."""
    own = own_path(ana, path)
    body = fitting_body(ana, method, path)
    id_of_own = own.split("/")[2]

    assert ben.send(method, own, **body).status_code == 404
    for malformed in (new_id(), "1", "%00", "..%2f", id_of_own.upper(), id_of_own + "%0A"):
        assert ana.send(method, own.replace(id_of_own, malformed), **body).status_code == 404, malformed
    assert ana.send(method, own, **body).status_code != 404


def test_token_use_is_noted(ana: Client) -> None:
    """The account page can tell when a token was last used."""
    assert ana.get("/credits").status_code == 200
    with db.read_session() as session:
        noted = session.scalar(select(ApiToken.last_used_at))
    assert noted is not None

    assert ana.get("/credits").status_code == 200
    with db.read_session() as session:
        assert session.scalar(select(ApiToken.last_used_at)) == noted


def test_unknown_address(ana: Client) -> None:
    """An address that is not there says so in the one shape."""
    assert refusal(ana.get("/nothing")) == (404, "not_found", {})
    assert refusal(ana.get("/projects/")) == (404, "not_found", {})


def test_wrong_method(ana: Client) -> None:
    """An address that is there names the methods it knows."""
    answer = ana.send("PUT", "/generate")

    assert refusal(answer) == (405, "method_not_allowed", {})
    assert answer.headers["allow"] == "POST"
    assert ana.send("PUT", "/projects").headers["allow"] == "GET, HEAD, POST"
    assert ana.send("POST", "/generations/x").headers["allow"] == "DELETE, GET, HEAD, PATCH"
    assert ana.send("OPTIONS", "/generations/zip").headers["allow"] == "POST", "not what an id in its place would do"
    assert ana.send("OPTIONS", "/generations/events").headers["allow"] == "GET, HEAD"


def test_openapi_document(nobody: Client) -> None:
    """The document names this place, camelCase fields and our own shape of refusals."""
    document = nobody.get("/openapi.json").json()

    assert document["servers"] == [{"url": "/api/apps/video-generator"}]
    assert {"/generate", "/generations/{id}/status", "/download/{id}"} <= set(document["paths"])
    properties = document["components"]["schemas"]["GenerateBody"]["properties"]
    assert {"projectId", "modelId", "startImagePath", "generateAudio"} <= set(properties)
    assert "HTTPValidationError" not in json.dumps(document)


def test_unexpected_error_gives_a_reference(ana: Client, caplog: pytest.LogCaptureFixture) -> None:
    """What should not happen answers 500 with a reference that stands in the log, and tells nothing of the inside."""
    row = ana.finished()
    with db.write_session() as session:
        session.execute(update(Generation).values(quote={"lines": "of no price"}))

    answer = ana.get(f"/generations/{row.id}")

    assert refusal(answer)[:2] == (500, "internal")
    reference = answer.json()["error"]["message"].rpartition("Reference: ")[2].rstrip(".")
    assert len(reference) == 10
    assert reference in caplog.text
    assert "Traceback" in caplog.text
    assert "of no price" not in answer.text


def test_api_runs_alone(installation: Installation) -> None:
    """Without a mount around it the API serves itself, and its links lead to itself."""
    ana = arrive("ana@example.org")
    row = ana.finished()

    async def both() -> tuple[httpx.Response, httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=api), base_url="https://alone.test") as client:
            headers = {"Authorization": f"Bearer {ana.token}"}
            status = await client.get(f"/generations/{row.id}/status", headers=headers)
            return status, await client.get(status.json()["status"]["videoUrl"])

    status, video = asyncio.run(both())
    assert status.json()["status"]["videoUrl"].startswith("https://alone.test/media/videos/")
    assert video.status_code == 200


def test_body_of_another_kind(ana: Client) -> None:
    """A body that is not JSON, or does not say so, gets a sentence that says what to send."""
    for content_type in ("text/plain", "application/xml", "multipart/form-data; boundary=x", ""):
        answer = ana.post("/generate", content=b'{"modelId": "veo3"}', headers={"Content-Type": content_type})

        assert refusal(answer)[:2] == (422, "invalid_request"), content_type
        assert "application/json" in answer.json()["error"]["message"]


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"", b"[" * 100_000, b'{"name": NaN}', b"null", b'"text"'])
def test_body_that_cannot_be_read(ana: Client, content: bytes) -> None:
    """Whatever stands in a body, the answer is a refusal of the one shape."""
    answer = ana.post("/projects", content=content, headers={"Content-Type": "application/json"})

    assert refusal(answer)[0] in (400, 422)


def test_database_away(ana: Client, installation: Installation, tmp_path: Path) -> None:
    """Without the database every call is told to come back, and nothing of the inside."""
    away = Database(f"sqlite:///{tmp_path / 'nowhere' / 'studio.db'}")
    with using(replace(installation, database=away)):
        answer = ana.get("/credits")

    assert refusal(answer)[:2] == (503, "database_unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert "nowhere" not in answer.text
