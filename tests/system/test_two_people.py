"""Two people in one installation: whatever one asks, in whatever way, nothing of the other's is in the answer.

Every operation of the API's own document is asked, with every id that the other person's things have.
"""

import io
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from core.db import Database
from core.db.enums import WorkspaceRole
from core.identity import users
from core.workspaces import members
from core.workspaces.access import Member
from tests.factories.workspaces import create_team
from tests.fixtures import receiver as receivers
from tests.system.app import App, running

pytestmark = pytest.mark.process

ASKED, SECRET, SHARED = "quokka", "wombat", "lantern"
"""Words in Ana's own things: one that Ben asks for, one that nobody asks for; and one in what both may see."""

ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ID_PLACE = re.compile(r"\{\w+\}")
STREAM = "/generations/events"
VOLATILE = re.compile(r'\?e=\d+[^"]*|"(?:lastUsedAt|requestId|age\w*|uptime\w*)": ?"[^"]*"')
"""What differs between two answers about the same things: signatures of links, and when somebody looked last."""

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


@dataclass(frozen=True)
class World:
    """Ana has her own workspace and a team's, Ben his own, and they share another team's."""

    app: App
    document: dict[str, Any]
    ana: Person
    ben: Person
    shared_id: str

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Method, path and description of all that the document lists, but the stream, which does not end."""
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                if method in ("get", "post", "put", "patch", "delete") and path != STREAM:
                    yield method, path, operation

    def all_of_ana(self) -> dict[str, str]:
        """Everything that Ana is told in her own workspaces: question -> answer."""
        told = {}
        for method, path, _operation in self.operations():
            if method == "get" and "{" not in path and path not in ("/health", "/metrics", "/clips.zip"):
                for space in self.ana.spaces:
                    told[f"{path} in {space}"] = VOLATILE.sub("", self.ana.get(path, space).text)
        return told


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An installation with real clips of two people in four workspaces."""
    folder: Path = tmp_path_factory.mktemp("two-people")
    with ExitStack() as opened:
        receiver = opened.enter_context(receivers.receiver())
        environ = {"API_REQUESTS_PER_MINUTE": "1000000", "WEBHOOK_ALLOW_HOSTS": receiver.host_port}
        app = opened.enter_context(running(folder, environ=environ))
        database = Database(f"sqlite:///{folder}/studio.db")
        opened.callback(database.dispose)
        ana, ben = (opened.enter_context(arrived(app, database, name)) for name in ("ana", "ben"))
        manager = WorkspaceRole.MANAGER
        [own] = create_team(database, (ana.member, manager), name=f"Autumn {ASKED} {SECRET}")
        [shared, _ben] = create_team(database, (ana.member, manager), (ben.member, WorkspaceRole.MAKER), name="Spring")
        ana.spaces += [ana.id, own.workspace_id]
        ben.spaces += [ben.id]
        clips = [furnish(ana, space, f"{ASKED} {SECRET}", receiver.url) for space in ana.spaces]
        clips += [furnish(ana, shared.workspace_id, SHARED, receiver.url)]
        for clip in clips:
            until_made(ana, clip)
        document = app.client.get("/openapi.json").json()
        yield World(app, document, ana, ben, shared.workspace_id)


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


@pytest.fixture(scope="module")
def secret_ids(world: World) -> list[str]:
    """The ids of everything that Ana's own workspaces hold, and theirs."""
    hers = {found for told in world.all_of_ana().values() for found in ID.findall(told)}
    common = {
        found
        for path in ("/projects", "/generations")
        for found in ID.findall(world.ben.get(path, world.shared_id).text)
    }
    assert len(hers) > 10
    return sorted(hers - common - {world.shared_id, world.ben.id} | set(world.ana.spaces))


def leaks(world: World, answer: httpx.Response, ids: list[str]) -> list[str]:
    """What of Ana's an answer tells: her words anywhere, her ids where it says yes."""
    text = answer.text.lower()
    told = [SECRET] if SECRET in text else []
    if answer.status_code < 400:
        told += [each for each in ids if each in text and each != world.ana.id]
    return [f"{answer.request.method} {answer.request.url} {answer.status_code}: {each}" for each in told]


