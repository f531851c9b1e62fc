"""Which states a generation can be in, and every legal transition between them; pure."""

from collections.abc import Mapping

from core.db.enums import Stage, Status

State = tuple[Status, Stage]
"""Where a generation stands: public and inner word together."""

_AWAITING_APPROVAL = (Status.PENDING, Stage.AWAITING_APPROVAL)
_QUEUED = (Status.PENDING, Stage.QUEUED)
_DISPATCHED = (Status.PENDING, Stage.DISPATCHED)
_SUBMITTING = (Status.PROCESSING, Stage.SUBMITTING)
_WAITING = (Status.PROCESSING, Stage.WAITING)
_READY_TO_DOWNLOAD = (Status.PROCESSING, Stage.READY_TO_DOWNLOAD)
_DOWNLOADING = (Status.PROCESSING, Stage.DOWNLOADING)
_UNCERTAIN_SUBMITTING = (Status.UNCERTAIN, Stage.SUBMITTING)
_UNCERTAIN_WAITING = (Status.UNCERTAIN, Stage.WAITING)
_UNCERTAIN_READY = (Status.UNCERTAIN, Stage.READY_TO_DOWNLOAD)
_COMPLETED = (Status.COMPLETED, Stage.FINALIZED)
_FAILED = (Status.FAILED, Stage.FINALIZED)
_CANCELLED = (Status.CANCELLED, Stage.FINALIZED)
TRANSITIONS: Mapping[State, frozenset[State]] = {
    _QUEUED: frozenset({_AWAITING_APPROVAL, _DISPATCHED, _FAILED, _CANCELLED, _UNCERTAIN_SUBMITTING}),
    _AWAITING_APPROVAL: frozenset({_QUEUED, _CANCELLED, _UNCERTAIN_SUBMITTING}),
    _DISPATCHED: frozenset({_DISPATCHED, _SUBMITTING, _QUEUED, _FAILED, _CANCELLED, _UNCERTAIN_SUBMITTING}),
    _SUBMITTING: frozenset({_WAITING, _QUEUED, _FAILED, _UNCERTAIN_SUBMITTING}),
    _WAITING: frozenset({_READY_TO_DOWNLOAD, _FAILED, _CANCELLED, _UNCERTAIN_WAITING}),
    _READY_TO_DOWNLOAD: frozenset({_DOWNLOADING, _FAILED, _UNCERTAIN_READY}),
    _DOWNLOADING: frozenset({_COMPLETED, _READY_TO_DOWNLOAD, _FAILED, _UNCERTAIN_READY}),
    _UNCERTAIN_SUBMITTING: frozenset({_WAITING, _FAILED}),
    _UNCERTAIN_WAITING: frozenset({_READY_TO_DOWNLOAD, _FAILED, _CANCELLED}),
    _UNCERTAIN_READY: frozenset({_DOWNLOADING, _FAILED}),
    _COMPLETED: frozenset(),
    _FAILED: frozenset(),
    _CANCELLED: frozenset(),
}
"""Every legal move. What is lost (uncertain) is never sent again: it is found, or ended by a decision. What waits in
line or for approval becomes uncertain when the database was put back from a copy, and it may have been sent since. An
order asks for approval in the transaction that writes it down, so that nobody sees it in line before."""
