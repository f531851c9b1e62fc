"""nginx before the web processes, by deploy/nginx/studio.conf.template: the file that a company starts from.

What surrounds it here (one process, files in the stack's folder) is of no use elsewhere.
"""

import getpass
import os
import re
import shutil
from collections.abc import Mapping, Sequence
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
    """nginx at `port` before the servers at `ports`, and what it writes down of each request."""

    def __init__(self, folder: Path, *, port: int, ports: Sequence[int], environ: Mapping[str, str]) -> None:
        (folder / "extra").mkdir(parents=True)
        self.access_log = folder / "access.log"
        """A line a request, which names the `node=` that answered."""
        user = f"user {getpass.getuser()};\n" if os.geteuid() == 0 else ""  # else files of root's would be nobody's
        (folder / "nginx.conf").write_text(FRAME.format(folder=folder, user=user))
        variables = {
            "STUDIO_SERVERS": " ".join(f"server 127.0.0.1:{each} max_fails=1 fail_timeout=1s;" for each in ports),
            "STUDIO_RESOLVER": "127.0.0.1",  # never asked: servers have addresses here
            "STUDIO_LISTEN": f"127.0.0.1:{port}",
            "STUDIO_SERVER_NAME": "_",
            "STUDIO_EXTRA": str(folder / "extra"),
            "STUDIO_ACCESS_LOG": str(self.access_log),
        }
        template = TEMPLATE.read_text(encoding="utf-8")
        filled = re.sub(r"\$\{(STUDIO_\w+)\}", lambda found: variables[found[1]], template)
        (folder / "studio.conf").write_text(filled)
        command: Command = [program(), "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"]
        self.program = Program("nginx", command, environ=environ, log=folder.with_suffix(".log"))


def program(places: str = "/usr/sbin:/usr/local/sbin") -> str:
    """Where nginx is: on the PATH or in one of these places. StartError, with the command that installs it, if not."""
    found = shutil.which("nginx") or shutil.which("nginx", path=places)
    if found is None:
        raise StartError(
            "nginx is not installed: apt-get install nginx (or brew install nginx). "
            "Debian starts it at once, at port 80; `systemctl disable --now nginx` ends that."
        )
    return found
