"""Scripts and agents as real processes: connections drop at every step, and processes die there and begin again."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import av
import mcp
import psutil
import pytest

from tests.fixtures.dropping_proxy import Drop, DroppingProxy, dropping
from tests.system.app import API, ROOT, App, audit, running

pytestmark = [pytest.mark.process, pytest.mark.timeout(900)]

EVERY_DROP = (Drop.BEFORE, Drop.AFTER, Drop.WITHIN)
STEPS = ("POST /projects", "POST /generate", "GET /generations/ID/status", "GET /download/ID")
CREDITS = 50


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The demo, for all tests of this module."""
    with running(tmp_path_factory.mktemp("agents")) as found:
        yield found


def environ(app: App, proxy: DroppingProxy) -> Mapping[str, str]:
    """What a script or a host of agents is given."""
    token = app.client.headers["Authorization"].removeprefix("Bearer ")
    return {"VIDEO_API": proxy.address, "VIDEO_TOKEN": token, "PYTHONPATH": str(ROOT)}


def command(prompt: str, folder: Path) -> list[str]:
    """The command line of one clip, in a project of its own."""
    wish = [prompt, "--model", "demo-film", "--project", prompt, "--duration", "2", "--aspect-ratio", "1:1"]
    return [sys.executable, "-m", "core.cli", "order", *wish, "--up-to", str(CREDITS), "--output", str(folder)]


def begun(app: App, proxy: DroppingProxy, prompt: str, folder: Path) -> "subprocess.Popen[str]":
    """A process that orders a clip."""
    return subprocess.Popen(
        command(prompt, folder),
        cwd=folder,
        env=os.environ | environ(app, proxy),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def proxied(app: App, *drops: Drop) -> Any:
    """A proxy in front of the app."""
    return dropping(f"http://127.0.0.1:{app.port}{API}", *drops)


def check_one_clip(app: App, prompt: str, spent_before: int) -> str:
    """Of this prompt there is one clip, charged once, and the books are right; its id."""
    found = app.client.get("/generations", params={"text": prompt}).json()["generations"]
    assert [clip["status"] for clip in found] == ["completed"]
    assert spent(app) - spent_before == CREDITS
    audited = audit(app)
    assert audited.returncode == 0, audited.stdout
    return str(found[0]["id"])


def spent(app: App) -> int:
    """What was charged so far; nothing may be reserved."""
    balance = app.client.get("/credits").json()["credits"]
    assert balance["held"] == 0
    return 100_000 - int(balance["available"])


def killing(kill: Callable[[], None], proxy: DroppingProxy, step: str) -> None:
    """Kill a process once its first request of a step has arrived, before it is answered."""
    killed = threading.Event()

    def arrived(met: str) -> None:
        if met == step and not killed.is_set():
            killed.set()
            kill()

    proxy.arrived = arrived


def test_command_when_every_step_is_dropped(app: App, tmp_path: Path) -> None:
    """A process whose connection is lost in every step, in every way, has one clip and its whole file."""
    before = spent(app)
    with proxied(app, *EVERY_DROP) as proxy:
        process = begun(app, proxy, "lake", tmp_path)
        printed, beside = process.communicate(timeout=600)

    assert process.returncode == 0, beside
    clip_id = check_one_clip(app, "lake", before)
    assert printed == f"{tmp_path / clip_id}.mp4\n"
    with av.open(printed.strip()) as clip:
        assert clip.streams.video[0].width == clip.streams.video[0].height
    stored = app.client.get(f"/download/{clip_id}").content
    assert Path(printed.strip()).read_bytes() == stored
    assert environ(app, proxy)["VIDEO_TOKEN"] not in printed + beside


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.replace(" ", "").replace("/", "-"))
def test_command_killed_at_a_step_and_run_again(app: App, tmp_path: Path, step: str) -> None:
    """A process that dies once its request has arrived, and the same command again, make one clip."""
    before, prompt = spent(app), f"sea{STEPS.index(step)}"
    with proxied(app) as proxy:
        process = begun(app, proxy, prompt, tmp_path)  # long before its first request
        killing(process.kill, proxy, step)
        process.communicate(timeout=600)
        assert process.returncode == -9, "it was not killed"

        again = begun(app, proxy, prompt, tmp_path)
        printed, beside = again.communicate(timeout=600)

    assert again.returncode == 0, beside
    clip_id = check_one_clip(app, prompt, before)
    assert Path(printed.strip()).read_bytes() == app.client.get(f"/download/{clip_id}").content
    assert [path.name for path in tmp_path.iterdir()] == [f"{clip_id}.mp4"]


