"""What is left of each model's price at today's dollar, for those who see the figures of all workspaces."""

from collections.abc import Sequence

from core import db
from core.billing import margins
from core.billing.margins import ModelMargins
from core.catalog_changes import current
from core.db import ReadSession
from core.usage import exchange_rates
from core.workspaces.access import Member
from core.workspaces.permissions import Action


def of_today(session: ReadSession, member: Member) -> Sequence[ModelMargins]:
    """Of all models that can be ordered; Forbidden for who sees no figures of all workspaces."""
    member.require(Action.SEE_ALL_USAGE)
    now = db.now(session)
    return margins.of_models(current.of(session), now, idr_per_usd=exchange_rates.at(session, now))
