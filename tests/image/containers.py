"""Containers of the built image without an engine: its files on a read-only root, its account, mounts of their own.

Linux and root only. They share the network of this machine, where all listen on loopback.
"""

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

_SETUP = """
mount --make-rprivate /
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=0755 tmpfs "$root/run"
mkdir "$root/run/secrets"
mount --bind "$secrets" "$root/run/secrets"
mount --bind "$data" "$root/data"
exec chroot "$root" setpriv --reuid "$uid" --regid "$uid" --clear-groups --no-new-privs "$@"
"""


class Image:
    """The image that `.ci/image` has built, unpacked in a folder."""

    def __init__(self) -> None:
        self.root = Path(os.environ["IMAGE_ROOT"])
        described = json.loads(Path(os.environ["IMAGE_CONFIG"]).read_text(encoding="utf-8"))
        self.config: Mapping[str, Any] = described["Docker"]["config"]


class Container:
    """One process of the image; `data` is its /data, `secrets` its /run/secrets."""

    def __init__(
        self, image: Image, *command: str, data: Path, secrets: Path, environ: Mapping[str, str], log: Path
    ) -> None:
        self.command = command or tuple(image.config["Cmd"])
        self.log = log
        variables = [*image.config["Env"], *(f"{name}={value}" for name, value in environ.items())]
        where = ["/usr/bin/env", "-i", f"--chdir={image.config['WorkingDir']}", *variables]
        uid = str(image.config["User"]).partition(":")[0]
        argv = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", _SETUP, "setup", *where]
        known = os.environ | {"root": str(image.root), "data": str(data), "secrets": str(secrets), "uid": uid}
        with log.open("wb") as output:
            self.process = subprocess.Popen([*argv, *self.command], env=known, stdout=output, stderr=output)

    def wait(self, seconds: float = 120) -> int:
        """Its exit code."""
        return self.process.wait(seconds)

    def terminate(self) -> None:
        """SIGTERM to its first process, as an engine sends it."""
        for pid in self._first():
            os.kill(pid, signal.SIGTERM)

    def end(self) -> None:
        """Leave nothing running: with its first process, the system ends all that are in there with it."""
        for pid in self._first():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()

    def _first(self) -> list[int]:
        if self.process.poll() is not None:
            return []
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        return [int(pid) for pid in children.split()]

    def said(self) -> str:
        """What it has written."""
        return self.log.read_text(encoding="utf-8", errors="replace")


class Host:
    """Containers that share data and secrets, and end with the block."""

    def __init__(self, image: Image, folder: Path, environ: Mapping[str, str], secrets: Mapping[str, str]) -> None:
        self._image = image
        self.environ = environ
        self._folder = folder
        self._data, self._secrets = folder / "data", folder / "secrets"
        for made in (self._data, self._secrets):
            made.mkdir()
            os.chown(made, 10001, 10001)
        for name, value in secrets.items():
            (self._secrets / name).write_text(f"{value}\n")
            os.chown(self._secrets / name, 10001, 10001)
            (self._secrets / name).chmod(0o400)
        self._containers: list[Container] = []

    def __enter__(self) -> "Host":
        return self

    def __exit__(self, *_given: object) -> None:
        for container in reversed(self._containers):
            container.end()

    def start(self, *command: str, **environ: str) -> Container:
        """One more; without a command the image's own."""
        handle, log = tempfile.mkstemp(suffix=".log", dir=self._folder)
        os.close(handle)
        found = Container(
            self._image,
            *command,
            data=self._data,
            secrets=self._secrets,
            environ={**self.environ, **environ},
            log=Path(log),
        )
        self._containers.append(found)
        return found

    def run(self, *command: str) -> str:
        """Run one to its end, which must be a good one; what it said."""
        container = self.start(*command)
        assert container.wait() == 0, container.said()
        return container.said()

    def until_good(self, *probe: str, seconds: float = 120) -> None:
        """Wait until a command of the image says 0, as a health check does."""
        end = time.monotonic() + seconds
        while (container := self.start(*probe)).wait() != 0:
            assert time.monotonic() < end, f"{probe}: {self.logs()} {container.said()}"
            time.sleep(0.5)

    def logs(self) -> Sequence[str]:
        """What all have said so far."""
        return [f"{container.command}: {container.said()}" for container in self._containers]
