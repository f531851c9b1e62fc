"""People, their roles, their language and their storage."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update

from core import config, errors, normal_form
from core.billing import ledger
from core.clock import utc_now
from core.db import ReadSession, WriteSession, types
from core.db.enums import Role, WorkspaceKind, WorkspaceRole
from core.db.tables import Account, User, Workspace, WorkspaceMember
from core.ids import new_id
from core.messages import message

LANGUAGE_LIMIT_CHARS = 8

_LOCK = select(User.id).where(User.id == bindparam("user_id")).with_for_update(key_share=True)
_BY_EMAIL = select(User).where(User.email == bindparam("email"))


def canonical_email(email: str) -> str:
    """An address as it is kept and compared: small letters, composed; nothing that could make two addresses one."""
    return normal_form.canonical(email.strip().lower())


def ensure(session: WriteSession, email: str, *, signup_credits: int, role: Role = Role.USER) -> User:
    """The person with this address, made (with a workspace and signup credits) if new; safe when two do it at once.

    As `find` for an address that is known.
    """
    address = canonical_email(email)
    if "@" not in address or len(address) > 254:
        raise errors.InvalidRequest(fields={"email": message("not_an_email", email=email)})
    found = find(session, address)
    if found is not None:
        return found
    made = session.scalar(
        types.insert(session, User)
        .values(id=new_id(), email=address, name=address.split("@")[0], role=role, created_at=utc_now())
        .on_conflict_do_nothing(index_elements=["email"])
        .returning(User.id)
    )
    user = session.scalars(_BY_EMAIL, {"email": address}).one()
    if made is not None:
        _open_personal_workspace(session, user)
        if signup_credits:
            key = f"user:{user.id}:signup"
            ledger.grant(
                session, user.id, credits=signup_credits, key=key, actor="system", reason=message("signup_credits")
            )
    return user


def _open_personal_workspace(session: WriteSession, user: User) -> None:
    """A workspace of their own, under their own id, with its account."""
    session.add(Workspace(id=user.id, kind=WorkspaceKind.PERSONAL, name=user.name or user.email[:120]))
    session.flush()
    session.add(WorkspaceMember(workspace_id=user.id, user_id=user.id, role=WorkspaceRole.MANAGER))
    ledger.open_account(session, user.id)


def local_person(session: WriteSession, settings: config.Settings) -> User:
    """The one person of an installation without sign-in; an administrator of it."""
    return ensure(session, config.LOCAL_PERSON, signup_credits=settings.signup_credits, role=Role.ADMIN)


def find(session: ReadSession, email: str) -> User | None:
    """The person with this address, who they are now for one that was merged into another; None when there is none."""
    user = session.scalar(_BY_EMAIL, {"email": canonical_email(email)})
    return session.get(User, user.merged_into_id) if user is not None and user.merged_into_id is not None else user


def by_id(session: ReadSession, user_id: str) -> User | None:
    """The person with this id, who may have been deactivated; None when there is none."""
    return session.get(User, user_id)


def get(session: ReadSession, email: str) -> User:
    """The person with this address, as `find`; NotFound when there is none."""
    user = find(session, email)
    if user is None:
        raise errors.NotFound(message("no_such_person", email=email))
    return user


def lock(session: WriteSession, user_id: str) -> None:
    """Let what this person does wait until the transaction ends, where it asks for the same (SQLite has one writer)."""
    session.execute(_LOCK, {"user_id": user_id})


def note_workspace(session: WriteSession, user: User, *, workspace_id: str) -> None:
    """Remember where a person was last at work, for their next visit."""
    session.execute(update(User).where(User.id == user.id).values(last_workspace_id=workspace_id))


def set_language(session: WriteSession, user: User, *, tag: str | None) -> None:
    """Remember in which language a person reads; None leaves it to their browser."""
    if tag is not None and not (tag.isascii() and tag.isalpha() and len(tag) <= LANGUAGE_LIMIT_CHARS):
        raise errors.InvalidRequest(fields={"language": message("not_a_language")})
    session.execute(update(User).where(User.id == user.id).values(language=tag))


@dataclass(frozen=True, slots=True)
class UserRow:
    """A person and the account of their own workspace, as an administrator sees them."""

    id: str
    email: str
    name: str
    role: Role
    available_credits: int
    held_credits: int
    granted_credits: int
    """All that ever came in: grants and corrections."""


def list_all(
    session: ReadSession, admin: User, *, search: str = "", after_email: str = "", limit: int = 25
) -> Sequence[UserRow]:
    """People by address, a keyset page at a time; Forbidden for who is no administrator."""
    if admin.role is not Role.ADMIN:
        raise errors.Forbidden(message("administrators_only"))
    query = _ALL
    if wanted := search.strip():
        query = query.where(User.search_key.contains(normal_form.normal(wanted), autoescape=True))
    found = session.execute(query, {"after_email": after_email, "limit": limit}).all()
    given = ledger.total_credited(session, [row.account_id for row in found])
    return [
        UserRow(
            row.id, row.email, row.name, row.role, row.available_credits, row.held_credits, given.get(row.account_id, 0)
        )
        for row in found
    ]


_ALL = (
    select(
        User.id,
        User.email,
        User.name,
        User.role,
        Account.id.label("account_id"),
        Account.available_credits,
        Account.held_credits,
    )
    .join(Account, Account.workspace_id == User.id)
    .where(User.email > bindparam("after_email"))
    .order_by(User.email)
    .limit(bindparam("limit"))
)
