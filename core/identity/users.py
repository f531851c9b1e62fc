"""People, their roles, their language and their storage."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, true, update

from core import config, errors, normal_form
from core.billing import ledger
from core.clock import utc_now
from core.db import ReadSession, WriteSession, types, update_where
from core.db.enums import Role
from core.db.tables import Account, User
from core.ids import new_id
from core.messages import message

LANGUAGE_LIMIT_CHARS = 8

_STORAGE = select(User.storage_bytes).where(User.id == bindparam("user_id"))
_BY_EMAIL = select(User).where(User.email == bindparam("email"))


def canonical_email(email: str) -> str:
    """An address as it is kept and compared: small letters, composed; nothing that could make two addresses one."""
    return normal_form.canonical(email.strip().lower())


def ensure(session: WriteSession, email: str, *, signup_credits: int, role: Role = Role.USER) -> User:
    """The person with this address, made (with account and signup credits) if new; safe when two do it at once."""
    address = canonical_email(email)
    if "@" not in address or len(address) > 254:
        raise errors.InvalidRequest(fields={"email": message("not_an_email", email=email)})
    found = session.scalar(_BY_EMAIL, {"email": address})
    if found is not None:
        return found
    made = session.scalar(
        types.insert(session, User)
        .values(
            id=new_id(), email=address, name=address.split("@")[0], role=role, storage_bytes=0, created_at=utc_now()
        )
        .on_conflict_do_nothing(index_elements=["email"])
        .returning(User.id)
    )
    user = session.scalars(_BY_EMAIL, {"email": address}).one()
    if made is not None:
        ledger.open_account(session, user.id)
        if signup_credits:
            key = f"user:{user.id}:signup"
            ledger.grant(
                session, user.id, credits=signup_credits, key=key, actor="system", reason=message("signup_credits")
            )
    return user


def local_person(session: WriteSession, settings: config.Settings) -> User:
    """The one person of an installation without sign-in; an administrator of it."""
    return ensure(session, config.LOCAL_PERSON, signup_credits=settings.signup_credits, role=Role.ADMIN)


def get(session: ReadSession, email: str) -> User:
    """The person with this address; NotFound when there is none."""
    user = session.scalar(_BY_EMAIL, {"email": canonical_email(email)})
    if user is None:
        raise errors.NotFound(message("no_such_person", email=email))
    return user


def set_language(session: WriteSession, user: User, *, tag: str | None) -> None:
    """Remember in which language a person reads; None leaves it to their browser."""
    if tag is not None and not (tag.isascii() and tag.isalpha() and len(tag) <= LANGUAGE_LIMIT_CHARS):
        raise errors.InvalidRequest(fields={"language": message("not_a_language")})
    session.execute(update(User).where(User.id == user.id).values(language=tag))


@dataclass(frozen=True, slots=True)
class UserRow:
    """A person and their account, as an administrator sees them."""

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
    query = (
        select(User, Account)
        .join(Account, Account.user_id == User.id)
        .where(User.email > after_email)
        .order_by(User.email)
        .limit(limit)
    )
    if wanted := search.strip():
        query = query.where(User.search_key.contains(normal_form.normal(wanted), autoescape=True))
    found = session.execute(query).all()
    given = ledger.total_credited(session, [account.id for _user, account in found])
    return [
        UserRow(u.id, u.email, u.name, u.role, a.available_credits, a.held_credits, given.get(a.id, 0))
        for u, a in found
    ]


def storage_bytes(session: ReadSession, user: User) -> int:
    """How much a person keeps, as of now."""
    return session.scalar(_STORAGE, {"user_id": user.id}) or 0


def reserve_storage(session: WriteSession, user_id: str, *, size_bytes: int, quota_bytes: int | None) -> None:
    """Count bytes against a person's quota; StorageFull when they do not fit. `quota_bytes` None: no limit.

    A clip that was paid for is counted but never refused.
    """
    fits = true() if quota_bytes is None else User.storage_bytes + size_bytes <= quota_bytes
    counted = update_where(session, User, User.id == user_id, fits, storage_bytes=User.storage_bytes + size_bytes)
    if counted != 1:
        raise errors.StorageFull


def free_storage(session: WriteSession, user_id: str, *, size_bytes: int) -> None:
    """Give bytes back to a person's quota."""
    update_where(session, User, User.id == user_id, storage_bytes=User.storage_bytes - size_bytes)
