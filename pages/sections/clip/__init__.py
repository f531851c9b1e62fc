"""Parts of the dialog of one clip."""
