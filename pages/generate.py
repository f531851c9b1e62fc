"""The studio: the newest clip on the stage, and at the foot the dock that orders the next one."""

import streamlit as st

from core import db, installation
from core.billing import ledger
from core.generations.list_filter import ListFilter
from core.projects import presets
from core.workspaces import quota
from core.workspaces.permissions import Action
from pages.elements import live
from pages.sections.clip import viewer
from pages.sections.generate import dock, draft, final_take, form_state, project_choice, stage
from pages.sections.generate.means import Means
from pages.ui import components, current_member, wording
from pages.ui.language import _, plural

person = current_member.current_member()
settings = installation.current().settings


def ways_on(elsewhere: int) -> None:
    """To what is under way in other projects, and to all clips."""
    if elsewhere > 0:
        label = plural("{number} more under way", "{number} more under way", elsewhere)
        st.page_link(
            "history.py",
            label=label.format(number=wording.credits(elsewhere)),
            icon=":material/pending:",
            query_params={"status": "live"},
        )
    st.page_link("history.py", label=_("All clips"), icon=":material/grid_view:")


def studio() -> None:
    """Stage and dock, and the dialogs above them; who may not order has the stage alone."""
    with db.read_session() as session:
        names = components.project_names(session, person, archived=False, wanted=form_state.value("project"))
        balance = ledger.balance(session, person.workspace_id)
        is_full = quota.used_bytes(session, person.workspace_id) >= settings.storage_quota_bytes
        kept = presets.list_visible(session, person)
    head = st.container(horizontal=True, vertical_alignment="center", key="generate_head")
    with head:
        project_id = project_choice.choose(person, names)
        if not person.may(Action.ORDER):
            looking_on = _("You are looking on: your role here is that of a viewer. A manager can let you make.")
            st.caption(looking_on, width="content")
    if person.may(Action.ORDER):
        means = Means(balance, is_full, installation.current().configured, settings.storage_quota_bytes)
        dock.show(person, means, project_id, kept)
    shown = stage.show(person, project_id)
    with head:
        ways_on(live.how_many() - shown)
    if not final_take.dialog_if_open():
        viewer.show(person, ListFilter(project_id=project_id) if project_id else None)


with components.error_boundary():
    if person.may(Action.ORDER):
        draft.restore(person)
        form_state.load_from_url(person, settings)

with components.error_boundary():
    studio()
    if person.may(Action.ORDER):
        draft.save(person)
