"""Sections of the audit log's page."""
