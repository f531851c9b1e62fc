"""Requests that are repeated until they are answered, or until patience ends.

It repeats whatever it is given: what makes something comes with an Idempotency-Key, so that it is made once.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from core.rest_client.access import Access
from core.rest_client.problems import BadSetting, ClientProblem, NotTheApi, Refused, Unreachable

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
PATIENCE_SECONDS = 120.0

LOST = (httpx.TransportError, httpx.DecodingError)
"""The connection broke, at whatever moment: nobody knows whether the request was understood."""

AGAIN = (429, 502, 503, 504)
"""Answers that may be others in a moment: too many requests, or nobody behind a proxy."""

_TIMEOUT = httpx.Timeout(60, connect=10)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How to wait: `said` is told once when the connection is lost, for who looks on."""

    patience_seconds: float = PATIENCE_SECONDS
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    said: Callable[[str], None] = lambda _sentence: None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said; `retry_after_seconds` is when to ask again, where it says so."""

    body: Json
    is_repeat: bool
    retry_after_seconds: float | None


class Patience:
    """Pauses that grow while nothing gets through; raises what was last in the way once they have taken too long."""

    def __init__(self, waiting: Waiting, address: str) -> None:
        self._waiting = waiting
        self._address = address
        self.got_through()

    def got_through(self) -> None:
        """Something came: the next loss begins a wait of its own."""
        self._until: float | None = None
        self._pause = FIRST_PAUSE_SECONDS

    def lost(self, problem: ClientProblem | None = None, *, retry_after_seconds: float | None = None) -> None:
        """Wait before the next try; raises `problem`, else Unreachable, when there is to be none."""
        now = self._waiting.monotonic()
        if self._until is None:
            self._until = now + self._waiting.patience_seconds
            said = f"No answer from {self._address}." if problem is None else str(problem)
            self._waiting.said(f"{said} Trying again.")
        pause = max(self._pause, retry_after_seconds or 0)
        if now + pause > self._until:
            raise problem or Unreachable(
                f"No answer from {self._address} for {self._waiting.patience_seconds:.0f} seconds. "
                "Say the same again later: what was ordered meanwhile is not ordered twice."
            )
        self._waiting.sleep(pause)
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)


class Connection:
    """A connection to the API as one caller; close it."""

    def __init__(self, access: Access, waiting: Waiting | None = None) -> None:
        self._access = access
        self.waiting = waiting or Waiting()
        self._http = httpx.Client(headers=access.headers(), timeout=_TIMEOUT, follow_redirects=False)

    def close(self) -> None:
        """End it."""
        self._http.close()

    def patience(self) -> Patience:
        """For somebody who repeats by themselves."""
        return Patience(self.waiting, self._access.address)

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Json | None = None,
        key: str | None = None,
    ) -> Answer:
        """The answer to a request, which is sent again for as long as none comes. A ClientProblem when none will.

        Whatever makes something comes with a `key`.
        """
        patience = self.patience()
        headers = {} if key is None else {"Idempotency-Key": key}
        while True:
            try:
                answer = self._http.request(
                    method, f"{self._access.address}{path}", params=query, json=body, headers=headers
                )
                if answer.status_code in AGAIN:
                    patience.lost(refusal(answer), retry_after_seconds=retry_after(answer))
                    continue
                return self._read(answer)
            except UnicodeEncodeError:
                raise BadSetting("There are characters in this that are not valid Unicode.") from None
            except LOST as failure:
                self.check_certificate(failure)
                patience.lost()

    @contextmanager
    def open(self, path: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """One try at a file; what the answer says is for the caller to look at. Raises what is in LOST."""
        with self._http.stream("GET", f"{self._access.address}{path}", headers=dict(headers)) as answer:
            yield answer

    def check_certificate(self, failure: Exception) -> None:
        """Return for what may pass; Unreachable at once where the server is not who it should be."""
        if "CERTIFICATE_VERIFY_FAILED" in str(failure):
            raise Unreachable(f"The certificate of {self._access.address} is not one that is trusted here.") from None

    def not_the_api(self) -> NotTheApi:
        """What to say of an answer that is none of the API's."""
        return NotTheApi(
            f"What answers at {self._access.address} is not this API. It ends with /api/apps/video-generator."
        )

    def _read(self, answer: httpx.Response) -> Answer:
        if not answer.is_success:
            raise refusal(answer) or self.not_the_api()
        body = _json(answer)
        if body is None:
            raise self.not_the_api()
        return Answer(body, answer.headers.get("Idempotency-Replayed") == "true", retry_after(answer))


def refusal(answer: httpx.Response) -> Refused | None:
    """What the API says in an answer that is no success; None when it is not the API that says it."""
    error = (_json(answer) or {}).get("error")
    if not isinstance(error, dict) or "code" not in error:
        return None
    fields = error.get("fields") or {}
    sentence = " ".join([str(error.get("message", "")), *(f"{name}: {wrong}" for name, wrong in fields.items())])
    return Refused(answer.status_code, str(error["code"]), sentence)


def _json(answer: httpx.Response) -> Json | None:
    try:
        found = answer.json()
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def retry_after(answer: httpx.Response) -> float | None:
    """In how many seconds to ask again, where an answer says so."""
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else None
