"""Addresses of this installation as its pages name them: seen from the page, since a front decides what is above it."""


def from_page(path: str) -> str:
    """A path of ours, which begins with a slash, as a page links to it: every page stands one step below the root."""
    return f".{path}"
