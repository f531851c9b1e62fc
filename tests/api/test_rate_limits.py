from collections.abc import Iterator
from dataclasses import replace

import pytest

from core.installation import Installation, using
from tests import redis
from tests.api.conftest import Client, refusal
from tests.factories import installations


@pytest.fixture
def limited(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installation with a Redis that the app has brought, and 3 requests a minute for each token."""
    monkeypatch.setenv("API_REQUESTS_PER_MINUTE", "3")
    with redis.server() as url, using(replace(installations.reopen(), redis_url=url)):
        yield


def test_too_many_requests(limited: None, ana: Client, ben: Client) -> None:
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


def test_refused_requests_count(limited: None, ana: Client) -> None:
    """What is refused for its content was a request as well."""
    for _ in range(3):
        assert ana.post("/generate", json={}).status_code == 422

    assert ana.post("/generate", json={}).status_code == 429


def test_redis_away(installation: Installation, ana: Client) -> None:
    """Without Redis everything is answered and nothing is told of a limit."""
    with using(replace(installation, redis_url="redis://127.0.0.1:9/2")):
        answer = ana.get("/credits")

    assert answer.status_code == 200
    assert "ratelimit" not in answer.headers
