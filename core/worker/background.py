"""Does something again and again beside a block that takes its time; what is done is its caller's affair."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def repeating(act: Callable[[], None], *, every_seconds: float, name: str) -> Iterator[None]:
    """Call `act` from a thread of this name while the block runs, for the first time after `every_seconds`.

    The thread dies with the process, as it must, and with the first exception of `act`.
    """
    done = threading.Event()

    def repeat() -> None:
        while not done.wait(every_seconds):
            act()

    thread = threading.Thread(target=repeat, daemon=True, name=name)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
