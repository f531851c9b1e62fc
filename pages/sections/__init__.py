"""Parts of the pages, by page."""
