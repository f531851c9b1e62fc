"""How quick the pages are with a thousand and with a million generations, and what people who watch cost the server.

Run: python -m benchmarks.dashboard [--counts 1000,1000000] [--anew] [--folder /tmp] [--rounds 30] [--no-browser]
Filled databases are kept below the folder and used again while the schema is the same, unless `--anew`. All is on
loopback; it ends by itself, and its servers with it, also when it is told to end.
Reruns are counted as a browser sees them: a websocket client of its own speaks Streamlit's protocol.
"""

import argparse
import asyncio
import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx
import psutil
from playwright.sync_api import sync_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.BidiComponent_pb2 import BidiComponent
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from benchmarks import filled
from tests.browser.conftest import FLAGS, executable
from tests.system.app import ROOT, free_port

Click = tuple[Literal["button", "switch", "radio"], str, str]

PAGES = {
    "Projects": ("", ""),
    "Generate": ("generate", ""),
    "History": ("history", ""),
    "History, failed only": ("history", "status=failed"),
    "History, a common word": ("history", "text=lantern"),
    "History, a rare word": ("history", "text=quokka"),
    "History, no such word": ("history", "text=absentword"),
    "History, favourites": ("history", "favourite=yes"),
    "History, all workspaces": ("history", "where=all"),
    "Usage, 30 days": ("usage", ""),
    "Usage, 365 days": ("usage", "period=365"),
    "Usage, by person": ("usage", "period=365&by=user"),
    "Usage, outcome": ("usage", "period=365&show=outcome"),
    "Usage, cost": ("usage", "period=365&show=cost"),
    "Usage, waste": ("usage", "period=365&show=waste"),
    "Usage, waste by person": ("usage", "period=365&show=waste&waste=user"),
    "Usage, explorer": ("usage", "show=explore&when=365&by=model&and=nothing"),
    "Usage, explorer by two": ("usage", "show=explore&when=365&by=model&and=person"),
    "Account": ("account", ""),
    "Admin": ("admin", ""),
}
TRIVIAL = """
import streamlit as st
st.title("Trivial")
st.session_state.setdefault("presses", 0)
if st.button("A button"):
    st.session_state["presses"] += 1
st.markdown(f"Pressed {st.session_state['presses']} times")
for number in range(int(st.query_params.get("texts", 1))):
    st.markdown(f"Some text, {number}")
"""
CLICK_ON_TRIVIAL: Click = ("button", "^A button$", ".stMain")
CLICKS_ON: Mapping[str, Click] = {
    "generate": ("switch", "^Sound", ".st-key-generate_button"),
    "usage": ("radio", "^(Spending|Outcome)$", ".stMain"),
}
"""Page -> what is pressed, by role and name, one after the other, and the place where something else then stands."""
CLICKS = 14
WATCHERS = 50
WATCH_SECONDS = 15
POLL_SECONDS = 2.0
TRIVIAL_SERVER = "trivial"
AS_LONG_SERVER = "as long"
"""The trivial page with as many texts as the page that is measured has elements: what Streamlit takes of it."""
GOAL_OF_TRIVIAL = 3.0
GOAL_OF_FEW = 1.2


class Session:
    """One browser tab's side of the websocket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.page_hash = ""
        self.elements = 0
        self.live: dict[str, str] = {}
        self.shown: list[str] = []

    async def rerun(self, page: str = "", query: str = "") -> tuple[float, int]:
        """Run the script once: milliseconds until it had finished, bytes received."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string = query
        if page or not self.page_hash:
            state.page_name = page
        else:
            state.page_script_hash = self.page_hash
        begun, size, self.elements = time.perf_counter(), 0, 0
        await self.socket.send(message.SerializeToString())
        while True:
            data = await asyncio.wait_for(self.socket.recv(), 60)
            size += len(data)
            got = ForwardMsg()
            got.ParseFromString(data if isinstance(data, bytes) else data.encode())
            kind = got.WhichOneof("type")
            if kind in ("new_session", "navigation"):  # with st.navigation the second one knows
                self.page_hash = getattr(got, kind).page_script_hash
            elif kind == "delta":
                self.elements += 1
                self._take(got.delta.new_element.bidi_component)
            elif kind == "script_finished" and got.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return (time.perf_counter() - begun) * 1000, size

    def _take(self, element: BidiComponent) -> None:
        """What a look needs: address and token, and which clips under way the page shows."""
        if element.component_name == "live":
            self.live = json.loads(element.json)[0]
        elif element.component_name == "under_way":
            self.shown = [item["id"] for item in json.loads(element.json)[0]["items"]]


