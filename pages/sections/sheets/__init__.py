"""Parts of the page of tables of orders."""
