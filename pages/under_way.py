"""What is under way, beside the order form: it moves by itself, and costs nothing while there is nothing."""

import streamlit as st
from sqlalchemy.orm import Session

from core import db, generations
from core.models import Generation, Stage, Status, User, utc_now
from core.usage import TimeRange, TypicalSeconds
from pages import clip, components, gallery, visitor, wording

SHOWN = 4
TELLING_SHARE = 0.05
"""From this share on, the provider's own figure tells more about the rest than the history of the model."""


def show(person: User) -> None:
    """Draw the list, with a timer only while something in it moves."""
    with db.session(read_only=True) as session:
        rows = generations.in_flight(session, person)
    st.session_state["under_way"] = [row.id for row in rows]
    st.fragment(_list, run_every=components.tick_seconds(rows))()


def _list() -> None:
    with components.calm():
        person = visitor.person()
        with db.session(read_only=True) as session:
            rows = generations.in_flight(session, person)
            typical = TypicalSeconds(session)
            moving_first = sorted(rows, key=lambda row: row.status is Status.UNCERTAIN)
            lines = [(row, _where(row, typical.range(row), _position(session, row))) for row in moving_first[:SHOWN]]
        if [row.id for row in rows] != st.session_state["under_way"]:
            st.rerun()  # something ended or began: balance and clips of the whole page change with it
        st.header("Under way", anchor=False)
        if not rows:
            st.caption("Nothing at the moment. What you order appears here and moves by itself.")
        for row, where in lines:
            _item(person, row, where)
        if len(rows) > SHOWN:
            st.page_link("history.py", label=f"{len(rows) - SHOWN} more", query_params={"status": "live"})


def _position(session: Session, row: Generation) -> int:
    """How many go before it; asked only of those that wait."""
    if row.status is not Status.PENDING:
        return 0
    return generations.queue_position(session, row)


def _where(row: Generation, usual: TimeRange, ahead: int) -> str:
    """Stage, share and rest of the time, in words."""
    if row.status is Status.UNCERTAIN:
        return "Unclear whether the provider has it. Your credits stay reserved until an administrator decides."
    if row.cancel_requested_at is not None:
        return "Being cancelled"
    stage = wording.STAGE[row.stage]
    if row.status is Status.PENDING:
        line = f"{stage}, {wording.count(ahead, 'clip')} before it" if ahead else stage
        return f"{line}. {_usual(usual)}"
    if row.stage is not Stage.WAITING:
        return stage
    text = f"{stage}, {gallery.percentage(row)}"
    if row.submitted_at is None:
        return text
    elapsed = (utc_now() - row.submitted_at).total_seconds()
    if not row.progress_is_estimate and row.progress >= TELLING_SHARE:
        return f"{text}, about {wording.span(elapsed * (1 - row.progress) / row.progress)} left"
    soon, late = usual.p50_seconds - elapsed, usual.p90_seconds - elapsed
    if late <= 0:
        return f"{text}, longer than usual"
    return f"{text}, {wording.span(max(1, soon))} to {wording.span(late)} left"


def _usual(usual: TimeRange) -> str:
    """The honest range from this installation's own history, or that there is none yet."""
    span = f"{wording.span(usual.p50_seconds)} to {wording.span(usual.p90_seconds)}"
    return f"Usually takes {span}" if usual.based_on else f"May take {span}; there is no history yet"


def _item(person: User, row: Generation, where: str) -> None:
    with st.container(border=True, gap="xsmall", key=f"under_way_{row.id}"):
        components.plain(row.prompt, strong=True, lines=1)
        st.caption(f"{row.model_name} · {wording.priced(row.credits)}")
        st.progress(row.progress, text=where)
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button("Details", key=f"under_way_open_{row.id}"):
                clip.open_it(row.id)
            clip.cancel_button(person, row, key=f"under_way_cancel_{row.id}")
