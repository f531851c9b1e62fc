"""Everything that a page says, seen or heard: texts, labels, placeholders and alternatives, within our elements too."""

import re

from playwright.sync_api import Locator, Page

from tests.browser.conftest import settle

NOT_OURS = (
    "script, style, noscript",
    "canvas *",  # what st.dataframe tells a screen reader: the bare figures
    # names of icons, which are drawn as icons
    "[data-testid=stIconMaterial], [data-testid$=DynamicIcon], [role=img][aria-label$=' icon']",
    "[data-testid=stElementToolbar]",  # what can be done with a chart or a table: data, picture, search, full screen
    "[data-testid=stFileUploaderDropzone]",  # how large a file may be, and of what kind
    "[data-testid=stDateInput] [role=spinbutton]",
)
"""Parts of Streamlit's that have words of their own, which no page can change."""

_STREAMLIT = re.compile(
    r"Skip to main content|App pages|Help( for .*)?|\w+ icon|Open|Close|Dismiss|Notifications|Choose an option"
    r"|Link to heading|Clear (entry|all|value)|Selected values|Remove .*|Increment|Decrement|Choose date( range)?"
    r"|.* (start|end) date|Scroll tabs (left|right)"
)
"""The same for single labels."""

_GATHER = """(notOurs) => {
    const heard = ["aria-label", "aria-description", "aria-valuetext", "alt", "placeholder", "title"];
    const found = [document.title];
    const look = (node) => {
        if (node.nodeType === Node.TEXT_NODE) found.push(node.textContent);
        if (node.nodeType === Node.ELEMENT_NODE) {
            const { display, visibility } = getComputedStyle(node);
            if (node.matches(notOurs) || display === "none" || visibility === "hidden") return;
            for (const name of heard) found.push(node.getAttribute(name));
            if (node.matches("textarea, [role=combobox]")) found.push(node.value);
            node.shadowRoot?.childNodes.forEach(look);
        }
        node.childNodes.forEach(look);
    };
    look(document.querySelector("[role=dialog]") ?? document.body);
    return found.map((text) => text?.trim()).filter(Boolean);
}"""


def said(page: Page) -> set[str]:
    """What the page says now; what its dialog says, where one is open."""
    found: list[str] = page.evaluate(_GATHER, ", ".join(NOT_OURS))
    return {text for text in found if not _STREAMLIT.fullmatch(text)}


def said_when_opened(page: Page) -> set[str]:
    """What the page says, also behind its tabs, and within its expanders and popovers."""
    found = said(page) | _said_when_unfolded(page)
    for tab in _seen(page.get_by_role("tab")):
        tab.click()
        settle(page)
        found |= _said_when_unfolded(page)
    return found


def _said_when_unfolded(page: Page) -> set[str]:
    dialog = page.get_by_role("dialog")
    place = dialog if dialog.count() else page.locator("body")
    while folded := _seen(place.locator("[data-testid=stExpander] details:not([open]) > summary")):
        folded[0].click()
        settle(page)
    found = said(page)
    for opener in _seen(place.get_by_test_id("stPopoverButton")):
        opener.click()
        settle(page)
        found |= said(page)
        opener.click()
        settle(page)
    return found


def _seen(places: Locator) -> list[Locator]:
    return [place for place in places.all() if place.is_visible() and place.is_enabled()]