def test_agent_when_every_step_is_dropped(app: App) -> None:
    """An agent that speaks to its server as hosts do gets one clip, with one charge, through a line that breaks."""
    before = spent(app)
    with proxied(app, *EVERY_DROP) as proxy:
        clip = asyncio.run(make(app, proxy, "space"))

    assert (clip["status"], clip["credits"]) == ("completed", CREDITS)
    assert clip["id"] == check_one_clip(app, "space", before)


def test_agent_whose_server_dies_while_it_orders(app: App) -> None:
    """The server is killed once the order has arrived; the agent's same call to a new one is the same clip."""
    before = spent(app)
    with proxied(app) as proxy:
        killing(lambda: agents_server().kill(), proxy, "POST /generate")
        with pytest.raises(BaseException):  # noqa: B017, PT011 -- whatever the host makes of a server that has died
            asyncio.run(make(app, proxy, "silk"))
        clip = asyncio.run(make(app, proxy, "silk"))

    assert clip["is_repeat"] is True
    assert clip["id"] == check_one_clip(app, "silk", before)


def test_server_without_a_token_says_so(tmp_path: Path) -> None:
    """A host that gives no token is told on stderr what is missing."""
    started = subprocess.run(
        [sys.executable, "-m", "core.mcp_server"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "VIDEO_TOKEN"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert started.returncode == 2
    assert started.stdout == ""
    assert "VIDEO_TOKEN is not set." in started.stderr


def agents_server() -> psutil.Process:
    """The process of the server that a test's own agent has started."""
    [found] = [
        child
        for child in psutil.Process().children(recursive=True)
        if child.cmdline()[-2:] == ["-m", "core.mcp_server"]
    ]
    return found


async def make(app: App, proxy: DroppingProxy, prompt: str) -> dict[str, Any]:
    """Quote, order twice and wait, by the protocol's own client over stdio; the clip, and whether it was a repeat."""
    server = mcp.StdioServerParameters(
        command=sys.executable, args=["-m", "core.mcp_server"], env=dict(environ(app, proxy)), cwd=ROOT
    )
    wanted = {"model": "demo-film", "prompt": prompt, "project": prompt, "duration": 2, "aspect_ratio": "1:1"}
    async with mcp.Client(server, read_timeout_seconds=600) as agent:
        quote = await _call(agent, "quote", wanted=wanted)
        order = {name: quote[name] for name in ("wanted", "credits", "confirmation")}
        first = await _call(agent, "order", **order)
        again = await _call(agent, "order", **order)
        assert (again["id"], again["is_repeat"]) == (first["id"], True)
        clip: dict[str, Any] = {"ended": False}
        while not clip["ended"]:
            clip = await _call(agent, "wait", id=first["id"], seconds=30)
        [found] = (await _call(agent, "find", words=prompt))["clips"]
        assert found["id"] == first["id"]
        assert (await _call(agent, "spend"))["charged_credits"] >= CREDITS
        return clip | {"is_repeat": first["is_repeat"]}


async def _call(agent: mcp.Client, name: str, **arguments: Any) -> dict[str, Any]:
    answer = await agent.call_tool(name, arguments)
    assert not answer.is_error, answer.content
    found: dict[str, Any] = answer.structured_content or {}
    return found
