"""Prices of orders, and the ledger of credits."""
