"""A running app whose people sign in at an identity provider, on one node or on several, for tests."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
from websockets import Origin
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests import postgres, redis
from tests.fixtures.front import Front, front
from tests.fixtures.identity_provider import CLIENT_ID, CLIENT_SECRET, Account, IdentityProvider, identity_provider
from tests.system.app import App, free_port

NOTHING: Mapping[str, Any] = MappingProxyType({})
SECRET_KEY = "a key that all nodes of a test share"


@dataclass(frozen=True)
class Site:
    """What browsers reach at `address`, the nodes behind it, and where its people sign in."""

    address: str
    nodes: Sequence[App]
    provider: IdentityProvider
    front: Front | None

    @property
    def app(self) -> App:
        """The first node."""
        return self.nodes[0]


@contextmanager
def signing_in(
    folder: Path,
    accounts: Sequence[Account],
    *,
    nodes: int = 1,
    prefix: str = "",
    base_path: str = "",
    environ: Mapping[str, str] = NOTHING,
    options: Sequence[str] = (),
    provider_options: Mapping[str, Any] = NOTHING,
    last: Mapping[str, str] = NOTHING,
) -> Iterator[Site]:
    """The app, with `environ` beside what sign-in needs and `options` of Streamlit.

    Several nodes are behind a front without affinity and share PostgreSQL and Redis; nobody works there. A `prefix`
    is the path that the front takes off, `base_path` the one below which Streamlit serves. `last` are variables of the
    last node alone.
    """
    with ExitStack() as opened:
        ports = tuple(free_port() for _ in range(nodes))
        address, proxy = f"http://127.0.0.1:{ports[0]}", None
        if nodes > 1 or prefix:
            address, proxy = opened.enter_context(front(prefix, *ports))
        address += base_path
        if base_path:
            options = [*options, "--server.baseUrlPath", base_path.strip("/")]
        provider = opened.enter_context(identity_provider(address, accounts, **provider_options))
        variables = sign_in_variables(provider, address) | dict(environ)
        if nodes > 1:
            variables["DATABASE_URL"] = opened.enter_context(postgres.migrated())
            variables["REDIS_URL"] = opened.enter_context(redis.server())
            variables["STORAGE_URL"] = (folder / "media").as_uri()
        started = []
        for number, port in enumerate(ports):
            own = folder / f"node-{number}"
            own.mkdir(parents=True, exist_ok=True)
            its_own = variables | dict(last) if number == nodes - 1 else variables
            started.append(App(own, port=port, options=options, environ=its_own))
            opened.callback(_stop, started[-1])
        yield Site(address, started, provider, proxy)


def sign_in_variables(provider: IdentityProvider, public_url: str) -> dict[str, str]:
    """What tells the app of its provider and of its own address."""
    return {
        "AUTH_MODE": "oidc",
        "PUBLIC_URL": public_url,
        "OIDC_ISSUER": provider.issuer,
        "OIDC_CLIENT_ID": CLIENT_ID,
        "OIDC_CLIENT_SECRET": CLIENT_SECRET,
        "SECRET_KEY": SECRET_KEY,
    }


def _stop(app: App) -> None:
    if app.process.poll() is None:
        app.stop()


@contextmanager
def browser(site: Site, subject: str | None = None) -> Iterator[httpx.Client]:
    """A client with cookies whose addresses are paths below the site's; of somebody who has signed in, or of nobody."""
    with httpx.Client(base_url=site.address, trust_env=False, timeout=30) as client:
        if subject is not None:
            begun = client.get("/auth/login").headers["location"]
            answer = client.get(site.provider.let_in(client, begun, subject))
            assert answer.is_redirect, answer.text
        yield client


def status_of_websocket(port: int, path: str, *, origin: str, headers: Mapping[str, str]) -> int:
    """How a request for a websocket of Streamlit's is answered: 101 where it is opened."""
    address = f"ws://127.0.0.1:{port}{path}"
    try:
        with connect(address, origin=Origin(origin), proxy=None, additional_headers=headers):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code
