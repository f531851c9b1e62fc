"""The composition root: the dashboard, the REST API beside it, and the demo's own Redis and worker.

`streamlit run app.py` is the command; Streamlit finds the app by the literal `app = st.App(...)` below.
"""

import gc
import logging
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from google.protobuf.message import DecodeError
from starlette.middleware import Middleware
from streamlit import config as streamlit_config
from streamlit import file_util, runtime
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime import stats

from core import config, installation, logs, metrics, process_settings, startup, status_server
from core.api import api, mounted, share_page
from core.api.http.origin import OriginMiddleware
from core.api.routers import metrics as api_metrics
from core.files import scratch
from core.generations import share_visits
from core.providers import connection
from core.sign_in import routes as sign_in
from core.sign_in.gate import SignInGate
from core.startup import StartError
from core.webserver import hosts
from core.webserver.base_path import BasePath
from core.webserver.connection_limits import ConnectionLimits
from core.webserver.first_paint import FirstPaint
from core.webserver.gate import HEALTH_PATH, Gate
from core.webserver.observation import Observation
from core.webserver.security_headers import SecurityHeaders, inline_scripts
from core.worker import local_stack, recovery, seen
from pages.elements import live_endpoint, upload_endpoint, viewer_endpoint
from pages.ui import language, look

log = logging.getLogger("app")
PATIENCE_SECONDS = 5.0
"""How long a person or a script waits for a database that somebody else holds, before they are told to come back."""

BASE_PATH = f"/{base}" if (base := (st.get_option("server.baseUrlPath") or "").strip("/")) else ""
"""Below which path Streamlit serves the pages (`server.baseUrlPath`); the API is there, too, and where it always is."""

MOUNTS = ("", *((BASE_PATH,) if BASE_PATH else ()))
API_PATHS = tuple(f"{mount}{config.API_PATH}" for mount in MOUNTS)

SHARE_PATHS = tuple(f"{mount}{share_visits.PATH}" for mount in MOUNTS)

ALLOWED_HOSTS = [name for item in st.get_option("server.allowedHosts") for name in item.split(",")]
"""As `server.allowedHosts` has them; Streamlit does not take commas in the environment apart."""

OPEN_PATHS = (HEALTH_PATH, f"{share_visits.PATH}/", "/static/js/", "/static/css/", "/static/media/")
"""What people may ask for who are not signed in: a probe, links for people outside, and the published files of
Streamlit, which say nothing of this installation: a page that is open loads more of them when it needs them, also to
say that its person has signed out."""

