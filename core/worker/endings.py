"""How a part of the workers ends: how long each may take, and how a signal counts before there is anything to end.

Who starts the parts (a supervisor, a container, a service manager) must wait so long before it kills.
"""

import os
import signal
from collections.abc import Mapping
from types import FrameType

STOP_SECONDS: Mapping[str, float] = {"dispatcher": 45.0, "submit": 200.0, "collect": 120.0}
"""By role. A submit brings what it sends to its end: killed before the vendor answers, an order is uncertain; an order
may take 180 s (`core.worker.tasks.SUBMIT_SECONDS`) and its answer is then written. The others lose nothing by a kill:
the dispatcher asks again, and what was being fetched is fetched again.
"""

COLLECT_SECONDS = 100.0
"""How long a collect waits for what it fetches; a file may take an hour, and another process goes on where it was."""

COLLECT_AT_A_DESK_SECONDS = 10.0
"""The same where all parts run beside each other: whoever presses Ctrl+C waits for what is paid for, and no more."""

WHOLE_SECONDS = max(STOP_SECONDS.values()) + 20.0
"""What a worker with all its parts may take: the slowest, then those that the others need to the end."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def leave_on_signal() -> None:
    """Until something better is said, end at once on a signal: nothing has begun yet.

    The first process of a container has to say so, since the system ignores a signal that it says nothing of. One that
    came while `signals_kept` held counts now.
    """
    for number in _SIGNALS:
        signal.signal(number, _leave)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def keep_signals() -> None:
    """Before this process is started anew: keep signals for the next start, which takes them by `leave_on_signal`."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


def _leave(_number: int, _frame: FrameType | None) -> None:
    os._exit(0)