def test_own_and_shared_things_are_there(world: World) -> None:
    """Ben sees what he shares with Ana, and she sees all of hers; else the other tests show nothing."""
    assert SHARED in world.ben.get("/projects", world.shared_id).text
    assert SHARED in world.ben.get("/generations", world.shared_id).text
    assert all(SECRET in world.ana.get("/generations", space).text for space in world.ana.spaces)


def test_lists(world: World, secret_ids: list[str]) -> None:
    """No list has anything of Ana's in it, wherever Ben looks and whatever he asks for."""
    found = []
    for method, path, operation in world.operations():
        if method != "get" or "{" in path:
            continue
        names = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]
        for space in (None, *world.ben.spaces, world.shared_id):
            answers = [world.ben.get(path, space)]
            for name in names:
                answers += [world.ben.get(path, space, **{name: value}) for value in (ASKED, "all", *secret_ids)]
            found += [leak for answer in answers for leak in leaks(world, answer, secret_ids)]
    assert found == []


def test_workspaces_of_others(world: World, secret_ids: list[str]) -> None:
    """A workspace that Ben is not in is not there for him, whatever he wants to do in it."""
    for method, path, operation in world.operations():
        asks = [each for each in operation.get("parameters", ()) if each["name"] == "Workspace-Id"]
        for space in world.ana.spaces if asks else ():
            answer = world.ben.http.request(
                method,
                ID_PLACE.sub(world.ben.id, path),
                headers={"Workspace-Id": space},
                **body(operation, world.ben.id),
            )
            assert answer.status_code in (404, 422), f"{method} {path}: {answer.status_code} {answer.text}"
            assert leaks(world, answer, secret_ids) == []


def test_every_route_with_ids_of_others(world: World, secret_ids: list[str]) -> None:
    """No route does or tells anything about what is Ana's, named in its address or in its body."""
    before = world.all_of_ana()
    found = []
    for method, path, operation in world.operations():
        is_named = "{" in path
        if not is_named and not body(operation, ""):
            continue
        for each in secret_ids:
            answer = world.ben.http.request(method, ID_PLACE.sub(each, path), **body(operation, each))
            found += leaks(world, answer, secret_ids)
            if is_named:
                assert 400 <= answer.status_code < 500, (
                    f"{method} {path} with {each}: {answer.status_code} {answer.text}"
                )
    assert found == []
    assert world.all_of_ana() == before, "nothing of Ana's has changed"


def test_events_of_others(world: World) -> None:
    """The stream tells Ben of what he shares with Ana, past and to come, and of nothing else of hers."""
    heard: list[str] = []
    headers = {"Last-Event-ID": "0", "Workspace-Id": world.shared_id}
    with world.ben.http.stream("GET", STREAM, headers=headers, timeout=httpx.Timeout(60, read=20)) as answer:
        lines = answer.iter_lines()
        shared = world.ana.get("/generations", world.shared_id).json()["generations"][0]["id"]
        hear_until(lines, heard, shared)
        for space in (*world.ana.spaces, world.shared_id):
            project = world.ana.get("/projects", space).json()["projects"][0]["id"]
            order = ORDER | {"projectId": project, "prompt": "a lake"}
            made = world.ana.post("/generate", space, json=order)["generation"]["id"]
        hear_until(lines, heard, made)

    hers = {
        each["id"] for space in world.ana.spaces for each in world.ana.get("/generations", space).json()["generations"]
    }
    assert len(hers) == 4
    assert hers.isdisjoint(ID.findall(" ".join(heard)))


def hear_until(lines: Iterator[str], heard: list[str], wanted: str) -> None:
    """Listen until an id is heard."""
    for line in lines:
        heard.append(line)
        if wanted in line:
            return
    raise AssertionError("the stream ended")


def body(operation: Mapping[str, Any], other_id: str) -> dict[str, Any]:
    """The body that the document gives as an example, about something else; nothing where there is none."""
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return {}
    example = ID.sub(other_id, json.dumps(content["application/json"]["example"])) if other_id else "{}"
    return {"json": json.loads(example.replace('"veo3"', '"demo-film"'))}
