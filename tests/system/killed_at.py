"""Runs one job in this process and kills it, as a power cut would, at a chosen commit.

`python -m tests.system.killed_at submit ID after 1`: SIGKILL right after the job's first commit;
`before 2`: when the second is about to happen, so that it never does. `storing 1`: when the first file is about to be
written into our storage.
"""

import os
import signal
import sys

from sqlalchemy import Connection, event

from core import db, installation
from core.worker import analyst_packs, previews, tasks


def main(job: str, generation_id: str, when: str, nth: int) -> None:
    """Count the commits that change something and end the process at the nth, or at what is stored."""
    if when == "storing":
        _end_when_something_is_stored()
    engine = db.default().engine
    commits = 0

    @event.listens_for(engine, "commit")
    def before_commit(connection: Connection) -> None:
        nonlocal commits
        commits += 1
        if when == "storing" or commits != nth:
            return
        if when == "after":
            connection.connection.commit() if engine.dialect.name != "sqlite" else connection.connection.execute(
                "COMMIT"
            )
        os.kill(os.getpid(), signal.SIGKILL)

    if job == "preview":
        previews.make_next()
    elif job == "pack":
        analyst_packs.work_down(installation.current())
    else:
        {"submit": tasks.submit, "collect": tasks.ingest}[job](generation_id)
    sys.exit("the job ended before it was killed")


def _end_when_something_is_stored() -> None:
    videos = str(installation.current().settings.data_dir / "media" / "videos")

    def look(what: str, arguments: tuple[object, ...]) -> None:
        if what in ("open", "os.mkdir") and str(arguments[0]).startswith(videos):
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(look)


if __name__ == "__main__":
    with installation.opened():
        main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
