"""The parts of the stack, what they are told of each other, and how they begin and end.

It starts nothing again by itself: whoever looks after it does, or breaks it.
"""

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType

import httpx
import psycopg

from core.config import API_PATH
from core.startup import StartError
from core.worker import local_stack
from tests import postgres
from tests.fixtures.object_stores import SeaweedFS
from tests.system.app import free_port
from tools.stack.front import Front
from tools.stack.front import program as nginx
from tools.stack.programs import ROOT, Command, Program

MACHINES = {1: ("web", "dispatcher", "submit", "collect"), 2: ("web", "dispatcher", "collect")}
"""Number of a machine -> what runs there. One process submits: each that is killed can leave orders uncertain."""
PATIENCE_SECONDS = 180.0
MADE_UP = {"AUTH_MODE": "open", "SIGNUP_CREDITS": "100000", "POLL_SECONDS": "1"}
DATABASE = "studio"


class Stack:
    """What runs, by name: the web processes and workers are `web 1`, `dispatcher 2` and so on, by their machine."""

    def __init__(
        self, folder: Path, *, port: int, database: postgres.Server, store: SeaweedFS, environ: Mapping[str, str]
    ) -> None:
        self.folder, self.database, self.store = folder, database, store
        self.address = f"http://127.0.0.1:{port}"
        self.web_ports = {number: free_port() for number in MACHINES}
        socket = folder / "valkey.sock"
        own = {
            "DATABASE_URL": database.address.format(DATABASE),
            "REDIS_URL": f"unix://{socket}",
            "STORAGE_URL": store.url(),
            "PUBLIC_URL": self.address,
            "FORWARDED_ALLOW_IPS": "127.0.0.1",
            **store.variables,
        }
        self.environ = MADE_UP | {"SECRET_KEY": secrets.token_urlsafe(32)} | dict(os.environ) | own | dict(environ)
        """What every process is told, beside DATA_DIR of its machine."""
        self.programs: dict[str, Program] = {}
        self._add("valkey", local_stack.redis_command(socket))
        if "DEMO_BASE_URL" not in environ:
            self._add_studio()
        for number, roles in MACHINES.items():
            for role in roles:
                self._add_part(role, number)
        self.front = Front(folder / "nginx", port=port, ports=tuple(self.web_ports.values()), environ=self.environ)
        self.programs["nginx"] = self.front.program

    def parts(self, *roles: str) -> Sequence[Program]:
        """The programs of these roles; of all roles if none is named."""
        names = {f"{role} {number}" for number, each in MACHINES.items() for role in each if not roles or role in roles}
        return [program for name, program in self.programs.items() if name in names]

    def node(self, number: int) -> str:
        """The address of one machine's web process."""
        return f"http://127.0.0.1:{self.web_ports[number]}"

    def start(self) -> None:
        """Start everything and wait until it works. StartError when some part ends at once."""
        self.programs["valkey"].start()
        with psycopg.connect(self.database.address.format("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")
        self.admin("migrate")
        for name, program in self.programs.items():
            if name not in ("valkey", "nginx"):
                program.start()
        for number in MACHINES:
            self.until_web(number)
        self.programs["nginx"].start()
        self.until(lambda: self.health(self.address).get("worker") is True, "every role is there behind nginx")

    def until_web(self, number: int) -> None:
        """Wait until a machine's web process takes requests."""
        self.until(lambda: self.health(self.node(number)).get("success") is True, f"web {number} answers")

    def health(self, address: str) -> Mapping[str, object]:
        """What is said at this address of how all fares; nothing where nobody answers."""
        try:
            answer = httpx.get(f"{address}{API_PATH}/health", trust_env=False, timeout=10)
            found: Mapping[str, object] = answer.json() if answer.is_success else {}
        except (httpx.TransportError, ValueError):
            return {}
        return found

    def until(self, holds: Callable[[], bool], what: str, *, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until something holds. StartError when it does not in time, or a program has ended meanwhile."""
        end = time.monotonic() + seconds
        while not holds():
            for program in self.programs.values():
                if program.has_ended:
                    raise StartError(f"{program.name} has ended; the last that it said is: {program.last_words()}")
            if time.monotonic() > end:
                raise StartError(f"Not within {seconds:.0f} s: {what}. Logs are in {self.folder}.")
            time.sleep(0.1)

    def admin(self, *arguments: str) -> str:
        """Run `python -m core.admin` on the first machine; what it prints."""
        command = [sys.executable, "-m", "core.admin", *arguments]
        environ = self.environ | {"DATA_DIR": str(self._data(1))}
        ended = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)  # noqa: S603 -- our own command
        if ended.returncode != 0:
            raise StartError(f"core.admin {arguments[0]} was refused: {ended.stderr}")
        return ended.stdout

    def end(self) -> None:
        """End everything, politely and in this order: who takes requests and works, then what they lean on."""
        for program in self.parts():
            program.ask_to_end()
        for program in self.parts():
            program.stop()
        for program in reversed(self.programs.values()):
            program.stop()
        self.store.kill()  # it needs ten seconds to end politely, and its files are thrown away

    def _data(self, number: int) -> Path:
        return self.folder / f"machine-{number}"

    def _add(self, name: str, command: Command, **own: str) -> None:
        log = self.folder / f"{name.replace(' ', '-')}.log"
        self.programs[name] = Program(name, command, environ=self.environ | own, log=log)

    def _add_studio(self) -> None:
        """The demo's vendor, once for all machines."""
        port = free_port()
        self.environ |= {"DEMO_BASE_URL": f"http://127.0.0.1:{port}", "DEMO_API_KEY": secrets.token_urlsafe(24)}
        command: Command = [sys.executable, "-m", "studio", "--port", port, "--folder", self.folder / "studio"]
        self._add("studio", command)

    def _add_part(self, role: str, number: int) -> None:
        if role == "web":
            where: Command = ["--server.port", self.web_ports[number], "--server.address", "127.0.0.1"]
            command: Command = [sys.executable, "-m", "streamlit", "run", "app.py", *where]
        else:
            command = [sys.executable, "worker.py", "--role", role]
        self._add(f"{role} {number}", command, DATA_DIR=str(self._data(number)))


@contextmanager
def running(*, port: int | None = None, environ: Mapping[str, str] = MappingProxyType({})) -> Iterator[Stack]:
    """The whole stack while the block runs, behind nginx at `port` or a free one; `environ` goes to every process.

    With DEMO_BASE_URL in it no studio is started. StartError, with what to do, where something is missing.
    """
    nginx()
    with ExitStack() as opened:
        folder = Path(
            opened.enter_context(tempfile.TemporaryDirectory(prefix="stack-", dir="/tmp"))
        )  # paths of sockets are short
        database = opened.enter_context(postgres.stoppable(log=folder / "postgresql.log"))
        store = SeaweedFS(folder / "seaweedfs")
        found = Stack(folder, port=port or free_port(), database=database, store=store, environ=environ)
        opened.callback(found.end)
        found.start()
        yield found
