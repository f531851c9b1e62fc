from collections.abc import Iterator
from http import HTTPStatus

import httpx
import pytest

from core import status_server
from core.status_server import Answer


def broken() -> Answer:
    """Somebody's figure that cannot be looked up now."""
    raise OSError


@pytest.fixture
def address() -> Iterator[str]:
    """A running server with an address that works, one that says no, and one that breaks."""
    paths = {
        "/metrics": lambda: Answer(b"one 1\n"),
        "/ready": lambda: Answer(b"no", status=HTTPStatus.SERVICE_UNAVAILABLE),
        "/broken": broken,
    }
    with status_server.serving("127.0.0.1", 0, paths) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/metrics", 200, "one 1\n"),
        ("/metrics?from=prometheus", 200, "one 1\n"),
        ("/ready", 503, "no"),
        ("/broken", 500, "It cannot be said now.\n"),
        ("/", 404, "There is nothing here.\n"),
    ],
)
def test_each_address_says_its_own(address: str, path: str, status: int, body: str) -> None:
    """What is handed in is said, what is not there is not, and what breaks breaks alone."""
    answer = httpx.get(f"{address}{path}", trust_env=False)
    assert (answer.status_code, answer.text) == (status, body)
    head = httpx.head(f"{address}{path}", trust_env=False)
    assert (head.status_code, head.text, head.headers["content-length"]) == (status, "", str(len(body)))


def test_port_that_is_taken(address: str) -> None:
    """Whoever wants a port that somebody has is told so at once."""
    with pytest.raises(OSError), status_server.serving("127.0.0.1", int(address.rpartition(":")[2]), {}):  # noqa: PT011
        pass


def test_port_is_free_afterwards() -> None:
    """A process that begins anew takes its port again at once."""
    with status_server.serving("127.0.0.1", 0, {}) as port:
        pass
    with status_server.serving("127.0.0.1", port, {}) as again:
        assert again == port
