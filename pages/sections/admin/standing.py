"""What does not stand as it should, for who runs the installation: each in a sentence that says what helps."""

import streamlit as st

from core import db, installation
from core.catalog import in_force
from core.clock import utc_now
from core.db import ReadSession
from core.insights import attention, health
from core.insights.attention import Attention
from core.insights.late_clips import Line
from core.providers import registry
from core.workspaces import profiles
from pages.elements import sorted_table
from pages.elements.sorted_table import Cell, Column
from pages.ui import wording
from pages.ui.language import _, plural

LATE_SHOWN = 25


def show() -> None:
    """A broken rule, no room, no store, models that end, what is late; nothing while all is well."""
    here = installation.current()
    free_bytes, is_away = health.free_bytes(here.settings), here.storage.answers() is False
    with db.read_session() as session:
        found = attention.waiting(session, free_bytes=free_bytes)
        _broken_rules(found.broken_rules)
        if found.is_disk_nearly_full and free_bytes is not None:
            _disk(free_bytes)
        if is_away:
            said = _("The store of files does not answer. Clips cannot be shown; those that finish wait until it does.")
            st.error(said, icon=":material/cloud_off:")
        _ending(found)
        _line(session, found.line)


def _broken_rules(number: int) -> None:
    if not number:
        return
    said = plural(
        "{number} rule that must always be true is broken. The tab Trust says which, and by what.",
        "{number} rules that must always be true are broken. The tab Trust says which, and by what.",
        number,
    )
    st.error(said.format(number=wording.credits(number)), icon=":material/gpp_bad:")


def _disk(free_bytes: int) -> None:
    said = _("Only {size} are free on the disk that clips are written to. Make room before clips find no place.")
    st.error(said.format(size=wording.size(free_bytes)), icon=":material/hard_drive:")


def _ending(found: Attention) -> None:
    now = utc_now()
    for end in found.ending:
        model = in_force.find_model(end.model_id)
        said = (
            _("{model} has ended on {day}, and clips were made with it in the last 30 days.")
            if end.at <= now
            else _("{model} ends on {day}, and clips were made with it in the last 30 days.")
        )
        helps = _("Tell who uses it: presets and scripts that name it need another model.")
        told = said.format(model=model.name if model else end.model_id, day=wording.day(end.at))
        st.warning(f"{told} {helps}", icon=":material/event_busy:")


def _line(session: ReadSession, line: Line) -> None:
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
    shown = line.late[:LATE_SHOWN]
    people = profiles.people(session, {one.user_id for one in shown})
    workspaces = profiles.workspace_names(session, {one.workspace_id for one in shown})
    sorted_table.show(
        [
            Column(_("Person")),
            Column(_("Workspace")),
            Column(_("Model")),
            Column(_("Provider")),
            Column(_("Sent"), is_number=True),
            Column(_("Usual time"), is_number=True),
        ],
        [
            [
                people[one.user_id].name if one.user_id in people else "",
                workspaces.get(one.workspace_id, ""),
                one.model_name,
                registry.provider_class(one.provider).display_name,
                Cell(wording.age(one.submitted_at, now), (now - one.submitted_at).total_seconds()),
                Cell(wording.span(one.usual_seconds), one.usual_seconds),
            ]
            for one in shown
        ],
        key="admin_late",
        name=_("Clips that are late"),
    )
