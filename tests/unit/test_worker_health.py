import socket
from collections.abc import Iterator

import httpx
import pytest

from core.startup import StartError
from core.status_server import Answer
from core.worker.health import HealthServer, Pulse


class Clock:
    """A clock that goes only when it is told to."""

    seconds = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    """Stands still."""
    return Clock()


@pytest.fixture
def pulse(clock: Clock) -> Pulse:
    """Of a loop that has not begun."""
    return Pulse(monotonic=clock)


@pytest.fixture
def server(pulse: Pulse) -> HealthServer:
    """Tells of it."""
    return HealthServer(pulse, "submit")


@pytest.fixture
def client(server: HealthServer) -> Iterator[httpx.Client]:
    """Asks it."""
    with server.serving("127.0.0.1", 0) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}") as found:
        yield found


def codes(client: httpx.Client) -> tuple[int, int]:
    """What /health and /ready answer."""
    return client.get("/health").status_code, client.get("/ready").status_code


def test_health_through_the_life_of_a_loop(clock: Clock, pulse: Pulse, client: httpx.Client) -> None:
    """It lives from its start on unless the loop stands still; it is ready while its rounds go well."""
    assert codes(client) == (200, 503)
    clock.seconds += 3600  # it waits for a database, or somebody brings the schema up to date
    assert client.get("/health").json() == {"role": "submit", "state": "starting", "beatSecondsAgo": None}
    assert codes(client) == (200, 503)

    pulse.beat()
    clock.seconds += 9.9
    assert codes(client) == (200, 200)
    assert client.get("/health").json() == {"role": "submit", "state": "working", "beatSecondsAgo": 9.9}
    clock.seconds += 0.1
    assert codes(client) == (503, 503)
    assert client.get("/ready").json()["state"] == "late"
    pulse.beat()
    assert codes(client) == (200, 200)

    pulse.beat(is_well=False, pause_seconds=8)
    clock.seconds += 17.9
    assert codes(client) == (200, 503)
    assert client.get("/ready").json()["state"] == "waiting"
    clock.seconds += 0.1
    assert codes(client) == (503, 503)

    pulse.end()
    clock.seconds += 3600
    assert codes(client) == (200, 503)
    assert client.get("/health").json()["state"] == "ending"


def test_addresses_that_others_add(server: HealthServer, client: httpx.Client) -> None:
    """One more address answers what it is given; anything else is nothing, and HEAD has no body."""
    server.add("/metrics", lambda: Answer(b"video_looks_total 3\n", "text/plain"))
    answer = client.get("/metrics?format=text")
    assert (answer.status_code, answer.text) == (200, "video_looks_total 3\n")
    assert answer.headers["content-type"] == "text/plain"
    assert client.head("/metrics").headers["content-length"] == "20"
    assert client.get("/").status_code == 404
    assert client.post("/health").status_code == 501


def test_address_that_breaks_leaves_the_others(server: HealthServer, client: httpx.Client) -> None:
    """What an added address raises ends that answer alone."""

    def broken() -> Answer:
        raise RuntimeError

    server.add("/broken", broken)
    assert client.get("/broken").status_code == 500
    assert client.get("/health").status_code == 200


def test_port_that_is_taken(server: HealthServer) -> None:
    """A start that cannot tell how it is ends with a sentence."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(StartError, match=f"--health-port: 127.0.0.1 port {port} cannot be used: Address already"),
            server.serving("127.0.0.1", port),
        ):
            pass


def test_why_a_loop_waits(pulse: Pulse, client: httpx.Client) -> None:
    """Where there is more to say than that it waits, it is said, and no longer than it holds."""
    pulse.beat(is_well=False, waits_for="the clock")
    answer = client.get("/ready")
    assert (answer.status_code, answer.json()["waitsFor"]) == (503, "the clock")
    assert client.get("/health").status_code == 200
    pulse.beat()
    assert "waitsFor" not in client.get("/ready").json()
