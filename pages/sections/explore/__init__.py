"""The explorer of the usage page: figures by any two dimensions as a sentence, a chart, a table and a file."""
