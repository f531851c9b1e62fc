"""Orders whose prompts name characters, products and styles: what they come to, before anything is priced."""

from collections.abc import Collection
from dataclasses import replace

from core import db, errors
from core.assets import resolving
from core.assets.resolving import Resolved
from core.catalog.rules import first_of_each_field
from core.db import ReadSession
from core.generations.orders import Order
from core.projects import projects
from core.workspaces.access import Member


def resolved(session: ReadSession, member: Member, order: Order, *, configured: Collection[str] | None = None) -> Order:
    """The order with references and words in place of names; as it is where that was done before.

    Raises InvalidRequest on `prompt` for a name that is almost a given one, one that stands for nothing yet, and more
    references than the model takes; NotFound for a project that they do not see.
    """
    found, made = look(session, member, order, configured=configured)
    if found.problems:
        problems = first_of_each_field(found.problems)
        raise errors.InvalidRequest(
            fields={problem.field: problem.message for problem in problems}, problems=found.problems
        )
    return made


def look(
    session: ReadSession, member: Member, order: Order, *, configured: Collection[str] | None = None
) -> tuple[Resolved, Order]:
    """What the names of an order come to, with what is wrong with them, and the order that it is then."""
    if order.written is not None or "@" not in order.spec.prompt:
        return Resolved(order.spec), order
    # The first order of a workspace makes its project.
    project = projects.get(session, member, order.project_id) if order.project_id else None
    workspace_id = project.workspace_id if project else member.workspace_id
    found = resolving.resolve(session, workspace_id, order.spec, at=db.now(session), configured=configured)
    return found, replace(order, spec=found.spec, written=order.spec, names=found.names())
