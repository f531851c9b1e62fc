"""The catalogue as administrators look at it and change it."""
