"""The whole catalogue as administrators look at it."""

from datetime import datetime

from core import db
from core.catalog.catalogue import Catalogue
from core.catalog_changes import current
from core.db import ReadSession
from core.workspaces.access import Member
from core.workspaces.permissions import Action


def everything(session: ReadSession, member: Member) -> tuple[Catalogue, datetime]:
    """All models, whatever their life, as of this moment, and the moment; Forbidden for others than administrators."""
    member.require(Action.MANAGE_CATALOGUE)
    return current.of(session), db.now(session)
