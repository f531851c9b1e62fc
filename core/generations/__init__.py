"""A generation's life: submitted, moved on, found again, judged, ended."""
