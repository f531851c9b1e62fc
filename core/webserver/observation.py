"""How long each request took, by route and answer: as a metric, as a span where somebody wants them, as a line.

The line is written of what changes something and of what broke; all others are looks, of which there are many. It names
the route and never the address, which may let in.
"""

import logging
import time
from collections.abc import Collection
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import config, logs, metrics, tracing
from core.api.http.routing import OBSERVED
from core.generations import share_visits

log = logging.getLogger("requests")

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_LOOKS = ("GET", "HEAD", "OPTIONS")
_PLACES = (
    (f"{config.API_PATH}/", "api"),
    ("/_stcore/", "streamlit"),
    ("/static/", "static"),
    ("/component", "static"),
    ("/media/", "streamlit"),
    ("/auth/", "sign-in"),
    (f"{share_visits.PATH}/", "share"),
)
"""What an address has in it -> what is told of it; below these are keys, ids and file names."""


class Observation:
    """Measures everything behind it until its answer begins. `beside_api` are names of routes beside the API's own."""

    def __init__(self, app: ASGIApp, *, beside_api: Collection[str] = ()) -> None:
        self._app = app
        self._beside_api = {f"{config.API_PATH}/{name}": f"/{name}" for name in beside_api}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and tell of it once its answer begins."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, observed, code = time.monotonic(), dict[str, str](), 500
        method = scope["method"] if scope["method"] in _METHODS else "other"

        async def watched(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
                self._measured(method, self._route(scope, observed), code, time.monotonic() - began)
            await send(message)

        with _span(scope, method) as span:
            try:
                await self._app({**scope, OBSERVED: observed}, receive, watched)
            finally:
                if span is not None:
                    _name(span, method, self._route(scope, observed), code)

    def _route(self, scope: Scope, observed: dict[str, str]) -> str:
        """The route as the API declares it, else the place; never what was put in for an id."""
        if route := observed.get("route"):
            return route
        path: str = scope["path"]
        for end, route in self._beside_api.items():
            if path.endswith(end):
                return route
        return next((name for piece, name in _PLACES if piece in path), "page")

    def _measured(self, method: str, route: str, code: int, seconds: float) -> None:
        metrics.HTTP.labels(method, route, str(code)).observe(seconds)
        if code >= 500 or method not in _LOOKS:
            level = logging.WARNING if code >= 500 else logging.INFO
            log.log(level, "%s %s %s in %.3f s", method, route, code, seconds)


def _span(scope: Scope, method: str) -> Any:
    return tracing.span(
        method,
        traceparent=Headers(scope=scope).get("traceparent", "") if tracing.is_on() else "",
        http__request__method=method,
        video__request_id=logs.ids().get("request_id"),
    )


def _name(span: Any, method: str, route: str, code: int) -> None:
    span.update_name(f"{method} {route}")
    span.set_attribute("http.route", route)
    span.set_attribute("http.response.status_code", code)
