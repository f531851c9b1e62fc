"""What waits for a person, over REST: in the workspaces that you manage, or in the whole installation."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Query
from pydantic import Field

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentMember
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import refuses
from core.api.schemas import fields, requests, responses
from core.db.enums import BudgetMode, BudgetScope, Stage
from core.insights import attention
from core.insights.attention import Attention
from core.insights.late_clips import LateClip
from core.workspaces.access import Charge

router = routing.router("attention")


class AttentionQuery(requests.Query):
    """Whose; `installation` is for administrators."""

    installation: bool = False


class LateClipShape(responses.ApiModel):
    """A clip that takes more than three times as long as nine in ten of its model do, `usualSeconds`."""

    id: fields.Id
    workspace_id: fields.Id
    project_id: fields.Id
    user_id: fields.Id
    provider: fields.ProviderName
    model_id: fields.ModelId
    stage: Stage
    credits: fields.Credits
    submitted_at: datetime
    usual_seconds: float
    cancel_requested_at: fields.MomentOrNull

    @classmethod
    def of(cls, late: LateClip) -> Self:
        """The shape of a late clip."""
        return cls(**{name: getattr(late, name) for name in cls.model_fields})


class BudgetShape(responses.ApiModel):
    """A budget of the month under way: of 80 % and more, of the whole installation those that are used up.

    `name` is what its project or person is called, empty for a workspace. `isStopped`: it refuses orders.
    """

    workspace_id: fields.Id
    scope: BudgetScope
    id: fields.Id
    name: str
    mode: BudgetMode
    limit_credits: fields.Credits
    taken_credits: fields.Credits
    percent: Annotated[int, Field(examples=[92])]
    is_stopped: bool


class StorageShape(responses.ApiModel):
    """A workspace that keeps 90 % or more of what it may."""

    workspace_id: fields.Id
    used_bytes: int
    quota_bytes: int


class BalanceShape(responses.ApiModel):
    """A workspace that is worked in and has few credits left."""

    workspace_id: fields.Id
    available_credits: fields.Credits


class EndShape(responses.ApiModel):
    """A model that ends or has ended about now, with which clips were lately made."""

    model_id: fields.ModelId
    at: datetime


class SnapshotShape(responses.ApiModel):
    """What holds an old snapshot of the database, so that nothing which was changed since can be cleaned up.

    `seconds` of a transaction, `logBytes` of a replication slot.
    """

    name: str
    transactions: int
    seconds: float | None
    log_bytes: int | None


class AttentionShape(responses.ApiModel):
    """What waits; `count` is all of it. `firstInLineSince` is null while nothing waits for long to be sent.

    `refusedProviders`, `brokenRules`, `isDiskNearlyFull` and `oldSnapshots` are of the installation, and empty without
    it.
    """

    count: int
    unclear_clips: int
    late_clips: list[LateClipShape]
    first_in_line_since: fields.MomentOrNull
    budgets: list[BudgetShape]
    storages: list[StorageShape]
    few_credits: list[BalanceShape]
    ending_models: list[EndShape]
    refused_providers: list[str]
    broken_rules: int
    is_disk_nearly_full: bool
    old_snapshots: list[SnapshotShape]

    @classmethod
    def of(cls, found: Attention) -> Self:
        """The shape of what waits."""
        return cls(
            count=found.count,
            unclear_clips=found.unclear_clips,
            late_clips=[LateClipShape.of(one) for one in found.line.late],
            first_in_line_since=found.line.waits_since,
            budgets=[
                BudgetShape(
                    workspace_id=one.workspace_id,
                    scope=one.scope,
                    id=one.subject_id,
                    name=one.name,
                    mode=one.mode,
                    limit_credits=one.limit_credits,
                    taken_credits=one.taken_credits,
                    percent=one.percent,
                    is_stopped=one.is_stopped,
                )
                for one in found.budgets
            ],
            storages=[
                StorageShape(workspace_id=one.workspace_id, used_bytes=one.used_bytes, quota_bytes=one.quota_bytes)
                for one in found.storages
            ],
            few_credits=[
                BalanceShape(workspace_id=one.workspace_id, available_credits=one.available_credits)
                for one in found.few_credits
            ],
            ending_models=[EndShape(model_id=one.model_id, at=one.at) for one in found.ending],
            refused_providers=list(found.refused_accounts),
            broken_rules=found.broken_rules,
            is_disk_nearly_full=found.is_disk_nearly_full,
            old_snapshots=[
                SnapshotShape(
                    name=one.name, transactions=one.transactions, seconds=one.seconds, log_bytes=one.log_bytes
                )
                for one in found.old_snapshots
            ],
        )


class AttentionAnswer(responses.Response):
    """What waits now."""

    attention: AttentionShape


@router.get("/attention", responses=refuses(403))
def get_attention(
    member: CurrentMember, installation: CurrentInstallation, query: Annotated[AttentionQuery, Query()]
) -> AttentionAnswer:
    """What waits for a person in the workspaces that you manage; for administrators, on wish, in all of them."""
    charge = Charge.of_operator(member) if query.installation else Charge.of_manager(member)
    with db.read_connection() as reader:
        return AttentionAnswer(attention=AttentionShape.of(attention.look(reader, installation.settings, charge)))
