"""Who a person is at an identity provider: found by issuer and subject, made, or refused with the reason.

An address alone never says who somebody is. Once, at their first sign-in with an issuer, somebody who was known by
their address (invited, or with an API token) is taken to be who the issuer has verified to own it.
"""

import logging
from dataclasses import dataclass
from typing import NoReturn

from sqlalchemy import exists, select

from core import audit_log, config, db, errors, normal_form
from core.audit_log import Act
from core.config import Settings
from core.db import ReadSession, WriteSession, types
from core.db.enums import MemberSource, Role, WorkspaceKind
from core.db.tables import Identity, Invitation, User, Workspace, WorkspaceMember
from core.identity import claims as said
from core.identity import users
from core.identity.claims import Claims

log = logging.getLogger(__name__)

_ISSUER_LIMIT_CHARS = 300
_SUBJECT_LIMIT_CHARS = 255
_EMAIL_LIMIT_CHARS = 254


@dataclass(frozen=True, slots=True)
class Known:
    """A person, and whether this issuer has named them before."""

    user: User
    is_first_sign_in: bool


def find(session: ReadSession, issuer: str, subject: str) -> User | None:
    """The person an issuer means, None for somebody it has not named yet; also when they are deactivated."""
    return session.scalar(
        select(User)
        .join(Identity, Identity.user_id == User.id)
        .where(Identity.issuer == issuer, Identity.subject == subject)
    )


def recognise(session: WriteSession, claims: Claims, *, settings: Settings) -> Known:
    """The person of these claims, made where they are new, with name, address and role as the claims say.

    Raises SignInRefused, whose `reason` says why they may not come in.
    """
    email = users.canonical_email(claims.email)
    _check(claims, email, settings)
    user = find(session, claims.issuer, claims.subject)
    is_first = user is None
    if user is None:
        user = _first_time(session, claims, email, settings)
    if user.deactivated_at is not None:
        _refuse("deactivated")
    if not is_first and not _may_come_in(session, claims, email, user, settings):
        _refuse("no_role")
    _bring_up_to_date(session, user, claims, email)
    _give_role(session, user, claims, email, settings)
    return Known(user, is_first)


def _check(claims: Claims, email: str, settings: Settings) -> None:
    """Refuse what no look at the database can mend."""
    if not claims.subject or len(claims.subject) > _SUBJECT_LIMIT_CHARS or len(claims.issuer) > _ISSUER_LIMIT_CHARS:
        _refuse("no_subject")
    if "@" not in email or len(email) > _EMAIL_LIMIT_CHARS or not email.isprintable():
        _refuse("no_email")
    if claims.email_verified is False:
        _refuse("email_unverified")
    if settings.allowed_email_domains:
        if not said.is_of_domain(email, settings.allowed_email_domains):
            _refuse("domain_not_allowed")
        if not claims.email_verified:
            _refuse("email_unverified")


def _first_time(session: WriteSession, claims: Claims, email: str, settings: Settings) -> User:
    """Who an issuer names for the first time: somebody known by their verified address, or somebody new."""
    known = users.find(session, email)
    if known is not None:
        users.lock(session, known.id)  # of two subjects with one address, one is taken for the person
        is_theirs = select(exists().where(Identity.user_id == known.id, Identity.issuer == claims.issuer))
        if known.is_sample or email == config.LOCAL_PERSON or session.scalar(is_theirs):
            _refuse("address_taken")
        if not claims.email_verified:
            _refuse("email_unverified")
    if not _may_come_in(session, claims, email, known, settings):
        _refuse("no_role")
    user = known or users.ensure(session, email, signup_credits=settings.signup_credits)
    added = (
        types.insert(session, Identity)
        .values(issuer=claims.issuer, subject=claims.subject, user_id=user.id, email=email)
        .on_conflict_do_nothing()
        .returning(Identity.user_id)
    )
    if session.scalar(added) is None:  # another sign-in of the same person was first
        found = find(session, claims.issuer, claims.subject)
        if found is None:
            raise errors.Conflict
        return found
    audit_log.record(
        session,
        user,
        Act.IDENTITY_LINKED if known else Act.PERSON_MADE,
        target=email,
        target_id=user.id,
        after={"issuer": claims.issuer, "subject": claims.subject},
    )
    return user


