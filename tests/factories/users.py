"""People, with or without credits, at work in their own workspaces."""

from core import db
from core.clock import utc_now
from core.db import Database, WriteSession
from core.db.enums import Role
from core.db.tables import User
from core.identity import users
from core.workspaces import members
from core.workspaces.access import Member


def create_member(
    database: Database, email: str = "ana@example.org", *, credits: int = 10_000, role: Role = Role.USER
) -> Member:
    """Somebody who signed up and got so many credits, in their personal workspace."""
    with database.write_session() as session:
        return ensure_member(session, email, signup_credits=credits, role=role)


def ensure_member(session: WriteSession, email: str, *, signup_credits: int = 0, role: Role = Role.USER) -> Member:
    """The person with this address in their personal workspace, made if new."""
    return members.at_work(session, users.ensure(session, email, signup_credits=signup_credits, role=role))


def deactivate(member: Member) -> None:
    """End somebody's access to the installation that is open."""
    with db.write_session() as session:
        session.get_one(User, member.id).deactivated_at = utc_now()
