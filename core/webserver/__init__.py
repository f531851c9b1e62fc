"""What stands in front of every page and every answer of the API: who may come in, how much, below which path."""
