"""The words for where things stand: statuses, stages, kinds and roles, and which moves there are."""

from collections.abc import Mapping
from enum import StrEnum


class Status(StrEnum):
    """The public word for where a generation stands."""

    PENDING = "pending"
    """Ordered, with its price held; nothing has been sent. Cancelling is free."""
    PROCESSING = "processing"
    """It is being sent, or the provider has it, or its file is being fetched."""
    UNCERTAIN = "uncertain"
    """Nobody can know whether the provider made it. The hold stays, nothing is sent again."""
    COMPLETED = "completed"
    """The clip lies in our storage, was checked, and is charged at the quoted total."""
    FAILED = "failed"
    """No clip will come of it; the hold was given back."""
    CANCELLED = "cancelled"
    """Its person wanted it stopped before anything was charged; the hold was given back."""


class Stage(StrEnum):
    """The inner word: where inside its status a generation is."""

    QUEUED = "queued"
    """In line, by age and person, until a provider has room for it."""
    HANDED = "handed"
    """A submit job is in the queue and nothing was sent. One that is lost with Redis is handed over again."""
    SUBMITTING = "submitting"
    """The order may be on its way: written down before the POST. A worker that dies here leaves it uncertain."""
    WAITING = "waiting"
    """The provider has it under a job id and is asked when that is due. No process's death matters."""
    READY = "ready"
    """The provider has finished; the file is to be fetched. A fetch that failed comes back here."""
    DOWNLOADING = "downloading"
    """A worker fetches, checks and stores the file. One that dies here puts it back to ready."""
    ENDED = "ended"
    """Nothing moves it any more."""


class EntryKind(StrEnum):
    """What a ledger row does; `ledger.EFFECT` says how it moves the account."""

    GRANT = "grant"
    HOLD = "hold"
    SETTLE = "settle"
    RELEASE = "release"
    ADJUST = "adjust"


class Role(StrEnum):
    """What a person may do beyond their own things."""

    USER = "user"
    ADMIN = "admin"


class Scope(StrEnum):
    """How far an API token reaches; each includes the ones before it, and none more than its person may."""

    READ = "read"
    GENERATE = "generate"
    ADMIN = "admin"


class DeliveryState(StrEnum):
    """How far the delivery of an event to somebody's webhook is."""

    DUE = "due"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


class DisabledReason(StrEnum):
    """Why nothing is sent to a webhook any more: its person said so, its server did (410), or it failed for days."""

    PERSON = "person"
    GONE = "gone"
    FAILING = "failing"


ENDED_STATUSES = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)

Place = tuple[Status, Stage]
"""Where a generation stands: public and inner word together."""

_QUEUED = (Status.PENDING, Stage.QUEUED)
_HANDED = (Status.PENDING, Stage.HANDED)
_SUBMITTING = (Status.PROCESSING, Stage.SUBMITTING)
_WAITING = (Status.PROCESSING, Stage.WAITING)
_READY = (Status.PROCESSING, Stage.READY)
_DOWNLOADING = (Status.PROCESSING, Stage.DOWNLOADING)
_LOST_SUBMITTING = (Status.UNCERTAIN, Stage.SUBMITTING)
_LOST_WAITING = (Status.UNCERTAIN, Stage.WAITING)
_LOST_READY = (Status.UNCERTAIN, Stage.READY)
_COMPLETED = (Status.COMPLETED, Stage.ENDED)
_FAILED = (Status.FAILED, Stage.ENDED)
_CANCELLED = (Status.CANCELLED, Stage.ENDED)

MOVES: Mapping[Place, frozenset[Place]] = {
    _QUEUED: frozenset({_HANDED, _FAILED, _CANCELLED}),
    _HANDED: frozenset({_HANDED, _SUBMITTING, _QUEUED, _FAILED, _CANCELLED}),
    _SUBMITTING: frozenset({_WAITING, _QUEUED, _FAILED, _LOST_SUBMITTING}),
    _WAITING: frozenset({_READY, _FAILED, _CANCELLED, _LOST_WAITING}),
    _READY: frozenset({_DOWNLOADING, _FAILED}),
    _DOWNLOADING: frozenset({_COMPLETED, _READY, _FAILED, _LOST_READY}),
    _LOST_SUBMITTING: frozenset({_WAITING, _FAILED}),
    _LOST_WAITING: frozenset({_READY, _FAILED, _CANCELLED}),
    _LOST_READY: frozenset({_DOWNLOADING, _FAILED}),
    _COMPLETED: frozenset(),
    _FAILED: frozenset(),
    _CANCELLED: frozenset(),
}
"""Every legal move. What is lost (uncertain) is never sent again: it is found, or ended by a decision."""
