"""What must always be true of money and clips, checked against the database by anyone at any time.

`python -m core.audit` prints one line a rule with counts and exits 1, naming the offenders, when one is broken.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Select, and_, case, exists, func, literal, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from core import config, db, errors
from core import storage as storages
from core.ledger import EFFECT
from core.models import (
    Account,
    AuditRun,
    EntryKind,
    Generation,
    GenerationEvent,
    LedgerEntry,
    Stage,
    Status,
    UsageDay,
    is_live,
)

OFFENDERS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Result:
    """One rule: how many things it looked at and which of them break it (the first few ids)."""

    rule: str
    checked: int
    offenders: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """True when nothing breaks the rule."""
        return not self.offenders


def run(session: Session, *, storage: storages.Storage | None = None) -> Sequence[Result]:
    """Check every rule; with `storage` also that each completed clip's file is really there (slow: one look a clip)."""
    results = [
        _rule(session, "account figures are the sum of their ledger rows", Account.id, _accounts_off()),
        _rule(session, "balances written on ledger rows follow one another", LedgerEntry.id, _chain_broken()),
        _rule(session, "every generation was reserved once, at its quoted price", Generation.id, _held_wrong()),
        _rule(session, "every completed one is charged once, as quoted", Generation.id, _settled_wrong(), _completed()),
        _rule(session, "every completed one has a checked file", Generation.id, _without_file(), _completed()),
        _rule(session, "every failed or cancelled one was given back once", Generation.id, _released_wrong(), _ended()),
        _rule(session, "no hold without a live generation", Account.id, _held_without_live()),
        _rule(session, "no live one was charged or given back", Generation.id, _live_ended(), is_live()),
        _rule(session, "every generation has its first event", Generation.id, _without_event()),
        _rule(session, "daily usage equals the ledger", UsageDay.day, _usage_off()),
        _rule(session, "daily usage counts verdicts as they stand", UsageDay.day, _verdicts_off(session)),
    ]
    if storage is not None:
        results.append(_files_present(session, storage))
    return results


def record(session: Session, results: Sequence[Result]) -> None:
    """Keep the results, so that a page can show when it was last all true."""
    rows = {str(n): asdict(result) for n, result in enumerate(results)}
    session.add(AuditRun(broken=sum(not result.holds for result in results), results=rows))


def last_run(session: Session) -> AuditRun | None:
    """The newest kept results."""
    return session.scalar(select(AuditRun).order_by(AuditRun.id.desc()).limit(1))


def _rule(session: Session, rule: str, counted: Any, broken: Select[Any], among: Any = None) -> Result:
    total = select(func.count(counted)) if among is None else select(func.count(counted)).where(among)
    offenders = session.scalars(broken.limit(OFFENDERS_SHOWN)).all()
    return Result(rule, session.scalar(total) or 0, tuple(str(offender) for offender in offenders))


def _completed() -> Any:
    return Generation.status == Status.COMPLETED


def _ended() -> Any:
    return Generation.status.in_((Status.FAILED, Status.CANCELLED))


def _moved(position: int) -> Any:
    """Sum over ledger rows of what they did to available (0) or held (1)."""
    signs = {kind.value: effect[position] for kind, effect in EFFECT.items()}
    return func.coalesce(func.sum(case(signs, value=LedgerEntry.kind, else_=0) * LedgerEntry.amount_credits), 0)


def _accounts_off() -> Select[Any]:
    return (
        select(Account.id)
        .outerjoin(LedgerEntry, LedgerEntry.account_id == Account.id)
        .group_by(Account.id, Account.available_credits, Account.held_credits)
        .having(or_(_moved(0) != Account.available_credits, _moved(1) != Account.held_credits))
    )


def _chain_broken() -> Select[Any]:
    """Rows whose balances after are not those of the row before plus their own effect."""
    before_available = func.lag(LedgerEntry.available_after, 1, 0).over(
        partition_by=LedgerEntry.account_id, order_by=LedgerEntry.id
    )
    before_held = func.lag(LedgerEntry.held_after, 1, 0).over(
        partition_by=LedgerEntry.account_id, order_by=LedgerEntry.id
    )
    effect = [
        case({kind.value: e[n] for kind, e in EFFECT.items()}, value=LedgerEntry.kind, else_=0)
        * LedgerEntry.amount_credits
        for n in (0, 1)
    ]
    rows = select(
        LedgerEntry.id,
        (LedgerEntry.available_after - before_available - effect[0]).label("a"),
        (LedgerEntry.held_after - before_held - effect[1]).label("h"),
    ).subquery()
    return select(rows.c.id).where(or_(rows.c.a != 0, rows.c.h != 0))


def _entries(kind: EntryKind) -> Any:
    """Number of a generation's ledger rows of a kind that carry exactly its price."""
    return (
        select(func.count())
        .where(
            LedgerEntry.generation_id == Generation.id,
            LedgerEntry.kind == kind,
            LedgerEntry.amount_credits == Generation.credits,
        )
        .correlate(Generation)
        .scalar_subquery()
    )


def _other(*kinds: EntryKind) -> Any:
    return exists().where(LedgerEntry.generation_id == Generation.id, LedgerEntry.kind.in_(kinds))


def _held_wrong() -> Select[Any]:
    return select(Generation.id).where(_entries(EntryKind.HOLD) != 1)


