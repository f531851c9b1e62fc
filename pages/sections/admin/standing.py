"""What does not stand as it should, for who runs the installation: each in a sentence that says what helps."""

from datetime import timedelta

import streamlit as st

from core import db, installation
from core.clock import utc_now
from core.db import backfills
from core.db.snapshots import HeldSnapshot
from core.files.store_clock import SUSPICIOUS
from core.insights import health
from core.insights.attention import Attention
from core.workspaces.access import Member
from pages.sections.attention import ending, late, used_up
from pages.ui import wording
from pages.ui.language import _, plural


def show(person: Member, found: Attention) -> None:
    """A broken rule, no room or store, a wrong clock, models that end, used up budgets, what is late; else nothing."""
    here = installation.current()
    _broken_rules(found.broken_rules)
    free_bytes = health.free_bytes(here.settings)
    if found.is_disk_nearly_full and free_bytes is not None:
        _disk(free_bytes)
    if here.storage.answers() is False:
        said = _("The store of files does not answer. Clips cannot be shown; those that finish wait until it does.")
        st.error(said, icon=":material/cloud_off:")
    _clock(here.database.clock.machine_is_ahead())
    for held in found.old_snapshots:
        _old_snapshot(held)
    ending.show(found)
    used_up.show(person, found)
    late.show(person, found.line)
    _filling_in()


def _filling_in() -> None:
    """What an upgrade has left to be filled in, and how far that is; it needs nobody."""
    with db.read_session() as session:
        for row in backfills.progress(session):
            said = _("After the upgrade {name} is being filled in: {number} rows so far, begun {age}.")
            age = wording.age(row.began_at, utc_now())
            st.caption(said.format(name=row.name, number=wording.credits(row.row_count), age=age))


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


def _clock(ahead: timedelta) -> None:
    """This machine's and the database's are so far apart that one of them is wrong."""
    if abs(ahead) <= SUSPICIOUS:
        return
    said = _(
        "The clocks of this machine and of the database are {minutes} minutes apart. Set the wrong one right: a store "
        "of files may refuse this machine, and new things carry wrong times."
    )
    minutes = round(abs(ahead).total_seconds() / 60)
    st.error(said.format(minutes=wording.credits(minutes)), icon=":material/schedule:")


def _old_snapshot(held: HeldSnapshot) -> None:
    if held.log_bytes is None:
        said = _(
            "A transaction of the database has been open for {minutes} minutes, and slows everything down: {name}. "
            "End it; long readings belong to a copy of the database."
        ).format(minutes=wording.credits(int((held.seconds or 0) // 60)), name=held.name)
    else:
        said = _(
            "The database keeps {size} of its log for a copy that does not fetch it, and slows down: {name}. Let the "
            "copy catch up, or drop the slot."
        ).format(size=wording.size(held.log_bytes), name=held.name)
    st.error(said, icon=":material/hourglass_disabled:")
