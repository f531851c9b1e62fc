"""All that a browser is told by a server, whether its pages show it or not."""

from dataclasses import dataclass, field
from typing import NamedTuple

from playwright.sync_api import Response, WebSocket

from tests.browser.conftest import Visit

WEBSOCKET = "websocket"


class Told(NamedTuple):
    """What was told while `Ear.where` said so, by the answer of an address or by a websocket; in small letters."""

    where: str
    source: str
    said: bytes


@dataclass
class Ear:
    """Hears websockets, the texts of answers and all addresses; made before the page whose websocket is to be heard."""

    visit: Visit
    heard: list[Told] = field(default_factory=list)
    where: str = ""

    def __post_init__(self) -> None:
        self.visit.context.on("response", self._answer)
        self.visit.context.on("page", lambda page: page.on("websocket", self._socket))

    def leaks(self, word: str) -> list[str]:
        """Where and by what this word was told, in whatever letters."""
        return [f"{where}: {source}" for where, source, said in self.heard if word.lower().encode() in said]

    def _answer(self, response: Response) -> None:
        kind = response.headers.get("content-type", "")
        is_text = kind.startswith(("text/", "application/json")) and "/static/" not in response.url and response.ok
        self._take(response.url, response.url.encode() + (response.body() if is_text else b""))

    def _socket(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda said: self._take(WEBSOCKET, said))

    def _take(self, source: str, said: str | bytes) -> None:
        told = said.encode() if isinstance(said, str) else said
        self.heard.append(Told(self.where, source, told.lower()))
