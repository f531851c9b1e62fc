"""A filter of clips as bodies and answers have it, where `GenerationsQuery` has it as a query string."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from core.api.schemas import fields, requests, responses
from core.db.enums import RejectReason, Status
from core.files.findings import FindingKind
from core.generations.filters import MAX_DAYS, KeptFilter
from core.generations.list_filter import ListFilter, ReviewStatus

Kept = bool | Literal["undecided"] | None


class FilterBody(requests.Body):
    """Which clips; what is absent asks for nothing. As for listing them; `days` is in place of `since`.

    `days` are the last so many days up to and with today (UTC). `everywhere` is all workspaces in your reach.
    """

    project_id: requests.ProjectId | None = None
    maker_id: requests.Word | None = None
    status: Annotated[list[Annotated[Status, Field(strict=False)]], Field(max_length=len(Status), examples=[[]])] = []
    model_id: requests.ModelId | None = None
    provider: requests.Word | None = None
    text: Annotated[requests.Word, Field(examples=["lake"])] = ""
    since: Annotated[requests.Moment, Field(strict=False)] | None = None
    until: Annotated[requests.Moment, Field(strict=False)] | None = None
    days: Annotated[int | None, Field(ge=1, le=MAX_DAYS, examples=[30])] = None
    favourite: bool | None = None
    kept: Kept = None
    reject_reason: Annotated[RejectReason | None, Field(strict=False)] = None
    error_code: requests.Word | None = None
    opened: bool | None = None
    tag: requests.Word | None = None
    finding: Annotated[
        list[Annotated[FindingKind, Field(strict=False)]], Field(max_length=len(FindingKind), examples=[[]])
    ] = []
    everywhere: bool = False
    oldest_first: bool = False

    def kept_filter(self) -> KeptFilter:
        """The same as services take it."""
        chosen = ListFilter(
            everywhere=self.everywhere,
            maker_id=self.maker_id,
            project_id=self.project_id,
            statuses=tuple(self.status),
            model_id=self.model_id,
            provider=self.provider,
            text=self.text,
            since=self.since,
            until=self.until,
            favourite=self.favourite,
            verdict=None if self.kept is None else _verdict(self.kept),
            reject_reason=self.reject_reason,
            error_code=self.error_code,
            opened=self.opened,
            tag=self.tag,
            findings=tuple(self.finding),
            oldest_first=self.oldest_first,
        )
        return KeptFilter(chosen, self.days)


class FilterShape(responses.ApiModel):
    """Which clips a filter asks for; null asks for nothing."""

    project_id: fields.TextOrNull
    maker_id: fields.TextOrNull
    status: list[Status]
    model_id: fields.TextOrNull
    provider: fields.TextOrNull
    text: str
    since: fields.MomentOrNull
    until: datetime | None
    days: fields.NumberOrNull
    favourite: bool | None
    kept: Kept
    reject_reason: RejectReason | None
    error_code: fields.TextOrNull
    opened: bool | None
    tag: fields.TextOrNull
    finding: list[FindingKind]
    everywhere: bool
    oldest_first: bool

    @classmethod
    def of(cls, kept: KeptFilter) -> Self:
        """The shape of a filter."""
        chosen = kept.filter
        return cls(
            project_id=chosen.project_id,
            maker_id=chosen.maker_id,
            status=list(chosen.statuses),
            model_id=chosen.model_id,
            provider=chosen.provider,
            text=chosen.text,
            since=chosen.since,
            until=chosen.until,
            days=kept.days,
            favourite=chosen.favourite,
            kept=_kept(chosen.verdict),
            reject_reason=chosen.reject_reason,
            error_code=chosen.error_code,
            opened=chosen.opened,
            tag=chosen.tag,
            finding=list(chosen.findings),
            everywhere=chosen.everywhere,
            oldest_first=chosen.oldest_first,
        )


def _verdict(kept: bool | str) -> ReviewStatus:
    return ReviewStatus.of(kept if isinstance(kept, bool) else None)


def _kept(verdict: ReviewStatus | None) -> Kept:
    if verdict is None:
        return None
    return "undecided" if verdict.kept is None else verdict.kept
