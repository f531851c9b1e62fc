"""What is under way for everybody, the longest first."""

import streamlit as st

from core import db
from core.clock import utc_now
from core.generations import under_way
from core.providers import registry
from pages.elements import sorted_table
from pages.elements.sorted_table import Cell, Column
from pages.sections import progress_text
from pages.ui import current_member, wording
from pages.ui.language import _

QUEUE_SHOWN = 25


def show() -> None:
    """What is under way for everybody, the longest first."""
    with db.read_session() as session:
        found = under_way.look(session, current_member.administrator(), limit=QUEUE_SHOWN)
    now = utc_now()
    outage = progress_text.outage()
    st.markdown(outage or _("Workers answer, and the queue is there."))
    st.header(_("Under way"), anchor=False)
    if not found.counts:
        st.caption(_("Nothing is under way."))
        return
    sorted_table.show(
        [
            Column(_("Provider")),
            Column(_("State")),
            Column(_("Clips"), is_number=True),
            Column(_("Oldest"), is_number=True),
        ],
        [
            [
                registry.provider_class(one.provider).display_name,
                wording.STATUS[one.status],
                Cell(wording.credits(one.count), one.count),
                Cell(wording.age(one.oldest_at, now), (now - one.oldest_at).total_seconds()),
            ]
            for one in found.counts
        ],
        key="admin_queue",
        name=_("Under way"),
    )
    st.header(_("Longest under way"), anchor=False)
    sorted_table.show(
        [
            Column(_("Person")),
            Column(_("Workspace")),
            Column(_("Model")),
            Column(_("Step")),
            Column(_("Ordered"), is_number=True),
        ],
        [
            [
                one.person,
                one.workspace,
                one.model_name,
                wording.STAGE[one.stage],
                Cell(wording.age(one.created_at, now), (now - one.created_at).total_seconds()),
            ]
            for one in found.longest
        ],
        key="admin_longest",
        name=_("Longest under way"),
    )
