"""The worker of one machine: a dispatcher, and the processes that submit and collect; restarts what dies.

`python worker.py` runs them all; `--role` runs one part in this process, to split them between machines.
"""

import argparse
import json
import logging
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from core import logs, process_settings, startup, tracing
from core.worker import endings
from core.worker.health import HealthServer, Pulse
from core.worker.supervisor import STOP_SECONDS, ManagedProcess, Supervisor, exit_with_parent, python_path

if TYPE_CHECKING:
    from core.config import Settings
    from core.installation import Installation

ROLES = ("all", "dispatcher", "submit", "collect")
Part = tuple[str, list[str]]
"""Name and command line of a process to keep running."""
log = logging.getLogger("worker")

LONGEST_PAUSE_SECONDS = 10.0


def main(argv: Sequence[str]) -> int:
    """Run what the arguments say until told to stop; exit code 2 when it cannot be begun."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.health_port is not None and options.role == "all":
        parser.error("--health-port needs a --role: each process has an address of its own")
    endings.leave_on_signal()
    with startup.entry_point():
        return _run(options)


def _run(options: argparse.Namespace) -> int:
    logs.configure(
        "supervisor" if options.supervise else {"all": "worker"}.get(options.role, options.role),
        form=process_settings.log_format(),
    )
    if options.supervise:
        return _supervise(json.loads(options.supervise), end_with_parent=options.end_with_parent)

    if options.end_with_parent:  # who has started us has said what there is to say of the settings
        for told in ("core.config", "core.process_settings", "core.installation"):
            logging.getLogger(told).setLevel(logging.ERROR)
    settings = process_settings.read()
    if settings.redis_url is None:
        print("REDIS_URL is not set. The app brings its own worker then; set it to run this one.", file=sys.stderr)  # noqa: T201 -- a command's own output
        return 2
    if options.end_with_parent:
        exit_with_parent(endings.WHOLE_SECONDS if options.role == "all" else _stop_seconds(options.role))
    pulse = Pulse()
    with ExitStack() as stack:
        if options.health_port is not None:
            server = HealthServer(pulse, options.role)
            stack.enter_context(server.serving(options.health_address, options.health_port))
        if options.role == "all" or not options.end_with_parent:  # a part waits where it opens the database
            _await_database(settings)
        if options.role == "all":
            _become_supervisor(options, settings)
        rests = _play(options, settings, pulse)
    if rests:  # started anew, the process gives back what its jobs took; its id and its input stay
        endings.keep_signals()
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606 -- itself
    return 0


def _play(options: argparse.Namespace, settings: "Settings", pulse: Pulse) -> bool:
    """Run one part until told to stop; True if it has rested and may be started anew."""
    from core import installation

    # The schema is brought up to date before anything needs it.
    with ExitStack() as stack:
        from core.redis.presence import Role
        from core.worker import heartbeat, seen

        stack.enter_context(seen.traced(settings, options.role))
        opened = stack.enter_context(installation.opened(settings, waits=options.end_with_parent, role=options.role))
        stack.enter_context(seen.measured(opened, options.metrics_port or settings.metrics_port))
        with heartbeat.beating(opened, Role(options.role)):
            if options.role in ("dispatcher", "submit"):
                from core.worker import recovery

                recovery.at_start(opened)
            if options.role != "dispatcher":
                return _listen(options, opened, pulse)
            from core.worker import dispatcher
            from pages.ui import catalogues

            dispatcher.main(opened, catalogues.writers(), pulse)
            return False


def _listen(options: argparse.Namespace, opened: "Installation", pulse: Pulse) -> bool:
    """Run a queue's jobs until told to stop; True if the process has rested and may be started anew."""
    from core.files import scratch
    from core.redis.job_queue import DOWNLOAD, SUBMIT, Listener
    from core.worker import jobs
    from core.worker.bulkheads import Bulkheads

    settings = opened.settings
    assert settings.redis_url is not None  # noqa: S101 -- checked at the start
    bulkheads = Bulkheads()
    listener = Listener(settings.redis_url, SUBMIT if options.role == "submit" else DOWNLOAD)
    with scratch.opened(settings.incoming_dir):
        rests = listener.listen(
            jobs.taker(bulkheads),
            bulkheads.is_busy,
            lambda is_well, pause_seconds: pulse.beat(
                is_well=is_well, pause_seconds=pause_seconds, waits_for=opened.store_clock.refusal
            ),
            lambda: options.role != "collect" or opened.store_clock.takes_ours(),
        )
        pulse.end()
        at_most = endings.COLLECT_AT_A_DESK_SECONDS if options.end_with_parent else endings.COLLECT_SECONDS
        left = bulkheads.close(within_seconds=None if options.role == "submit" else at_most)
    if left:
        log.info("%d files were still being fetched; another process goes on with them", left)
        tracing.end()
        logging.shutdown()
        os._exit(0)  # at once: threads that FFmpeg is busy in would be cut off in the middle of the interpreter's end
    return rests


