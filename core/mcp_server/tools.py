"""The tools that agents have: what they say of themselves is what an agent goes by. A refusal is a sentence to it."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated

import anyio
import anyio.to_thread
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import BaseModel, Field

from core.rest_client import Client
from core.rest_client.answers import Clip, Model, Ordered, Quote, Spend, Wanted
from core.rest_client.problems import ClientProblem, Refused

NAME = "ai-video-generator"
INSTRUCTIONS = """Makes video clips with several AI providers. Clips cost credits.

1. `list_models` tells what can be made. 2. `quote` tells the price and a confirmation; nothing is ordered. Tell the
person the price. 3. `order` with `wanted`, `credits` and `confirmation` of the quote. 4. `wait` until
`ended`; call it again while it is not.

When an answer is lost or a call fails on its way, call `order` again with the same arguments: it stays one clip and one
charge. The same wish is the same clip for ever; for a further one quote and order it with `take` 2, 3, and so on."""

USUAL_WAIT_SECONDS = 40
LONGEST_WAIT_SECONDS = 300

_LOOKS = ToolAnnotations(read_only_hint=True, open_world_hint=True)
_ORDERS = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=True)

ClipId = Annotated[str, Field(description="The id of a clip.")]


class Models(BaseModel):
    """What can be made."""

    models: list[Model]


class Clips(BaseModel):
    """Clips, newest first."""

    clips: list[Clip]


class Tools:
    """The tools, as one caller of the API."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def list_models(
        self, all_models: Annotated[bool, Field(description="Also those that cannot be ordered here now.")] = False
    ) -> Models:
        """List the models: what each makes, and what it costs in its usual length at 720p."""
        with _told():
            return Models(models=[model for model in self._client.models() if all_models or model.orderable])

    def quote(self, wanted: Wanted) -> Quote:
        """Tell the price of a clip and the confirmation that order needs. Nothing is ordered, nothing is charged.

        The answer has `wanted` with everything said. Without a confirmation it cannot be made, and reasons say why.
        """
        with _told():
            return self._client.quote(wanted)

    def order(
        self,
        wanted: Wanted,
        credits: Annotated[int, Field(description="The price that quote told.")],
        confirmation: Annotated[str, Field(description="The confirmation that quote gave for just this.")],
    ) -> Ordered:
        """Order the clip that was quoted, with credits and confirmation of the quote.

        Its price is reserved now and charged when it is done. Calling it again with the same arguments is safe: it
        orders nothing more and tells the same clip, with is_repeat. One that is awaiting_approval is made once a
        manager of the workspace has approved it.
        """
        with _told():
            return self._client.order(wanted, credits=credits, confirmation=confirmation)

    async def wait(
        self,
        id: ClipId,
        context: Context,
        seconds: Annotated[int, Field(ge=0, le=LONGEST_WAIT_SECONDS, description="How long to wait at most.")] = (
            USUAL_WAIT_SECONDS
        ),
    ) -> Clip:
        """Wait until a clip has ended, or for so many seconds. Call it again while `ended` is false.

        A clip that is `uncertain` waits for an administrator, one with the stage `approval` for a manager: waiting for
        it is of no use.
        """
        end = anyio.current_time() + seconds
        with _told():
            while True:
                progress, pause = await anyio.to_thread.run_sync(self._client.progress, id)
                await context.report_progress(progress.progress, 100, progress.status)
                left = end - anyio.current_time()
                if progress.is_at_rest or left <= 0:
                    return await anyio.to_thread.run_sync(self._client.clip, id)
                await anyio.sleep(min(pause, left))

    def find(
        self,
        words: Annotated[str, Field(description="Words, or beginnings of words, of the prompt.")] = "",
        status: Annotated[
            list[str] | None,
            Field(description="Any of pending, processing, completed, failed, cancelled, uncertain."),
        ] = None,
        model: Annotated[str | None, Field(description="The id of a model.")] = None,
        project: Annotated[str | None, Field(description="Name or id of a project.")] = None,
        limit: Annotated[int, Field(ge=1, le=200)] = 20,
    ) -> Clips:
        """Find clips, newest first, with a link to each file that is there."""
        with _told():
            found = self._client.find(words=words, status=status or (), model=model, project=project, limit=limit)
            return Clips(clips=found)

    def spend(
        self,
        since: Annotated[date | None, Field(description="First day in UTC; null: the last 30 days.")] = None,
        until: Annotated[date | None, Field(description="Last day in UTC; null: today.")] = None,
        project: Annotated[str | None, Field(description="Name or id of a project.")] = None,
    ) -> Spend:
        """Tell the credits that can be spent, those that are reserved, and what was charged between two days."""
        with _told():
            return self._client.spend(since=since, until=until, project=project)


def server(client: Client) -> MCPServer:
    """The server of one caller."""
    made: MCPServer = MCPServer(NAME, title="AI Video Generator", instructions=INSTRUCTIONS, log_level="WARNING")
    tools = Tools(client)
    for tool in (tools.list_models, tools.quote, tools.wait, tools.find, tools.spend):
        made.add_tool(tool, description=inspect.cleandoc(tool.__doc__ or ""), annotations=_LOOKS)
    made.add_tool(tools.order, description=inspect.cleandoc(tools.order.__doc__ or ""), annotations=_ORDERS)
    return made


@contextmanager
def _told() -> Iterator[None]:
    """Tell an agent in a sentence why something cannot be done."""
    try:
        yield
    except Refused as refused:
        raise ToolError(f"{refused} ({refused.code})") from None
    except ClientProblem as problem:
        raise ToolError(str(problem)) from None
