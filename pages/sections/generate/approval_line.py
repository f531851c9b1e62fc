"""That an order will need approval, said above the button that spends; and whether what was ordered waits for it."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core import db
from core.clock import utc_now
from core.db.enums import ApprovalCause, Stage
from core.db.tables import Generation
from core.generations import approval_requests, approvals
from core.usage import approval_rules
from core.workspaces.access import Member
from pages.ui import wording
from pages.ui.language import N_, _

_OVER = N_("This goes beyond a monthly budget, so a manager has to approve it before it is made.")


def show(person: Member, credits_by_project: Mapping[str, int]) -> None:
    """Say it of a press where it will be so; of one without a project yet its id is empty."""
    with db.read_session() as session:
        reason = approval_requests.foreseen(session, person, credits_by_project, at=utc_now())
        if reason is None:
            return
        above = approval_rules.of(session, person.workspace_id).above_credits
        has_other = approvals.has_other_manager(session, person.workspace_id, person.id)
    said = _(_OVER)
    if reason.cause is ApprovalCause.PRICE and above is not None:
        words = _("Above {credits}, a manager has to approve an order before it is made.")
        said = words.format(credits=wording.priced(above))
    if not has_other:
        said += " " + _("Nobody else manages this workspace: an administrator of the installation decides.")
    st.caption(f":material/approval: {said}")


def show_for_one(person: Member, row: Generation, credits: int) -> None:
    """The same for an order that is made of a clip, in its project."""
    show(person.moved_to(row.workspace_id), {row.project_id: credits})


def waits(rows: Sequence[Generation]) -> bool:
    """Whether what was just ordered waits for approval."""
    return any(row.stage is Stage.AWAITING_APPROVAL for row in rows)
