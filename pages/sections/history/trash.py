"""Deleted clips below the library, for who may delete: what can still be brought back, and until when."""

import streamlit as st

from core import db, installation
from core.db.tables import Generation
from core.generations import trash
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.ui import components, current_member, wording
from pages.ui.language import _

SHOWN = 50


def show(person: Member) -> None:
    """Nothing where deleted clips go at once; what is in it is read when somebody opens it."""
    days = installation.current().settings.trash_days
    if not days or not person.may(Action.DELETE):
        return
    with st.expander(_("Trash"), icon=":material/delete:", key="history_trash", on_change="rerun") as opened:
        if opened.open:
            _rows(person, days)


def _rows(person: Member, days: int) -> None:
    with db.read_session() as session:
        found = trash.page(session, person, days=days, limit=SHOWN)
    if not found:
        st.caption(_("Nothing is in it."))
    for row in found:
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            until = _("until {moment}").format(moment=wording.moment(trash.gone_at(row, days=days)))
            components.plain_text(f"{row.prompt[:80] or row.model_name} · {until}")
            st.button(
                _("Bring back"), key=f"history_trash_{row.id}", on_click=_bring_back, args=(row,), width="content"
            )


def _bring_back(row: Generation) -> None:
    days = installation.current().settings.trash_days
    components.act_in_callback(
        lambda session: trash.bring_back(session, current_member.current_member(), [row.id], days=days),
        done=_("The clip is back."),
    )
