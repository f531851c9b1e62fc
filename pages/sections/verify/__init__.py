"""Parts of the page that verifies files."""