@contextmanager
def serving(command: Sequence[str], environ: dict[str, str]) -> Iterator[tuple[int, psutil.Process]]:
    """A Streamlit server on a free port, until the block ends."""
    port = free_port()
    whole = [sys.executable, "-m", "streamlit", "run", *command, "--server.port", str(port)]
    process = subprocess.Popen(whole, cwd=ROOT, env=os.environ | environ, stdout=subprocess.DEVNULL)  # noqa: S603 -- ourselves
    try:
        end = time.monotonic() + 60
        while True:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/_stcore/health", trust_env=False).status_code == 200:
                    break
            except httpx.TransportError:
                pass
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit("the server did not start")
            time.sleep(0.1)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def session(port: int) -> connect:
    """Open a websocket as a browser does."""
    address = f"ws://127.0.0.1:{port}/_stcore/stream"
    origin = f"http://127.0.0.1:{port}"
    return connect(address, max_size=None, proxy=None, origin=origin, subprotocols=["streamlit"])  # type: ignore[arg-type, list-item]  # plain words


@dataclass(frozen=True, slots=True)
class Reruns:
    """Of one page of one server: the first run in a new session and the reruns, in ms; bytes of a rerun."""

    first: float
    times: Sequence[float]
    size_bytes: int

    @property
    def middle(self) -> float:
        """The median of the reruns."""
        return statistics.median(self.times)


async def measured(ports: dict[str, int], page: str, query: str, rounds: int) -> dict[str, Reruns]:
    """Server -> its reruns of a page; the trivial server's are of its only one.

    Servers take turns rerun by rerun, so that the noise of the machine hits all alike.
    """
    tabs = {name: Session(await session(port).__aenter__()) for name, port in ports.items()}
    firsts, elements = {}, 0
    for name, tab in sorted(tabs.items(), key=lambda one: one[0] == AS_LONG_SERVER):
        firsts[name] = (await tab.rerun(*_wanted(name, page, query, elements)))[0]
        elements = max(elements, tab.elements)
    times: dict[str, list[float]] = {name: [] for name in tabs}
    sizes: dict[str, int] = {}
    for _round in range(rounds):
        for name, tab in tabs.items():
            took, sizes[name] = await tab.rerun(query=_wanted(name, page, query, elements)[1])
            times[name].append(took)
    for tab in tabs.values():
        await tab.socket.close()
    return {name: Reruns(firsts[name], times[name], sizes[name]) for name in tabs}


def _wanted(server: str, page: str, query: str, elements: int) -> tuple[str, str]:
    if server == AS_LONG_SERVER:
        return "", f"texts={elements}"
    return ("", "") if server == TRIVIAL_SERVER else (page, query)


async def pages_of(ports: dict[str, int], rounds: int) -> dict[str, dict[str, Reruns]]:
    """Page -> server -> its reruns."""
    return {name: await measured(ports, page, query, rounds) for name, (page, query) in PAGES.items()}


def p95(times: Sequence[float]) -> float:
    """The time that nineteen in twenty stay below."""
    return sorted(times)[min(len(times) - 1, int(len(times) * 0.95))]


async def watched(
    port: int, server: psutil.Process, database: Path, sessions: int
) -> tuple[float, float, float, float]:
    """CPU share of a core, p50 and p95 of another tab's reruns, bytes a look, while so many sessions watch."""
    sizes: list[int] = []
    times: list[float] = []
    async with httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=None)) as client:
        sockets = [await session(port).__aenter__() for _ in range(sessions + 1)]
        tabs = [Session(socket) for socket in sockets]
        for tab in tabs:
            await tab.rerun("generate")
        end = time.monotonic() + WATCH_SECONDS

        async def watch(tab: Session, place: int) -> None:
            await asyncio.sleep(POLL_SECONDS * place / max(1, sessions))
            etag = ""
            while time.monotonic() < end:
                headers = {"Authorization": f"Bearer {tab.live['token']}", "If-None-Match": etag}
                address = f"http://127.0.0.1:{port}{tab.live['address'].removeprefix('.')}"
                answer = await client.get(address, headers=headers, params={"shown": ",".join(tab.shown)})
                if answer.status_code not in (200, 304):
                    raise SystemExit(f"a look was refused: {answer.status_code}")
                etag = answer.headers["etag"]
                sizes.append(len(answer.content))
                await asyncio.sleep(POLL_SECONDS)

        async def probe() -> None:
            while time.monotonic() < end:
                times.append((await tabs[-1].rerun())[0])
                await asyncio.sleep(0.25)

        async def move() -> None:
            while time.monotonic() < end:
                await asyncio.to_thread(advance, database)
                await asyncio.sleep(POLL_SECONDS)

        before = sum(server.cpu_times()[:2])
        await asyncio.gather(probe(), move(), *(watch(tab, place) for place, tab in enumerate(tabs[:-1])))
        used = sum(server.cpu_times()[:2]) - before
        for socket in sockets:
            await socket.close()
    return used / WATCH_SECONDS, statistics.median(times), p95(times), statistics.mean(sizes) if sizes else 0.0