def _may_come_in(session: ReadSession, claims: Claims, email: str, user: User | None, settings: Settings) -> bool:
    """Whether somebody whose groups say nothing may come in all the same, where DEFAULT_ROLE refuses such people."""
    if settings.default_role != "none" or _is_named_administrator(claims, email, settings):
        return True
    rules = settings.role_map
    if said.installation_role(claims, rules) is not None or said.workspace_roles(claims, rules):
        return True
    if user is not None and not claims.has_all_groups:
        return True  # the issuer left groups out: what they said before stands
    return _is_invited(session, claims, email) or (user is not None and _was_let_in_by_hand(session, user, settings))


def _is_named_administrator(claims: Claims, email: str, settings: Settings) -> bool:
    return claims.email_verified is True and email in settings.admin_emails


def _is_invited(session: ReadSession, claims: Claims, email: str) -> bool:
    lasts = Invitation.expires_at > db.about_now(session)
    is_open = Invitation.accepted_at.is_(None) & Invitation.revoked_at.is_(None) & lasts
    return claims.email_verified is True and bool(
        session.scalar(select(exists().where(Invitation.email == email, is_open)))
    )


def _was_let_in_by_hand(session: ReadSession, user: User, settings: Settings) -> bool:
    """Whether a manager has them in a team, or an administrator gave them a role that no group decides about."""
    if user.role is not Role.USER and not said.decide_roles(settings.role_map):
        return True
    in_team = (
        select(WorkspaceMember.workspace_id)
        .join(Workspace, Workspace.id == WorkspaceMember.workspace_id)
        .where(
            WorkspaceMember.user_id == user.id,
            WorkspaceMember.source == MemberSource.MANUAL,
            Workspace.kind == WorkspaceKind.TEAM,
        )
    )
    return session.scalars(in_team.limit(1)).first() is not None


def _bring_up_to_date(session: WriteSession, user: User, claims: Claims, email: str) -> None:
    """Write down name and address as the issuer says them now; an address that somebody else has stays with them."""
    identity = session.get_one(Identity, (claims.issuer, claims.subject))
    identity.email, identity.last_seen_at = email, db.about_now(session)
    before = (user.email, user.name)
    if claims.name:
        user.name = claims.name
    if email != user.email and claims.email_verified:
        if email == config.LOCAL_PERSON or session.scalar(select(exists().where(User.email == email))):
            log.warning("%s is called %s by their issuer, which is the address of another person.", user.email, email)
        else:
            user.email = email
    if (user.email, user.name) != before:
        user.search_key = normal_form.normal(f"{user.email} {user.name}")
    session.flush()
    if user.email != before[0]:
        audit_log.record(
            session,
            user,
            Act.PERSON_ADDRESS_CHANGED,
            target=user.email,
            target_id=user.id,
            before={"email": before[0]},
            after={"email": user.email},
        )


def _give_role(session: WriteSession, user: User, claims: Claims, email: str, settings: Settings) -> None:
    """Give the role of their groups, up or down; without a map for it the role stays as administrators gave it."""
    role = user.role
    if said.decide_roles(settings.role_map):
        mapped = said.installation_role(claims, settings.role_map)
        if mapped is not None and (claims.has_all_groups or said.is_higher(mapped, role)):
            role = mapped
        elif mapped is None and claims.has_all_groups:
            role = Role.USER
    if _is_named_administrator(claims, email, settings):
        role = Role.ADMIN
    if role is user.role:
        return
    before, user.role = user.role, role
    session.flush()
    audit_log.record(
        session,
        None,
        Act.PERSON_ROLE_CHANGED,
        target=user.email,
        target_id=user.id,
        before={"role": before},
        after={"role": role, "by": "sign-in"},
    )


def _refuse(reason: str) -> NoReturn:
    raise errors.SignInRefused(reason)
