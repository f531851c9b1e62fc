"""The door for people: the sign-in page, the way to their identity provider and back, and out again."""
