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


@contextmanager
def pooling(server: postgres.Server) -> Iterator[str]:
    """Start one in front of this server; yields its address, with `{}` where the database name goes.

    It refuses to run as root, so root runs it as the user nobody.
    """
    command = program()
    as_nobody: dict[str, Any] = (
        {"user": postgres.NOBODY, "group": postgres.NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    )
    folder = Path(tempfile.mkdtemp(prefix="pgb-", dir="/tmp"))  # socket paths must be short
    process = None
    try:
        settings = folder / "pgbouncer.ini"
        settings.write_text(_SETTINGS.format(server=server.folder, folder=folder, behind=BEHIND))
        if as_nobody:
            os.chown(folder, postgres.NOBODY, postgres.NOBODY)
            folder.chmod(0o755)
            settings.chmod(0o644)
        process = subprocess.Popen([command, "--quiet", str(settings)], cwd=folder, **as_nobody)
        address = f"postgresql://test@/{{}}?host={folder}&port=6432"
        _wait(address.format("postgres"), process)
        yield address
    finally:
        if process is not None:
            process.terminate()
            process.wait(20)
        shutil.rmtree(folder)


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
