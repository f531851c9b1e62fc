"""What a history is asked for: a filter of clips, as values; pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core import normal_form
from core.db.enums import RejectReason, Status
from core.files.findings import FindingKind


class ReviewStatus(StrEnum):
    """What a person thinks of a clip; `Generation.kept` as a word."""

    KEPT = "kept"
    REJECTED = "rejected"
    UNDECIDED = "undecided"

    @property
    def kept(self) -> bool | None:
        """The value of the column `Generation.kept`."""
        return _KEPT[self]

    @classmethod
    def of(cls, kept: bool | None) -> "ReviewStatus":
        """The status for a value of the column `Generation.kept`."""
        return next(verdict for verdict, value in _KEPT.items() if value is kept)


_KEPT = {ReviewStatus.KEPT: True, ReviewStatus.REJECTED: False, ReviewStatus.UNDECIDED: None}


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What a history shows, and in which order; None or empty means all. Times are aware, `until` is not included.

    `made_from` is the key of a file that the clip was ordered with. `findings` are kinds of which the clip has at least
    one; all of them find every clip with any. `error_code` is what it failed with. `opened` is whether somebody has
    opened the finished clip; of those of before that was noted neither is known. `text` are beginnings of words in the
    prompt, see `prompt_search`. `everywhere` is all workspaces in the person's reach, where the others are the present
    one; a project is looked at wherever it is.
    """

    everywhere: bool = False
    maker_id: str | None = None
    project_id: str | None = None
    statuses: tuple[Status, ...] = ()
    model_id: str | None = None
    provider: str | None = None
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    favourite: bool | None = None
    verdict: ReviewStatus | None = None
    reject_reason: RejectReason | None = None
    error_code: str | None = None
    opened: bool | None = None
    tag: str | None = None
    made_from: str | None = None
    findings: tuple[FindingKind, ...] = ()
    oldest_first: bool = False


def canonical_tag(tag: str) -> str:
    """A tag as it is kept and compared: small letters, composed, single spaces."""
    return normal_form.canonical(" ".join(tag.casefold().split()))
