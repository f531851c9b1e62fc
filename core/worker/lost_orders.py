"""What the journal remembers of an order, and the row of an order that the database has lost, made again from it.

It sends nothing, and settles nothing: how a send ended is `core.worker.recovery`'s to carry out.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from core import db
from core.assets import made_from
from core.billing import ledger
from core.db import ReadSession, WriteSession, update_where
from core.db.tables import Generation, Project, User, Workspace
from core.generations import lifecycle
from core.identity import users
from core.messages import message
from core.usage import limits
from core.worker.sends import Send
from core.workspaces import months

_COPIED = (
    *("retry_of_id", "extends_id", "batch_id", "idempotency_key", "request_hash", "recipe_hash"),
    *("provider", "model_name", "credits", "budget_month", "quote", "estimated_cost_microusd", "idr_per_usd"),
)


def describe(session: ReadSession, row: Generation, base_url: str) -> Mapping[str, Any]:
    """All of an order that its row would have to be made again from."""
    user, project = session.get_one(User, row.user_id), session.get_one(Project, row.project_id)
    workspace = session.get_one(Workspace, row.workspace_id)
    return {
        "user": {"id": user.id, "email": user.email},
        "workspace": {"id": workspace.id, "is_sample": workspace.is_sample},
        "project": {"id": project.id, "name": project.name},
        "row": {name: getattr(row, name) for name in _COPIED} | row.spec.values() | {"provider_base_url": base_url},
        "created_at": row.created_at.isoformat(),
    }


def went_with_the_sample(session: ReadSession, send: Send) -> bool:
    """Whether an order was made in the sample company, which was removed since and stays so."""
    workspace = send.order.get("workspace", {})
    return workspace.get("is_sample", False) and session.get(Workspace, workspace["id"]) is None


def repetition(session: WriteSession, send: Send) -> Generation | None:
    """The same request by the same person under the same key, if it came again."""
    key, person = send.order["row"]["idempotency_key"], _person(session, send)
    if key is None or person is None:
        return None
    again = select(Generation).where(Generation.user_id == person.id, Generation.idempotency_key == key)
    found = session.scalar(again.with_for_update())
    return found if found is not None and found.request_hash == send.order["row"]["request_hash"] else None


def put_back(session: WriteSession, send: Send) -> Generation:
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


def _person(session: ReadSession, send: Send) -> User | None:
    user = send.order["user"]
    return session.get(User, user["id"]) or session.scalar(select(User).where(User.email == user["email"]))


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
