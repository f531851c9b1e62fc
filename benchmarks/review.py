"""How soon the next clip plays in the viewer after its key, in Chromium, with clips in local storage.

Run: python -m benchmarks.review [--clips 40] [--pause-ms 700]
Every clip is five seconds of 1280 x 720 of about 1.5 MB. Time runs from the key's event in the page to the first frame
of the clip after it that the browser has presented. `at once` are keys pressed as fast as clips come, `in turn` those
after a pause in which the next one can be loaded. All is on loopback, and ends by itself.
"""

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from playwright.sync_api import Page, sync_playwright

from core.files import storage as storages
from tests.browser.conftest import FLAGS, executable
from tests.browser.furnishing import installation, stored
from tests.system.app import running

WATCH = """
window.waits = [];
addEventListener("keydown", () => (window.pressed = performance.now()), true);
const deep = (root, found = []) => {
  for (const each of root.querySelectorAll("*")) {
    if (each.matches(".screen")) found.push(each);
    if (each.shadowRoot) deep(each.shadowRoot, found);
  }
  return found;
};
window.watch = () => {
  const [screen] = deep(document);
  new MutationObserver(() => {
    const video = screen.querySelector("video");
    const from = window.pressed;
    const told = (now) => (video.paused ? video.requestVideoFrameCallback(told) : waits.push(now - from));
    video?.requestVideoFrameCallback(told);
  }).observe(screen, { childList: true });
};
"""


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--clips", type=int, default=40)
    asked.add_argument("--pause-ms", type=int, default=700)
    chosen = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="review-") as name:
        folder = Path(name)
        fill(folder, chosen.clips)
        with running(folder) as app, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable(playwright), args=list(FLAGS))
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.add_init_script(WATCH)
            for title, pause_ms in (("in turn", chosen.pause_ms), ("at once", 0)):
                page.goto(f"http://127.0.0.1:{app.port}/history")
                page.locator("li[data-id] button").first.click()
                page.get_by_role("dialog").locator("video").wait_for()
                page.wait_for_timeout(2000)
                tell(title, walk(page, chosen.clips - 1, pause_ms))
            browser.close()


def walk(page: Page, steps: int, pause_ms: int) -> list[float]:
    """Press the key of the next clip again and again; how long each took, in milliseconds."""
    page.evaluate("watch()")
    for step in range(1, steps + 1):
        page.keyboard.press("ArrowRight")
        page.wait_for_function("(step) => waits.length >= step", arg=step, polling=16)
        page.wait_for_timeout(pause_ms)
    found: list[float] = page.evaluate("waits")
    return found


def tell(title: str, waits: Sequence[float]) -> None:
    """One line."""
    quantiles = statistics.quantiles(waits, n=20)
    print(f"{title}: median {statistics.median(waits):.0f} ms, p95 {quantiles[-1]:.0f} ms, of {len(waits)} clips")


def fill(folder: Path, count: int) -> None:
    """So many finished clips."""
    clips = [make(folder / f"{number}.mp4", number) for number in range(4)]
    with installation(folder) as studio:
        storage, project = storages.open_storage(studio.settings.storage_url), studio.project()
        for number in range(count):
            row = studio.order(project, f"Take {number}")
            studio.complete(row, stored(storage, row, clips[number % len(clips)]))


def make(path: Path, seed: int) -> Path:
    """Five seconds of a moving picture with grain, so that its file is as large as real ones."""
    grain = np.random.default_rng(seed).integers(0, 40, (720, 1280, 3), dtype=np.uint8)
    ramp = np.linspace(0, 180, 1280, dtype=np.uint8)[None, :, None]
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=24, options={"preset": "veryfast", "b": "2400000"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for number in range(120):
            picture = np.roll(grain, number * 3, axis=1) + np.roll(ramp, number * 8, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


if __name__ == "__main__":
    main()
