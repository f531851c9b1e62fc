"""Everything that a page says, seen or heard: texts, labels, placeholders and alternatives, within our elements too."""

from collections.abc import Iterator

from playwright.sync_api import Locator, Page

from tests.browser.conftest import settle

_GATHER = """() => {
    const heard = ["aria-label", "aria-description", "aria-valuetext", "alt", "placeholder", "title"];
    const notOurs = %r;
    const found = [];
    const look = (node) => {
        if (node.nodeType === Node.TEXT_NODE) found.push(node.textContent);
        if (node.nodeType === Node.ELEMENT_NODE) {
            if (["SCRIPT", "STYLE"].includes(node.tagName) || node.matches(notOurs)) return;
            const { display, visibility } = getComputedStyle(node);
            if (!node.closest("canvas") && (display === "none" || visibility === "hidden")) return;
            for (const name of heard) found.push(node.getAttribute(name));
            if (node.matches("input:not([type=radio], [type=checkbox]), textarea")) found.push(node.value);
            node.shadowRoot?.childNodes.forEach(look);
        }
        node.childNodes.forEach(look);
    };
    look(document.body);
    found.push(document.title);
    return found.map((text) => text?.trim()).filter(Boolean);
}"""

NOT_OURS = (
    "[data-testid=stIconMaterial]",  # the name of an icon, drawn as the icon
    "[data-testid=stIconMaterial] *",
    "[data-testid=stElementToolbar]",  # what can be done with a chart or a table: data, picture, search, full screen
    "[data-testid=stFileUploaderDropzone]",  # "Upload", and how large and of what kind a file may be
    "[data-testid=stDateInput] [role=spinbutton]",
    "[data-testid=stSkipLink]",
)
"""Parts of Streamlit that have words of their own which no page can change."""


def said(page: Page) -> list[str]:
    """What the page says now."""
    found: list[str] = page.evaluate(_GATHER % ", ".join(NOT_OURS))
    return found


def said_when_opened(page: Page) -> Iterator[str]:
    """What the page says, and what it says once its tabs, expanders and popovers are opened one after another."""
    yield from said(page)
    for tab in _seen(page.get_by_role("tab")):
        tab.click()
        settle(page)
        yield from said(page)
        yield from _unfolded(page)
    yield from _unfolded(page)


def _unfolded(page: Page) -> Iterator[str]:
    for summary in _seen(page.locator("[data-testid=stExpander] details:not([open]) > summary")):
        summary.click()
        settle(page)
    yield from said(page)
    for opener in _seen(page.locator("[data-testid=stPopoverButton]")):
        opener.click()
        settle(page)
        yield from said(page)
        page.keyboard.press("Escape")


def _seen(places: Locator) -> list[Locator]:
    return [place for place in places.all() if place.is_visible() and place.is_enabled()]
