"""Vendors' statements on the usage page: brought, looked through, and taken into costs."""
