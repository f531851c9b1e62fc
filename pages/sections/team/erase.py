"""Erasing a person: what goes and what stays is said first, and their address has to be written once more."""

import streamlit as st

from core import db
from core.personal_data import requests
from core.workspaces.people import Person
from core.workspaces.permissions import Action
from pages.ui import components, current_member, wording
from pages.ui.language import _, translate_message


def button(each: Person) -> None:
    """Offer it beside what else can be done about somebody."""
    if st.button(_("Erase for ever"), key=f"people_erase_{each.id}"):
        st.dialog(_("Erase a person"))(_dialog)(each)


def state(each: Person) -> None:
    """That somebody is being erased, and why it waits."""
    st.badge(_("Being erased"), color="orange")
    with db.read_session() as session:
        found = requests.standing(session, current_member.require(Action.MANAGE_PEOPLE), each.id)
    if found is not None and found.error is not None:
        st.caption(translate_message(found.error))


def _dialog(each: Person) -> None:
    with components.error_boundary():
        person = current_member.require(Action.MANAGE_PEOPLE)
        with db.read_session() as session:
            plan = requests.plan(session, person, each.id)
        components.plain_text(each.email, strong=True)
        st.markdown(
            _(
                "From this moment on they are let in no more. Their own workspace goes with {clips} clips ({size}) "
                "and {files} files; so do their prompts, notes, presets, drafts, tokens and webhooks everywhere."
            ).format(
                clips=wording.credits(plan.own_clips),
                size=wording.size(plan.own_bytes),
                files=wording.credits(plan.own_uploads),
            )
        )
        st.markdown(
            _(
                "{clips} clips that they made in teams stay there, without prompt and name. What was paid stays in "
                "the books. Backups keep all of it for as long as you keep them."
            ).format(clips=wording.credits(plan.team_clips))
        )
        if plan.under_way:
            st.info(
                _("{clips} clips are under way: those that were not sent are cancelled, the others end first.").format(
                    clips=wording.credits(plan.under_way)
                ),
                icon=":material/hourglass_top:",
            )
        if plan.teams_left_alone:
            said = _("Nobody who can act manages these teams any more: {teams}")
            st.warning(said.format(teams=components.escaped(", ".join(plan.teams_left_alone))))
        st.markdown(_("This cannot be undone."))
        email = st.text_input(_("Write their e-mail address to go on"), key="people_erase_email", max_chars=254)
        if st.button(_("Erase"), type="primary", key="people_erase_do"):
            components.save_and_rerun(
                lambda session: requests.ask(session, person, each.id, email=email or ""),
                done=_("They are let in no more, and are erased by a worker."),
            )
