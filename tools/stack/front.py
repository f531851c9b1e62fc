"""nginx before the web processes, by deploy/nginx/studio.conf.template: the file that a company starts from.

What surrounds it here (one process, files in the stack's folder) is of no use elsewhere.
"""

import getpass
import os
import re
import shutil
import signal
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from core.startup import StartError
from tools.stack.programs import ROOT, Command, Program

TEMPLATE = ROOT / "deploy" / "nginx" / "studio.conf.template"
FRAME = """
daemon off;
{user}worker_processes 1;
worker_shutdown_timeout 5s;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{
    worker_connections 1024;
}}
http {{
    default_type application/octet-stream;
    client_body_temp_path {folder}/client_body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/studio.conf;
}}
"""


class Front:
    """nginx at `port` before the servers at `ports`; some of them can be taken out while it runs."""

    def __init__(self, folder: Path, *, port: int, ports: Sequence[int], environ: Mapping[str, str]) -> None:
        self._folder, self._port, self._ports = folder, port, ports
        (folder / "extra").mkdir(parents=True)
        self.access_log = folder / "access.log"
        """A line a request, which names the `node=` that answered."""
        user = f"user {getpass.getuser()};\n" if os.geteuid() == 0 else ""  # else files of root's would be nobody's
        (folder / "nginx.conf").write_text(FRAME.format(folder=folder, user=user))
        self._write(out=())
        command: Command = [program(), "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"]
        self.program = Program("nginx", command, environ=environ, log=folder.with_suffix(".log"))

    def take_out(self, *ports: int) -> None:
        """Send nothing new to these servers from now on, and to all others; what is open stays as it is."""
        self._write(out=ports)
        os.kill(self.program.pid, signal.SIGHUP)

    def _write(self, *, out: Collection[int]) -> None:
        how = {port: "down" if port in out else "max_fails=1 fail_timeout=5s" for port in self._ports}
        variables = {
            "STUDIO_SERVERS": " ".join(f"server 127.0.0.1:{port} {each};" for port, each in how.items()),
            "STUDIO_RESOLVER": "127.0.0.1",  # never asked: servers have addresses here
            "STUDIO_LISTEN": f"127.0.0.1:{self._port}",
            "STUDIO_SERVER_NAME": "_",
            "STUDIO_EXTRA": str(self._folder / "extra"),
            "STUDIO_ACCESS_LOG": str(self.access_log),
        }
        part = self._folder / "studio.conf.part"
        template = TEMPLATE.read_text(encoding="utf-8")
        part.write_text(re.sub(r"\$\{(STUDIO_\w+)\}", lambda found: variables[found[1]], template))
        part.replace(self._folder / "studio.conf")


def program() -> str:
    """Where nginx is. StartError, with the command that installs it, where it is not."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise StartError(
            "nginx is not installed: apt-get install nginx (or brew install nginx). "
            "Debian starts it at once, at port 80; `systemctl disable --now nginx` ends that."
        )
    return found
