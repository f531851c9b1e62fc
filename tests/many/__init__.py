"""A whole installation behind nginx while its parts are killed, stopped and set wrong: what came of it is counted."""
