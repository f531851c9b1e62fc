"""Services on a database of their own."""
