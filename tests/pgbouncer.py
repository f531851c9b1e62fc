"""A real PgBouncer in transaction mode in front of a PostgreSQL of the tests, with few connections behind it."""

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
import pytest

from tests import postgres

BEHIND = 3
"""Connections of the server that all who come share, so that hardly anybody gets the one it had before."""

_SETTINGS = """
[databases]
* = host={server} user=test

[pgbouncer]
unix_socket_dir = {folder}
listen_port = 6432
auth_type = any
pool_mode = transaction
default_pool_size = {behind}
max_client_conn = 200
server_login_retry = 1
log_connections = 0
log_disconnections = 0
"""


def program() -> str:
    """Where it is; a test that needs it is skipped where it is not, which CI does not allow."""
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        pytest.skip("NOT TESTED: nothing shows that PgBouncer works, as it is not here: apt-get install pgbouncer")
    return found


class Pooler:
    """One in front of a server, in a folder of its own; it can be stopped and started again.

    It refuses to run as root, so root runs it as the user nobody.
    """

    def __init__(self, server: postgres.Server, folder: Path) -> None:
        self._command, self._folder = [program(), "--quiet", str(folder / "pgbouncer.ini")], folder
        self._as_nobody: dict[str, Any] = (
            {"user": postgres.NOBODY, "group": postgres.NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        )
        settings = folder / "pgbouncer.ini"
        settings.write_text(_SETTINGS.format(server=server.folder, folder=folder, behind=BEHIND))
        if self._as_nobody:
            os.chown(folder, postgres.NOBODY, postgres.NOBODY)
            folder.chmod(0o755)
            settings.chmod(0o644)
        self.address = f"postgresql://test@/{{}}?host={folder}&port=6432"
        """With `{}` where the database name goes."""

    def start(self) -> None:
        """Start it and wait for an answer."""
        self._process = subprocess.Popen(self._command, cwd=self._folder, **self._as_nobody)
        _wait(self.address.format("postgres"), self._process)

    def stop(self) -> None:
        """End it, and every connection to it, at once."""
        self._process.terminate()
        self._process.wait(20)


@contextmanager
def running(server: postgres.Server) -> Iterator[Pooler]:
    """One in front of this server, for as long as the block."""
    folder = Path(tempfile.mkdtemp(prefix="pgb-", dir="/tmp"))  # socket paths must be short
    try:
        found = Pooler(server, folder)
        found.start()
        try:
            yield found
        finally:
            found.stop()
    finally:
        shutil.rmtree(folder)


@contextmanager
def pooling(server: postgres.Server) -> Iterator[str]:
    """The address of one in front of this server, with `{}` where the database name goes."""
    with running(server) as found:
        yield found.address


def _wait(address: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 30
    while True:
        assert process.poll() is None, "PgBouncer ended at its start"
        try:
            psycopg.connect(address).close()
        except psycopg.OperationalError:
            assert time.monotonic() < end, "PgBouncer did not answer within 30 s"
            time.sleep(0.05)
        else:
            return
