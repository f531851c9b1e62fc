"""What operators do with what is kept: `python -m core.admin retention [--dry-run]` and `erase EMAIL [--dry-run]`.

Lines are given one by one, as they come; a refusal is an AppError.
"""

import argparse
from collections.abc import Iterator

from core import db, installation
from core.audit import log_retention
from core.generations import folding, forgetting, retention
from core.generations.retention import Rule, Rules
from core.identity import users
from core.notifications import inbox, webhooks
from core.personal_data import requests, steps
from core.worker import maintenance, retention_rounds
from core.workspaces import members

_WORDS = {
    Rule.REJECTED: "rejected clips are older than {days} days",
    Rule.UNDECIDED: "clips that nobody judged are older than {days} days",
}


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Let a parser know the command."""
    kept = commands.add_parser("retention", help="carry out how long things are kept, as a dispatcher does by itself")
    kept.add_argument("--dry-run", action="store_true", help="change nothing; say how much would go")
    gone = commands.add_parser("erase", help="erase a person for ever; money and figures stay. See --dry-run first")
    gone.add_argument("email")
    gone.add_argument("--dry-run", action="store_true", help="change nothing; say what would go")


def run(chosen: argparse.Namespace) -> Iterator[str]:
    """The lines to print."""
    opened = installation.current()
    if chosen.command == "erase":
        yield from erase(chosen.email, dry_run=chosen.dry_run)
        return
    yield from planned()
    if chosen.dry_run:
        yield "Nothing was changed."
        return
    retention_rounds.run(opened)
    purged = maintenance.purge_deleted_files(opened)
    yield f"Done for now. The files of {purged:,} deleted clips were removed."


def erase(email: str, *, dry_run: bool) -> Iterator[str]:
    """Erase somebody, and do as much of it as can be done now; a dispatcher does the rest."""
    opened = installation.current()
    with db.write_session() as session:
        person = users.get(session, email)
        operator = members.at_work(session, users.local_person(session, opened.settings))
    with db.read_session() as session:
        found = requests.plan(session, operator, person.id) if person.erased_at is None else None
    if found is not None:
        yield f"{found.own_clips:,} clips ({_size(found.own_bytes)}) and {found.own_uploads:,} files of their own go."
        yield f"{found.team_clips:,} clips that they made in teams stay there, without prompt and name."
        if found.rows:
            yield f"Also: {', '.join(f'{number:,} {table}' for table, number in sorted(found.rows.items()))}."
        if found.teams_left_alone:
            yield f"Nobody else manages these teams: {', '.join(found.teams_left_alone)}."
        if found.under_way:
            yield f"{found.under_way:,} clips are under way and end first ({found.uncertain:,} need a decision)."
    if dry_run:
        yield "Nothing was changed."
        return
    with db.write_session() as session:
        requests.ask(session, operator, person.id, email=email)
        requests.begin_now(session, person.id)
    steps.work_down(opened)
    with db.read_session() as session:
        standing = requests.standing(session, operator, person.id)
    if standing is not None and standing.ended_at is not None:
        yield f"They are erased. Copies outlive it: see docs/how-to/keep-and-erase.md. Their id is {person.id}."
        return
    why = f" {standing.error}" if standing is not None and standing.error else ""
    yield f"They are let in no more. Erasing goes on by itself as soon as a dispatcher can.{why}"


def planned() -> Iterator[str]:
    """What is kept for how long, and how much has passed its time."""
    settings = installation.current().settings
    rules = Rules.of(settings)
    with db.read_session() as session:
        found, deleted = retention.plan(session, rules), retention.in_trash(session)
    for rule in Rule:
        if rule not in found:
            yield f"{rule.capitalize()} clips are kept for ever ({rule.upper()}_CLIP_DAYS)."
            continue
        amount, told = found[rule], retention.TOLD_BEFORE.days
        words = _WORDS[rule].format(days=rules.days[rule])
        yield (
            f"{amount.clips:,} {words} ({_size(amount.size_bytes)}). Their people are told, {told} days later they are "
            f"in the trash, and {rules.trash_days} days after that they are gone."
        )
    when = f"{rules.trash_days} days after their deletion" if rules.trash_days else "as soon as they are deleted"
    yield f"{deleted.clips:,} deleted clips still have files ({_size(deleted.size_bytes)}), which go {when}."
    with db.read_session() as session:
        for days, old, what in (
            (settings.event_days, folding.old, "steps of clips are older than {} days, and are folded into less room"),
            (settings.departed_prompt_days, forgetting.old, "clips lose their words: their people left {} days ago"),
            (settings.webhook_delivery_days, webhooks.old, "deliveries of webhooks are older than {} days, and go"),
            (settings.inbox_days, inbox.old, "notices are older than {} days, and go"),
            (settings.audit_log_days, log_retention.old, "entries of the audit log are older than {} days, and go"),
        ):
            if days:
                yield f"{old(session, days=days):,} {what.format(days)}."


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1024**2:,.1f} MB"
