"""Links for people outside: a dialog that makes one, and the list of those that there are."""
