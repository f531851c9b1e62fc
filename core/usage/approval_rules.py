"""When orders of a workspace need approval: the rule, who sets it, and what it says of an order.

The price is that of all that is ordered with one press, so that nobody gets around it by variations or tables. Who
approves, and what becomes of the order meanwhile, is `core.generations.approvals`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from core import audit_log, errors
from core.audit_log import Act
from core.db import Reader, WriteSession
from core.db.enums import ApprovalCause, BudgetMode
from core.db.tables import Workspace
from core.messages import message
from core.usage.limits import Limit
from core.workspaces.access import Member
from core.workspaces.permissions import Action

HIGHEST_CREDITS = 10**12


@dataclass(frozen=True, slots=True)
class Rule:
    """Approval is asked above a price, None for none; with `over_budget` also beyond a budget that warns."""

    above_credits: int | None = None
    over_budget: bool = False

    @property
    def is_off(self) -> bool:
        """Whether nothing ever needs approval."""
        return self.above_credits is None and not self.over_budget

    def reason(self, press_credits: int, asked: Iterable[tuple[Limit, int]]) -> "Reason | None":
        """Why a press that costs so much needs approval, None where it does not.

        `asked` are the budgets that it counts against, as they stand without it, and what each of them is asked for.
        """
        if self.above_credits is not None and press_credits > self.above_credits:
            return Reason(ApprovalCause.PRICE)
        if self.over_budget:
            for limit, credits in asked:
                if limit.mode is BudgetMode.WARN and limit.breaks_with(credits):
                    return Reason(ApprovalCause.BUDGET, limit)
        return None

    def told(self) -> dict[str, int | str | None]:
        """As the audit log has it."""
        return {"above_credits": self.above_credits, "over_budget": "asked" if self.over_budget else "not_asked"}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a press needs approval; `limit` is the budget that it goes beyond, where that is it."""

    cause: ApprovalCause
    limit: Limit | None = None


_RULE = select(Workspace.approval_above_credits, Workspace.approval_over_budget).where(
    Workspace.id == bindparam("workspace_id")
)


def of(session: Reader, workspace_id: str) -> Rule:
    """The rule of a workspace; its people see it."""
    return Rule(*session.execute(_RULE, {"workspace_id": workspace_id}).one())


def set_rule(session: WriteSession, member: Member, rule: Rule) -> None:
    """Let this hold for the workspace from the next order on; what waits for approval goes on waiting.

    For its managers. InvalidRequest for a price that is none.
    """
    member.require(Action.SET_BUDGET)
    if rule.above_credits is not None and not 0 <= rule.above_credits <= HIGHEST_CREDITS:
        raise errors.InvalidRequest(fields={"aboveCredits": message("approval_price_unusable")})
    workspace = session.get_one(Workspace, member.workspace_id, with_for_update={"key_share": True})
    session.refresh(workspace, ["approval_above_credits", "approval_over_budget"])
    before = Rule(workspace.approval_above_credits, workspace.approval_over_budget)
    if before == rule:
        return
    workspace.approval_above_credits, workspace.approval_over_budget = rule.above_credits, rule.over_budget
    session.flush()
    audit_log.record(
        session,
        member.user,
        Act.APPROVAL_RULE_CHANGED,
        target=workspace.name,
        target_id=workspace.id,
        workspace_id=workspace.id,
        before=before.told(),
        after=rule.told(),
    )