def advance(database: Path) -> None:
    """What the dispatcher does each round: everything under way moves a little."""
    with sqlite3.connect(database, timeout=30) as connection:
        connection.execute(
            "UPDATE generations SET progress = 0.2 + (progress * 10 + 1) % 8 / 10.0 WHERE stage <> 'ended' "
            "AND stage IN ('waiting')"
        )
    connection.close()


def turned(port: int, pages: int = 8) -> list[float]:
    """Milliseconds from the click on Older until every picture of the next page on screen is decoded, in Chromium."""
    found: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(playwright), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        # What is under way would stand first, and has no picture.
        page.goto(f"http://127.0.0.1:{port}/history?status=completed")
        page.locator("img.poster").first.wait_for()
        page.wait_for_timeout(1500)
        for _ in range(pages):
            older = page.get_by_role("button", name="Older")
            older.scroll_into_view_if_needed()
            found.append(page.evaluate(_TURN, older.element_handle()))
        browser.close()
    return found


_TURN = """older => new Promise((resolve, reject) => {
  const posters = () => {
    const all = [];
    const walk = (root) => {
      all.push(...root.querySelectorAll("img.poster"));
      for (const host of root.querySelectorAll("*")) if (host.shadowRoot) walk(host.shadowRoot);
    };
    walk(document);
    return all.filter((image) => !image.hidden);
  };
  const before = posters().map((image) => image.src).join();
  const begun = performance.now();
  older.click();
  const look = async () => {
    const now = posters();
    if (performance.now() - begun > 30000) return reject(new Error("no next page"));
    if (now.map((image) => image.src).join() === before) return requestAnimationFrame(look);
    const seen = now.filter((image) => {
      const box = image.getBoundingClientRect();
      return box.bottom > 0 && box.top < innerHeight;
    });
    await Promise.all(seen.map((image) => image.decode()));
    resolve(performance.now() - begun);
  };
  requestAnimationFrame(look);
})"""


def painted(port: int, path: str, role: Literal["button", "switch", "radio"], name: str, place: str) -> list[float]:
    """Milliseconds from a click until another text stands in a place and the frame with it is painted, in Chromium."""
    found: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(playwright), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"http://127.0.0.1:{port}/{path}")
        pressed = page.get_by_role(role, name=re.compile(name))
        pressed.last.wait_for()
        page.wait_for_timeout(2500)
        for turn in range(CLICKS):
            each = pressed.nth((turn + 1) % pressed.count())
            found.append(page.evaluate(_PAINT, [each.element_handle(), place]))
            page.wait_for_timeout(600)
        browser.close()
    return found[2:]  # the first ones also fetch code


_PAINT = """([pressed, place]) => new Promise((resolve, reject) => {
  const said = () => document.querySelector(place)?.textContent ?? "";
  const before = said();
  const begun = performance.now();
  pressed.click();
  const look = () => {
    if (performance.now() - begun > 30000) return reject(new Error("nothing changed"));
    if (said() === before) return requestAnimationFrame(look);
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - begun)));
  };
  requestAnimationFrame(look);
})"""


def clicks(trivial_port: int, ports: Mapping[int, int]) -> None:
    """The same kind of click on a trivial page, on the order form and on Usage, with few rows and with many."""
    basis = statistics.median(painted(trivial_port, "", *CLICK_ON_TRIVIAL))
    print(f"click to painted change: trivial page p50 {basis:.0f} ms")
    for count, port in ports.items():
        for page, click in CLICKS_ON.items():
            times = painted(port, page, *click)
            middle = statistics.median(times)
            print(
                f"  {page}, {count:,} rows: p50 {middle:.0f} ms, max {max(times):.0f}, {middle / basis:.2f} of trivial"
            )


def prepared(count: int, parent: Path, *, anew: bool) -> Path:
    """The folder of a filled installation, filled if it is not there."""
    folder = filled.folder_for(count, parent)
    version = hashlib.sha256(b"".join(path.read_bytes() for path in _MADE_FROM)).hexdigest()
    marker = folder / "filled"
    if anew or not marker.exists() or marker.read_text() != version:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        begun = time.monotonic()
        script = f"from benchmarks import filled; filled.fill({count})"
        subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=os.environ | environ(folder), check=True)  # noqa: S603 -- ourselves
        marker.write_text(version)
        print(f"filled {count:,} in {time.monotonic() - begun:.0f} s")
    return folder


