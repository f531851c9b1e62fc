"""One of two nodes has a wrong clock: what ends at a moment ends at both by the clock of their database."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import psycopg
import pytest
from sqlalchemy import select

from core.clock import utc_now
from core.db import Database
from core.db.tables import ApiToken, User
from core.files import signed_urls
from core.identity import api_tokens
from tests.fixtures.identity_provider import Account
from tests.fixtures.moved_clock import IS_POSSIBLE, WHY_NOT, Clock
from tests.system.app import API
from tests.system.sign_in import SECRET_KEY, Site, browser, signing_in

pytestmark = [
    pytest.mark.process,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not IS_POSSIBLE, reason=WHY_NOT),
]

HOUR = 3600
KEY = "videos/0/none.mp4"
OVER, LASTS = -timedelta(minutes=5), timedelta(hours=1)


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Clock:
    """The clock of the second node."""
    return Clock(tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="module")
def site(clock: Clock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two nodes on PostgreSQL."""
    clock.set(-7 * HOUR)  # it starts so
    accounts = [Account("ana", "ana@example.org", "Ana")]
    with signing_in(tmp_path_factory.mktemp("nodes"), accounts, nodes=2, last=clock.environ) as found:
        yield found


def change(site: Site, statement: str, *values: object) -> None:
    """Change something in the database of both."""
    with psycopg.connect(site.app.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(statement, values)


def at_each(site: Site, path: str, headers: dict[str, str]) -> list[int]:
    """What the right node answers, and the one with the wrong clock."""
    places = [f"http://127.0.0.1:{node.port}{path}" for node in site.nodes]
    return [httpx.get(each, headers=headers, trust_env=False, timeout=60).status_code for each in places]


@pytest.mark.parametrize("hours", [-7, 7])
def test_clock_of_one_node_is_wrong(site: Site, clock: Clock, hours: int) -> None:
    """Signing in across both, sessions, API tokens, one-time links and signed links: both say the same of each."""
    clock.set(hours * HOUR)
    first, second = (f"http://127.0.0.1:{node.port}" for node in site.nodes)
    for began, ended in ((first, second), (second, first)):
        with browser(site) as client:
            begun = client.get(f"{began}/auth/login").headers["location"]
            answer = client.get(site.provider.let_in(client, begun, "ana").replace(site.address, ended))
            assert answer.status_code == 303, answer.text
            [held] = [str(each.value) for each in client.cookies.jar if each.name == "avg"]
    cookie = {"Cookie": f"avg={held}"}
    _links(site, cookie)
    _tokens(site)
    _one_time_links(site)
    assert at_each(site, f"{API}/projects", cookie) == [200, 200]
    change(site, "UPDATE browser_sessions SET seen_at = seen_at - interval '29 days'")
    assert at_each(site, f"{API}/projects", cookie) == [401, 401]
    change(site, "UPDATE browser_sessions SET seen_at = clock_timestamp()")
    assert at_each(site, f"{API}/projects", cookie) == [200, 200]
    change(site, "UPDATE browser_sessions SET ends_at = clock_timestamp() - interval '5 minutes'")
    assert at_each(site, f"{API}/projects", cookie) == [401, 401]


def _links(site: Site, cookie: dict[str, str]) -> None:
    """A signed link that is over, and one that holds, whose file is not there."""
    for moved, status in ((OVER - timedelta(minutes=15), 403), (LASTS, 404)):
        link = signed_urls.sign(KEY, secret=SECRET_KEY.encode(), now=utc_now() + moved, lifetime_seconds=0)
        assert at_each(site, link, cookie) == [status, status]


def _tokens(site: Site) -> None:
    """One that is made for a day at the node with the wrong clock; one that is over, and one that holds for an hour."""
    made = site.nodes[1].admin("token", "ana@example.org", "--days", "1").splitlines()[-1]
    database = Database(site.app.environ["DATABASE_URL"])
    try:
        with database.write_session() as session:
            [day] = session.scalars(select(ApiToken.expires_at).where(ApiToken.token_hash == api_tokens.hash_of(made)))
            assert day is not None
            assert abs(day - utc_now() - timedelta(days=1)) < timedelta(minutes=10)
            ana = session.scalars(select(User).where(User.email == "ana@example.org")).one()
            over, lasting = (api_tokens.create(session, ana, name=name) for name in ("over", "lasting"))
            for token, moved in ((over, OVER), (lasting, LASTS)):
                row = session.scalars(select(ApiToken).where(ApiToken.token_hash == api_tokens.hash_of(token))).one()
                row.expires_at = utc_now() + moved
    finally:
        database.dispose()
    for token, status in ((made, 200), (over, 401), (lasting, 200)):
        assert at_each(site, f"{API}/projects", {"Authorization": f"Bearer {token}"}) == [status, status]


def _one_time_links(site: Site) -> None:
    """Made at the node with the wrong clock, good at both, for ten minutes."""
    made = site.nodes[1].admin("session", "ana@example.org").split()
    [path] = [word.removeprefix(site.address) for word in made if "/auth/link" in word]
    assert at_each(site, path, {}) == [200, 200]
    change(site, "UPDATE sign_in_links SET expires_at = clock_timestamp() - interval '1 minute'")
    assert at_each(site, path, {}) == [404, 404]
