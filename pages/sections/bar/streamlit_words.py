"""The words that Streamlit writes itself, as people here read them: `bar.js` puts them where Streamlit's stand.

Streamlit (1.67) has no setting for them. What is empty is not said at all: in a field that takes effect by itself a key
"to apply" would be taken for the one that orders.
"""

from typing import Any

from pages.ui.language import _

_STOPPED = "Is Streamlit still running? If you accidentally stopped Streamlit, just restart it in your terminal:"


def all_of_them() -> dict[str, Any]:
    """`texts` by what stands there, `labels` that are heard, and `perFile` with the place `{size}`."""
    away = _("The server does not answer. This page tries again by itself; what was ordered goes on.")
    return {
        "texts": {
            "Press Enter to apply": "",
            "Press Ctrl+Enter to apply": "",
            "Press ⌘+Enter to apply": "",
            "Press Enter to submit form": "",
            "Upload": _("Upload"),
            "Drag and drop a file here": _("Drop a file here"),
            "Drag and drop files here": _("Drop files here"),
            "No results": _("Nothing found"),
            "Choose an option": _("Choose"),
            "Choose options": _("Choose"),
            "Select all": _("Select all"),
            "Skip to main content": _("Skip to main content"),
            "Connection error": _("Connection lost"),
            "Connection timed out.": away,
            _STOPPED: away,
            "Streamlit server is not responding. Are you connected to the internet?": away,
            "streamlit run yourscript.py": "…",
        },
        "labels": {
            "Clear all": _("Clear"),
            "Open": _("Open the list"),
            "Selectbox options": _("Choices"),
            "Close": _("Close"),
            "Notifications": _("Notifications"),
            "Show password": _("Show password"),
            "Hide password": _("Hide password"),
        },
        "perFile": _("{size} a file"),
    }
