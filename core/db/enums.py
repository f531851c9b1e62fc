"""The words for where things stand: statuses, stages, kinds and roles, and which moves there are."""

from enum import StrEnum


class Status(StrEnum):
    """The public word for where a generation stands."""

    PENDING = "pending"
    PROCESSING = "processing"
    UNCERTAIN = "uncertain"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Stage(StrEnum):
    """The inner word: where inside its status a generation is.

    HANDED means a submit job was given to the queue; it is still pending and nothing was sent. READY means the
    provider has finished and a worker will fetch the file.
    """

    QUEUED = "queued"
    DISPATCHED = "handed"
    SUBMITTING = "submitting"
    WAITING = "waiting"
    READY_TO_DOWNLOAD = "ready"
    DOWNLOADING = "downloading"
    FINALIZED = "ended"


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
