"""Completes a clip in this process and kills it, as a power cut would, at the commit that tells of it.

`python -m tests.system.killed_cause ID before 1`: SIGKILL when the commit is about to happen, so that it never does;
`after 1`: right after it; `never 0`: not at all.
"""

import os
import signal
import sys

from sqlalchemy import Connection, event

from core import db, installation
from core.generations import lifecycle
from tests.factories.generations import build_output


def main(generation_id: str, when: str, nth: int) -> None:
    """Count the commits and end the process at the nth."""
    engine = db.default().engine
    commits = 0

    @event.listens_for(engine, "commit")
    def at_commit(connection: Connection) -> None:
        nonlocal commits
        commits += 1
        if commits != nth:
            return
        if when == "after":
            is_file = engine.dialect.name == "sqlite"
            connection.connection.execute("COMMIT") if is_file else connection.connection.commit()
        os.kill(os.getpid(), signal.SIGKILL)

    with db.write_session() as session:
        row = lifecycle.locked(session, generation_id)
        assert row is not None
        assert lifecycle.complete(session, row, build_output(row.id))


if __name__ == "__main__":
    with installation.opened():
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
