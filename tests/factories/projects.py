"""Projects of people."""

from core.db import Database
from core.db.tables import Project
from core.projects import projects
from core.workspaces.access import Member


def create_project(database: Database, user: Member, name: str = "Lakes") -> Project:
    """An empty project."""
    with database.write_session() as session:
        return projects.create(session, user, name=name)
