"""The token with which an element of a page speaks for whoever looks at it."""

from core import db, installation
from core.identity import page_tokens
from core.workspaces.access import Member
from pages.ui import current_member, language


def sign(purpose: str, person: Member) -> str:
    """A token of an hour for one purpose, in this workspace and this language."""
    holder = page_tokens.Holder(person.id, person.workspace_id, language.current(), current_member.session_id())
    return page_tokens.sign(purpose, holder, secret=installation.current().settings.secret_key, now=db.clock().now())
