"""What must always be true of money and clips, checked against the database by anyone at any time.

The dispatcher checks what is new every few minutes and everything once a day.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from core import errors
from core.audit import closed_books
from core.audit.invariants import COMPLETED, INVARIANTS, Invariant, Since
from core.clock import is_within, utc_now
from core.db import ReadSession, WriteSession
from core.db.tables import AuditRun, Generation, GenerationEvent, LedgerEntry
from core.files import storage as storages
from core.messages import Message, message, plain

MAX_VIOLATIONS_SHOWN = 20
FULL_RUN_INTERVAL = timedelta(days=1)
OVERLAP_IDS = 1000
"""How far a pass over what is new goes back: a transaction may commit after one that took its ids later."""


@dataclass(frozen=True, slots=True)
class Result:
    """One rule: how many things it looked at and which of them break it (the first few ids)."""

    code: str
    checked: int
    offenders: tuple[str, ...]

    @property
    def rule(self) -> Message:
        """What is compared."""
        return message(f"rule_{self.code}")

    @property
    def promise(self) -> Message:
        """What that means to a person."""
        return message(f"promise_{self.code}")

    @property
    def holds(self) -> bool:
        """True when nothing breaks the rule."""
        return not self.offenders


@dataclass(frozen=True, slots=True)
class AuditPass:
    """One look at all rules. `seen` is where the tables ended when it began; `full_at` when all was looked at."""

    results: Sequence[Result]
    seen: Since
    at: datetime
    full_at: datetime

    @property
    def is_full(self) -> bool:
        """This pass looked at everything."""
        return self.full_at == self.at


def run(
    session: ReadSession, *, since: Since | None = None, storage: storages.Storage | None = None
) -> Sequence[Result]:
    """Check every rule on everything, or on what is new `since` a place.

    With `storage` also that each completed clip's file is really there (slow: one look a clip).
    """
    results = [_checked(session, rule, since) for rule in INVARIANTS]
    results.append(_closed_books(session, full=since is None))
    if storage is not None:
        results.append(_files_present(session, storage))
    return results


def lines(results: Sequence[Result]) -> Iterator[str]:
    """What a terminal shows: one line a rule, and one an offender below it."""
    for result in results:
        yield f"{'ok    ' if result.holds else 'BROKEN'}  {result.checked:>8}  {result.rule}"
        yield from (f"          {offender}" for offender in result.offenders)


def run_incremental(session: ReadSession, *, full: bool = False, overlap_ids: int = OVERLAP_IDS) -> AuditPass:
    """Check what is new since the last kept pass.

    Everything is checked when that is asked for, once a day, and while a rule is broken, so that none turns green
    because its offender is no longer new.
    """
    now = utc_now()
    last = None if full else last_run(session)
    since, full_at = _resume(last, now, overlap_ids) if last else (None, now)
    newest = select(
        select(func.coalesce(func.max(LedgerEntry.id), 0)).scalar_subquery(),
        select(func.coalesce(func.max(GenerationEvent.id), 0)).scalar_subquery(),
    )
    seen = Since(*session.execute(newest).one())
    return AuditPass(run(session, since=since), seen, now, full_at)


def _resume(last: AuditRun, now: datetime, overlap_ids: int) -> tuple[Since | None, datetime]:
    """Where a pass begins, and when everything was last looked at; None: at the beginning, now."""
    if last.broken or "full_at" not in last.results:
        return None, now
    full_at = datetime.fromisoformat(last.results["full_at"])
    if not is_within(FULL_RUN_INTERVAL, full_at, now=now):
        return None, now
    seen = Since(**last.results["seen"])
    return Since(seen.entry_id - overlap_ids, seen.event_id - overlap_ids), full_at


def record(session: WriteSession, found: AuditPass) -> None:
    """Keep a pass, so that a page can show when it was last all true and the next one knows where to go on."""
    last = last_run(session)
    counts = {str(result.rule): result.checked for result in found.results}
    kept = {
        "rules": [
            asdict(result) | {"rule": str(result.rule), "promise": str(result.promise)} for result in found.results
        ],
        "seen": asdict(found.seen),
        "full_at": found.full_at.isoformat(),
        "full_counts": counts if found.is_full or last is None else last.results.get("full_counts", counts),
    }
    broken = sum(not result.holds for result in found.results)
    session.add(AuditRun(at=found.at, broken=broken, results=kept))
    session.flush()


def start_over(session: WriteSession) -> None:
    """Let the next pass look at all rows: some were removed, and SQLite gives their ids to those that come."""
    if (last := last_run(session)) is not None and "seen" in last.results:
        last.results = last.results | {"seen": asdict(Since(0, 0))}
        session.flush()


def last_run(session: ReadSession) -> AuditRun | None:
    """The most recent pass that was recorded, None before the first."""
    return session.scalar(select(AuditRun).order_by(AuditRun.id.desc()).limit(1))


def kept_message(kept: Mapping[str, Any], what: str) -> Message:
    """The `rule` or `promise` of a rule in a kept pass; its English where this release does not know its code."""
    return Message.from_json({"code": f"{what}_{kept.get('code')}", "params": {}}) or plain(kept[what])


def _checked(session: ReadSession, rule: Invariant, since: Since | None) -> Result:
    count, broken = rule.queries(since)
    offenders = session.scalars(broken.limit(MAX_VIOLATIONS_SHOWN)).all()
    return Result(rule.code, session.scalar(count) or 0, tuple(str(offender) for offender in offenders))


def _closed_books(session: ReadSession, *, full: bool) -> Result:
    checked, offenders = closed_books.check(session, full=full)
    return Result(closed_books.CODE, checked, tuple(offenders[:MAX_VIOLATIONS_SHOWN]))


def _files_present(session: ReadSession, storage: storages.Storage) -> Result:
    rows = session.execute(
        select(Generation.id, Generation.output_key).where(COMPLETED, Generation.deleted_at.is_(None))
    ).all()
    missing: list[str] = []
    for generation_id, key in rows:
        try:
            storage.stat(str(key))
        except errors.NotFound:
            missing.append(generation_id)
    return Result("files_present", len(rows), tuple(missing[:MAX_VIOLATIONS_SHOWN]))
