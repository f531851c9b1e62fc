"""Suggestions for better prompts; pure."""
