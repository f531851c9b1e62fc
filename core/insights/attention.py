"""What waits for a person: clips to decide on or late, refused accounts, budgets, models that end, no room, and more.

The same for who runs the installation and for who manages workspaces of it: a `Charge` says whose rows. It counts and
names; what is decided of a clip stands in `core.generations.unresolved` and `core.generations.watched`.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import and_, func, select

from core.catalog_changes import live_lists
from core.clock import utc_now
from core.config import Settings
from core.db import Reader, snapshots
from core.db.snapshots import HeldSnapshot
from core.db.tables import AuditRun, Generation, ProviderHealth, SigningCertificate, is_uncertain
from core.files.content_credentials import Unsigned
from core.insights import circuit_breaker, cost_drift, health, late_clips, model_ends, nearly_used_up
from core.insights.late_clips import Line
from core.insights.nearly_used_up import BudgetNear, FewCredits, StorageNear
from core.workspaces.access import Charge

UNSIGNED_TOLD = timedelta(days=7)
"""How long it is told that a clip was delivered without content credentials."""
END_TOLD = timedelta(days=30)
"""How long before its end it is told that the certificate of the operator's own key ends, or a model that is used."""

KNOWN_AT_MOST = 1000
"""Of so many people and groups of workspaces the count is remembered."""
EVERYTHING = Charge()

COUNTED_SECONDS = 5.0
"""How old the count in the bar may be: what waits for a person waits longer than that."""


@dataclass(frozen=True, slots=True)
class UnsignedClips:
    """How many clips were lately delivered without content credentials, and when and why the last of them."""

    count: int
    last_at: datetime
    last_reason: Unsigned


@dataclass(frozen=True, slots=True)
class EndOfModel:
    """A model that ends or has ended, of which clips were made in the last 30 days."""

    model_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Attention:
    """`unclear_clips` wait for a decision; `refused_accounts` are providers that do not accept our key or account.

    `old_prices` are models whose vendor takes another price by now than the catalogue says, `model_notes` what vendors'
    lists of models have told. `unsigned` are clips without content credentials, None when there are none;
    `certificate_ends_at` is when the certificate of the operator's own key ends, None while that is far away. `line`
    has what is under way for too long, `ending` the models in use that end within 30 days of now, `broken_rules` how
    many of the rules that must always hold did not at the last check. `old_snapshots` are held in the database and slow
    it down. What is of the installation alone stays empty for who manages workspaces; `few_credits` are for them alone.
    """

    unclear_clips: int
    refused_accounts: tuple[str, ...]
    old_prices: tuple[str, ...] = ()
    model_notes: int = 0
    unsigned: UnsignedClips | None = None
    certificate_ends_at: datetime | None = None
    line: Line = field(default_factory=Line)
    ending: tuple[EndOfModel, ...] = ()
    broken_rules: int = 0
    is_disk_nearly_full: bool = False
    old_snapshots: tuple[HeldSnapshot, ...] = ()
    budgets: tuple[BudgetNear, ...] = ()
    storages: tuple[StorageNear, ...] = ()
    few_credits: tuple[FewCredits, ...] = ()

    @property
    def count(self) -> int:
        """How many things wait."""
        told = (self.unsigned, self.certificate_ends_at, self.line.waits_since)
        lists = (
            *(self.refused_accounts, self.old_prices, self.line.late, self.ending, self.old_snapshots),
            *(self.budgets, self.storages, self.few_credits),
        )
        numbers = (self.unclear_clips, self.model_notes, self.broken_rules, self.is_disk_nearly_full)
        return sum(map(len, lists)) + sum(numbers) + sum(each is not None for each in told)


