"""The composition root: the dashboard, the REST API beside it, and the demo's own Redis and worker.

`streamlit run app.py` is the command; Streamlit finds the app by the literal `app = st.App(...)` below.
"""

import gc
import ipaddress
import logging
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from core import config, installation, startup
from core.api import api, mounted
from core.files import scratch
from core.providers import connection
from core.startup import StartError
from core.worker import local_stack, recovery
from pages.elements import live_endpoint

log = logging.getLogger("app")
PATIENCE_SECONDS = 5.0
"""How long a person or a script waits for a database that somebody else holds, before they are told to come back."""
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


class LocalOnly:
    """Refuses everybody but this machine while there is no sign-in (AUTH_MODE=local)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through when it came over loopback and was meant for this machine's own name."""
        if scope["type"] == "lifespan" or installation.current().settings.auth_mode != "local" or _is_local(scope):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        sentence = "This installation has no sign-in and answers its own machine only. See AUTH_MODE in the README."
        await PlainTextResponse(sentence, status_code=403)(scope, receive, send)


def _is_local(scope: Scope) -> bool:
    """From loopback, with a Host header that names this machine (else a web page could rebind its name to us)."""
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    client = scope.get("client")
    return name.strip("[]") in LOCAL_NAMES and client is not None and _is_loopback(client[0])


def _is_loopback(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return found.is_loopback or (isinstance(found, ipaddress.IPv6Address) and bool(found.ipv4_mapped))


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Everything that the app works with, for as long as it runs; a start that cannot work ends with one sentence."""
    with ExitStack() as stack:
        os.umask(startup.PRIVATE)
        logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        log.setLevel(logging.INFO)
        try:
            _start(stack)
        except StartError as refused:
            stack.close()
            startup.end_process(refused)
        yield


def _start(stack: ExitStack) -> None:
    """Check the settings, bring the schema up to date, start what the demo brings; the stack ends it with the app."""
    settings = connection.read_settings()
    _check_address(settings)
    logging.getLogger("uvicorn.access").disabled = True  # it would log signed links
    opened = stack.enter_context(installation.opened(settings, patience_seconds=PATIENCE_SECONDS))
    recovery.at_start(opened)
    if settings.is_demo:
        redis_url = stack.enter_context(local_stack.running(settings))
        stack.enter_context(installation.using(replace(opened, redis_url=redis_url)))
    else:  # in the demo the worker that it brings says so
        log.info("Providers that can be used: %s.", connection.summary(settings))
    stack.enter_context(scratch.opened(settings.incoming_dir))
    stack.enter_context(api.state.hub.ending_with_process())
    gc.collect()
    gc.freeze()  # what is loaded now is never collected again: measured to keep ordinary collections cheap


def _check_address(settings: config.Settings) -> None:
    address = st.get_option("server.address")
    if settings.auth_mode == "open":
        log.warning("AUTH_MODE=open: everybody who reaches this address works as %s.", config.LOCAL_PERSON)
    elif address not in LOCAL_NAMES:
        raise config.BadSetting(
            f"server.address is {address or 'every address'}, but AUTH_MODE=local answers this machine only. "
            "Use --server.address 127.0.0.1, or set AUTH_MODE=open."
        )


app = st.App(
    Path(__file__).parent / "pages" / "shell.py",
    lifespan=lifespan,
    routes=[live_endpoint.route(), mounted(config.API_PATH)],
    middleware=[Middleware(LocalOnly)],
)

if __name__ == "__main__":
    app.run()
