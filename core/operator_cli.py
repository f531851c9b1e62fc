"""The operator's command line: tokens, credits, and generations that nobody knows about.

`python -m core.admin --help` names the commands. A refusal is one sentence on stderr and exit code 2.
"""

import argparse
import logging
import sys
import uuid
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from datetime import timedelta

from core import (
    audit_log,
    backup_commands,
    config,
    db,
    errors,
    installation,
    keeping_commands,
    logs,
    process_settings,
    redaction,
    schema_commands,
    startup,
    storage_commands,
    vendors_check,
)
from core.audit import log_retention
from core.audit_log import Act
from core.billing import ledger
from core.db import WriteSession
from core.db.enums import Scope
from core.db.tables import Generation, User
from core.generations import unresolved
from core.identity import api_tokens, sign_in_links, users
from core.messages import message
from core.providers import connection
from core.sample import make, remove
from core.version import VERSION
from core.workspaces import members
from core.workspaces.access import Member

ACTOR = audit_log.COMMAND_LINE
DAYS_LIMIT = 3650


def token(email: str, *, name: str = ACTOR, scope: Scope = Scope.GENERATE, days: int | None = None) -> str:
    """A new bearer token of a person, who is made if new; this is the one time it can be read.

    `days` is how long it is valid, None for until it is revoked.
    """
    expires_at = None if days is None else db.clock().now() + timedelta(days=days)
    with db.write_session() as session:
        person = _person(session, email)
        return api_tokens.create(session, person, name=name, scope=scope, expires_at=expires_at, made_by=ACTOR)


def session(email: str) -> list[str]:
    """A link that lets a person in once, for when their identity provider is away; NotFound when there is no such."""
    settings = installation.current().settings
    if not settings.has_sign_in:
        raise errors.Conflict(message("nobody_signs_in", mode=settings.auth_mode))
    with db.write_session() as writing:
        made = sign_in_links.make(writing, users.get(writing, email))
    where = settings.public_url or "http://ADDRESS-OF-THIS-INSTALLATION"
    return [
        f"{where}/auth/link?token={made}",
        f"It lets {email} in once, within {sign_in_links.LIFETIME.seconds // 60} minutes. Hand it to nobody else.",
    ]


def grant(email: str, credits: int, reason: str) -> int:
    """Book credits to a person, who is made if new; their available credits afterwards."""
    with db.write_session() as session:
        person = _person(session, email)
        key = f"grant:{uuid.uuid4()}"
        ledger.grant(session, person.id, credits=credits, key=key, actor=ACTOR, reason=reason)
        details = {"credits": credits, "reason": reason}
        audit_log.record(
            session,
            ACTOR,
            Act.CREDITS_GRANTED,
            target=person.email,
            target_id=person.id,
            workspace_id=person.id,
            after=details,
        )
        return ledger.balance(session, person.id).available_credits


def list_uncertain() -> list[str]:
    """What is known of each uncertain generation, a block of lines each, oldest first."""
    with db.read_session() as session:
        rows = unresolved.list_unresolved(session)
        return [_told(row, session.get_one(User, row.user_id)) for row in rows]


def release(generation_id: str) -> str:
    """Decide that the provider never made it: its credits go back."""
    with db.write_session() as session:
        row = unresolved.release_hold(session, _administrator(session), generation_id)
    return f"{row.id} is {row.status}; {row.credits:,} credits were returned."


def found(generation_id: str, provider_job_id: str) -> str:
    """Decide that the provider has it under this job id: it is waited for again."""
    with db.write_session() as session:
        row = unresolved.resolve_with_job(
            session, _administrator(session), generation_id, provider_job_id=provider_job_id
        )
    return f"{row.id} is {row.status}; job {provider_job_id} is being waited for."


