"""Orders from a spreadsheet: a table is read, checked line by line, ordered all or not at all, and told of again."""
