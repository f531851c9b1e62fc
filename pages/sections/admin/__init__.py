"""Sections of the page for administrators."""
