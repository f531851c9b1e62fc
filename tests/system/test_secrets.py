"""No key and no token shows up anywhere, however carelessly vendors repeat them."""

import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest
from redis import Redis

from core.providers import registry
from tests import simulators
from tests.system import app as apps

pytestmark = pytest.mark.process

KEYS = {name: f"{name}+Planted/Key={n}7c41" for n, name in enumerate(simulators.MODELS)}
SECRET_KEY = "planted-secret-for-signing-53d1"
KINDS = ("echo", "echorefuse", "echofail", "echo502", "lost")
TRACE_OF_AN_ECHO = b"vendor.invalid"


@pytest.fixture
def echoing_vendors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A stand-in of each vendor, which repeats what it gets, and an environment with a planted key for each."""
    monkeypatch.setenv("SECRET_KEY", SECRET_KEY)
    with ExitStack() as stack:
        for name, key in KEYS.items():
            url = stack.enter_context(simulators.running(name, seconds=1, limit=1000))
            monkeypatch.setenv(f"{name.upper()}_BASE_URL", url)
            monkeypatch.setenv(f"{name.upper()}_API_KEY", key)
        yield


@pytest.mark.usefixtures("echoing_vendors")
def test_keys_show_up_nowhere(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """After jobs that went well and badly, no secret is in answers, logs, Redis, command lines or the data folder."""
    data = tmp_path / "data"
    with apps.running(data) as app:
        ids = [
            app.order(
                modelId=model.id,
                prompt=f"[sim:{kind}] a lake",
                duration=model.default_seconds,
                resolution="720p" if "720p" in model.resolutions else model.resolutions[0],
                aspectRatio="16:9",
            )
            for model in map(registry.model, simulators.MODELS.values())
            for kind in KINDS
        ]
        outcomes = [_until_settled(app, generation_id) for generation_id in ids]
        places = {"answers": _answers(app, ids), "admin": _admin(app), "redis": _redis(app)}
        places["command lines"] = "\n".join(" ".join(part.cmdline()) for part in app.family()).encode()
        token = app.client.headers["Authorization"].removeprefix("Bearer ")
    places |= {str(path): path.read_bytes() for path in data.rglob("*") if path.is_file()}
    log = capfd.readouterr()
    places["log"] = f"{log.out}{log.err}".encode()

    each = len(simulators.MODELS)
    assert Counter(outcomes) == {"completed": each, "failed": 2 * each, "uncertain": each, "processing": each}
    assert TRACE_OF_AN_ECHO in places["log"]
    assert any(TRACE_OF_AN_ECHO in content for name, content in places.items() if name.endswith(".db"))
    assert _found({**KEYS, "SECRET_KEY": SECRET_KEY, "token": token}, places) == []


def _until_settled(app: apps.App, generation_id: str) -> str:
    """Wait until a generation is at an end or uncertain, or its clip could not be fetched; its status."""
    end = time.monotonic() + 150
    while True:
        clip = app.client.get(f"/generations/{generation_id}").json()["generation"]
        status: str = clip["status"]
        is_to_be_fetched_again = any("Could not fetch the clip" in step["what"] for step in clip["events"])
        if status not in ("pending", "processing") or is_to_be_fetched_again:
            return status
        assert time.monotonic() < end, f"{generation_id} is still {status}"
        time.sleep(0.5)


def _answers(app: apps.App, ids: list[str]) -> bytes:
    """Everything the API says to an administrator, and its refusals."""
    paths = ["/projects", "/models", "/providers", "/generations", "/credits", "/credits/entries", "/usage", "/health"]
    paths += [f"/generations/{generation_id}" for generation_id in ids]
    paths += ["/openapi.json", "/docs", "/generations/nothing", "/nothing"]
    answers = [app.client.get(path) for path in paths]
    answers += [app.client.post("/generate", content=b"{", headers={"Content-Type": "application/json"})]
    answers += [app.client.get("/projects", headers={"Authorization": "Bearer wrong"})]
    return b"\n".join(b"%r %s" % (list(answer.headers.items()), answer.content) for answer in answers)


def _admin(app: apps.App) -> bytes:
    """What the command line tells an operator of generations that nobody knows about."""
    command = [sys.executable, "-m", "core.admin", "uncertain"]
    told = subprocess.run(command, cwd=apps.ROOT, env=app.environ, capture_output=True, check=True)
    assert told.stdout
    return told.stdout + told.stderr


def _redis(app: apps.App) -> bytes:
    """All that the app's own Redis holds; RQ packs some of it."""
    (socket,) = {
        words[words.index("--unixsocket") + 1]
        for words in (part.cmdline() for part in app.family())
        if "--unixsocket" in words
    }
    seen: list[bytes] = []
    with Redis(unix_socket_path=socket) as redis:
        for key in redis.scan_iter():
            seen.append(key)
            if redis.type(key) == b"hash":
                seen += [part for pair in redis.hgetall(key).items() for part in pair]
            elif redis.type(key) == b"string":
                seen.append(redis.get(key) or b"")
    return b"\n".join([*seen, *filter(None, map(_unpacked, seen))])


def _unpacked(content: bytes) -> bytes | None:
    try:
        return zlib.decompress(content)
    except zlib.error:
        return None


def _found(secrets: Mapping[str, str], places: Mapping[str, bytes]) -> list[tuple[str, str, bytes]]:
    """Which secrets are where, as they are or as in an address, with what stands around them."""
    found = []
    for name, secret in secrets.items():
        for form in {secret.encode(), quote(secret).encode(), quote(secret, safe="").encode()}:
            for place, content in places.items():
                if (at := content.find(form)) >= 0:
                    found.append((name, place, content[max(0, at - 80) : at + len(form) + 20]))
    return found
