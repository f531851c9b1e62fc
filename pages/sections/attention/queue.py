"""What is under way: how many where, and every clip by person, workspace and project, the oldest first."""

from collections.abc import Sequence

import streamlit as st

from core import db
from core.clock import utc_now
from core.generations import under_way
from core.generations.under_way import Count, Waiting, Wanted
from core.providers import registry
from core.workspaces.access import Charge, Member
from pages.elements import sorted_table
from pages.elements.sorted_table import Cell, Column
from pages.ui import components, current_member, wording
from pages.ui.language import _

SHOWN = 25


def show(person: Member, charge: Charge) -> None:
    """What is under way in this charge, narrowed down as its reader wishes."""
    with db.read_session() as session:
        counts = under_way.counts(session, charge)
    st.header(_("Under way"), anchor=False)
    if not counts:
        st.caption(_("Nothing is under way."))
        return
    _counts(counts)
    st.header(_("Longest under way"), anchor=False)
    wanted = _filters(counts)
    if st.session_state.get("queue_wanted") != wanted:
        st.session_state["queue_wanted"], st.session_state["queue_pages"] = wanted, [""]
    pages: list[str] = st.session_state["queue_pages"]
    with db.read_session() as session:
        found = under_way.page(session, charge, wanted, after_id=pages[-1], limit=SHOWN + 1)
    if not found:
        st.caption(_("Nothing that is under way matches."))
    else:
        _clips(person, found[:SHOWN])
    components.pager(pages, found[SHOWN - 1].id if len(found) > SHOWN else None, key="queue")


def _counts(counts: Sequence[Count]) -> None:
    now = utc_now()
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
            for one in counts
        ],
        key="admin_queue",
        name=_("Under way"),
    )


def _filters(counts: Sequence[Count]) -> Wanted:
    providers = list(dict.fromkeys(one.provider for one in counts))
    statuses = list(dict.fromkeys(one.status for one in counts))
    for key, there in (("queue_provider", providers), ("queue_status", statuses)):
        if st.session_state.get(key) not in there:  # the last of them has ended
            st.session_state[key] = None
    with components.field_grid(3, min_width_px=180):
        words = st.text_input(
            _("Search"),
            key="queue_words",
            type="search",
            placeholder=_("Person, workspace or project"),
            live=True,
            max_chars=120,
        )
        provider = st.selectbox(
            _("Provider"),
            providers,
            format_func=lambda name: registry.provider_class(name).display_name,
            key="queue_provider",
            placeholder=_("All of them"),
        )
        status = st.selectbox(
            _("State"),
            statuses,
            format_func=lambda status: wording.STATUS[status],
            key="queue_status",
            placeholder=_("All of them"),
        )
    return Wanted(provider, status, (words or "").strip())


def _clips(person: Member, found: Sequence[Waiting]) -> None:
    now = utc_now()
    sorted_table.show(
        [
            Column(_("Person")),
            Column(_("Workspace")),
            Column(_("Project")),
            Column(_("Model")),
            Column(_("Provider")),
            Column(_("Step")),
            Column(_("Ordered"), is_number=True),
        ],
        [
            [
                one.person,
                one.workspace,
                one.project,
                Cell(one.model_name, one.model_name.casefold(), _address(person, one)),
                registry.provider_class(one.provider).display_name,
                wording.STAGE[one.stage],
                Cell(wording.age(one.created_at, now), (now - one.created_at).total_seconds()),
            ]
            for one in found
        ],
        key="admin_longest",
        name=_("Longest under way"),
    )


def _address(person: Member, one: Waiting) -> str | None:
    """To the clip, for who is in its workspace."""
    return f"./history?clip={one.id}{current_member.in_address()}" if one.workspace_id in person.roles else None
