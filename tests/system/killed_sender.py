"""Runs one round of a sender in this process and kills it, as a power cut would: after the POST, before the record."""

import os
import signal
import sys

from sqlalchemy import Connection, event

from core import db, installation
from core.notifications import webhook_sender


def main() -> None:
    """Make one attempt; the commit that would record it never happens."""
    (claimed,) = webhook_sender.claim(1)

    @event.listens_for(db.default().engine, "commit")
    def before_commit(connection: Connection) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    webhook_sender.deliver(installation.current().settings, claimed)
    sys.exit("the attempt was recorded before the process was killed")


if __name__ == "__main__":
    with installation.opened():
        main()
