"""The analyst pack: all figures as files that analysts' own tools read, checked against the books."""
