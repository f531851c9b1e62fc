"""Below which path the installation is reached, when a front passes on only what is below it, with or without it."""

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import config, installation

_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+){1,8}")
_PREFIX_LIMIT_CHARS = 200


class BasePath:
    """Takes the path of the front off an address, and tells the API of it, whose links begin with it.

    The path is that of PUBLIC_URL, else what the front says in X-Forwarded-Prefix; `base_path` is what Streamlit
    serves below by itself (`server.baseUrlPath`): it stays.
    """

    def __init__(self, app: ASGIApp, *, base_path: str = "") -> None:
        self._app = app
        self._base_path = base_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on at the address that it has without the front."""
        front = self._front(scope) if scope["type"] in ("http", "websocket") else ""
        if not front:
            await self._app(scope, receive, send)
            return
        path, raw_path = scope["path"], scope.get("raw_path") or scope["path"].encode()
        if path == front or path.startswith(f"{front}/"):
            path, raw_path = path.removeprefix(front) or "/", raw_path.removeprefix(front.encode()) or b"/"
        if path.removeprefix(self._base_path).startswith(f"{config.API_PATH}/"):
            await self._app({**scope, "root_path": front, "path": f"{front}{path}"}, receive, send)
            return

        async def send_from_below(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=list(message.get("headers", ())))
                if (target := headers.get("location", "")).startswith("/"):
                    headers["location"] = f"{front}{target}"
                message = {**message, "headers": headers.raw}
            await send(message)

        await self._app({**scope, "path": path, "raw_path": raw_path}, receive, send_from_below)

    def _front(self, scope: Scope) -> str:
        """What a front takes off, or could have taken off; empty, or a path that begins with a slash."""
        if public_url := installation.current().settings.public_url:
            return urlsplit(public_url).path.rstrip("/").removesuffix(self._base_path)
        said = Headers(scope=scope).get("x-forwarded-prefix", "").rstrip("/")
        return said if len(said) <= _PREFIX_LIMIT_CHARS and _PREFIX.fullmatch(said) else ""
