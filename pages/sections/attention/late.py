"""The line that stands, and clips that take far longer than usual, which are looked at again or cancelled here."""

from datetime import datetime
from functools import partial

import streamlit as st

from core import db, installation
from core.clock import utc_now
from core.db import WriteSession
from core.db.enums import Stage
from core.generations import unresolved, watched
from core.generations.unresolved import Whose
from core.insights.late_clips import LateClip, Line
from core.providers import registry
from core.workspaces.access import Member
from pages.sections.attention import cases
from pages.ui import components, current_member, wording
from pages.ui.language import _, plural, translate_message

SHOWN = 25


def show(person: Member, line: Line) -> None:
    """Nothing while all is well."""
    now = utc_now()
    if line.waits_since is not None:
        waits = _("The first clip in line was ordered {age} and has not been sent yet. The tab Queue shows the line.")
        st.warning(waits.format(age=wording.age(line.waits_since, now)), icon=":material/hourglass_top:")
    if not line.late:
        return
    said = plural(
        "{number} clip takes more than three times as long as usual. Its provider may have lost it.",
        "{number} clips take more than three times as long as usual. Their providers may have lost them.",
        len(line.late),
    )
    st.warning(said.format(number=wording.credits(len(line.late))), icon=":material/timer:")
    shown = line.late[:SHOWN]
    with db.read_session() as session:
        known = unresolved.whose(session, [one.id for one in shown])
    for one in shown:
        if one.id in known:
            _clip(person, one, known[one.id], now)
    if len(line.late) > SHOWN:
        st.caption(_("The {number} that were ordered first.").format(number=wording.credits(SHOWN)))


def _clip(person: Member, one: LateClip, whose: Whose, now: datetime) -> None:
    with st.container(border=True, gap="xsmall", key=f"card_late_{one.id}"):
        components.plain_text(one.model_name, strong=True)
        components.plain_text(cases.whose(whose.person, whose.project, whose.workspace), small=True)
        st.caption(
            " · ".join(
                (
                    registry.provider_class(one.provider).display_name,
                    _("sent {age}").format(age=wording.age(one.submitted_at, now)),
                    _("usually {time}").format(time=wording.span(one.usual_seconds)),
                    _("{held} reserved").format(held=wording.priced(one.credits)),
                    wording.STAGE[one.stage].lower(),
                )
            )
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            if one.stage is Stage.WAITING:
                st.button(
                    _("Look again now"),
                    icon=":material/refresh:",
                    key=f"late_look_{one.id}",
                    on_click=components.act_in_callback,
                    args=(partial(_look_again, one.id),),
                    kwargs={"done": _("Its provider is asked about this clip in a moment.")},
                )
            _cancel(one)
            if one.workspace_id in person.roles:
                cases.show_clip(one.id)


def _look_again(generation_id: str, session: WriteSession) -> None:
    seconds = installation.current().settings.poll_seconds
    watched.look_again(session, current_member.current_member(), generation_id, poll_seconds=seconds)


def _cancel(one: LateClip) -> None:
    if one.cancel_requested_at is not None:
        st.caption(_("Cancelling was asked for"))
        return
    found = watched.cancelling(one.status, one.stage, one.provider)
    with st.popover(_("Cancel"), key=f"late_cancel_popover_{one.id}"):
        st.markdown(translate_message(found.meaning))
        if not found.is_possible:
            return
        returned = _("The person gets {credits} back when it is cancelled.")
        st.markdown(returned.format(credits=wording.priced(one.credits)))
        if st.button(_("Cancel this clip"), key=f"late_cancel_{one.id}", type="primary"):
            components.save_and_rerun(
                lambda session: watched.cancel(session, current_member.current_member(), one.id),
                done=_("It is cancelled, or its provider is asked to in a moment."),
            )
