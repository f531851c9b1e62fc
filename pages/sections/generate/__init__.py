"""Parts of the generate page."""
