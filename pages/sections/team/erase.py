"""Erasing a person: what goes and what stays is said first, and their address has to be written once more."""

from collections.abc import Callable, Sequence

import streamlit as st

from core import db
from core.personal_data import requests
from core.personal_data.requests import Plan
from core.workspaces.people import Person
from core.workspaces.permissions import Action
from pages.ui import components, current_member, wording
from pages.ui.language import _, plural, translate_message


def button(each: Person, *, on_click: Callable[[], None] | None = None) -> None:
    """Offer it beside what else can be done about somebody."""
    if st.button(_("Erase for ever"), key=f"people_erase_{each.id}", on_click=on_click):
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
        st.markdown(_("They are let in no more from this moment on, and a worker erases them. This cannot be undone."))
        st.markdown("\n".join(f"- {line}" for line in (*_goes(plan), *_stays(plan))))
        if plan.under_way:
            said = plural(
                "{number} clip is under way: if it was not sent it is cancelled, else it ends first.",
                "{number} clips are under way: those that were not sent are cancelled, the others end first.",
                plan.under_way,
            )
            st.info(said.format(number=wording.credits(plan.under_way)), icon=":material/hourglass_top:")
        if plan.teams_left_alone:
            said = _("Nobody who can act manages these teams any more: {teams}")
            teams = components.escaped(", ".join(plan.teams_left_alone))
            st.warning(said.format(teams=teams), icon=":material/warning:")
        email = st.text_input(_("Write their e-mail address to go on"), key="people_erase_email", max_chars=254)
        if st.button(_("Erase"), type="primary", key="people_erase_do"):
            components.save_and_rerun(
                lambda session: requests.ask(session, person, each.id, email=email or ""),
                done=_("They are let in no more, and are erased by a worker."),
            )


def _goes(plan: Plan) -> Sequence[str]:
    held = []
    if plan.own_clips:
        held.append(f"{wording.count(plan.own_clips, 'clip', 'clips')} ({wording.size(plan.own_bytes)})")
    if plan.own_uploads:
        held.append(wording.count(plan.own_uploads, "file", "files"))
    own = _("**Goes:** their own workspace, which is empty.")
    if held:
        own = _("**Goes:** their own workspace with {what}.").format(what=", ".join(held))
    return own, _("**Goes:** their prompts, notes, presets, drafts, tokens and webhooks everywhere.")


def _stays(plan: Plan) -> Sequence[str]:
    made = plural(
        "**Stays:** {number} clip that they made in a team, without prompt and name.",
        "**Stays:** {number} clips that they made in teams, without prompt and name.",
        plan.team_clips,
    ).format(number=wording.credits(plan.team_clips))
    books = _("**Stays:** what was paid, in the books; and all of it in backups, for as long as you keep these.")
    return (made, books) if plan.team_clips else (books,)
