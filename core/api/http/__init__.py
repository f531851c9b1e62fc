"""What stands around every route: authentication, limits, errors, ranges, conditional requests."""
