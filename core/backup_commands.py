"""What operators do with copies: `python -m core.admin backup | backup-check | restore | restored | distrust`.

Lines are given one by one, as they come; a refusal is an AppError.
"""

import argparse
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from core import backup, backup_check, errors, installation, process_settings, schema_commands, storage_settings
from core.audit import runs
from core.clock import utc_now
from core.messages import message
from core.redaction import shown_address
from core.worker import recovery


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Let a parser know the commands."""
    copy = commands.add_parser("backup", help="copy database, media and key into a new folder; the app may run")
    copy.add_argument("target", type=Path)
    proof = commands.add_parser("backup-check", help="restore a copy elsewhere, audit it, and say how new it is")
    proof.add_argument(
        "source", help="a folder of `backup`, a SQLite file, or the address of a database restored elsewhere"
    )
    put_back = commands.add_parser("restore", help="put such a copy back; the app and the workers must not run")
    put_back.add_argument("source", type=Path)
    commands.add_parser(
        "restored", help="say that the database was put back by other means, before anything is started"
    )
    lost = commands.add_parser("distrust", help="say that the database lost what was written in a span of time")
    lost.add_argument("--since", type=_moment, required=True, help="where it begins, such as 2026-11-30T10:00Z")
    lost.add_argument("--until", type=_moment, help="where it ends: when the database went on without it (now)")


def run(chosen: argparse.Namespace) -> Iterable[str]:
    """The lines to print."""
    match chosen.command:
        case "backup":
            return back_up(chosen.target)
        case "backup-check":
            return check(chosen.source)
        case "restore":
            return restore(chosen.source)
        case "restored":
            return restored()
        case _:
            return lost(chosen.since, chosen.until or utc_now())


def back_up(target: Path) -> list[str]:
    """Copy this installation into a new folder; it may run meanwhile, and its schema is left as it is."""
    settings = process_settings.read()
    made = backup.create(settings, target)
    files = f"{made.media_files:,} files of media"
    if storage_settings.folder_of(settings.storage_url) is None:
        files = f"no files of media, which stay in {settings.storage_url}"
    key = "the key" if made.has_key else "no key: SECRET_KEY is a setting, keep it with your other secrets"
    return [f"{target} holds {made.database}, {files}, and {key}."]


def check(source: str) -> Iterator[str]:
    """Restore a copy elsewhere and audit it; Conflict at the end when a rule is broken."""
    shown = shown_address(source) if "://" in source else source
    found = backup_check.check(process_settings.read(), source)
    yield from runs.lines(found.results)
    newest = "nothing" if found.newest_at is None else f"{found.newest_at.isoformat(timespec='seconds')}"
    yield f"{shown} was restored and audited: {found.clips:,} clips, the newest event of {newest}."
    if not found.holds:
        raise errors.Conflict(message("backup_check_failed"))
    yield "Every rule holds."


def restore(source: Path) -> list[str]:
    """Put a copy in the place of what is there, and let nothing that may have been sent since be sent again."""
    settings = process_settings.read()
    with recovery.putting_back(settings):
        put_back = backup.restore(settings, source)
        schema_commands.bring_up_to_date(settings)
    with installation.opened() as opened:
        recovered = recovery.at_start(opened)
    return [f"Put back as it was at {put_back.made_at}.", *_told_of(recovered)]


def restored() -> list[str]:
    """Say that the database was put back by other means: nothing that may have been sent since is sent again."""
    return _told_of(recovery.at_start(installation.current(), is_known_to_be_old=True))


def lost(since: datetime, until: datetime) -> Iterator[str]:
    """Say that the database lost what was written in a span of time; Conflict for one that is none."""
    if not since < until <= utc_now():
        raise errors.Conflict(message("distrust_backwards"))
    here = installation.current()
    found = recovery.after_a_loss(here, until)
    moment = until.isoformat(timespec="seconds")
    yield f"{found.uncertain:,} orders from before {moment} waited and may have been sent: they are uncertain."
    yield f"{found.replayed:,} orders were put right from this machine's journal of what was sent."
    with here.database.read_session() as session:
        after = recovery.sent_after(session, until)
    yield f"{len(after):,} orders from before {moment} were sent after it, and perhaps within it, too:"
    yield from (f"  {order.id}  {order.provider}  job {order.provider_job_id}" for order in after)
    yield "Look for a second job of these in the vendor's own list. See `uncertain` for what needs a decision."


def _told_of(recovered: recovery.Recovered) -> list[str]:
    return [
        f"{recovered.uncertain:,} orders were waiting and may have been sent since: they are uncertain and not sent.",
        f"{recovered.replayed:,} orders were put right from this machine's journal of what was sent.",
        "See `uncertain` for what needs a decision.",
    ]


def _moment(value: str) -> datetime:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{value}' is no moment, such as 2026-11-30T10:00Z.") from None
    if found.tzinfo is None:
        raise argparse.ArgumentTypeError(f"'{value}' does not say its zone: end it with Z for UTC, or +07:00.")
    return found
