"""Addresses of this installation as its pages name them: seen from the page, since a front decides what is above it."""

import html
from urllib.parse import urljoin

import streamlit as st

from core import installation


def in_this_tab(address: str, label: str) -> str:
    """A link as HTML that leaves the page; Streamlit's own open another tab."""
    return f'<a href="{html.escape(address)}" target="_self" style="color: inherit">{html.escape(label)}</a>'


def from_page(path: str) -> str:
    """A path of ours, which begins with a slash, as a page links to it: every page stands one step below the root."""
    return f".{path}"


def for_others(path: str) -> str:
    """A whole address that can be passed on: that of PUBLIC_URL, else seen from where this browser is."""
    if public_url := installation.current().settings.public_url:
        return f"{public_url}{path}"
    return urljoin(st.context.url or "", from_page(path))
