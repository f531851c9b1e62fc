"""Two people with things of their own and things in common, made through the API of a running app."""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from PIL import Image

from core.db import Database
from core.db.enums import WorkspaceRole
from core.identity import users
from core.workspaces import members
from core.workspaces.access import Member
from tests.factories.workspaces import create_team
from tests.system.app import App

ASKED, SECRET, SHARED = "quokka", "wombat", "lantern"
"""Words in Ana's own things: one that Ben asks for, one that nobody asks for; and one in what both may see."""

ORDER = {"modelId": "demo-film", "resolution": "720p", "duration": 2, "aspectRatio": "1:1"}


@dataclass
class Person:
    """Somebody with a token that reaches all of their workspaces."""

    member: Member
    http: httpx.Client
    spaces: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Theirs, and that of their own workspace."""
        return self.member.id

    def get(self, path: str, workspace_id: str | None = None, **query: str) -> httpx.Response:
        """One look, in a workspace."""
        headers = {"Workspace-Id": workspace_id} if workspace_id else {}
        return self.http.get(path, headers=headers, params=query)

    def post(self, path: str, workspace_id: str, **options: Any) -> dict[str, Any]:
        """Make something in a workspace."""
        answer = self.http.post(path, headers={"Workspace-Id": workspace_id}, **options)
        assert answer.is_success, f"{path}: {answer.text}"
        made: dict[str, Any] = answer.json()
        return made


@contextmanager
def arrived(app: App, database: Database, name: str) -> Iterator[Person]:
    """Somebody who has just been given a token."""
    address = f"{name}@example.org"
    token = app.admin("token", address, "--scope", "admin").splitlines()[-1]
    with database.read_session() as session:
        member = members.at_work(session, users.get(session, address))
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=app.client.base_url, headers=headers, trust_env=False, timeout=60) as client:
        yield Person(member, client)


def furnish(person: Person, space: str, mark: str, hook_url: str) -> str:
    """One of everything in a workspace, called so; the id of the clip that is being made."""
    project = person.post("/projects", space, json={"name": f"Project {mark}", "description": f"About {mark}"})[
        "project"
    ]
    image = io.BytesIO()
    Image.new("RGB", (64, 64), "grey").save(image, "PNG")
    upload = person.post(
        "/upload-image", space, data={"type": "start"}, files={"file": (f"{mark}.png", image.getvalue(), "image/png")}
    )
    order = ORDER | {"projectId": project["id"], "prompt": f"A film about {mark}"}
    kept = {key: value for key, value in order.items() if key != "projectId"}
    person.post("/presets", space, json={"name": f"Preset {mark}", "settings": kept})
    person.post("/webhooks", space, json={"url": f"{hook_url}&about={mark.replace(' ', '-')}", "description": mark})
    person.post("/tokens", space, json={"name": f"Token {mark}"})
    order |= {"startImagePath": upload["filePath"]}
    asset = person.post(
        "/assets", space, data={"name": f"Asset {mark}"}, files={"file": ("a.png", image.getvalue(), "image/png")}
    )["asset"]
    named = {"kind": "character", "name": mark.replace(" ", "-"), "items": [{"assetId": asset["id"]}]}
    person.post("/asset-groups", space, json=named)
    person.post("/saved-filters", space, json={"name": f"Filter {mark}", "filter": {"text": mark}})
    sheet = f"prompt,modelId,resolution,duration,aspectRatio\nA film about {mark},demo-film,720p,2,1:1\n"
    person.post("/sheets", space, files={"file": (f"{mark}.csv", sheet, "text/csv")})
    clip: str = person.post("/generate", space, json=order)["generation"]["id"]
    answer = person.http.patch(f"/generations/{clip}", json={"tags": [f"tag {mark}"], "favourite": True})
    assert answer.is_success, answer.text
    return clip


def until_made(person: Person, clip: str) -> None:
    """Wait until a clip can be watched."""
    end = time.monotonic() + 120
    while (status := person.get(f"/generations/{clip}/status").json()["status"])["status"] != "completed":
        assert status["status"] in ("pending", "processing"), status
        assert time.monotonic() < end, status
        time.sleep(0.3)


def talk_about(person: Person, space: str, clip: str, mark: str) -> None:
    """A note on a clip, a job over it, a link to it for people outside, and an invitation where there is a team."""
    person.post(f"/generations/{clip}/notes", space, json={"text": f"More {mark}, please"})
    person.post("/bulk-jobs", space, json={"kind": "tag", "filter": {"text": mark}, "tags": [f"tag {mark}"]})
    person.post("/share-links", space, json={"title": f"Look: {mark}", "generationIds": [clip]})
    if space != person.id:
        invited = {"email": f"{mark.replace(' ', '.')}@example.org", "role": "viewer"}
        person.post(f"/workspaces/{space}/invitations", space, json=invited)


@dataclass(frozen=True)
class Pair:
    """Ana has her own workspace and a team's, Ben his own, and they share another team's."""

    ana: Person
    ben: Person
    shared_id: str


def furnished(ana: Person, ben: Person, database: Database, hook_url: str) -> Pair:
    """One of everything of Ana's in each of her workspaces, with clips that can be watched."""
    manager = WorkspaceRole.MANAGER
    [own] = create_team(database, (ana.member, manager), name=f"Autumn {ASKED} {SECRET}")
    [shared, _ben] = create_team(database, (ana.member, manager), (ben.member, WorkspaceRole.MAKER), name="Spring")
    ana.spaces += [ana.id, own.workspace_id]
    ben.spaces += [ben.id]
    marks = dict.fromkeys(ana.spaces, f"{ASKED} {SECRET}") | {shared.workspace_id: SHARED}
    clips = {space: furnish(ana, space, mark, hook_url) for space, mark in marks.items()}
    for space, clip in clips.items():
        until_made(ana, clip)
        talk_about(ana, space, clip, marks[space])
    return Pair(ana, ben, shared.workspace_id)
