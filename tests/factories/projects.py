"""Projects of people."""

from core.db import Database
from core.db.tables import Project, User
from core.projects import projects


def create_project(database: Database, user: User, name: str = "Lakes") -> Project:
    """An empty project."""
    with database.write_session() as session:
        return projects.create(session, user, name=name)
