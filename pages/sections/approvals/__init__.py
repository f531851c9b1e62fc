"""Sections of the page of approvals."""
