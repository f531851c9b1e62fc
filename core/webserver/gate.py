"""Who may come in: strangers, wrong names, foreign pages, and bodies whose end can be read in two ways may not.

It decides by the head of a request alone; who a caller is, and what they may do, is asked behind it.
"""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from core import config, installation
from core.api.http.error_handlers import error_response
from core.config import Settings
from core.webserver import hosts

_FOR_BROWSERS = re.compile(r"/_stcore/(?:health|host-config|stream|(?:upload_file|bidi-components)/.+)")
"""What the dashboard's pages ask of Streamlit. Its metrics, its agent API and its other tools answer nobody."""

_OF_STREAMLIT = re.compile(r"/(?:_stcore(?:/|$)|oauth2callback$)")
_SIGN_IN = "/auth/"
HEALTH_PATH = "/_stcore/health"

_API_LIKE = re.compile(r"(?:^|/)api(?:/|$)", re.IGNORECASE)


class Gate:
    """Refuses what should not reach the dashboard or the API.

    `base_path` is where Streamlit serves the dashboard: empty, or a path that begins with a slash. `allowed_hosts` are
    names beside those of the settings.
    """

    def __init__(self, app: ASGIApp, *, base_path: str = "", allowed_hosts: Collection[str] = ()) -> None:
        self._app = app
        self._base_path = base_path
        self._allowed_hosts = allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer in its place."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope, installation.current().settings)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, send)

    def _refusal(self, scope: Scope, settings: Settings) -> Response | None:
        """The answer to what is refused; None for what may come in."""
        headers = Headers(scope=scope)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        below = path.removeprefix(self._base_path) if self._base_path else path
        is_api = below.startswith(f"{config.API_PATH}/") or path.startswith(f"{config.API_PATH}/")
        if settings.auth_mode == "local":
            if not _is_of_this_machine(scope, headers):
                return _refuse(403, "forbidden", _LOCAL_ONLY, as_json=is_api)
        elif not is_api and below != HEALTH_PATH and not self._is_known_host(headers.get("host", ""), settings):
            return _refuse(403, "forbidden", _UNKNOWN_HOST, as_json=False)
        if scope["type"] == "websocket":
            return None if _is_own_page(headers, settings) else _refuse(403, "forbidden", _FOREIGN, as_json=False)
        if _is_framed_in_two_ways(headers):
            return _refuse(400, "invalid_body", _FRAMING, as_json=is_api, headers={"Connection": "close"})
        if _API_LIKE.search(path) and not is_api:
            return _refuse(404, "not_found", "There is nothing at this address.", as_json=True)
        is_hidden = _OF_STREAMLIT.match(below) and not _FOR_BROWSERS.fullmatch(below)
        if is_hidden or (below.startswith(_SIGN_IN) and not settings.has_sign_in):
            return _refuse(404, "not_found", "There is nothing at this address.", as_json=False)
        return None

    def _is_known_host(self, host: str, settings: Settings) -> bool:
        """Whether a Host header is one of ours, so that no web page can come in by a name that it points at us."""
        own = urlsplit(settings.public_url).hostname
        allowed = {*settings.allowed_hosts, *self._allowed_hosts, *((own,) if own else ())}
        return hosts.is_local_name(host) or hosts.is_address(host) or hosts.is_listed(host, allowed)


_LOCAL_ONLY = "This installation has no sign-in and answers its own machine only. See AUTH_MODE in the README."
_UNKNOWN_HOST = "This installation does not know this host name. See ALLOWED_HOSTS in the settings."
_FOREIGN = "Only the dashboard's own pages may connect."
_FRAMING = "The length of the request's body is said in two ways, or in one that is not understood."


def _is_of_this_machine(scope: Scope, headers: Headers) -> bool:
    """From loopback, for a name of this machine (else a web page could rebind its name to us), for nobody else."""
    client = scope.get("client")
    return (
        client is not None
        and hosts.is_loopback(client[0])
        and hosts.is_local_name(headers.get("host", ""))
        and not any(hosts.speaks_for_a_stranger(name, value) for name, value in headers.items())
    )


def _is_own_page(headers: Headers, settings: Settings) -> bool:
    """Whether the page that opens a websocket came from here; every browser says where a page came from."""
    origin, host = headers.get("origin", ""), headers.get("host", "")
    scheme, separator, place = origin.partition("://")
    if not separator or scheme not in ("http", "https"):
        return False
    own = {config.host_port(f"{scheme}://{host}")} if hosts.name_of(host) else set()
    if settings.public_url:
        own.add(config.host_port(settings.public_url))
    return hosts.name_of(place) is not None and config.host_port(origin) in own


def _is_framed_in_two_ways(headers: Headers) -> bool:
    """Whether two readers could see the body's end in two places (RFC 9112, 6.3: smuggling)."""
    codings, lengths = headers.getlist("transfer-encoding"), headers.getlist("content-length")
    if codings:
        return bool(lengths) or [coding.strip(" \t").lower() for coding in codings] != ["chunked"]
    return len(lengths) > 1 or not all(length.isascii() and length.isdigit() for length in lengths)


def _refuse(status: int, code: str, sentence: str, *, as_json: bool, headers: dict[str, str] | None = None) -> Response:
    if as_json:
        return error_response(status, code, sentence, headers=headers)
    return PlainTextResponse(sentence, status_code=status, headers=headers)
