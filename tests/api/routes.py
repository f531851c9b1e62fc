"""What a test needs to try every route: a path about something of the caller's own, and a body that fits."""

from typing import Any

from core.ids import new_id
from tests.api.conftest import Client
from tests.factories.catalogue import coming_change, note_on_models
from tests.factories.statements import billed

INVITED = {"email": "new@example.org", "role": "maker"}
ADMINISTRATION = ("people", "uncertain", "catalogue", "statements")
"""Whoever is no administrator has no business there, whatever the id."""


def own_path(client: Client, path: str) -> str:
    """A route's path about something that belongs to this caller."""
    if "{id}" not in path:
        return path
    match path.split("/")[1]:
        case "projects":
            own = client.project()
        case "tokens":
            own = str(client.get("/tokens").json()["tokens"][0]["id"])
        case "presets":
            own = client.preset()
        case "generations" | "download":
            own = client.generate()
            if "{noteId}" in path:
                path = path.replace("{noteId}", client.note(own))
        case "bulk-jobs":
            client.generate()
            job = {"kind": "favourite", "filter": {}}
            own = str(client.post("/bulk-jobs", json=job).json()["job"]["id"])
        case "saved-filters":
            kept = {"name": new_id(), "filter": {"text": "lake"}}
            own = str(client.post("/saved-filters", json=kept).json()["savedFilter"]["id"])
        case "usage-views":
            own = str(client.post("/usage-views", json={"name": new_id(), "view": {}}).json()["savedView"]["id"])
        case "ways":
            own = client.way()
        case "usage-reports":
            own = client.usage_report()
        case "share-links":
            own = client.share_link()["shareLink"]["id"]
        case "assets":
            own = client.asset()
        case "asset-groups":
            own = client.asset_group()
        case "sheets":
            own = client.sheet()
        case "webhooks":
            own, delivery = client.webhook()
            path = path.replace("{deliveryId}", delivery)
        case "notices":
            own = client.notice()
        case "workspaces":
            own = client.team()
            path = path.replace("{userId}", client.join(own))
        case "invitations":
            answer = client.post(f"/workspaces/{client.team()}/invitations", json=INVITED)
            own = str(answer.json()["invitation"]["id"])
        case "people":
            assert client.person is not None
            own = client.person.id
        case "uncertain":
            own = client.uncertain()
        case "catalogue":
            own = note_on_models() if "notes" in path else coming_change()
        case "statements":
            own = billed().id
        case "person-exports":
            own = str(client.post("/person-exports", json={}).json()["export"]["id"])
        case "analyst-packs":
            own = str(client.post("/analyst-packs", json={"period": "2026-10"}).json()["pack"]["id"])
        case "approvals":
            own = client.asked_for_approval()
        case noun:
            raise AssertionError(f"say here how to make one of /{noun}")
    return path.replace("{id}", own)


def fitting_body(client: Client, method: str, path: str) -> dict[str, Any]:
    """A body that changes something of what the path is about, as an option of a request; this caller may send it."""
    own_id = client.person.id if client.person else ""
    match method, path:
        case "POST", "/workspaces/{id}/members":
            return {"json": {"email": "owner@example.org", "role": "viewer"}}
        case "POST", "/workspaces/{id}/invitations":
            return {"json": {"email": "new@example.org", "role": "viewer"}}
        case "POST", "/people/{id}/erase":
            email = client.person.email if client.person else ""
            return {"json": {"email": email, "dryRun": True}}
        case "POST", "/people/{id}/merge":
            return {"json": {"intoId": own_id}}
        case "POST", "/uncertain/{id}/found":
            return {"json": {"providerJobId": "job-1"}}
        case "POST", "/approvals/{id}":
            return {"json": {"decision": "approve"}}
        case "POST", "/projects/{id}/transfer":
            return {"json": {"workspaceId": own_id}}
        case "PATCH", "/workspaces/{id}/members/{userId}":
            return {"json": {"role": "viewer"}}
        case "PATCH", "/notices/{id}":
            return {"json": {"read": True}}
        case "PATCH", "/ways/{id}":
            return {"json": {"enabled": False}}
        case "PATCH", "/people/{id}":
            return {"json": {"role": "admin"}}
        case "POST", "/statements/{id}/accept" | "/statements/{id}/undo":
            return {"json": {"lineIds": [new_id()], "reason": "as billed"}}
        case "POST", "/sheets/{id}/order":
            return {"json": {"expectedCredits": 50}}
        case "POST", "/generations/{id}/frame":
            return {"json": {"seconds": 0.25}}
        case "POST", "/generations/{id}/notes":
            return {"json": {"text": "Too dark"}}
        case "PATCH", _:
            pass
        case _:
            return {}
    match path.split("/")[1]:
        case "generations" if "{noteId}" in path:
            return {"json": {"text": "Changed"}}
        case "generations":
            return {"json": {"favourite": True}}
        case "webhooks":
            return {"json": {"description": "Team"}}
        case _:
            return {"json": {"name": "Hills"}}
