"""A real Chromium, and tabs of it that remember everything a page must not do."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect, sync_playwright

SCREENSHOTS = Path(__file__).parent / "screenshots"
DEBIAN = "/usr/lib/chromium"
"""What /usr/bin/chromium and its like are scripts around."""
PATIENCE_MS = 20_000
LOOKS = [(theme, width) for theme in ("light", "dark") for width in (1280, 390)]
NOT_OURS = {
    # The link that skips to the content is known as one only where the next link is in the same tree: the bar's are in
    # a tree of its element.
    "region": "[data-testid=stSkipToContent]",
    # A toast is named by the id of a title that it does not draw; what it says is read out all the same, as an alert.
    "aria-dialog-name": "[data-testid=stToast]",
}
"""Rule of axe -> CSS selector of a part that Streamlit draws and no page can change, and why it bars nobody."""
STRANGE_HOST = "rebound.example"
"""A name that somebody else's page could let point at this machine."""

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-component-update",
    "--disable-background-networking",
    "--no-first-run",
    f"--host-resolver-rules=MAP {STRANGE_HOST} 127.0.0.1 , MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)


COLLECT_SHIFTS = """
window.shifts = [];
const isFrame = ({ node }) => node?.matches?.("[data-testid=stMainBlockContainer]"); // Streamlit's navigation arrives
const place = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(" ");
const describe = ({ node, previousRect, currentRect }) =>
  `${place(previousRect)} -> ${place(currentRect)}: ${node?.outerHTML?.slice(0, 90)}`;
new PerformanceObserver((list) => {
  for (const shift of list.getEntries())
    if (!shift.hadRecentInput && !shift.sources.every(isFrame))
      window.shifts.push([shift.value, ...shift.sources.map(describe)]);
}).observe({ type: "layout-shift", buffered: true });
"""


class Visit:
    """One person's browser with empty caches; `complaints` are what no page of ours may cause."""

    def __init__(
        self,
        browser: Browser,
        address: str,
        *,
        width: int = 1280,
        height: int = 900,
        theme: str = "light",
        zone: str = "UTC",
    ) -> None:
        self.address = address
        self.complaints: list[str] = []
        self.context: BrowserContext = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            accept_downloads=True,
            timezone_id=zone,
        )
        self.context.add_init_script(COLLECT_SHIFTS)
        self.context.set_default_timeout(PATIENCE_MS)
        self.context.on("request", lambda request: self._address(request.url))
        self.context.on("weberror", lambda error: self.complaints.append(f"uncaught: {error.error}"))
        self.context.on("console", self._console)

    def open(self, path: str) -> Page:
        """A new tab at an address of the dashboard."""
        page = self.context.new_page()
        page.on("websocket", lambda socket: self._address(socket.url))
        page.goto(self.address + path)
        return page

    def _address(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            self.complaints.append(f"asked for {url}")

    def _console(self, message: ConsoleMessage) -> None:
        # Streamlit looks for its own server below the address of a deep link first, and finds it above.
        if message.type == "error" and "/_stcore/" not in message.location["url"]:
            self.complaints.append(f"console: {message.text} ({message.location['url']})")


Visitor = Callable[..., Visit]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser of this machine; without one the tests fail and say what to install."""
    with sync_playwright() as playwright:
        path = executable(playwright)
        if path is None:
            pytest.fail(
                "No Chromium was found. Install one: apt-get install chromium-headless-shell (or chromium), "
                "or: playwright install chromium"
            )
        expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


def executable(playwright: Playwright) -> str | None:
    """The headless shell before the whole browser: 94 seconds of a processor instead of 160 for the same tests."""
    debian = (f"{DEBIAN}/chromium-headless-shell", f"{DEBIAN}/chromium")
    candidates = (*debian, shutil.which("chromium"), playwright.chromium.executable_path)
    return next((path for path in candidates if path and Path(path).exists()), None)


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Visitor]:
    """Begin a visit: `visitor(address, width=400, theme="dark")`."""
    visits: list[Visit] = []

    def begin(address: str, **look: object) -> Visit:
        visits.append(Visit(chromium, address, **look))  # type: ignore[arg-type]  # the size and theme, as they are
        return visits[-1]

    yield begin
    for visit in visits:
        visit.context.close()


def picture(page: Page, name: str) -> None:
    """Keep what the page looks like, for people to look at."""
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def settle(page: Page) -> None:
    """Wait until everything is drawn and every file is here."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    page.wait_for_load_state("networkidle")


def excess_px(page: Page) -> int:
    """By how much the page is wider than the window."""
    found: int = page.evaluate(
        """() => Math.max(...[document.documentElement, document.querySelector("[data-testid=stMain]")]
                 .map((part) => part.scrollWidth - part.clientWidth))"""
    )
    return found


def shifted(page: Page) -> float:
    """How far what stood there jumped since this was last asked, as cumulative layout shift; what, is printed."""
    shifts: list[list[Any]] = page.evaluate("window.shifts.splice(0)")
    print(*shifts, sep="\n")  # noqa: T201 -- shown by pytest when the test fails
    return float(sum(shift[0] for shift in shifts))


def lead_to(page: Page, title: str) -> None:
    """Go to a page by the bar, or by its menu where the bar has no room for it."""
    link = page.get_by_role("link", name=title, exact=True)
    if link.count() == 0:
        page.get_by_role("button", name=re.compile("^Menu of")).click()
    link.first.click()


def draw_again(page: Page) -> None:
    """Run the page's script once more, as Streamlit's own key does; sent by a script, it does not excuse a jump."""
    page.evaluate(
        """() => {
            window.runs = 0;
            const app = document.querySelector("[data-testid=stApp]");
            new MutationObserver(() => { window.runs += 1; }).observe(app, { attributes: true });
            for (const type of ["keydown", "keyup"])
                document.dispatchEvent(new KeyboardEvent(type, { key: "r", code: "KeyR", keyCode: 82, bubbles: true }));
        }"""
    )
    page.wait_for_function("window.runs > 0")
    settle(page)


def barriers(page: Page) -> list[tuple[str, str]]:
    """What axe finds, as (rule, markup), without what is `NOT_OURS`."""
    found = Axe().run(page).response["violations"]
    return [
        (rule["id"], node["html"][:160])
        for rule in found
        for node in rule["nodes"]
        if not _is_within(page, node["target"][0], NOT_OURS.get(rule["id"]))
    ]


def _is_within(page: Page, target: str | list[str], selector: str | None) -> bool:
    """Whether what axe names is a part of Streamlit's; a list leads into an element of ours."""
    if selector is None or isinstance(target, list):
        return False
    script = "([target, selector]) => document.querySelector(target)?.closest(selector) !== null"  # or gone since
    return bool(page.evaluate(script, [target, selector]))