def check_vendors(names: Sequence[str]) -> list[str]:
    """Try vendors without buying; Conflict when one that is configured does not work, after the lines of all."""
    found = vendors_check.tried(process_settings.read(), names)
    lines = [
        line
        for vendor in found
        for line in (f"{vendor.name}: {vendor.sentence}", *(f"  {model}" for model in vendor.models))
    ]
    if broken := [vendor.name for vendor in found if vendor.works is False]:
        print("\n".join(lines))  # noqa: T201 -- its output, told before the refusal
        raise errors.Conflict(message("vendors_do_not_work", names=", ".join(broken)))
    return lines or ["No vendor is configured."]


def prune_audit_log() -> list[str]:
    """Remove entries of the audit log that are older than AUDIT_LOG_DAYS; for a role that may, where the app's may not.

    Forbidden for a role that may not.
    """
    days = installation.current().settings.audit_log_days
    with db.read_session() as session:
        if not log_retention.may_prune(session):
            raise errors.Forbidden(message("role_may_not_prune"))
    removed = log_retention.prune(days=days, actor=ACTOR) if days else 0
    return [f"{removed:,} entries were older than {days} days and are removed." if days else "Everything is kept."]


def sample(action: str) -> list[str]:
    """Make the sample company, or remove it; neither is done twice."""
    opened = installation.current()
    with db.write_session() as session:
        actor = _administrator(session)
    if action == "make":
        if make.make(opened, actor):
            return ["The sample company is here. Choose on the pages as whom of it you look."]
        return ["The sample company is there already."]
    return ["The sample company is gone." if remove.remove(opened, actor) else "There is no sample company."]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 2 when it was refused."""
    chosen = _parser().parse_args(arguments)
    try:
        with startup.entry_point(), ExitStack() as opened:
            logs.configure("admin", form=process_settings.log_format(), level=logging.WARNING)
            if chosen.command not in _UNOPENED:
                opened.enter_context(installation.opened())
            with audit_log.acting_from(ACTOR):
                for line in _run(chosen):
                    print(line, flush=True)  # noqa: T201 -- its output
    except errors.AppError as refused:
        print(_sentence(refused), file=sys.stderr)  # noqa: T201 -- its output
        return 2
    return 0


_UNOPENED = ("backup", "backup-check", "restore", "migrate", "vendors", "version")
"""What works on the files of an installation, on a schema that is not this version's, or on settings alone."""


