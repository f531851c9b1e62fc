"""The dashboard in a real Chromium, against the real app."""
