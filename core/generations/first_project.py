"""The project that somebody's first order makes, so that nobody has to file one before they have seen a clip."""

from collections.abc import Sequence
from dataclasses import replace

from core.db import WriteSession
from core.generations.submit import Order
from core.identity import users
from core.projects import projects
from core.workspaces.access import Member


def place(session: WriteSession, member: Member, orders: Sequence[Order], *, name: str) -> Sequence[Order]:
    """The same orders in the workspace's project that changed last, which is made where there is none.

    In the transaction of the orders: when they are refused, no empty project stays. Two presses of one person go one
    after the other, so that the second finds the project of the first. Forbidden for who may not make one.
    """
    users.lock(session, member.id)
    known = next(iter(projects.names(session, member, limit=1)), None)
    project_id = known or projects.create(session, member, name=name).id
    return [replace(order, project_id=project_id) for order in orders]
