"""Custom elements with their own CSS and JavaScript."""
