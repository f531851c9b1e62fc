"""Puts what a page looks like into the document that every page of the dashboard begins as.

Sent with the pages themselves it would arrive after their first parts were drawn, which would jump.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MARK = b'<div id="root">'
"""What only the document of Streamlit has."""
_CONDITIONS = {b"accept-encoding", b"if-none-match", b"if-modified-since", b"range"}
"""What a browser may ask for in a head, and what would make the answer one that nothing can be put into."""


class FirstPaint:
    """Writes `head` at the end of the document's head, and `title` for its title; other answers pass as they are."""

    def __init__(self, app: ASGIApp, *, head: str, title: str) -> None:
        self._app = app
        self._head = head.encode()
        self._title = title.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; hold back the answer to one for a document until all of it is here."""
        if scope["type"] != "http" or scope["method"] != "GET" or not _asks_for_document(scope):
            await self._app(scope, receive, send)
            return
        asked = {**scope, "headers": [pair for pair in scope["headers"] if pair[0].lower() not in _CONDITIONS]}
        held: list[Message] = []

        async def collect(message: Message) -> None:
            if held or _is_document(message):
                held.append(message)
            if not held or message["type"] != "http.response.body":
                if not held:
                    await send(message)
                return
            if not message.get("more_body"):
                for changed in self._with_head(held):
                    await send(changed)
                held.clear()

        await self._app(asked, receive, collect)

    def _with_head(self, held: list[Message]) -> list[Message]:
        start, body = held[0], b"".join(message.get("body", b"") for message in held[1:])
        if _MARK in body:
            body = body.replace(b"<title>Streamlit</title>", b"<title>" + self._title + b"</title>", 1)
            body = body.replace(b"</head>", self._head + b"</head>", 1)
        headers = MutableHeaders(raw=list(start.get("headers", ())))
        headers["content-length"] = str(len(body))
        for name in ("etag", "last-modified", "accept-ranges"):  # those of the document without the head
            del headers[name]
        return [{**start, "headers": headers.raw}, {"type": "http.response.body", "body": body}]


def _asks_for_document(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return "text/html" in headers.get("accept", "") and "." not in scope["path"].rpartition("/")[2]


def _is_document(message: Message) -> bool:
    if message["type"] != "http.response.start" or message["status"] != 200:
        return False
    headers = Headers(raw=message.get("headers", []))
    return headers.get("content-type", "").startswith("text/html")
