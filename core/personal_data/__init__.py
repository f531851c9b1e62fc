"""What is kept of a person: packed for them, and erased. Money and figures stay as they are."""
