"""What waits for a person, drawn for who runs the installation and for who manages workspaces of it alike."""