def _await_database(settings: "Settings") -> None:
    """Return once the database's server answers; the log has one line when it does not, and one when it is back.

    What else is wrong with a database is for those who open it to say.
    """
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

    from core.db import Database

    try:
        database = Database(settings.database_url)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError):
        return
    pause_seconds = 0.5
    while True:
        try:
            with database.read_connection():
                break
        except OperationalError as failure:
            has_refused = "FATAL" in str(failure) and "starting up" not in str(failure)
            if database.engine.dialect.name == "sqlite" or has_refused:
                break
        time.sleep(pause_seconds)
        pause_seconds = min(LONGEST_PAUSE_SECONDS, pause_seconds * 2)
    database.dispose()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python worker.py", description="Runs generations. Needs REDIS_URL.")
    parser.add_argument("--role", choices=ROLES, default="all", help="which part to run in this process")
    parser.add_argument(
        "--submit",
        type=int,
        default=1,
        metavar="N",
        help="submit processes; each sends two orders of each provider at once, and a kill can leave those uncertain "
        "(default 1)",
    )
    parser.add_argument(
        "--collect",
        type=int,
        default=1,
        metavar="N",
        help="collect processes; each fetches four files of each provider at once, two of each host (default 1)",
    )
    parser.add_argument(
        "--health-port",
        type=int,
        metavar="PORT",
        help="say there over HTTP how this part is: /health is 503 when it stands still, /ready when it cannot work",
    )
    parser.add_argument(
        "--health-address",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="at which address of this machine; 0.0.0.0 in a container (default 127.0.0.1)",
    )
    parser.add_argument("--supervise", metavar="JSON", help=argparse.SUPPRESS)  # how this program starts itself anew
    parser.add_argument("--metrics-port", type=int, help=argparse.SUPPRESS)  # of one part, where several are started
    parser.add_argument("--end-with-parent", action="store_true", help="stop when standard input is closed")
    return parser


def _become_supervisor(options: argparse.Namespace, settings: "Settings") -> NoReturn:
    """Start this program anew to look after the parts: what was read to know them is not kept in memory.

    What the parts need is opened here once, so that a database they cannot use ends the start and not each of them.
    """
    from core import installation
    from core.providers import connection

    with installation.opened(settings):
        log.info("Providers that can be used: %s.", connection.summary(settings))
    environ = dict(os.environ)
    parts: list[Part] = []
    if "demo" not in settings.provider_base_urls:
        environ.pop("DEMO_API_KEY_FILE", None)  # the studio that is started here has a key of its own
        parts.append(_studio(environ, settings.data_dir / "demo-studio"))
    roles = ["dispatcher", *["submit"] * options.submit, *["collect"] * options.collect]
    first_port = settings.metrics_port
    for place, role in enumerate(roles):
        port = None if first_port is None else first_port + place
        parts.append((f"{role} {roles[: place + 1].count(role)}", _role(role, port)))
    again = [sys.executable, __file__, "--supervise", json.dumps(parts)]
    os.execve(sys.executable, again + ["--end-with-parent"] * options.end_with_parent, environ)  # noqa: S606 -- itself


def _supervise(parts: Sequence[Part], *, end_with_parent: bool) -> int:
    """Keep every part on this machine running until SIGTERM or SIGINT."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda _number, _frame: stop.set())
    if end_with_parent:
        exit_with_parent(endings.WHOLE_SECONDS)
    with Supervisor([_managed(*part) for part in parts], environ=os.environ):
        stop.wait()
    return 0


def _managed(name: str, command: list[str]) -> ManagedProcess:
    """A part that ends as its role must; the studio, without one, serves the others and ends after them."""
    role = name.partition(" ")[0]
    return ManagedProcess(name, command, stop_seconds=_stop_seconds(role), serves=role not in ROLES)


def _stop_seconds(role: str) -> float:
    """How long a part may take to end beside the others; only a submit must not be killed earlier."""
    return endings.STOP_SECONDS[role] if role == "submit" else STOP_SECONDS


def _role(role: str, metrics_port: int | None) -> list[str]:
    command = [sys.executable, __file__, "--role", role, "--end-with-parent"]
    return command if metrics_port is None else [*command, "--metrics-port", str(metrics_port)]


def _studio(environ: dict[str, str], folder: Path) -> Part:
    """The demo's vendor on loopback; its address and key reach the other parts through their environment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ |= _studio_access(port)
    where = ["--host", "127.0.0.1", "--port", str(port), "--folder", str(folder), "--end-with-parent"]
    return "demo studio", [sys.executable, "-m", "studio", *where]


def _studio_access(port: int) -> Mapping[str, str]:
    return {
        "DEMO_BASE_URL": f"http://127.0.0.1:{port}",
        "DEMO_API_KEY": secrets.token_urlsafe(24),
        "PYTHONPATH": python_path(Path(__file__).parent),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
