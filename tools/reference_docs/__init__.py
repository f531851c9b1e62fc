"""Writes the pages of docs/reference that follow from the code, so that they cannot say something else."""
