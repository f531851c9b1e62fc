"""Whether the loop of this process goes round, told over HTTP to whoever watches it: a container, a balancer, a person.

`/health` says whether it lives, `/ready` whether it can work now; others may add addresses (`HealthServer.add`).
Neither database nor Redis is asked: the loop itself says how its rounds went.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus

from core import status_server
from core.startup import StartError
from core.status_server import Answer

LATE_SECONDS = 10.0
"""A loop that has not gone round for so long, and has not said that it pauses, stands still."""


class Pulse:
    """When the loop of this process last went round, and whether that round could do its work."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._state = "starting"
        self._beat_at = 0.0
        self._late_at = 0.0
        self.waits_for = ""
        """What it waits for, in a sentence; empty where there is no more to say."""

    def beat(self, *, is_well: bool = True, pause_seconds: float = 0.0, waits_for: str = "") -> None:
        """A round is over; the next one may be `pause_seconds` later than usual."""
        self.waits_for = waits_for
        now = self._monotonic()
        self._beat_at, self._late_at = now, now + pause_seconds + LATE_SECONDS
        self._state = "working" if is_well else "waiting"

    def end(self) -> None:
        """There are no more rounds: what is under way is brought to its end, and takes as long as it takes."""
        self._state = "ending"

    @property
    def state(self) -> str:
        """starting, working, waiting (for what it needs, which is away), ending, or late: its loop stands still."""
        is_late = self._state in ("working", "waiting") and self._monotonic() >= self._late_at
        return "late" if is_late else self._state

    @property
    def beat_seconds_ago(self) -> float | None:
        """How long ago the last round was; None before the first."""
        return None if self._state == "starting" else self._monotonic() - self._beat_at


class HealthServer:
    """The addresses of one process: path -> what is asked for its answer at each request."""

    def __init__(self, pulse: Pulse, role: str) -> None:
        self._pulse = pulse
        self._role = role
        self._answers: dict[str, Callable[[], Answer]] = {"/health": self._health, "/ready": self._ready}

    def add(self, path: str, answer: Callable[[], Answer]) -> None:
        """One more address; `answer` is called in a thread of its own."""
        self._answers[path] = answer

    @contextmanager
    def serving(self, address: str, port: int) -> Iterator[int]:
        """Answer while the block runs; yields the port, which the system chooses for 0. StartError if it is taken."""
        with ExitStack() as stack:
            try:
                found = stack.enter_context(status_server.serving(address, port, self._answers))
            except OSError as failure:
                raise StartError(f"--health-port: {address} port {port} cannot be used: {failure.strerror}.") from None
            yield found

    def _health(self) -> Answer:
        """503 only where another start would help; what waits for a database must not be started anew."""
        return self._said(is_well=self._pulse.state != "late")

    def _ready(self) -> Answer:
        return self._said(is_well=self._pulse.state == "working")

    def _said(self, *, is_well: bool) -> Answer:
        ago = self._pulse.beat_seconds_ago
        said: dict[str, object] = {
            "role": self._role,
            "state": self._pulse.state,
            "beatSecondsAgo": None if ago is None else round(ago, 3),
        }
        if self._pulse.waits_for:
            said["waitsFor"] = self._pulse.waits_for
        status = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
        return Answer(json.dumps(said).encode(), "application/json", status)
