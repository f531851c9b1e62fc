"""Vendors' monthly statements beside our records: read, matched, and differences taken into costs, never credits."""
