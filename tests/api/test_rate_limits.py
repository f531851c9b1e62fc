from collections.abc import Iterator

import pytest

from core import config
from core.config import Settings
from core.redis import connection as redis_connection
from tests import redis
from tests.api.conftest import Client, refusal


@pytest.fixture
def limited(installation: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """An installation with a Redis that the app has brought, and 3 requests a minute for each token."""
    monkeypatch.setenv("API_REQUESTS_PER_MINUTE", "3")
    config.settings.cache_clear()
    with redis.server() as url:
        redis_connection.set_local_url(url)
        yield config.settings()
        redis_connection.set_local_url(None)


def test_too_many_requests(limited: Settings, ana: Client, ben: Client) -> None:
    """Each answer tells what is left; the one too many is refused and says how long to wait; others are not held up."""
    left = []
    for _ in range(3):
        answer = ana.get("/credits")
        assert answer.status_code == 200
        assert answer.headers["ratelimit-policy"] == '"token";q=3;w=60'
        left.append(answer.headers["ratelimit"].partition(";t=")[0])
    assert left == ['"token";r=2', '"token";r=1', '"token";r=0']

    answer = ana.get("/credits")
    assert refusal(answer)[:2] == (429, "rate_limited")
    assert 1 <= int(answer.headers["retry-after"]) <= 20
    assert answer.headers["ratelimit"] == '"token";r=0;t=60'
    assert ben.get("/credits").status_code == 200
    assert ana.get("/health").status_code == 200


def test_refused_requests_count(limited: Settings, ana: Client) -> None:
    """What is refused for its content was a request as well."""
    for _ in range(3):
        assert ana.post("/generate", json={}).status_code == 422

    assert ana.post("/generate", json={}).status_code == 429


def test_redis_away(installation: Settings, ana: Client) -> None:
    """Without Redis everything is answered and nothing is told of a limit."""
    redis_connection.set_local_url("redis://127.0.0.1:9/2")
    try:
        answer = ana.get("/credits")
    finally:
        redis_connection.set_local_url(None)

    assert answer.status_code == 200
    assert "ratelimit" not in answer.headers
