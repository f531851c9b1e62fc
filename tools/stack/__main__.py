"""`make stack`: starts the stack, prints where everything is, starts again what dies, ends all of it when told to."""

import argparse
import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from typing import NoReturn, Protocol

from core import startup
from tools.stack import stack
from tools.stack.stack import Stack

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Part(Protocol):
    """What can be looked after."""

    @property
    def has_ended(self) -> bool:
        """Whether it does not run any more."""

    def start(self) -> None:
        """Start it again."""


def main() -> None:
    """Run until told to stop."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.stack", description="A whole installation on this machine, to try it: make stack."
    )
    parser.add_argument("--port", type=int, default=8500, help="of nginx, on loopback (default 8500)")
    options = parser.parse_args()
    for number in SIGNALS:
        signal.signal(number, leave)
    with startup.entry_point(), stack.running(port=options.port) as found:
        for line in described(found):
            print(line, flush=True)
        look_after(found)


def leave(_number: int, _frame: object) -> NoReturn:
    """End in good order, once: who presses twice waits all the same."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    print("Ending.", flush=True)
    sys.exit(0)


def look_after(found: Stack) -> NoReturn:
    """Start again what has ended, as the supervisor of a company's machines would."""
    parts: dict[str, Part] = {"PostgreSQL": found.database, "SeaweedFS": found.store, **found.programs}
    while True:
        time.sleep(1)
        for name, part in parts.items():
            if part.has_ended:
                print(f"{name} has ended and is started again.", flush=True)
                part.start()


def described(found: Stack) -> Iterator[str]:
    """Where everything is, and how to operate it."""
    variables = found.folder / "variables"
    variables.touch(0o600)
    variables.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in own_variables(found)))
    yield f"{found.address}  pages and API, by nginx"
    for name, program in found.programs.items():
        where = f"  {found.node(int(name[-1]))}" if name.startswith("web") else ""
        yield f"  {name:<13} pid {program.pid:<8}  {program.log}{where}"
    yield f"  PostgreSQL    {found.environ['DATABASE_URL']}"
    yield f"  SeaweedFS     {found.store.endpoint}  {found.environ['STORAGE_URL']}"
    yield f"To operate it: . {variables}; python -m core.admin token demo@localhost"
    yield "Ctrl-C ends all of it and throws its folder away."


def own_variables(found: Stack) -> Iterator[tuple[str, str]]:
    """What its processes are told and this shell does not say."""
    known = found.environ | {"DATA_DIR": str(found.folder / "machine-1")}
    return ((name, value) for name, value in known.items() if os.environ.get(name) != value)


main()
