"""What a running installation tells of itself: its lines lead from the press to the file and hold no secret."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from core.worker.background import repeating
from tests import simulators
from tests.fixtures import receiver as receivers
from tests.fixtures.identity_provider_mock import identity_provider_mock
from tests.system.app import API, App, free_port

pytestmark = [pytest.mark.process, pytest.mark.timeout(900)]  # a whole life, on a machine that may be busy

WORDS = "heron Planted-Prompt over the 5 reeds"
KEY = "modelslab+Planted/Key=7c41"
SECRET_KEY = "planted-secret-for-signing-53d1"
CLIENT_SECRET = "planted-secret-of-the-client-9a"
ANA = {"email": "ana@example.org", "email_verified": True, "name": "Ana"}
SAME = {"Sec-Fetch-Site": "same-origin"}


@dataclass(frozen=True)
class Seen:
    """What was done, and what all processes wrote meanwhile."""

    lines: list[dict[str, Any]]
    others: list[str]
    """What is no JSON."""

    ids: dict[str, str]
    """Request id of an order -> id of its generation."""

    outcomes: dict[str, str]
    links: list[str]
    metrics: dict[str, dict[str, dict[tuple[tuple[str, str], ...], float]]]
    """Role -> name of a sample -> labels -> the most that it ever was: a worker that rests begins anew with nothing."""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """A life of clips that end well and badly, of somebody who signs in, looks at them and is told by a webhook."""
    folder = tmp_path_factory.mktemp("seen")
    port, metrics_port = free_port(), _free_ports(5)
    address, log = f"http://127.0.0.1:{port}", folder / "log"
    with ExitStack() as opened:
        vendor = opened.enter_context(simulators.running("modelslab", seconds=1, limit=1000))
        receiver = opened.enter_context(receivers.receiver())
        provider = opened.enter_context(identity_provider_mock({"ana": ANA}))
        environ = {
            "AUTH_MODE": "oidc",
            "PUBLIC_URL": address,
            "SECRET_KEY": SECRET_KEY,
            "SIGNUP_CREDITS": "100000",
            "OIDC_ISSUER": provider.issuer,
            "OIDC_CLIENT_ID": "studio",
            "OIDC_CLIENT_SECRET": CLIENT_SECRET,
            "MODELSLAB_BASE_URL": vendor,
            "MODELSLAB_API_KEY": KEY,
            "WEBHOOK_ALLOW_HOSTS": receiver.host_port,
            "LOG_FORMAT": "json",
            "METRICS_PORT": str(metrics_port),
        }
        app = App(folder / "data", port=port, environ=environ, log=log)
        opened.callback(app.stop)
        roles = ("web", "dispatcher", "submit", "collect")
        scraper = opened.enter_context(_scraping({role: metrics_port + place for place, role in enumerate(roles)}))
        browser = opened.enter_context(httpx.Client(base_url=address, trust_env=False, timeout=60, headers=SAME))
        begun = browser.get("/auth/login?next=/usage").headers["location"]
        back = provider.authorize(begun, "ana")
        assert browser.get(back).status_code == 303
        links = [back.partition("code=")[2].partition("&")[0]]
        assert browser.post(f"{API}/webhooks", json={"url": f"{receiver.url}/Planted-Path"}).status_code == 201
        ids = {}
        for kind in ("echo", "echofail", "echo502"):
            ids[f"press-{kind}"] = _order(browser, kind, f"press-{kind}")
        outcomes = {request: _until_settled(browser, row_id) for request, row_id in ids.items()}
        done = browser.get(f"{API}/generations/{ids['press-echo']}/status").json()["status"]
        links += [done["videoUrl"], done["thumbnailUrl"]]
        assert browser.get(done["videoUrl"], headers={"Range": "bytes=0-9"}).status_code == 206
        assert browser.get(f"{API}/generations/nothing?token=Planted-Query").status_code == 404
        _until(lambda: any(b"generation" in call.body for call in receiver.calls), "the webhook came")
        _until(lambda: b"preview and check" in log.read_bytes(), "the preview is made")
        seen_before = scraper.rounds
        _until(lambda: scraper.rounds > seen_before + 1, "the last figures are read")
    lines, others = _read(log)
    return Seen(lines, others, ids, outcomes, links, scraper.most)


def test_lines_hold_no_prompt_key_or_link(seen: Seen) -> None:
    """However vendors repeat what they get, no line of any process has anything that was planted, in any form."""
    text = "\n".join([*map(json.dumps, seen.lines), *seen.others])
    queries = [part for link in seen.links for part in link.partition("?")[2].split("&") if len(part) > 12]
    planted = ("Planted", "planted", "heron", KEY, CLIENT_SECRET, SECRET_KEY, *seen.links, *queries, "/hooks/0")

    assert seen.outcomes == {"press-echo": "completed", "press-echofail": "failed", "press-echo502": "uncertain"}
    assert [each for each in planted if each in text] == []
    assert any("***" in line["event"] for line in seen.lines), "nothing was repeated, so this shows nothing"


def test_request_is_found_from_press_to_file(seen: Seen) -> None:
    """The id that came with an order is on the lines of all who worked on it, and so is that of its generation."""
    for request, generation in seen.ids.items():
        about = [line for line in seen.lines if line.get("generation_id") == generation]
        assert {line.get("request_id") for line in about if line["role"] != "web"} == {request}
        expected = {"web", "submit"} | ({"dispatcher", "collect"} if request == "press-echo" else set())
        assert expected <= {line["role"] for line in about}
        [answered] = [line for line in seen.lines if line["logger"] == "requests" and line.get("request_id") == request]
        assert answered["event"].startswith("POST /generate 202")
        assert answered["user_id"]


def test_every_line_is_one_object(seen: Seen) -> None:
    """Whoever writes a line, uvicorn and Streamlit too, writes JSON; only what Streamlit greets with is none."""
    loggers = {line["logger"].partition(".")[0] for line in seen.lines}

    assert {"uvicorn", "core", "security", "requests"} <= loggers
    assert [line for line in seen.others if "URL" not in line and "browser" not in line and line.strip()] == []
    assert {line["role"] for line in seen.lines} >= {"web", "dispatcher", "submit", "collect"}


def test_every_process_gives_its_metrics(seen: Seen) -> None:
    """Each counts its own work at a port of its own, and the web process what there is beside."""

    def sum_of(role: str, name: str, **labels: str) -> float:
        found = seen.metrics[role].get(name, {})
        return sum(value for has, value in found.items() if labels.items() <= dict(has).items())

    assert sum_of("web", "video_http_seconds_count", route="/generate", code="202", method="POST") == 3
    assert sum_of("web", "video_ledger_credits_total", kind="hold") > 0
    assert sum_of("web", "video_generations_in_flight", status="uncertain") == 1
    assert sum_of("dispatcher", "video_looks_total", provider="modelslab", outcome="succeeded") == 1
    assert sum_of("dispatcher", "video_look_lag_seconds_count", provider="modelslab") > 0
    assert sum_of("submit", "video_submit_seconds_count", provider="modelslab", outcome="ok") == 2
    assert sum_of("submit", "video_queue_wait_seconds_count", queue="video-submit") == 3
    assert sum_of("collect", "video_collect_seconds_count", provider="modelslab", outcome="ok") == 1
    assert sum_of("collect", "video_storage_seconds_count", op="put") >= 2
    assert sum_of("collect", "video_preview_seconds_count") == 1
    routes = {dict(labels)["route"] for labels in seen.metrics["web"]["video_http_seconds_count"]}
    assert not any(generation in route for route in routes for generation in seen.ids.values())
    assert all(sum_of(role, "process_cpu_seconds_total") > 0 for role in seen.metrics)


def _order(browser: httpx.Client, kind: str, request_id: str) -> str:
    project = browser.post(f"{API}/projects", json={"name": kind}).json()["project"]["id"]
    wanted = {"projectId": project, "modelId": "seedance-t2v", "prompt": f"[sim:{kind}] {WORDS}"}
    wanted |= {"resolution": "720p", "duration": 5, "aspectRatio": "16:9"}
    answer = browser.post(f"{API}/generate", json=wanted, headers={"X-Request-Id": request_id})
    assert answer.status_code == 202, answer.text
    assert answer.headers["X-Request-Id"] == request_id
    return str(answer.json()["generation"]["id"])


def _until_settled(browser: httpx.Client, generation_id: str) -> str:
    found = ""

    def is_settled() -> bool:
        nonlocal found
        found = browser.get(f"{API}/generations/{generation_id}/status").json()["status"]["status"]
        return found not in ("pending", "processing")

    _until(is_settled, f"{generation_id} is settled")
    return found


def _until(holds: Any, what: str) -> None:
    end = time.monotonic() + 600
    while not holds():
        assert time.monotonic() < end, f"not in time: {what}"
        time.sleep(0.3)


class _Scraper:
    """Reads the figures of each process again and again, as Prometheus does."""

    def __init__(self, ports: dict[str, int]) -> None:
        self._ports = ports
        self.rounds = 0
        self.most: dict[str, dict[str, dict[tuple[tuple[str, str], ...], float]]] = {role: {} for role in ports}

    def read(self) -> None:
        """One round; a process that does not answer now is asked in the next."""
        for role, port in self._ports.items():
            try:
                text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False, timeout=30).text
            except httpx.TransportError:
                continue
            for family in text_string_to_metric_families(text):
                for one in family.samples:
                    known = self.most[role].setdefault(one.name, {})
                    labels = tuple(sorted(one.labels.items()))
                    known[labels] = max(one.value, known.get(labels, 0.0))
        self.rounds += 1


@contextmanager
def _scraping(ports: dict[str, int]) -> Iterator[_Scraper]:
    scraper = _Scraper(ports)
    with repeating(scraper.read, every_seconds=2, name="scraper"):
        yield scraper


def _read(log: Path) -> tuple[list[dict[str, Any]], list[str]]:
    lines, others = [], []
    for line in log.read_text().splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            others.append(line)
    return lines, others


def _free_ports(number: int) -> int:
    """The first of so many ports in a row that nobody listens on."""
    while True:
        first = free_port()
        if first + number < 65536 and all(_is_free(first + place) for place in range(number)):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
