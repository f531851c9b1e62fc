"""Scripts that ask and order by the API behind nginx, each with a client of its own, and what they are told."""

import itertools
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.many.company import Company
from tests.many.counts import Load

CLIENTS = 4
BAD_GATEWAY = 502
PAUSE_SECONDS = 0.05
ORDER_EVERY = 20
"""One of so many requests of a client is an order."""


@contextmanager
def running(company: Company, *, allowed: frozenset[int] = frozenset()) -> Iterator[Load]:
    """Scripts at work while the block runs; statuses that are `allowed` are no failure."""
    load, stop = Load(), threading.Event()
    threads = [threading.Thread(target=_work, args=(company, load, stop, allowed)) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _work(company: Company, load: Load, stop: threading.Event, allowed: frozenset[int]) -> None:
    with company.client() as client:
        for turn in itertools.count():
            if stop.wait(PAUSE_SECONDS):
                return
            try:
                answer = _ask(client, company, load, turn)
            except httpx.TransportError as failure:
                load.unanswered.append(repr(failure))
                continue
            load.note(answer, allowed=allowed)
            if answer.status_code == 202:
                load.ids.append(answer.json()["generation"]["id"])


def _ask(client: httpx.Client, company: Company, load: Load, turn: int) -> httpx.Response:
    if turn % ORDER_EVERY == ORDER_EVERY - 1:
        return _order(client, company, load, turn)
    if turn % 2 and load.ids:
        return client.get(f"/generations/{load.ids[-1]}/status")
    return client.get("/generations", params={"limit": 10})


def _order(client: httpx.Client, company: Company, load: Load, turn: int) -> httpx.Response:
    """As the API's page tells scripts to: with a key, and once more where the way to us was cut.

    nginx sends a POST that it has sent nowhere else, so that it cannot know whether it was taken.
    """
    key = {"Idempotency-Key": str(uuid.uuid4())}
    answer = client.post("/generate", json=company.wanted(f"under load {turn}"), headers=key)
    if answer.status_code == BAD_GATEWAY:
        load.repeated += 1
        answer = client.post("/generate", json=company.wanted(f"under load {turn}"), headers=key)
    return answer
