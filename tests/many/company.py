"""The stack with two simulated vendors and an identity provider: what is ordered there, and what became of it."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
from redis import Redis
from sqlalchemy import select

from core.audit import runs
from core.config import API_PATH
from core.db import Database
from core.db.enums import ENDED_STATUSES, Stage, Status
from core.db.tables import Generation, GenerationEvent
from core.files import storage as storages
from core.ids import new_id
from tests import simulators
from tests.fixtures.identity_provider import Account, IdentityProvider, identity_provider
from tests.many.counts import Count, Load
from tests.system.app import free_port
from tests.system.sign_in import Site, sign_in_variables
from tools.stack import stack as stacks
from tools.stack.programs import ROOT
from tools.stack.stack import Stack

PERSON = "script@example.org"
ACCOUNTS = [Account(name, f"{name}@example.org", name.title()) for name in ("ana", "ben")]
VENDOR_SECONDS = 2.0
COME_BACK = 8
"""How often somebody asks again who is told that the database cannot be used: each process has a pool or two."""
WITHOUT_LIMITS = {
    "API_REQUESTS_PER_MINUTE": "0",
    "MODELSLAB_MAX_IN_FLIGHT": "500",
    "SIGNUP_CREDITS": "100000000",
    "DELIVERY_CHECKS": "off",
}


class Company:
    """Whose processes, vendors and people are; it orders by the API behind nginx and looks into the database itself.

    Scripts order at ModelsLab, whose address is `vendor_url`; Eden AI takes images.
    """

    def __init__(self, stack: Stack, vendor_url: str, other_url: str, provider: IdentityProvider) -> None:
        self.stack, self.vendor_url, self._other_url, self.provider = stack, vendor_url, other_url, provider
        self.database = Database(stack.environ["DATABASE_URL"])
        self.token = stack.admin("token", PERSON).splitlines()[-1]
        self.counts: list[Count] = []
        with self.client() as client:
            self.project_id: str = client.post("/projects", json={"name": "Lakes"}).json()["project"]["id"]

    @property
    def site(self) -> Site:
        """Where people sign in."""
        return Site(self.stack.address, (), self.provider, None)

    def client(self, address: str | None = None) -> httpx.Client:
        """A script's client of the API, at nginx unless a node is named."""
        base = f"{address or self.stack.address}{API_PATH}"
        return httpx.Client(
            base_url=base, trust_env=False, timeout=60, headers={"Authorization": f"Bearer {self.token}"}
        )

    def wanted(self, prompt: str) -> dict[str, Any]:
        """The body of an order."""
        clip = {"resolution": "720p", "duration": 5, "aspectRatio": "16:9"}
        return {"projectId": self.project_id, "modelId": "seedance-t2v", "prompt": prompt, **clip}

    def order(self, *prompts: str, address: str | None = None) -> list[str]:
        """Order these clips; their ids. Who is told to come back does, as for a connection that a restart has ended."""
        made = []
        with self.client(address) as client:
            for prompt in prompts:
                key = {"Idempotency-Key": new_id()}
                for _try in range(COME_BACK):
                    answer = client.post("/generate", json=self.wanted(prompt), headers=key)
                    if answer.status_code != 503:
                        break
                    assert "Retry-After" in answer.headers
                    time.sleep(0.5)
                assert answer.status_code == 202, answer.text
                made.append(str(answer.json()["generation"]["id"]))
        return made

    def ids(self) -> list[str]:
        """All generations that there are."""
        with self.database.read_session() as session:
            return list(session.scalars(select(Generation.id)))

    def rows(self, ids: Collection[str]) -> Sequence[Generation]:
        """These generations as they are now."""
        with self.database.read_session() as session:
            return session.scalars(select(Generation).where(Generation.id.in_(ids)).order_by(Generation.id)).all()

    def events(self, ids: Collection[str]) -> Counter[Status]:
        """Which statuses these generations have gone through, and how often."""
        with self.database.read_session() as session:
            found = session.scalars(select(GenerationEvent.status).where(GenerationEvent.generation_id.in_(ids)))
            return Counter(found)

    def submits(self) -> Counter[str]:
        """How many jobs the vendors have begun for each generation."""
        found: Counter[str] = Counter()
        for url in (self.vendor_url, self._other_url):
            called = httpx.get(f"{url}/_sim/calls", trust_env=False, timeout=30).json()["submits"]
            found.update(str(call["reference"]) for call in called if call["job_id"])
        return found

    def until(self, holds: Callable[[], bool], what: str, *, seconds: float = 150) -> None:
        """Wait until something holds; fail with its name when it does not in time."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"not within {seconds} s: {what}"
            time.sleep(0.1)

    def until_at(self, ids: Collection[str], *stages: Stage) -> None:
        """Wait until all of these are at one of these stages, or at their end."""
        self.until(
            lambda: all(row.stage in stages or row.status in ENDED_STATUSES for row in self.rows(ids)),
            f"{len(ids)} clips at {stages}",
        )

    def until_settled(self, ids: Collection[str]) -> None:
        """Wait until these are at their end or wait for a person, or for as long as one may be taken to be stuck."""
        end = time.monotonic() + 150
        while any(is_under_way(row) for row in self.rows(ids)) and time.monotonic() < end:
            time.sleep(0.1)

    def count(self, what: str, ids: Collection[str], *, began: float, load: Load | None = None) -> Count:
        """Wait for their end and count what became of them, by our rows and by the vendor's calls."""
        self.until_settled(ids)
        rows, submits = self.rows(ids), self.submits()
        completed = {row.id for row in rows if row.status is Status.COMPLETED}
        left_open = {row.id for row in rows if row.status is Status.UNCERTAIN}
        stuck = {row.id for row in rows if is_under_way(row)}
        found = Count(
            what,
            len(ids),
            len(completed),
            len(left_open),
            len(set(ids) - completed - left_open - stuck),
            sum(count > 1 for each, count in submits.items() if each in ids),
            len(stuck),
            time.monotonic() - began,
            *((load.asked, load.repeated, len(load.failures)) if load else ()),
        )
        self.counts.append(found)
        unsent = [each for each in completed if submits[each] != 1]
        assert unsent == [], "the vendor was asked once for each clip that is here"
        return found

    def broken_rules(self) -> list[tuple[str, tuple[str, ...]]]:
        """The rules of the audit that do not hold, files in the store among them."""
        storage = storages.open_storage(self.stack.environ["STORAGE_URL"], self.stack.store.access)
        with self.database.read_session() as session:
            return [(each.code, each.offenders) for each in runs.run(session, storage=storage) if not each.holds]

    def audit(self) -> "subprocess.CompletedProcess[str]":
        """Run the audit as an operator does."""
        environ = self.stack.environ | {"DATA_DIR": str(self.stack.folder / "machine-1")}
        command = [sys.executable, "-m", "core.audit"]
        return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)

    def flush_redis(self) -> None:
        """Lose all that Valkey knows."""
        with Redis(unix_socket_path=str(self.stack.folder / "valkey.sock")) as client:
            client.flushall()


def is_under_way(row: Generation) -> bool:
    """Whether it is neither at its end nor left to a person."""
    return row.status not in (*ENDED_STATUSES, Status.UNCERTAIN)


@contextmanager
def opened() -> Iterator[Company]:
    """A company with nothing in it yet."""
    port = free_port()
    with ExitStack() as things:
        vendor = things.enter_context(simulators.running("modelslab", seconds=VENDOR_SECONDS, limit=10_000))
        other = things.enter_context(simulators.running("edenai", seconds=VENDOR_SECONDS))
        provider = things.enter_context(identity_provider(f"http://127.0.0.1:{port}", ACCOUNTS))
        environ = {
            **sign_in_variables(provider, f"http://127.0.0.1:{port}"),
            **WITHOUT_LIMITS,
            "MODELSLAB_BASE_URL": vendor,
            "MODELSLAB_API_KEY": "key-for-tests",
            "EDENAI_BASE_URL": other,
            "EDENAI_API_KEY": "key-for-tests",
            "DEMO_BASE_URL": "http://127.0.0.1:9",
        }
        stack = things.enter_context(stacks.running(port=port, environ=environ))
        found = Company(stack, vendor, other, provider)
        things.callback(found.database.dispose)
        yield found
