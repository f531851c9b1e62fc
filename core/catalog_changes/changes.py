"""What administrators say of models: life, price, cost, vendor's id, place, and further models; each is written down.

Changes are appended and never altered. None lies in the past, and one that has begun stays: what was ordered since then
was ordered by it. Changes go one after another, and each sees the ones before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from core import audit_log, errors
from core.audit_log import Act
from core.catalog import change_rules, overlay
from core.catalog.catalogue import Catalogue, Entry
from core.catalog.overlay import Change
from core.catalog_changes import current
from core.db import ReadSession, WriteSession
from core.db.enums import ChangeKind
from core.db.tables import CatalogueChange
from core.identity import idempotency
from core.messages import message
from core.providers import registry
from core.providers.model_files import OF_CATALOGUE
from core.workspaces.access import Member
from core.workspaces.permissions import Action

FARTHEST_YEARS = 10
_ACTS: Mapping[ChangeKind, Act] = {
    ChangeKind.LIFE: Act.MODEL_LIFE_CHANGED,
    ChangeKind.PRICE: Act.MODEL_REPRICED,
    ChangeKind.COST: Act.MODEL_COST_CHANGED,
    ChangeKind.VENDOR_ID: Act.MODEL_VENDOR_ID_CHANGED,
    ChangeKind.POSITION: Act.MODEL_MOVED,
}


@dataclass(frozen=True, slots=True)
class Made:
    """A change that is kept, and whether it was taken back."""

    row: CatalogueChange
    taken_back: bool = False
    replayed: bool = False


def change(
    session: WriteSession,
    member: Member,
    model_id: str,
    kind: ChangeKind,
    value: Mapping[str, Any],
    *,
    since: datetime | None = None,
    key: str | None = None,
) -> Made:
    """Say something of a model there is, from a moment on, or from now; `value` is as in `overlay.Change`.

    A repeat with the same idempotency `key` changes nothing. Raises NotFound for no model, InvalidRequest for a moment
    or a value that cannot be, Conflict when another change of the same begins at that very moment.
    """
    member.require(Action.MANAGE_CATALOGUE)
    known, now = current.for_change(session)
    request = f"catalogue change\n{model_id}\n{kind}\n{since and since.isoformat()}\n{sorted(value.items())!r}"
    if (repeated := _repeated(session, member, key, request)) is not None:
        return repeated
    begins = _beginning(since, now, kind)
    change_rules.check(known, model_id, kind, value, begins)
    _refuse_same_moment(session, model_id, kind, begins)
    entry = known.get(model_id)
    row = _append(session, member, Change(0, model_id, kind, begins, value), now)
    audit_log.record(
        session,
        member.user,
        _ACTS[kind],
        target=entry.model.name,
        target_id=model_id,
        before=_before(known, entry, kind, begins),
        after=_after(kind, value, begins),
    )
    idempotency.remember(session, member.user, key, request=request, made_id=str(row.id))
    return Made(row)


def describe(session: WriteSession, member: Member, record: Mapping[str, Any], *, key: str | None = None) -> Made:
    """Add a model of a known provider, from now on, or say anew what an added one makes; whole records with `provider`.

    Prices, costs and life in the record count for a new model; of one that is there they are changed one by one. Raises
    InvalidRequest with the field of the record (`value.…`), Conflict when a file has a model with this id.
    """
    member.require(Action.MANAGE_CATALOGUE)
    known, now = current.for_change(session)
    request = f"catalogue record\n{sorted(record.items())!r}"
    if (repeated := _repeated(session, member, key, request)) is not None:
        return repeated
    entry = change_rules.check_record(known, record, registry.default(), now)
    there = known.find(entry.model.id)
    value = {name: _as_json(each) for name, each in record.items() if there is None or name not in OF_CATALOGUE}
    row = _append(session, member, Change(0, entry.model.id, ChangeKind.RECORD, now, value), now)
    audit_log.record(
        session,
        member.user,
        Act.MODEL_REDESCRIBED if there else Act.MODEL_ADDED,
        target=entry.model.name,
        target_id=entry.model.id,
        after={"provider": entry.model.provider, "record": value},
    )
    idempotency.remember(session, member.user, key, request=request, made_id=str(row.id))
    return Made(row)


def take_back(session: WriteSession, member: Member, change_id: int) -> Made:
    """Let a change that has not begun never begin; Conflict for one that has, NotFound for none."""
    member.require(Action.MANAGE_CATALOGUE)
    _known, now = current.for_change(session)
    row = session.get(CatalogueChange, change_id)
    if row is None or row.kind is ChangeKind.TAKEN_BACK:
        raise errors.NotFound(message("change_not_found"))
    if row.id in overlay.taken_back(current.changes(session)):
        raise errors.Conflict(message("change_is_taken_back"))
    if row.since <= now:
        raise errors.Conflict(message("change_has_begun"))
    _append(session, member, Change(0, row.model_id, ChangeKind.TAKEN_BACK, now, {"change": row.id}), now)
    audit_log.record(
        session,
        member.user,
        Act.MODEL_CHANGE_TAKEN_BACK,
        target=row.model_id,
        target_id=row.model_id,
        before={"change": row.id, "kind": row.kind, "since": row.since.isoformat(), **row.value},
    )
    return Made(row, taken_back=True)


def list_changes(
    session: ReadSession, member: Member, *, model_id: str | None = None, before_id: int | None = None, limit: int = 100
) -> Sequence[Made]:
    """What was changed, of all models or of one, newest first, a keyset page at a time; NotFound for no model."""
    member.require(Action.MANAGE_CATALOGUE)
    wanted = select(CatalogueChange).where(CatalogueChange.kind != ChangeKind.TAKEN_BACK)
    if model_id is not None:
        current.of(session).get(model_id)
        wanted = wanted.where(CatalogueChange.model_id == model_id)
    if before_id is not None:
        wanted = wanted.where(CatalogueChange.id < before_id)
    gone = overlay.taken_back(current.changes(session))
    rows = session.scalars(wanted.order_by(CatalogueChange.id.desc()).limit(limit))
    return [Made(row, taken_back=row.id in gone) for row in rows]


def _beginning(since: datetime | None, now: datetime, kind: ChangeKind) -> datetime:
    if since is None:
        return now
    if kind in change_rules.AT_ONCE:
        raise errors.InvalidRequest(fields={"since": message("change_begins_at_once")})
    if since <= now:
        raise errors.InvalidRequest(fields={"since": message("time_has_passed")})
    if since > now + timedelta(days=366 * FARTHEST_YEARS):
        raise errors.InvalidRequest(fields={"since": message("change_too_far", years=FARTHEST_YEARS)})
    return since


def _refuse_same_moment(session: ReadSession, model_id: str, kind: ChangeKind, since: datetime) -> None:
    same = select(CatalogueChange.id).where(
        CatalogueChange.model_id == model_id, CatalogueChange.kind == kind, CatalogueChange.since == since
    )
    if set(session.scalars(same)) - overlay.taken_back(current.changes(session)):
        raise errors.Conflict(message("change_at_that_moment"))


def _append(session: WriteSession, member: Member, said: Change, now: datetime) -> CatalogueChange:
    row = CatalogueChange(
        model_id=said.model_id,
        kind=said.kind,
        since=said.since,
        value=dict(said.value),
        made_at=now,
        author_id=member.id,
        author=member.email,
    )
    session.add(row)
    session.flush()
    current.note_change(session)
    return row


def _as_json(value: Any) -> Any:
    """The same with days and moments, which TOML has types for, as texts."""
    if isinstance(value, Mapping):
        return {name: _as_json(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def _repeated(session: WriteSession, member: Member, key: str | None, request: str) -> Made | None:
    made_id = idempotency.made_before(session, member.user, key, request=request)
    return None if made_id is None else Made(session.get_one(CatalogueChange, int(made_id)), replayed=True)


def _before(known: Catalogue, entry: Entry, kind: ChangeKind, at: datetime) -> dict[str, Any] | None:
    """What would have held at that moment."""
    if kind is ChangeKind.VENDOR_ID:
        return {"vendor_id": entry.model_at(at).upstream_id}
    if kind is ChangeKind.POSITION:
        order = list(known.entries)
        return {"before": next(iter(order[order.index(entry.model.id) + 1 :]), None)}
    dated = {ChangeKind.LIFE: entry.life, ChangeKind.PRICE: entry.price, ChangeKind.COST: entry.cost}[kind](at)
    if dated is None:
        return {"state": entry.state(at)} if kind is ChangeKind.LIFE else None
    return overlay.table_of(dated)


def _after(kind: ChangeKind, value: Mapping[str, Any], since: datetime) -> dict[str, Any]:
    if kind is ChangeKind.POSITION:
        return dict(value)
    if kind is ChangeKind.VENDOR_ID:
        return {"vendor_id": value["upstream_id"], "since": since.isoformat()}
    return {**value, "since": since.isoformat()}
