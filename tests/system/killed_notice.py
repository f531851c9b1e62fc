"""Sends one message in this process and kills it, as a power cut would, at a chosen point of the sending.

`python -m tests.system.killed_notice claimed`: it was claimed and nothing was sent; `connected`: the mail server was
reached; `sending`: it was told who the mail is for, and has no text of it; `sent`: it has taken the mail, before that
is written down.
"""

import os
import signal
import sys

from core import installation
from core.notifications import notice_sender


def die() -> None:
    """End at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def main(where: str) -> None:
    """Make one attempt; it comes to no end."""
    (claimed,) = notice_sender.claim(1)
    if where == "claimed":
        die()

    def look(what: str, arguments: tuple[object, ...]) -> None:
        line = arguments[1] if what == "smtplib.send" and len(arguments) > 1 else b""
        said = line if isinstance(line, bytes) else str(line).encode()
        if said.lower().startswith(b"ehlo") and where == "connected":
            die()
        if said.lower().startswith(b"data") and where == "sending":
            die()
        if said.lower().startswith(b"quit") and where == "sent":  # said when the server has taken the mail
            die()

    sys.addaudithook(look)
    notice_sender.deliver(installation.current().settings, {}, claimed)
    sys.exit("the message was sent before the process was killed")


if __name__ == "__main__":
    with installation.opened():
        main(sys.argv[1])
