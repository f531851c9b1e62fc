"""One program of the stack: started, stopped politely, killed, started again; what it says goes into a file of its own.

It knows nothing of what the program is for, and starts none again by itself.
"""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
Command = Sequence[str | Path | int]
PATIENCE_SECONDS = 100.0
"""A submit may hold a vendor's line for 90 seconds, and is let finish."""


class Program:
    """A command with its variables; `environ` may be changed between an end and a start."""

    def __init__(self, name: str, command: Command, *, environ: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.environ = dict(environ)
        self.log = log
        self._command = [str(part) for part in command]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the process that was started last."""
        assert self._process is not None, f"{self.name} was never started"  # noqa: S101 -- whoever asks has started it
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it was started and runs no more."""
        return self._process is not None and self._process.poll() is not None

    def start(self) -> None:
        """Start it, in a session of its own: Ctrl-C in a terminal is for whoever started the stack."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 -- our own commands
                self._command,
                cwd=ROOT,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def ask_to_end(self) -> None:
        """Tell it to stop, without waiting."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def stop(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Tell it to stop, and wait until it has; what takes longer is killed."""
        if self._process is None:
            return
        self.ask_to_end()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL to it and to all that it has started, at once."""
        if self._process is None or self._process.poll() is not None:
            return
        itself = psutil.Process(self._process.pid)
        family = [itself, *itself.children(recursive=True)]
        for member in family:
            member.kill()
        self._process.wait()
        psutil.wait_procs(family, timeout=10)

    def last_words(self) -> str:
        """The end of what it has said."""
        said = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return "\n".join(said[-5:])
