"""What every entry point does around its work: files are its owner's alone, and a start that cannot work says why."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

EXIT_CODE = 2
"""What a process ends with that could not begin: the code of wrong usage, as for wrong arguments."""

PRIVATE = 0o077
"""The mask of the modes of what we make: nobody but its owner reads it."""


class StartError(Exception):
    """A process cannot begin its work; its text is one sentence for whoever starts it, and holds no secret."""


@contextmanager
def entry_point() -> Iterator[None]:
    """Around the whole work of a process; a StartError ends it with its sentence on stderr and no traceback."""
    os.umask(PRIVATE)
    try:
        yield
    except StartError as refused:
        _say(refused)
        sys.exit(EXIT_CODE)


def end_process(refused: StartError) -> NoReturn:
    """End a process that a framework runs, at once, with the sentence.

    A server would print the traceback of whatever leaves its start, SystemExit as well, and end with a code of its own.
    """
    _say(refused)
    logging.shutdown()
    sys.stdout.flush()
    os._exit(EXIT_CODE)


def _say(refused: StartError) -> None:
    print(" ".join(str(refused).split()), file=sys.stderr, flush=True)  # noqa: T201 -- a command's own output
