"""What a test needs to try every route: a path about something of the caller's own, and a body that fits."""

from typing import Any

from tests.api.conftest import Client


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
        case "share-links":
            own = client.share_link()["shareLink"]["id"]
        case "webhooks":
            own, delivery = client.webhook()
            path = path.replace("{deliveryId}", delivery)
        case noun:
            raise AssertionError(f"say here how to make one of /{noun}")
    return path.replace("{id}", own)


def fitting_body(method: str, path: str) -> dict[str, Any]:
    """A body that changes something of what the path is about, as an option of a request."""
    if (method, path) == ("POST", "/generations/{id}/notes"):
        return {"json": {"text": "Too dark"}}
    if method != "PATCH":
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
