"""Pieces of the page of assets, and of other pages where assets are chosen."""