def _settled_wrong() -> Select[Any]:
    wrong = or_(_entries(EntryKind.SETTLE) != 1, _other(EntryKind.RELEASE))
    return select(Generation.id).where(_completed(), wrong)


def _without_file() -> Select[Any]:
    wrong = or_(Generation.output_key.is_(None), Generation.stored_bytes <= 0, Generation.output_facts.is_(None))
    return select(Generation.id).where(_completed(), wrong)


def _released_wrong() -> Select[Any]:
    wrong = or_(_entries(EntryKind.RELEASE) != 1, _other(EntryKind.SETTLE))
    return select(Generation.id).where(_ended(), wrong)


def _live_ended() -> Select[Any]:
    return select(Generation.id).where(is_live(), _other(EntryKind.SETTLE, EntryKind.RELEASE))


def _held_without_live() -> Select[Any]:
    """Accounts that hold something else than the prices of their person's live generations."""
    live = aliased(Generation)
    price = (
        select(func.coalesce(func.sum(live.credits), 0))
        .where(live.user_id == Account.user_id, live.stage != Stage.ENDED)
        .correlate(Account)
        .scalar_subquery()
    )
    return select(Account.id).where(Account.held_credits != price)


def _without_event() -> Select[Any]:
    return select(Generation.id).where(~exists().where(GenerationEvent.generation_id == Generation.id))


def _usage_off() -> Select[Any]:
    """People whose usage totals differ from what their ledger settled and released."""
    totals = (
        select(
            UsageDay.user_id,
            func.sum(UsageDay.settled_credits).label("settled"),
            func.sum(UsageDay.released_credits).label("released"),
        )
        .group_by(UsageDay.user_id)
        .subquery()
    )

    def booked(kind: EntryKind) -> Any:
        amount = case((LedgerEntry.kind == kind, LedgerEntry.amount_credits), else_=0)
        return func.coalesce(func.sum(amount), 0)

    return (
        select(Account.user_id)
        .outerjoin(totals, totals.c.user_id == Account.user_id)
        .outerjoin(LedgerEntry, and_(LedgerEntry.account_id == Account.id))
        .group_by(Account.user_id, totals.c.settled, totals.c.released)
        .having(
            or_(
                booked(EntryKind.SETTLE) != func.coalesce(totals.c.settled, 0),
                booked(EntryKind.RELEASE) != func.coalesce(totals.c.released, 0),
            )
        )
    )


def _verdicts_off(session: Session) -> Select[Any]:
    """Days and projects whose counted verdicts differ from those on the clips that were charged there then."""
    if session.get_bind().dialect.name == "postgresql":
        day = func.to_char(func.timezone("UTC", Generation.ended_at), "YYYY-MM-DD")
    else:
        day = func.strftime("%Y-%m-%d", Generation.ended_at)
    charged_in = func.coalesce(Generation.charged_project_id, Generation.project_id)
    kept = case((Generation.kept.is_(True), 1), else_=0)
    figures = (
        kept,
        kept * Generation.duration_seconds,
        case((Generation.kept.is_(False), 1), else_=0),
    )
    none = literal(0)
    of_clips = select(
        day.label("day"),
        Generation.user_id,
        charged_in.label("project_id"),
        Generation.provider,
        Generation.model_id,
        *(figure.label(f"f{n}") for n, figure in enumerate(figures)),
    ).where(Generation.kept.is_not(None))
    of_days = select(
        UsageDay.day,
        UsageDay.user_id,
        UsageDay.project_id,
        UsageDay.provider,
        UsageDay.model_id,
        *((none - figure) for figure in (UsageDay.kept_count, UsageDay.kept_seconds, UsageDay.rejected_count)),
    ).where(or_(UsageDay.kept_count != 0, UsageDay.kept_seconds != 0, UsageDay.rejected_count != 0))
    both = union_all(of_clips, of_days).subquery()
    keys = (both.c.day, both.c.user_id, both.c.project_id, both.c.provider, both.c.model_id)
    where = both.c.day + literal(" ") + both.c.project_id + literal(" ") + both.c.model_id
    differ = or_(*(func.sum(both.c[f"f{n}"]) != 0 for n in range(len(figures))))
    return select(where).group_by(*keys).having(differ)


def _files_present(session: Session, storage: storages.Storage) -> Result:
    rows = session.execute(
        select(Generation.id, Generation.output_key).where(_completed(), Generation.deleted_at.is_(None))
    ).all()
    missing: list[str] = []
    for generation_id, key in rows:
        try:
            storage.stat(str(key))
        except errors.NotFound:
            missing.append(generation_id)
    return Result("the file of every completed one is in storage", len(rows), tuple(missing[:OFFENDERS_SHOWN]))


def main() -> int:
    """Check this installation; 0 when all holds, 1 when a rule is broken."""
    settings = config.settings()
    with db.session(read_only=True) as session:
        results = run(session, storage=storages.open_storage(settings.storage_url))
    for result in results:
        print(f"{'ok    ' if result.holds else 'BROKEN'}  {result.checked:>8}  {result.rule}")  # noqa: T201 -- its output
        for offender in result.offenders:
            print(f"          {offender}")  # noqa: T201 -- its output
    return 0 if all(result.holds for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
