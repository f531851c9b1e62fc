"""The buttons that approve or decline: on a card of the page of approvals, beside a clip, and for several at once."""

from collections.abc import Callable, Sequence

import streamlit as st

from core import db, installation
from core.db.tables import Generation
from core.generations import approvals
from core.generations.approvals import Outcome
from core.workspaces.access import Member
from pages.ui import components, current_member, wording
from pages.ui.language import _, plural, translate_message


def of_clip(person: Member, row: Generation) -> None:
    """The buttons beside a clip that waits for approval, for who may decide; its maker is told who does."""
    with db.read_session() as session:
        may = approvals.may_decide(session, person, row)
    if may:
        buttons([row.id], key=f"clip_approval_{row.id}")
    elif row.user_id == person.id:
        st.caption(_("Somebody else has to decide about your order; you can cancel it meanwhile."))


def buttons(ids: Sequence[str], *, key: str, then: Callable[[], None] | None = None) -> None:
    """Approve, and decline with a word; the word may go with a yes as well. `then` follows what has worked."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
        if st.button(_("Approve"), type="primary", icon=":material/check:", key=f"{key}_approve"):
            _decide(ids, approve=True, note="", then=then)
        with st.popover(_("Decline"), icon=":material/close:", key=f"{key}_more"):
            note = st.text_area(
                _("A word to who ordered it"),
                key=f"{key}_note",
                max_chars=approvals.NOTE_LIMIT_CHARS,
                placeholder=_("Why not, or what to change"),
            )
            with st.container(horizontal=True):
                if st.button(_("Decline"), type="primary", key=f"{key}_decline"):
                    _decide(ids, approve=False, note=note or "", then=then)
                if st.button(_("Approve with this word"), key=f"{key}_approve_with"):
                    _decide(ids, approve=True, note=note or "", then=then)


def _decide(ids: Sequence[str], *, approve: bool, note: str, then: Callable[[], None] | None) -> None:
    """Decide about all of these, and draw the page again; what is refused is said when it is drawn."""
    person = current_member.current_member()
    configured = installation.current().configured
    found: list[Outcome] = []

    def decide() -> None:
        if len(ids) == 1:
            with db.write_session() as session:
                approvals.decide(session, person, ids[0], approve=approve, note=note, configured=configured)
            found.append(Outcome(ids[0]))
            return
        for begin in range(0, len(ids), approvals.MOST):  # each a short transaction: a table may have thousands
            some = ids[begin : begin + approvals.MOST]
            with db.write_session() as session:
                found.extend(
                    approvals.decide_many(session, person, some, approve=approve, note=note, configured=configured)
                )

    if components.try_action(decide, done=""):
        components.flash(_said(found, approve=approve))
        if then is not None:
            then()
        st.rerun()


def _said(found: Sequence[Outcome], *, approve: bool) -> str:
    done = [each for each in found if each.refused is None]
    refused = [each.refused for each in found if each.refused is not None]
    said = []
    if done or not refused:
        words = (
            plural("{number} order approved.", "{number} orders approved.", len(done))
            if approve
            else plural("{number} order declined.", "{number} orders declined.", len(done))
        )
        said.append(words.format(number=wording.credits(len(done))))
    said += dict.fromkeys(translate_message(problem.message) for problem in refused)
    return " ".join(said)
