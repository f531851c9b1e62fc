"""People, their roles and their storage."""

from sqlalchemy import select, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core import config, errors, ledger
from core.models import Role, User, new_id, utc_now


def ensure(session: Session, email: str, *, signup_credits: int, role: Role = Role.USER) -> User:
    """The person with this address, made (with account and signup credits) if new; safe when two do it at once."""
    address = email.strip().lower()
    if "@" not in address or len(address) > 254:
        raise errors.InvalidRequest(fields={"email": f"'{email}' is not an e-mail address."})
    found = session.scalar(select(User).where(User.email == address))
    if found is not None:
        return found
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    made = session.scalar(
        dialect.insert(User)
        .values(
            id=new_id(), email=address, name=address.split("@")[0], role=role, storage_bytes=0, created_at=utc_now()
        )
        .on_conflict_do_nothing(index_elements=["email"])
        .returning(User.id)
    )
    user = session.scalars(select(User).where(User.email == address)).one()
    if made is not None:
        ledger.open_account(session, user.id)
        if signup_credits:
            key = f"user:{user.id}:signup"
            ledger.grant(
                session, user.id, credits=signup_credits, key=key, actor="system", reason="Credits for a new person"
            )
    return user


def local_person(session: Session, settings: config.Settings) -> User:
    """The one person of an installation without sign-in; an administrator of it."""
    return ensure(session, config.LOCAL_PERSON, signup_credits=settings.signup_credits, role=Role.ADMIN)


def get(session: Session, email: str) -> User:
    """The person with this address; NotFound when there is none."""
    user = session.scalar(select(User).where(User.email == email.strip().lower()))
    if user is None:
        raise errors.NotFound(f"There is no person with the address {email}.")
    return user


def reserve_storage(session: Session, user_id: str, *, size_bytes: int, quota_bytes: int | None) -> None:
    """Count bytes against a person's quota; StorageFull when they do not fit. `quota_bytes` None: no limit.

    A clip that was paid for is counted but never refused.
    """
    fits = true() if quota_bytes is None else User.storage_bytes + size_bytes <= quota_bytes
    counted = session.execute(
        update(User)
        .where(User.id == user_id, fits)
        .values(storage_bytes=User.storage_bytes + size_bytes)
        .execution_options(synchronize_session=False)
    )
    if counted.rowcount != 1:  # type: ignore[attr-defined]  # a CursorResult; execute() is typed wider
        raise errors.StorageFull


def free_storage(session: Session, user_id: str, *, size_bytes: int) -> None:
    """Give bytes back to a person's quota."""
    session.execute(
        update(User)
        .where(User.id == user_id)
        .values(storage_bytes=User.storage_bytes - size_bytes)
        .execution_options(synchronize_session=False)
    )
