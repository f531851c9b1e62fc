"""Jobs over many clips above the library: how far they are, what they left, the files to fetch, and a way to stop."""

from datetime import timedelta

import streamlit as st

from core import db
from core.clock import utc_now
from core.db.enums import BulkKind, BulkState
from core.db.tables import BulkJob
from core.generations import bulk_jobs
from core.generations.bulk_jobs import Progress
from core.workspaces.access import Member
from pages.sections.clip.panel import download_link
from pages.ui import components, current_member, wording
from pages.ui.language import N_, _, plural, translate_message
from pages.ui.wording import TranslatedLabels

SHOWN = 3
EVERY_SECONDS = 2.0
NEWS_FOR = timedelta(minutes=10)
"""So long a job that has ended is shown; one with files as long as these are kept."""

_LOOKED, _HIDDEN, _LIVE = "history_jobs_looked", "history_jobs_hidden", "history_jobs_live"

NAMES = TranslatedLabels(
    {
        BulkKind.TAG: N_("Adding tags"),
        BulkKind.UNTAG: N_("Removing tags"),
        BulkKind.MOVE: N_("Moving to another project"),
        BulkKind.KEEP: N_("Keeping"),
        BulkKind.REJECT: N_("Rejecting"),
        BulkKind.UNDECIDE: N_("Taking verdicts back"),
        BulkKind.FAVOURITE: N_("Adding to favourites"),
        BulkKind.UNFAVOURITE: N_("Removing from favourites"),
        BulkKind.DELETE: N_("Deleting"),
        BulkKind.FETCH: N_("Packing a ZIP"),
    }
)
STATES = TranslatedLabels(
    {
        BulkState.WAITING: N_("waits for a worker"),
        BulkState.RUNNING: N_("under way"),
        BulkState.DONE: N_("done"),
        BulkState.FAILED: N_("stopped by an error"),
        BulkState.CANCELLED: N_("stopped"),
    }
)


def name(job: BulkJob) -> str:
    """What a job does, and to how many clips."""
    return f"{NAMES[job.kind]}: {wording.count(job.matched_count, 'clip', 'clips')}"


def look_again() -> None:
    """Ask for jobs in the next run: without any, runs are spared the question until the page is opened anew."""
    st.session_state.pop(_LOOKED, None)


def show(person: Member) -> None:
    """Draw the newest jobs that somebody may still want to see; what is under way moves by itself."""
    known_for, found_any = st.session_state.get(_LOOKED, (None, True))
    if known_for == person.workspace_id and not found_any:
        return
    found = _news(person)
    st.session_state[_LOOKED] = (person.workspace_id, bool(found))
    st.session_state[_LIVE] = [each.job.id for each in found if each.is_live]
    if not found:
        return
    is_live = bool(st.session_state[_LIVE])
    st.fragment(_draw, run_every=EVERY_SECONDS if is_live else None)()


def _draw() -> None:
    """Draw them anew; when one has ended, so is the page, whose clips it has changed."""
    with components.error_boundary():
        found = _news(current_member.current_member())
        live = [each.job.id for each in found if each.is_live]
        if set(st.session_state.get(_LIVE, ())) - set(live):
            st.session_state[_LIVE] = live
            st.rerun()
        for progress in found:
            _one(progress)


def _news(person: Member) -> list[Progress]:
    hidden, since = st.session_state.get(_HIDDEN, ()), utc_now() - NEWS_FOR
    with db.read_session() as session:
        found = bulk_jobs.list_own(session, person, limit=SHOWN + len(hidden))

    def is_news(progress: Progress) -> bool:
        job = progress.job
        return (
            progress.is_live or bool(progress.files and job.expires_at) or bool(job.ended_at and job.ended_at > since)
        )

    return [each for each in found if each.job.id not in hidden and is_news(each)][:SHOWN]


def _one(progress: Progress) -> None:
    job = progress.job
    with st.container(border=True, key=f"job_{job.id}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{components.escaped(name(job))}** · {STATES[job.state]}{_rest(job)}", width="content")
            st.space("stretch")
            if progress.is_live:
                st.button(_("Stop"), key=f"job_stop_{job.id}", type="tertiary", on_click=_stop, args=(job.id,))
            else:
                st.button(_("Hide"), key=f"job_hide_{job.id}", type="tertiary", on_click=_hide, args=(job.id,))
        if progress.is_live:
            st.progress(progress.share)
        if job.error is not None:
            st.caption(translate_message(job.error))
        if progress.files and not progress.is_live:
            _files(progress)


def _rest(job: BulkJob) -> str:
    """What could not be changed by the time its turn came."""
    if not job.left_count:
        return ""
    said = plural("{number} was left as it was", "{number} were left as they were", job.left_count)
    return " · " + said.format(number=wording.credits(job.left_count))


def _files(progress: Progress) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        for file in progress.files:
            saved_as = bulk_jobs.file_name(progress, file)
            link = components.media_link(file.storage_key, download_name=saved_as) or ""
            label = _("Download ZIP ({size})").format(size=wording.size(file.size_bytes))
            if len(progress.files) > 1:
                label = _("Part {number} ({size})").format(number=file.number, size=wording.size(file.size_bytes))
            download_link(link, label, saved_as)
        if progress.job.expires_at is not None:
            st.caption(_("Kept until {day}").format(day=wording.day(progress.job.expires_at)), width="content")


def _stop(job_id: str) -> None:
    person = current_member.current_member()
    components.act_in_callback(lambda session: bulk_jobs.cancel(session, person, job_id), done=_("Stopped."))


def _hide(job_id: str) -> None:
    st.session_state[_HIDDEN] = (*st.session_state.get(_HIDDEN, ()), job_id)
