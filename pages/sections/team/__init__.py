"""Parts of the pages about people and teams: who is in a workspace, invitations, credits, workspaces."""
