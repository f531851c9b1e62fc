"""What a browser is told about every answer: whose scripts may run, who may frame it, what it may ask for and tell."""

import base64
import hashlib
import re
from collections.abc import Collection, Sequence
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import config, errors, installation
from core.webserver import hosts

_FOR_ALL = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": ", ".join(
        f"{feature}=()"
        for feature in (
            "accelerometer",
            "camera",
            "display-capture",
            "geolocation",
            "gyroscope",
            "hid",
            "magnetometer",
            "microphone",
            "midi",
            "payment",
            "serial",
            "usb",
        )
    ),
}


class SecurityHeaders:
    """Adds to every answer the headers that it has not set itself.

    `scripts` are the inline scripts of the dashboard's own page; no other may run.
    """

    def __init__(self, app: ASGIApp, *, scripts: Collection[str] = ()) -> None:
        self._app = app
        self._script_hashes = [_hash(script) for script in scripts]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and look at the head of its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(raw=list(message.get("headers", ())))
                for name, value in {"Content-Security-Policy": self._policy(scope), **_FOR_ALL}.items():
                    headers.setdefault(name, value)
                message = {**message, "headers": headers.raw}
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception:
            if not started:  # or the answer to a failure would be the only one without them
                answer = PlainTextResponse(errors.AppError.sentence, status_code=500)
                await answer(scope, receive, send_with_headers)
            raise  # the server logs it

    def _policy(self, scope: Scope) -> str:
        ancestors = " ".join(("'self'", *installation.current().settings.frame_ancestors))
        if f"{config.API_PATH}/" in scope["path"]:
            return f"{_FOR_DATA}; frame-ancestors {ancestors}"
        host = Headers(scope=scope).get("host", "")
        return page_policy(
            self._script_hashes,
            host=host if hosts.name_of(host) else "",
            frame_ancestors=ancestors,
            media=_source(installation.current().media_place),
        )


_FOR_DATA = (
    # A browser that opens a clip or a picture by itself puts it into a page of its own, which falls under this, too.
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)


def page_policy(script_hashes: Sequence[str], *, host: str, frame_ancestors: str, media: str = "") -> str:
    """The policy of a page: all from here. Streamlit loads our elements as blobs and styles its parts inline.

    `media` is where else pictures, clips and sounds may come from: the bucket of this installation, and no other.

    `host` is named for websockets, which older browsers do not count as 'self'. Text may be evaluated, since what
    drives a browser for people (tests, tools of accessibility) does so in the page; whoever could misuse it would have
    to run a script first, and none from elsewhere and none written into a page runs.
    """
    sockets = f" ws://{host} wss://{host}" if host else ""
    media = f" {media}" if media else ""
    hashes = "".join(f" '{found}'" for found in script_hashes)
    return (
        f"default-src 'self'; script-src 'self' 'unsafe-eval' blob:{hashes}; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data: blob:{media}; media-src 'self' blob:{media}; font-src 'self' data:; "
        f"connect-src 'self'{sockets}; "
        f"worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; "
        f"frame-ancestors {frame_ancestors}"
    )


def _source(place: str | None) -> str:
    """An address as a policy names it: its signs that would end one are written otherwise."""
    return quote(place, safe="/:-_.~%[]") if place else ""


def inline_scripts(html: str) -> list[str]:
    """The scripts that stand in a page itself."""
    return re.findall(r"<script>(.*?)</script>", html, re.DOTALL)


def _hash(script: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
