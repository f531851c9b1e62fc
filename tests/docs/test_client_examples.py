"""The examples for shells and agents: what stands in the documents orders clips."""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import mcp
import pytest
from sqlalchemy import select

from core import db
from core.db.enums import Scope
from core.db.tables import ApiToken, Generation
from tests.api import live
from tests.api.conftest import CLIP, Client
from tests.docs.documents import ROOT, blocks, programs
from tests.docs.test_examples import HOW_TO, commands, run

pytestmark = pytest.mark.process
SCRIPTS, AGENTS = HOW_TO / "order-from-scripts.md", HOW_TO / "connect-an-agent.md"


@pytest.fixture
def address(ana: Client) -> Iterator[str]:
    """The API on a socket, where whatever is ordered is made."""
    with live.serving() as found, live.finishing():
        yield found


def prompts() -> list[str]:
    """The prompts of all clips."""
    with db.read_session() as session:
        return list(session.scalars(select(Generation.prompt).order_by(Generation.id)))


def test_orders_from_scripts(ana: Client, address: str, tmp_path: Path) -> None:
    """A clip within a limit, one by its quote, lists and spend; the same again makes nothing more."""
    assert ana.token is not None
    shell = {"VIDEO_API": address, "VIDEO_TOKEN": ana.token}
    order, quoted, look = commands(SCRIPTS)

    assert run(order, tmp_path, **shell) == "lake.mp4\n"
    assert run(quoted, tmp_path, **shell) == "dawn.mp4\n"
    run(order, tmp_path, **shell)
    printed = run(look, tmp_path, **shell)

    assert prompts() == ["A mountain lake at sunset, calm water", "A mountain lake at dawn"]
    assert (tmp_path / "lake.mp4").read_bytes() == (tmp_path / "dawn.mp4").read_bytes() == CLIP
    assert "demo-film" in printed
    assert "2 clips" in printed


def test_agent_connected(ana: Client, address: str, tmp_path: Path) -> None:
    """The token is made with its cap, the host's file starts the server, and the program makes a clip."""
    assert ana.token is not None
    make_token, try_it = commands(AGENTS)
    made = json.loads(run(make_token, tmp_path, VIDEO_API=address, VIDEO_TOKEN=ana.token))
    with db.read_session() as session:
        kept = session.scalars(select(ApiToken).where(ApiToken.name == "agent")).one()
    assert (kept.cap_credits, kept.scope) == (2000, Scope.GENERATE)

    assert asyncio.run(_tools_of_the_host(address, made["secret"])) == {
        *("list_models", "quote", "order"),
        *("wait", "find", "spend"),
    }
    (program,) = (block for block in programs(AGENTS) if block.language == "python")
    (tmp_path / program.words[0]).write_text(program.text, encoding="utf-8")
    printed = run(try_it, tmp_path, VIDEO_API=address, VIDEO_TOKEN=made["secret"], PYTHONPATH=str(ROOT))

    assert printed.startswith("it costs 50 credits\ncompleted http://127.0.0.1:")
    assert prompts() == ["A lake at dusk"]


async def _tools_of_the_host(address: str, token: str) -> set[str]:
    """The tools that a host finds by the document's file."""
    (file,) = (block for block in blocks(AGENTS) if block.language == "json")
    shown = json.loads(file.text)["mcpServers"]["ai-video-generator"]
    assert shown["command"].endswith("/bin/python")
    environ = shown["env"] | {"VIDEO_API": address, "VIDEO_TOKEN": token, "PYTHONPATH": str(ROOT)}
    server = mcp.StdioServerParameters(command=sys.executable, args=shown["args"], env=environ)
    async with mcp.Client(server) as agent:
        return {tool.name for tool in (await agent.list_tools()).tools}
