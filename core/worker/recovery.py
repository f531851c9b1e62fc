"""Brings the table up to what the journal of sends knows: answers that were not written, and a database from the past.

A database that was put back from a copy, or whose newest part is lost, shows orders as waiting that were sent since,
and does not know others at all. What the journal knows is carried out anew, with the provider's answer where it has
one; what may have been sent is uncertain. Nothing is ever sent from here.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from core import db, durable, errors
from core.assets import made_from
from core.billing import ledger
from core.clock import utc_now
from core.config import BadSetting, Settings
from core.db import ReadSession, WriteSession, availability, identity, update_where
from core.db.enums import Stage, Status
from core.db.tables import Flight, Generation, GenerationEvent, Project, User, Workspace, is_live
from core.generations import flights, lifecycle
from core.identity import users
from core.installation import Installation
from core.messages import message
from core.usage import limits
from core.worker import answers, sweep
from core.worker.journal import Journal
from core.worker.lease_watch import LEASE
from core.worker.sends import Reading, Send
from core.workspaces import months

log = logging.getLogger(__name__)

_PUTTING_BACK = "putting-back"
_CHUNK = 500
_WAITS_IN_LINE = (Stage.AWAITING_APPROVAL, Stage.QUEUED, Stage.DISPATCHED)
"""What waited for approval may have been approved and sent since the copy, too."""
_COPIED = (
    *("retry_of_id", "extends_id", "batch_id", "idempotency_key", "request_hash", "recipe_hash"),
    *("provider", "model_name", "credits", "budget_month", "quote", "estimated_cost_microusd", "idr_per_usd"),
)


def open_journal(settings: Settings) -> Journal:
    """The journal of this machine."""
    return Journal(settings.data_dir / "journal")


@contextmanager
def putting_back(settings: Settings) -> Iterator[None]:
    """While the block puts a copy in the place of the database: a start that comes before its end is known by it.

    A block that raises has left the database as it was.
    """
    mark = settings.data_dir / "journal" / _PUTTING_BACK
    open_journal(settings)
    mark.touch()
    durable.sync(mark.parent)
    try:
        yield
    except BaseException:
        mark.unlink(missing_ok=True)
        raise


def send_of(
    session: ReadSession, row: Generation, installation_id: str, base_url: str, *, after: Send | None = None
) -> Send:
    """What the journal is to remember of an order that is about to be sent; its number follows the last send's."""
    user, project = session.get_one(User, row.user_id), session.get_one(Project, row.project_id)
    workspace = session.get_one(Workspace, row.workspace_id)
    order = {
        "user": {"id": user.id, "email": user.email},
        "workspace": {"id": workspace.id, "is_sample": workspace.is_sample},
        "project": {"id": project.id, "name": project.name},
        "row": {name: getattr(row, name) for name in _COPIED} | row.spec.values() | {"provider_base_url": base_url},
        "created_at": row.created_at.isoformat(),
    }
    attempt = max(row.attempt, after.attempt if after else 0) + 1
    return Send(installation_id, row.id, row.provider, attempt, utc_now(), order)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found and done: how many orders are uncertain for it, and how many sends of the journal carried out."""

    was_put_back: bool
    uncertain: int
    replayed: int


def at_start(installation: Installation, *, is_known_to_be_old: bool = False) -> Recovered:
    """Before anything is sent: see whether this database is a copy or has lost its newest part, and make up for it.

    `is_known_to_be_old`: somebody says that it was put back. Quick where nothing happened; harmless when run again.
    """
    try:
        journal = open_journal(installation.settings)
    except OSError as failure:
        raise BadSetting(f"DATA_DIR: the journal of sends cannot be kept there: {failure.strerror}.") from failure
    mark = installation.settings.data_dir / "journal" / _PUTTING_BACK
    with journal.recovering():
        is_known_to_be_old = is_known_to_be_old or mark.exists()
        was_put_back, uncertain = _arrive(installation, is_known_to_be_old=is_known_to_be_old)
        mark.unlink(missing_ok=True)
        with installation.database.read_session() as session:
            reading = journal.read(identity.of(session))
        replayed = 0
        if was_put_back or _is_behind(installation, reading):
            more, replayed = _replay(installation, journal, reading)
            uncertain += more
        take_up(installation, journal)
    return Recovered(was_put_back, uncertain, replayed)


def take_up(installation: Installation, journal: Journal) -> None:
    """Carry out answers whose process has died before they were written; keep the leases of those that live.

    A process that lives keeps what it was told until the database takes it, so that its lease running out, which the
    same trouble has kept from being renewed, says nothing.
    """
    with installation.database.read_session() as session:
        installation_id = identity.of(session)
    for send in journal.unsettled(installation_id):
        if journal.is_under_way(send.generation_id):
            with installation.database.write_session() as session:
                now = db.now(session)
                over_soon = (Flight.status == Status.PROCESSING, Flight.next_at < now + LEASE / 2)
                flights.renew(session, send.generation_id, Stage.SUBMITTING, now + LEASE, *over_soon)
            continue
        try:
            answers.record(journal, send, answers.from_json(send.outcome), for_seconds=0)
        except Exception as failure:
            if availability.is_away(failure):
                raise
            log.exception("the answer to %s cannot be carried out", send.generation_id)


def prune_journal(installation: Installation) -> int:
    """Let the journal forget what has ended long ago; how many sends those were."""

    def ended(generation_ids: Sequence[str]) -> set[str]:
        found: set[str] = set()
        with installation.database.read_session() as session:
            for start in range(0, len(generation_ids), _CHUNK):
                among = Generation.id.in_(generation_ids[start : start + _CHUNK])
                found |= set(session.scalars(select(Generation.id).where(among, Generation.stage == Stage.FINALIZED)))
        return found

    with installation.database.read_session() as session:
        installation_id = identity.of(session)
    return open_journal(installation.settings).prune(installation_id, ended)


def mark_all_that_wait(session: WriteSession) -> int:
    """Everything that waits to be sent, or was being sent, may have been sent since the copy; how many they are."""
    waiting = (
        select(Generation)
        .where(is_live(), Generation.stage.in_((*_WAITS_IN_LINE, Stage.SUBMITTING)))
        .where(Generation.status != Status.UNCERTAIN)
        .order_by(Generation.workspace_id, Generation.id)
        .with_for_update()
    )
    return sum(_mark(session, row, row.attempt) for row in session.scalars(waiting).all())


def bring_up_to_date(journal: Journal, send: Send) -> bool:
    """Carry out one send of the journal that the table does not know of; True if that changed a row."""
    with db.write_session() as session:
        generation_id = _stand_as_sent(session, send)
        if generation_id is not None and send.outcome is not None:
            outcome = answers.from_json(send.outcome)
            answers.apply(session, replace(send, generation_id=generation_id), outcome)
    if generation_id is not None:
        log.warning("%s was sent before, and the database did not know it; it is not sent again", send.generation_id)
    if not send.settled:
        journal.settled(send)
    return generation_id is not None


def _arrive(installation: Installation, *, is_known_to_be_old: bool) -> tuple[bool, int]:
    """Whether the database was put back from a copy, and how many orders were marked for that; in one transaction."""
    here = identity.place(installation.database)
    with installation.database.read_session() as session:
        if not is_known_to_be_old and identity.is_at(session, here):
            return False, 0
    with installation.database.write_session() as session:
        was_put_back = identity.arrive(session, here) or is_known_to_be_old
        uncertain = mark_all_that_wait(session) if was_put_back else 0
        if was_put_back:
            sweep.postpone(session)
    if was_put_back:
        log.warning("This database was put back from a copy; %s orders that wait may have been sent since", uncertain)
    return was_put_back, uncertain


def _is_behind(installation: Installation, reading: Reading) -> bool:
    """Whether the database does not know the newest send as the journal does."""
    if not reading.sends:
        return False
    newest = reading.sends[-1]
    with installation.database.read_session() as session:
        row = session.get(Generation, newest.generation_id)
        if row is None and _went_with_the_sample(session, newest):
            return False
    if row is None or row.attempt < newest.attempt:
        return True
    return newest.settled and (row.status, row.stage) == (Status.PROCESSING, Stage.SUBMITTING)


def _replay(installation: Installation, journal: Journal, reading: Reading) -> tuple[int, int]:
    """Carry out all sends that the table does not know; how many orders are uncertain for it, and how many sends."""
    if reading.sends:
        log.warning("The database may not know everything that was sent from here; the journal makes up for it")
    uncertain = 0
    if not reading.is_whole or _is_older_than(installation, reading.floor):
        with installation.database.write_session() as session:
            uncertain = mark_all_that_wait(session)
    replayed = 0
    for start in range(0, len(reading.sends), _CHUNK):
        chunk = reading.sends[start : start + _CHUNK]
        known = _attempts(installation, chunk)
        for send in chunk:
            if known.get(send.generation_id, -1) < send.attempt and not journal.is_under_way(send.generation_id):
                try:
                    replayed += bring_up_to_date(journal, send)
                except Exception:  # one that cannot be put back keeps no other from it
                    log.exception("%s was sent, and cannot be put back into the database: %s", send.generation_id, send)
    return uncertain, replayed


def _attempts(installation: Installation, sends: Sequence[Send]) -> Mapping[str, int]:
    """Id -> the last attempt that the table knows; one less while it does not know how that ended."""
    ids = [send.generation_id for send in sends]
    with installation.database.read_session() as session:
        rows = session.execute(
            select(Generation.id, Generation.attempt, Generation.stage).where(Generation.id.in_(ids))
        )
        return {row.id: row.attempt - (row.stage is Stage.SUBMITTING) for row in rows}


def _is_older_than(installation: Installation, floor: datetime | None) -> bool:
    """Whether the newest that the database knows is from before sends that the journal has forgotten."""
    if floor is None:
        return False
    with installation.database.read_session() as session:
        newest = session.scalar(select(GenerationEvent.at).order_by(GenerationEvent.id.desc()).limit(1))
    return newest is None or newest < floor


def _stand_as_sent(session: WriteSession, send: Send) -> str | None:
    """Let the order stand where its answer is waited for; its id, None where there is nothing to do.

    An order that is not there is put back, unless the provider surely has nothing of it. If its person has repeated the
    request meanwhile, under the key that makes it the same one, the repetition stands for it.
    """
    row = lifecycle.locked(session, send.generation_id)
    if row is None:
        if not send.may_exist or _went_with_the_sample(session, send):
            return None
        if not send.order:
            raise LookupError("what was ordered cannot be read")
        row = _repetition(session, send)
        if row is not None and row.stage not in (*_WAITS_IN_LINE, Stage.SUBMITTING):
            if send.outcome is None or row.provider_job_id == send.outcome.get("job"):
                return None
            row = None  # it was sent by itself, so the two are two
        row = row or _put_back(session, send)
    if row.stage in _WAITS_IN_LINE:
        return row.id if send.may_exist and _mark(session, row, send.attempt) else None
    if row.stage is not Stage.SUBMITTING:
        return None
    if row.attempt < send.attempt:
        update_where(session, Generation, Generation.id == row.id, attempt=send.attempt)
    return row.id


def _went_with_the_sample(session: ReadSession, send: Send) -> bool:
    """Whether an order was made in the sample company, which was removed since and stays so."""
    workspace = send.order.get("workspace", {})
    return workspace.get("is_sample", False) and session.get(Workspace, workspace["id"]) is None


def _mark(session: WriteSession, row: Generation, attempt: int) -> bool:
    unknown = errors.SubmitUncertain(message("sent_is_unknown"))
    return lifecycle.mark_uncertain(
        session, row, unknown, next_at=db.now(session) + answers.FIND_AFTER, attempt=attempt
    )


def _repetition(session: WriteSession, send: Send) -> Generation | None:
    """The same request by the same person under the same key, if it came again."""
    key, person = send.order["row"]["idempotency_key"], _person(session, send)
    if key is None or person is None:
        return None
    again = select(Generation).where(Generation.user_id == person.id, Generation.idempotency_key == key)
    found = session.scalar(again.with_for_update())
    return found if found is not None and found.request_hash == send.order["row"]["request_hash"] else None


def _person(session: ReadSession, send: Send) -> User | None:
    user = send.order["user"]
    return session.get(User, user["id"]) or session.scalar(select(User).where(User.email == user["email"]))


def _put_back(session: WriteSession, send: Send) -> Generation:
    """Make the row of an order again, its price reserved; credits that went missing with it are booked once more."""
    values = dict(send.order["row"])
    person = _person(session, send) or users.ensure(session, send.order["user"]["email"], signup_credits=0)
    users.lock(session, person.id)
    key = select(Generation.id).where(
        Generation.user_id == person.id, Generation.idempotency_key == values["idempotency_key"]
    )
    if session.scalar(key) is not None:
        values["idempotency_key"] = None
    for name in ("retry_of_id", "extends_id"):
        if values[name] is not None and session.get(Generation, values[name]) is None:
            values[name] = None
    project = _project(session, send, person)
    created_at = datetime.fromisoformat(send.order["created_at"])
    month = values.get("budget_month") or months.month_in(session, project.workspace_id, created_at)
    row = Generation(
        id=send.generation_id,
        workspace_id=project.workspace_id,
        user_id=person.id,
        project_id=project.id,
        next_at=db.now(session),
        progress=0.0,
        progress_is_estimate=True,
        created_at=created_at,
        visible_mark=select(Workspace.visible_mark).where(Workspace.id == project.workspace_id).scalar_subquery(),
        **(values | {"budget_month": month}),
    )
    session.add(row)
    session.flush()
    made_from.note(session, row)
    missing_credits = row.credits - ledger.balance(session, row.workspace_id).available_credits
    if missing_credits > 0:
        grant = f"generation:{row.id}:put-back"
        reason = message("credits_put_back")
        ledger.grant(
            session, row.workspace_id, credits=missing_credits, key=grant, actor=lifecycle.SYSTEM, reason=reason
        )
    ledger.hold(session, row.workspace_id, generation_id=row.id, credits=row.credits, actor=lifecycle.SYSTEM)
    limits.take_many(session, [row], is_refusable=False)
    lifecycle.begin(session, {row: message("put_back")})
    update_where(
        session,
        Project,
        Project.id == row.project_id,
        generation_count=Project.generation_count + 1,
        updated_at=db.now(session),
    )
    return row


def _project(session: WriteSession, send: Send, person: User) -> Project:
    """The project it was ordered in; made again if it is gone, in its workspace, else in the person's own."""
    known = send.order["project"]
    found = session.get(Project, known["id"])
    if found is None:
        workspace = session.get(Workspace, send.order.get("workspace", {}).get("id", person.id))
        found = Project(
            id=known["id"],
            workspace_id=person.id if workspace is None else workspace.id,
            user_id=person.id,
            name=known["name"],
        )
        session.add(found)
        session.flush()
    return found