class AttentionCounter:
    """What waits, for the bar of every page of this process: looked at again after `COUNTED_SECONDS`."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[Charge, _Counted] = OrderedDict()

    def count(self, charge: Charge, look: Callable[[], Attention], *, anew: bool = False) -> int:
        """How many things wait in this charge, as `found` knows them."""
        return self.found(charge, look, anew=anew).count

    def found(self, charge: Charge, look: Callable[[], Attention], *, anew: bool = False) -> Attention:
        """What `look` finds in this charge. `anew` where that is shown, so that a decision is seen at once.

        One thread looks for a charge, the others take what was known.
        """
        with self._lock:
            known = self._known.setdefault(charge, _Counted())
            self._known.move_to_end(charge)
            if len(self._known) > KNOWN_AT_MOST:
                self._known.popitem(last=False)
        is_old = anew or time.monotonic() - known.at > COUNTED_SECONDS
        if is_old and known.lock.acquire(blocking=anew):
            try:
                known.found = look()
                known.at = time.monotonic()
            finally:
                known.lock.release()
        return known.found


@dataclass(slots=True)
class _Counted:
    lock: Lock = field(default_factory=Lock)
    at: float = float("-inf")
    found: Attention = field(default_factory=lambda: Attention(0, ()))


def look(session: Reader, settings: Settings, charge: Charge) -> Attention:
    """What waits now in an installation with these settings."""
    return waiting(
        session,
        charge,
        free_bytes=health.free_bytes(settings) if charge.is_everything else None,
        quota_bytes=settings.storage_quota_bytes,
        low_credits=settings.low_balance_credits,
    )


def waiting(
    session: Reader,
    charge: Charge = EVERYTHING,
    *,
    free_bytes: int | None = None,
    quota_bytes: int = 0,
    low_credits: int = 0,
) -> Attention:
    """What waits now; a dozen small statements, whatever has ended, and half as many for who manages workspaces.

    `free_bytes` is the least room on the disks that clips are written to (`health.free_bytes`), None: not asked.
    """
    now = utc_now()
    unclear = session.scalar(_UNCLEAR.where(charge.covers(Generation.workspace_id))) or 0
    line = late_clips.look(session, now, charge)
    ending = tuple(_ending(session, now, charge))
    storages = tuple(nearly_used_up.storages(session, charge, quota_bytes=quota_bytes))
    if not charge.is_everything:
        return Attention(
            unclear,
            (),
            line=line,
            ending=ending,
            budgets=tuple(nearly_used_up.budgets(session, charge, now, percent=nearly_used_up.BUDGET_NEAR_PERCENT)),
            storages=storages,
            few_credits=tuple(nearly_used_up.few_credits(session, charge, now, low_credits=low_credits)),
        )
    return Attention(
        unclear,
        tuple(session.scalars(_REFUSED).all()),
        tuple(row.model_id for row in cost_drift.old_prices(session)),
        live_lists.count_open(session),
        _unsigned(session, now),
        _certificate_ends_at(session, now),
        line,
        ending,
        session.scalar(_BROKEN_RULES) or 0,
        free_bytes is not None and free_bytes < health.NEARLY_FULL_BYTES,
        tuple(each for each in snapshots.held(session) if each.is_old()),
        tuple(nearly_used_up.budgets(session, charge, now, percent=nearly_used_up.BUDGET_OVER_PERCENT)),
        storages,
    )


_BROKEN_RULES = select(AuditRun.broken).order_by(AuditRun.id.desc()).limit(1)
_REFUSED = (
    select(ProviderHealth.provider)
    .where(ProviderHealth.error_code.in_(circuit_breaker.ACCOUNT_CODES))
    .order_by(ProviderHealth.provider)
)
# Every id is above "". Without a word on it SQLite would not take the index of unclear clips, and count through the
# index of all clips by status, however many have ended.
_UNCLEAR = select(func.count()).select_from(Generation).where(is_uncertain(), Generation.id > "")


def _unsigned(session: Reader, now: datetime) -> UnsignedClips | None:
    lately = and_(Generation.unsigned_reason.is_not(None), Generation.ended_at > now - UNSIGNED_TOLD)
    newest = select(Generation.ended_at, Generation.unsigned_reason).where(lately)
    last = session.execute(newest.order_by(Generation.ended_at.desc()).limit(1)).first()
    if last is None or last.ended_at is None or last.unsigned_reason is None:
        return None
    count = session.scalar(select(func.count()).select_from(Generation).where(lately)) or 1
    return UnsignedClips(count, last.ended_at, Unsigned.of(last.unsigned_reason))


def _ending(session: Reader, now: datetime, charge: Charge) -> Iterator[EndOfModel]:
    """The first to end first. Only of models that end about now it is asked whether they are used."""
    for end in model_ends.coming(now, within=END_TOLD, past=END_TOLD):
        lately = (Generation.model_id == end.model_id, Generation.ended_at > now - END_TOLD)
        used = select(Generation.id).where(*lately, charge.covers(Generation.workspace_id)).limit(1)
        if session.scalar(used) is not None:
            yield EndOfModel(end.model_id, end.at)


def _certificate_ends_at(session: Reader, now: datetime) -> datetime | None:
    """When the newest certificate ends that was given; the installation renews its own by itself."""
    given = select(SigningCertificate.expires_at).where(SigningCertificate.sealed_key.is_(None))
    ends_at = session.scalar(given.order_by(SigningCertificate.created_at.desc()).limit(1))
    return ends_at if ends_at is not None and now < ends_at < now + END_TOLD else None
