"""The studio: the newest clip on the stage, and at the foot the dock that orders the next one."""

import streamlit as st

from core import db, installation
from core.billing import ledger
from core.projects import presets
from core.workspaces import quota
from core.workspaces.permissions import Action
from pages.elements import live
from pages.sections.clip import viewer
from pages.sections.generate import dock, draft, final_take, form_state, stage
from pages.sections.generate.means import Means
from pages.sections.sample import offer
from pages.ui import components, current_member, look, wording
from pages.ui.language import _, plural

PROJECT_WIDTH_PX = 280

person = current_member.current_member()
settings = installation.current().settings


def choose_project(names: dict[str, str]) -> str | None:
    """The project that is looked at and ordered for; None where there is none yet."""
    if not names:
        if offer.is_offered(person):
            with st.popover(_("Look around first"), icon=":material/groups:", key="generate_look_around"):
                offer.show(person, key="generate_sample")
        return None
    st.selectbox(
        _("Project"),
        list(names),
        key=form_state.name("project"),
        format_func=lambda known: names[known],
        label_visibility="collapsed",
        width=PROJECT_WIDTH_PX,
        persist_state="session",
        index=form_state.keep_valid("project", list(names), next(iter(names))),
    )
    chosen: str = form_state.value("project")
    look.name_window(_("Generate"), names[chosen])
    return chosen


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
        project_id = choose_project(names)
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
        viewer.show(person)


with components.error_boundary():
    if person.may(Action.ORDER):
        draft.restore(person)
        form_state.load_from_url(person, settings)

with components.error_boundary():
    studio()
    if person.may(Action.ORDER):
        draft.save(person)
