"""Stories told with real processes that are really killed."""
