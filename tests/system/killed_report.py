"""Writes down the reports that are due in this process and kills it, as a power cut would, at the commit.

`python -m tests.system.killed_report before`: the message and the end of its period were written and are undone;
`after`: both are there, and nothing was sent.
"""

import os
import signal
import sys

from sqlalchemy import Connection, event

from core import db, installation
from core.notifications import notice_sender


def main(when: str) -> None:
    """Begin one round; it comes to no end."""

    @event.listens_for(db.default().engine, "commit")
    def before_commit(_connection: Connection) -> None:
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)

    notice_sender.claim(1)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    with installation.opened():
        main(sys.argv[1])
