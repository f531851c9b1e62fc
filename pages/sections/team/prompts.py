"""Whether prompts of a workspace may be in mail and chats; its managers decide."""

import streamlit as st

from core.workspaces import workspaces
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from core.workspaces.workspaces import Overview
from pages.ui import components
from pages.ui.language import _


def show(person: Member, here: Overview) -> None:
    """The switch, for who may turn it."""
    if not person.may(Action.TELL_PROMPTS, here.id):
        return
    key = f"team_prompts_{here.id}"
    if st.session_state.get(key) != here.tells_prompts:  # another tab may have turned it
        st.session_state[key] = here.tells_prompts
    is_on = not here.tells_prompts
    st.toggle(
        _("Prompts may be in e-mails and chats"),
        key=key,
        help=_(
            "People are told by e-mail, Slack, Teams or a webhook if they wish. Without this no prompt leaves here."
        ),
        on_change=components.act_in_callback,
        args=(lambda session: workspaces.set_tells_prompts(session, person, here.id, is_on=is_on),),
        kwargs={"done": _("Prompts are told, too.") if is_on else _("Prompts stay here.")},
    )
