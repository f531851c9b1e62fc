"""The tools of agents against the API, by the protocol's own client, over connections that break at every step."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import mcp
import pytest
from mcp_types import TextContent

from core import db
from core.db.enums import Scope
from core.identity import api_tokens
from core.mcp_server import tools
from core.rest_client import Access
from core.rest_client import Client as RestClient
from core.rest_client.connection import Waiting
from tests.api import live
from tests.api.conftest import Client
from tests.api.test_command_line import check_one_clip, clips
from tests.fixtures.dropping_proxy import Drop, dropping

WANTED = {"model": "demo-film", "prompt": "a lake at dusk", "project": "Lakes", "duration": 5, "aspect_ratio": "1:1"}
EVERY_DROP = (Drop.BEFORE, Drop.AFTER, Drop.WITHIN)


class Agent:
    """Somebody's agent, whose server is asked as a host asks it."""

    def __init__(self, address: str, token: str | None) -> None:
        assert token is not None
        self._access = Access(address, token)

    def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """What a tool answers; fails when it refuses."""
        answer = asyncio.run(self._call(name, arguments))
        assert not answer.is_error, answer.content
        found: dict[str, Any] = answer.structured_content or {}
        return found

    def refused(self, name: str, **arguments: Any) -> str:
        """The sentence that a tool refuses with."""
        answer = asyncio.run(self._call(name, arguments))
        assert answer.is_error
        [content] = answer.content
        assert isinstance(content, TextContent)
        return content.text

    def tools(self) -> Mapping[str, mcp.Tool]:
        """The tools as they are listed."""

        async def listed() -> list[mcp.Tool]:
            with RestClient(self._access) as client:
                async with mcp.Client(tools.server(client)) as session:
                    return (await session.list_tools()).tools

        return {tool.name: tool for tool in asyncio.run(listed())}

    async def _call(self, name: str, arguments: Mapping[str, Any]) -> mcp.types.CallToolResult:
        with RestClient(self._access, Waiting(patience_seconds=60)) as client:
            async with mcp.Client(tools.server(client)) as session:
                return await session.call_tool(name, dict(arguments))


@pytest.fixture
def address(ana: Client) -> Iterator[str]:
    """The API on a socket."""
    with live.serving() as found:
        yield found


@pytest.fixture
def agent(address: str, ana: Client) -> Agent:
    """An agent with Ana's token."""
    return Agent(address, ana.token)


def test_order_is_one_clip_when_every_step_is_dropped(address: str, ana: Client) -> None:
    """Models, quote, order, order again, wait, find and spend get through, to one clip and one charge."""
    with live.finishing(), dropping(address, *EVERY_DROP) as proxy:
        agent = Agent(proxy.address, ana.token)
        assert "demo-film" in [model["id"] for model in agent.call("list_models")["models"]]
        quote = agent.call("quote", wanted=WANTED)
        order = {name: quote[name] for name in ("wanted", "credits", "confirmation")}
        first = agent.call("order", **order)
        again = agent.call("order", **order)
        clip = agent.call("wait", id=first["id"], seconds=60)
        [found] = agent.call("find", words="lake", project="Lakes")["clips"]
        spend = agent.call("spend")
        steps = dict(proxy.met)

    assert (again["id"], again["is_repeat"]) == (first["id"], True)
    assert (clip["status"], clip["ended"], found["id"]) == ("completed", True, first["id"])
    assert (spend["charged_credits"], spend["available_credits"], spend["completed"]) == (50, 9_950, 1)
    assert len(steps) == 10
    assert all(count > len(EVERY_DROP) for count in steps.values())
    check_one_clip(ana)


def test_only_what_was_quoted_is_ordered(agent: Agent) -> None:
    """Another prompt, another price, a misspelt setting or no confirmation order nothing."""
    quote = agent.call("quote", wanted=WANTED)
    order = {name: quote[name] for name in ("wanted", "credits", "confirmation")}

    assert "is not for this order" in agent.refused(
        "order", **order | {"wanted": {**quote["wanted"], "prompt": "a sea"}}
    )
    assert "is not for this order" in agent.refused("order", **order | {"credits": 10})
    assert "aspectRatio" in agent.refused("quote", wanted=WANTED | {"aspectRatio": "9:16"})
    del order["confirmation"]
    assert "confirmation" in agent.refused("order", **order)
    assert clips() == []


def test_cap_is_refused_with_its_sentence(address: str, ana: Client) -> None:
    """An agent is told that its token has reached its cap, and a repeat of what it has ordered is told all the same."""
    assert ana.person is not None
    with db.write_session() as session:
        token = api_tokens.create(session, ana.person.user, name="agent", scope=Scope.GENERATE, cap_credits=60)
    agent = Agent(address, token)
    orders = []
    for take in (1, 2):
        quote = agent.call("quote", wanted=WANTED | {"take": take})
        orders.append({name: quote[name] for name in ("wanted", "credits", "confirmation")})

    first = agent.call("order", **orders[0])
    assert agent.refused("order", **orders[1]).endswith(
        "This API token has reached its cap. Make another token, or order without one. (token_cap_reached)"
    )
    assert agent.call("order", **orders[0])["id"] == first["id"]
    assert len(clips()) == 1


def test_wait_ends_in_time(agent: Agent) -> None:
    """A clip that is still under way is told as it is, to be waited for again."""
    quote = agent.call("quote", wanted=WANTED)
    ordered = agent.call("order", **{name: quote[name] for name in ("wanted", "credits", "confirmation")})

    clip = agent.call("wait", id=ordered["id"], seconds=0)

    assert (clip["status"], clip["ended"]) == ("pending", False)
    assert "is no id of a clip" in agent.refused("wait", id="../credits")


def test_tools_say_what_they_do(agent: Agent) -> None:
    """Whoever approves calls sees which one orders, and that it can be repeated."""
    found = agent.tools()

    assert set(found) == {"list_models", "quote", "order", "wait", "find", "spend"}
    hints = {name: tool.annotations for name, tool in found.items() if tool.annotations is not None}
    assert {name for name, hint in hints.items() if not hint.read_only_hint} == {"order"}
    assert hints["order"].idempotent_hint is True
    assert all(tool.description and tool.output_schema for tool in found.values())