_MADE_FROM = (Path(filled.__file__), *sorted(ROOT.glob("core/db/migrations/versions/*.py")))
"""What a filled database follows from; when it changes, it is filled anew."""


def environ(folder: Path) -> dict[str, str]:
    """An installation without a worker, so that nothing but what is measured runs."""
    return {"DATA_DIR": str(folder), "REDIS_URL": "redis://127.0.0.1:9/0", "PYTHONPATH": str(ROOT)}


def table(found: dict[str, dict[str, Reruns]], counts: Sequence[int]) -> None:
    """A line a page and size: times, against the trivial page beside it, and the most against the fewest."""
    trivial = statistics.median(runs[TRIVIAL_SERVER].middle for runs in found.values())
    print(f"trivial page: p50 {trivial:.1f} ms")
    print(
        f"{'rerun of':26}{'rows':>10}{'first ms':>10}{'p50 ms':>9}{'p95 ms':>9}{'kB':>8}"
        f"{'x trivial':>11}{'x as long':>11}{'x few':>7}"
    )
    for name, runs in found.items():
        for count in counts:
            run = runs[str(count)]
            against, growth = run.middle / runs[TRIVIAL_SERVER].middle, run.middle / runs[str(counts[0])].middle
            as_long = run.middle / runs[AS_LONG_SERVER].middle
            missed = " !" if against > GOAL_OF_TRIVIAL or growth > GOAL_OF_FEW else ""
            print(
                f"{name:26}{count:>10,}{run.first:>10.0f}{run.middle:>9.1f}{p95(run.times):>9.1f}"
                f"{run.size_bytes / 1000:>8.1f}{against:>11.1f}{as_long:>11.1f}{growth:>7.2f}{missed}"
            )
    print(f"! misses a goal: at most {GOAL_OF_TRIVIAL:g} x the trivial page, {GOAL_OF_FEW:g} x the smallest database")


def main() -> None:
    """Fill, serve, measure, print."""
    signal.signal(signal.SIGTERM, _end)
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--counts", default="1000,1000000")
    options.add_argument("--anew", action="store_true")
    options.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    options.add_argument("--rounds", type=int, default=30)
    options.add_argument("--no-browser", action="store_true")
    chosen = options.parse_args()
    counts = [int(count) for count in chosen.counts.split(",")]
    folders = {count: prepared(count, chosen.folder, anew=chosen.anew) for count in counts}
    with tempfile.TemporaryDirectory() as scratch:
        trivial = Path(scratch) / "trivial.py"
        trivial.write_text(TRIVIAL)
        with serving([str(trivial)], {}) as (trivial_port, _process):
            measure(counts, folders, trivial_port, chosen)


def _end(*_signal: object) -> None:
    """Leave by an exception, so that every server is stopped on the way out."""
    raise SystemExit("ended")


def measure(counts: Sequence[int], folders: dict[int, Path], trivial_port: int, chosen: argparse.Namespace) -> None:
    """One server a database, all up together; then the watchers on the largest."""
    few, many = counts[0], counts[-1]
    with (
        serving(["app.py"], environ(folders[few])) as (few_port, few_server),
        serving(["app.py"], environ(folders[many])) as (many_port, many_server),
    ):
        ports = {TRIVIAL_SERVER: trivial_port, AS_LONG_SERVER: trivial_port, str(few): few_port, str(many): many_port}
        table(asyncio.run(pages_of(ports, chosen.rounds)), [few, many])
        for count, port in ((few, few_port), (many, many_port)):
            if not chosen.no_browser:
                times = turned(port)
                middle = statistics.median(times)
                print(f"next page of the gallery, {count:,} rows: p50 {middle:.0f} ms, max {max(times):.0f} ms")
        if not chosen.no_browser:
            clicks(trivial_port, {few: few_port, many: many_port})
        for count, port, server in ((few, few_port, few_server), (many, many_port, many_server)):
            database = folders[count] / "studio.db"
            alone = asyncio.run(watched(port, server, database, 0))
            share, middle, late, size = asyncio.run(watched(port, server, database, WATCHERS))
            print(
                f"{WATCHERS} sessions watch {filled.LIVE} clips, {count:,} rows: {share - alone[0]:.1%} of a core "
                f"more than without them; {size:.0f} bytes a look; another tab's reruns p50 {middle:.1f} ms, "
                f"p95 {late:.1f} ms (alone {alone[1]:.1f}, {alone[2]:.1f})"
            )


if __name__ == "__main__":
    main()
