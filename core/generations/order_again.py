"""What failed for the provider's fault, ordered again with one press: priced first, and all of it or nothing."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from core import db, errors
from core.billing import pricing
from core.catalog import offered, rules
from core.catalog_changes import current
from core.db import ReadSession, WriteSession
from core.db.enums import Status
from core.db.tables import Generation, Project
from core.errors import Fault
from core.generations import approval_requests, batches, commands
from core.generations.orders import Order
from core.generations.queries import get
from core.identity import users
from core.messages import Message, message
from core.usage import reports
from core.workspaces.access import Member
from core.workspaces.permissions import Action

MOST = batches.MAX_BATCH
"""Up to so many with one press."""

LOOKED_AT = 200
"""So many of the newest are looked at; what is older waits until these are done."""


def _codes(kind: type[errors.AppError]) -> Iterator[str]:
    if kind.fault in (Fault.PROVIDER, Fault.NOBODY):
        yield kind.code
    for below in kind.__subclasses__():
        yield from _codes(below)


PROVIDERS_FAULT = frozenset((*_codes(errors.ProviderError), *_codes(errors.DownloadFailed), errors.MediaRejected.code))
"""Codes of failures that were the provider's, or nobody's and may go otherwise; what it delivered may be broken."""


@dataclass(frozen=True, slots=True)
class Retryable:
    """What can be ordered again now, newest first, at today's price; `more` would follow with a further press.

    `refused` counts by reason what cannot be ordered any more.
    """

    ids: tuple[str, ...]
    credits: int
    more: int
    refused: Mapping[Message, int]


def retryable(
    session: ReadSession, member: Member, chosen: reports.UsageQuery, *, configured: Collection[str]
) -> Retryable:
    """Of the chosen days, what failed for the provider's fault and was not ordered again since.

    It is looked for where the person is at work, or in the chosen project, whoever's figures are asked for. Raises as
    `reports.project_name`.
    """
    if chosen.project_id is not None:
        reports.project_name(session, member, chosen)
    begin, end = reports.moments(chosen)
    again = aliased(Generation)
    narrowed = {name: getattr(chosen, name) for name in ("project_id", "provider", "model_id", "user_id")}
    wanted = (
        reports.in_reach(Generation, member, chosen),
        Generation.status == Status.FAILED,
        Generation.error_code.in_(PROVIDERS_FAULT),
        Generation.deleted_at.is_(None),
        Generation.ended_at >= begin,
        Generation.ended_at < end,
        ~exists().where(again.retry_of_id == Generation.id),
        *(getattr(Generation, name) == value for name, value in narrowed.items() if value is not None),
    )
    newest = (
        select(Generation, Project.archived_at)
        .join(Project, Project.id == Generation.project_id)
        .where(*wanted)
        .order_by(Generation.id.desc())
        .limit(LOOKED_AT)
    )
    now = db.now(session)
    can: list[tuple[str, int]] = []
    refused: Counter[Message] = Counter()
    for row, archived_at in session.execute(newest):
        try:
            _check(member, row, now, is_archived=archived_at is not None, configured=configured)
            can.append((row.id, pricing.priced(row.spec, now).total_credits))
        except errors.InvalidRequest as wrong:
            refused[next(iter(wrong.fields.values()), wrong.message)] += 1
        except errors.AppError as wrong:
            refused[wrong.message] += 1
    first = can[:MOST]
    return Retryable(tuple(id for id, _ in first), sum(credits for _, credits in first), len(can) - len(first), refused)


def _check(member: Member, row: Generation, now: datetime, *, is_archived: bool, configured: Collection[str]) -> None:
    """Raise as `submit` would, as far as it can be told without ordering."""
    member.require(Action.ORDER, row.workspace_id)
    offered.check(row.model_id, now)
    model = rules.require(row.spec)
    if is_archived:
        raise errors.InvalidRequest(fields={"projectId": message("project_archived")})
    if model.provider not in configured:
        raise errors.ProviderNotConfigured


@current.ordering
def retry_all(
    session: WriteSession,
    member: Member,
    ids: Sequence[str],
    *,
    configured: Collection[str],
    quota_bytes: int,
    key: str | None = None,
    shown_credits: int | None = None,
) -> Sequence[Generation]:
    """Order 1 to `MOST` failed ones again, in their order, or none of them.

    The same `key` with the same ones returns the first retries. One whose retry somebody else has ordered meanwhile is
    bought no second time: what is left then comes to another price than `shown_credits`, the price of all that the
    person was shown, which raises PriceChanged. Raises as `commands.retry`, InsufficientCredits and BudgetExceeded
    for the total.
    """
    wanted = list(dict.fromkeys(ids))
    if not 1 <= len(wanted) <= MOST:
        raise errors.InvalidRequest(fields={"generationIds": message("batch_size", limit=MOST, ordered=len(wanted))})
    users.lock(session, member.id)  # two presses with one key go one after the other
    try:
        with session.begin_nested():  # a refusal in the middle takes back what was written before it
            rows = [
                commands.retry(
                    session,
                    member,
                    id,
                    configured=configured,
                    quota_bytes=quota_bytes,
                    idempotency_key=batches.item_key(key, place),
                    is_part=True,
                )
                for place, id in enumerate(wanted)
            ]
            ordered = [row for row in rows if not row.replayed]
            if ordered and shown_credits not in (None, sum(row.credits for row in ordered)):
                raise errors.PriceChanged
            approval_requests.ask_where_needed(session, ordered, actor=member.email)
    except (errors.InsufficientCredits, errors.BudgetExceeded):
        batches.check_total(session, member, [Order.of(get(session, member, id)) for id in wanted])
        raise
    return rows
