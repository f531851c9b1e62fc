"""Two people in one installation: whatever one asks, in whatever way, nothing of the other's is in the answer.

Every operation of the API's own document is asked, with every id that the other person's things have.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.db import Database
from tests.fixtures import receiver as receivers
from tests.system.app import running
from tests.system.two_people import ASKED, ORDER, SECRET, SHARED, Pair, arrived, furnished

pytestmark = pytest.mark.process

ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ID_PLACE = re.compile(r"\{\w+\}")
STREAM = "/generations/events"
UNLIKE = {STREAM, "/health", "/metrics", "/openapi.json", "/docs"}
UNLIKE |= {"/clips.zip", "/download/{id}", "/export/pack", "/media/{key}", "/sheets/{id}/result.xlsx"}
"""What tells nothing of a person, or is no text."""

ECHOES = ("/approvals", "/clip-names", "/sheets/from-prompt")
"""What answers with the very words that were asked about: decisions that were refused, a try of a template, faults of a
sheet row by row.
"""

VOLATILE = re.compile(r'\?e=\d+[^"]*|"(?:lastUsedAt|requestId|age\w*|uptime\w*)": ?"[^"]*"')
"""What differs between two answers about the same things: signatures of links, and when somebody looked last."""


@dataclass(frozen=True)
class World(Pair):
    """Two people, and what the API says of itself."""

    document: dict[str, Any]

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Method, path and description of all that the document lists, but the stream, which does not end."""
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                if method in ("get", "post", "put", "patch", "delete") and path != STREAM:
                    yield method, path, operation

    def all_of_ana(self) -> dict[str, str]:
        """Everything that Ana is told in her own workspaces, in lists and of each thing in them: question -> answer."""
        told: dict[str, str] = {}
        paths = [path for method, path, _operation in self.operations() if method == "get" and path not in UNLIKE]
        for space in self.ana.spaces:
            for path in (each for each in paths if "{" not in each):
                told[f"{path} in {space}"] = VOLATILE.sub("", self.ana.get(path, space).text)
        for known in sorted({found for text in told.values() for found in ID.findall(text)} - {self.shared_id}):
            for path in (each for each in paths if each.count("{") == 1):
                answer = self.ana.get(ID_PLACE.sub(known, path))
                if answer.is_success:
                    told[f"{path} of {known}"] = VOLATILE.sub("", answer.text)
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
        pair = furnished(ana, ben, database, receiver.url)
        document = app.client.get("/openapi.json").json()
        yield World(pair.ana, pair.ben, pair.shared_id, document)


@pytest.fixture(scope="module")
def secret_ids(world: World) -> list[str]:
    """The ids of everything that Ana's own workspaces hold, and theirs."""
    hers = {found for told in world.all_of_ana().values() for found in ID.findall(told)}
    common = {
        found
        for path in ("/projects", "/generations")
        for found in ID.findall(world.ben.get(path, world.shared_id).text)
    }
    assert len(hers) > 20
    return sorted(hers - common - {world.shared_id, world.ben.id} | set(world.ana.spaces))


def leaks(world: World, answer: httpx.Response, ids: list[str]) -> list[str]:
    """What of Ana's an answer tells: her words anywhere, her ids where it says yes."""
    text = answer.text.lower()
    told = [SECRET] if SECRET in text else []
    if answer.status_code < 400:
        asked = f"{answer.request.url} {answer.request.content!r}" if answer.request.url.path.endswith(ECHOES) else ""
        told += [each for each in ids if each in text and each != world.ana.id and each not in asked]
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
                asked = (ASKED, "all", *(secret_ids if space == world.shared_id else ()))  # where Ana is, too
                answers += [world.ben.get(path, space, **{name: value}) for value in asked]
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
