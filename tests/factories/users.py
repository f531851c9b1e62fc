"""People, with or without credits."""

from core.db import Database
from core.db.enums import Role
from core.db.tables import User
from core.identity import users


def create_user(
    database: Database, email: str = "ana@example.org", *, credits: int = 10_000, role: Role = Role.USER
) -> User:
    """Somebody who signed up and got so many credits."""
    with database.write_session() as session:
        return users.ensure(session, email, signup_credits=credits, role=role)