SCRIPTS = inline_scripts((Path(file_util.get_static_dir()) / "index.html").read_text(encoding="utf-8"))


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Everything that the app works with, for as long as it runs; a start that cannot work ends with one sentence."""
    with ExitStack() as stack:
        os.umask(startup.PRIVATE)
        try:
            logs.configure("web", form=process_settings.log_format())
            _start(stack)
        except StartError as refused:
            stack.close()
            startup.end_process(refused)
        yield


def _start(stack: ExitStack) -> None:
    """Check the settings, bring the schema up to date, start what the demo brings; the stack ends it with the app."""
    settings = process_settings.read()
    _check_address(settings)
    _leave_hosts_to_gate(settings)
    logging.getLogger("uvicorn.access").disabled = True  # it would log signed links
    stack.enter_context(seen.traced(settings, "web"))
    opened = stack.enter_context(installation.opened(settings, patience_seconds=PATIENCE_SECONDS, role="web"))
    recovery.at_start(opened)
    _watch(stack, opened)
    if settings.is_demo:
        redis_url = stack.enter_context(local_stack.running(settings))
        stack.enter_context(installation.using(replace(opened, redis_url=redis_url)))
    else:  # in the demo the worker that it brings says so
        log.info("Providers that can be used: %s.", connection.summary(settings))
    stack.enter_context(scratch.opened(settings.incoming_dir))
    stack.enter_context(api.state.hub.ending_with_process())
    gc.collect()
    gc.freeze()  # what is loaded now is never collected again: measured to keep ordinary collections cheap


def _watch(stack: ExitStack, opened: installation.Installation) -> None:
    """Let those who watch see inside: metrics on a port of their own, and spans."""
    settings = opened.settings
    metrics.SESSIONS.set_function(_open_pages)
    if settings.metrics_port is None:
        return
    answer = partial(_metrics, opened)
    try:
        stack.enter_context(
            status_server.serving(settings.metrics_host, settings.metrics_port, {status_server.METRICS: answer})
        )
    except OSError as taken:
        raise config.BadSetting(f"METRICS_PORT: {settings.metrics_port} cannot be used: {taken.strerror}.") from None


def _metrics(opened: installation.Installation) -> status_server.Answer:
    return status_server.Answer(metrics.text(api_metrics.figures(opened)), metrics.CONTENT_TYPE)


def _open_pages() -> float:
    """How many pages are open, as Streamlit counts them."""
    if not runtime.exists():
        return 0.0
    families = runtime.get_instance().stats_mgr.get_stats([stats.ACTIVE_SESSIONS_FAMILY])
    found = families.get(stats.ACTIVE_SESSIONS_FAMILY, ())
    return float(sum(each.value for each in found if isinstance(each, stats.GaugeStat)))


def _check_address(settings: config.Settings) -> None:
    address = st.get_option("server.address")
    if settings.issuers and settings.auth_mode == "oidc":
        log.info("People sign in with %s.", ", ".join(issuer.issuer for issuer in settings.issuers))
    if settings.auth_mode == "open":
        log.warning("AUTH_MODE=open: everybody who reaches this address works as %s.", config.LOCAL_PERSON)
    elif settings.auth_mode == "local" and address not in hosts.LOCAL_NAMES:
        raise config.BadSetting(
            f"server.address is {address or 'every address'}, but AUTH_MODE=local answers this machine only. "
            "Use --server.address 127.0.0.1, or set another AUTH_MODE."
        )


def _leave_hosts_to_gate(settings: config.Settings) -> None:
    """Let one rule decide for pages and websockets: Streamlit's own knows neither ALLOWED_HOSTS nor PUBLIC_URL."""
    streamlit_config.set_option("server.allowedHosts", [])
    if not settings.public_url:
        return
    parts = urlsplit(settings.public_url)
    if not parts.path.endswith(BASE_PATH):
        raise config.BadSetting(f"PUBLIC_URL: its path does not end with {BASE_PATH}, which is server.baseUrlPath.")
    streamlit_config.set_option("server.corsAllowedOrigins", [f"{parts.scheme}://{parts.netloc}"])


def _only_rerun(message: bytes) -> bytes:
    """Of what a page says by its websocket: draw this page again at its address, without any press or change."""
    try:
        said = BackMsg.FromString(message).rerun_script
    except DecodeError:
        said = ClientState()
    again = ClientState(
        query_string=said.query_string, page_script_hash=said.page_script_hash, context_info=said.context_info
    )
    made: bytes = BackMsg(rerun_script=again).SerializeToString()
    return made


WRITERS = language.writers()

app = st.App(
    Path(__file__).parent / "pages" / "shell.py",
    lifespan=lifespan,
    routes=[
        *(
            route
            for path in API_PATHS
            for route in (
                live_endpoint.route(path),
                upload_endpoint.route(path),
                viewer_endpoint.route(path),
                upload_endpoint.assets_route(path),
                mounted(path),
            )
        ),
        *(share_page.mounted(path, WRITERS) for path in SHARE_PATHS),
        *(sign_in.mounted(mount, sign_in.SignIn(base_path=BASE_PATH, writers=WRITERS)) for mount in MOUNTS),
    ],
    middleware=[
        Middleware(ConnectionLimits),
        Middleware(OriginMiddleware),
        Middleware(
            Observation,
            beside_api=(
                live_endpoint.NAME,
                upload_endpoint.NAME,
                upload_endpoint.ASSETS_NAME,
                viewer_endpoint.NAME,
            ),
        ),
        Middleware(SecurityHeaders, scripts=SCRIPTS),
        Middleware(BasePath, base_path=BASE_PATH),
        Middleware(Gate, base_path=BASE_PATH, allowed_hosts=ALLOWED_HOSTS),
        Middleware(SignInGate, base_path=BASE_PATH, open_paths=OPEN_PATHS, rerun=_only_rerun, writers=WRITERS),
        Middleware(FirstPaint, head=look.HEAD, title=look.NAME),
    ],
)

if __name__ == "__main__":
    app.run()
