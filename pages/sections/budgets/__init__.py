"""Sections of the page of budgets."""