def _run(chosen: argparse.Namespace) -> Iterable[str]:
    """The lines to print."""
    match chosen.command:
        case "token":
            return [token(chosen.email, name=chosen.name, scope=chosen.scope, days=chosen.days)]
        case "session":
            return session(chosen.email)
        case "grant":
            return [str(grant(chosen.email, chosen.credits, chosen.reason))]
        case "uncertain":
            return list_uncertain() or ["Nothing is uncertain."]
        case "backup" | "backup-check" | "restore" | "restored" | "distrust":
            return backup_commands.run(chosen)
        case "prune-audit-log":
            return prune_audit_log()
        case "sample":
            return sample(chosen.action)
        case "vendors":
            return check_vendors(chosen.names)
        case "retention" | "erase":
            return keeping_commands.run(chosen)
        case "storage":
            return storage_commands.run(chosen)
        case "migrate":
            return schema_commands.run(chosen)
        case "version":
            return schema_commands.version()
        case _:
            return [release(chosen.id) if chosen.release else found(chosen.id, chosen.found)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core.admin", description="Operate this installation.")
    commands = parser.add_subparsers(dest="command", required=True)

    issue = commands.add_parser("token", help="make a bearer token for the REST API (and the person, if new)")
    issue.add_argument("email")
    issue.add_argument("--name", default=ACTOR, help="how it is called in the list of tokens")
    issue.add_argument(
        "--scope",
        type=Scope,
        choices=list(Scope),
        default=Scope.GENERATE,
        help="read looks, generate also orders and changes (the default), admin also manages tokens and webhooks",
    )
    issue.add_argument("--days", type=_days, help="how long it is valid (until it is revoked, if left out)")

    enter = commands.add_parser("session", help="make a link that lets a person in once, without identity provider")
    enter.add_argument("email")

    book = commands.add_parser("grant", help="book credits to a person (who is made, if new)")
    book.add_argument("email")
    book.add_argument("credits", type=_credits)
    book.add_argument("--reason", type=_reason, default="Granted by an administrator")

    commands.add_parser("uncertain", help="list generations of which nobody knows whether the provider has them")

    resolve = commands.add_parser("resolve", help="decide an uncertain generation")
    resolve.add_argument("id")
    verdict = resolve.add_mutually_exclusive_group(required=True)
    verdict.add_argument("--release", action="store_true", help="it was never made: give the credits back")
    verdict.add_argument("--found", metavar="PROVIDER_JOB_ID", help="the provider has it: wait for it and charge it")
    backup_commands.add_to(commands)
    commands.add_parser("prune-audit-log", help="remove entries of the audit log that are older than AUDIT_LOG_DAYS")
    company = commands.add_parser("sample", help="make or remove the sample company (AUTH_MODE=local)")
    company.add_argument("action", choices=["make", "remove"])
    vendors = commands.add_parser("vendors", help="look at the vendors that the settings and VENDORS_FILE name")
    vendors.add_argument("action", choices=["check"], help="try each without buying: address, key, models and prices")
    vendors.add_argument("names", nargs="*", help="names of vendors (those that are configured, if left out)")
    storage_commands.add_to(commands)
    keeping_commands.add_to(commands)
    schema_commands.add_to(commands)
    parser.add_argument("--version", action="version", version=VERSION)
    return parser


def _days(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 4 and 0 < int(value) <= DAYS_LIMIT):
        raise argparse.ArgumentTypeError(f"'{value}' is not a whole number from 1 to {DAYS_LIMIT:,}.")
    return int(value)


def _credits(value: str) -> int:
    if not (
        value.isascii() and value.isdigit() and len(value) <= 13 and 0 < int(value) <= ledger.BOOKING_LIMIT_CREDITS
    ):
        limit = ledger.BOOKING_LIMIT_CREDITS
        raise argparse.ArgumentTypeError(f"'{value}' is not a whole number from 1 to {limit:,}.")
    return int(value)


def _reason(value: str) -> str:
    if wrong := ledger.reason_error(value):
        raise argparse.ArgumentTypeError(str(wrong))
    return value


def _person(session: WriteSession, email: str) -> User:
    settings = installation.current().settings
    if users.canonical_email(email) == config.LOCAL_PERSON:
        return users.local_person(session, settings)
    try:
        return users.get(session, email)
    except errors.NotFound:
        made = users.ensure(session, email, signup_credits=settings.signup_credits)
        audit_log.record(session, ACTOR, Act.PERSON_MADE, target=made.email, target_id=made.id)
        return made


def _administrator(session: WriteSession) -> Member:
    """Who acts when somebody on this machine decides."""
    return members.at_work(session, users.local_person(session, installation.current().settings))


def _told(row: Generation, person: User) -> str:
    known = {
        "person": person.email,
        "model": f"{row.model_name} ({row.provider})",
        "stage": row.stage.value,
        "credits": f"{row.credits} reserved",
        "ordered": row.created_at.isoformat(timespec="seconds"),
        "changed": row.updated_at.isoformat(timespec="seconds"),
        "job": row.provider_job_id or "unknown",
        "reason": row.error_message or "",
        "detail": row.error_detail or "",
    }
    lines = [f"  {name:8} {' '.join(value.split())}" for name, value in known.items() if value]
    return redaction.redactor(*connection.secrets(installation.current().settings))("\n".join([row.id, *lines]))


def _sentence(refused: errors.AppError) -> str:
    if isinstance(refused, errors.InvalidRequest) and refused.fields:
        return " ".join(map(str, refused.fields.values()))
    return str(refused)


if __name__ == "__main__":
    sys.exit(main())
