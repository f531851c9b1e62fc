"""One clip in a dialog: player, what it was ordered with, its receipt and timeline, and what can be done with it.

The open clip is named in the address (`?clip=`), so that a link to it works and a rerun keeps it open.
"""

import html

import streamlit as st

from core import db, errors, installation
from core.billing import pricing
from core.db.enums import ENDED_STATUSES, Status
from core.db.tables import Generation
from core.generations import commands, conformance, credentials, delivery_findings, queries, review
from core.generations.queries import ListFilter
from core.projects import projects
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.elements import copy_button, in_flight
from pages.sections import progress_text, whose
from pages.sections.clip import marks, notes, record
from pages.sections.sharing import dialog as sharing
from pages.ui import components, current_member, idempotency, wording
from pages.ui.language import _, translate_message

PARAM = "clip"
WIDTH_PX = 900


def open_it(generation_id: str) -> None:
    """Open the dialog of a clip: the whole page runs again and draws it."""
    st.query_params[PARAM] = generation_id
    st.rerun()


def close() -> None:
    """Forget which clip is open."""
    st.query_params.pop(PARAM, None)


def dialog_if_open(listing: ListFilter | None = None) -> None:
    """Draw the dialog when the address names a clip; the last thing a page does.

    With `listing` there are buttons to the clips beside it there, which change the clip and leave the dialog open.
    """
    generation_id = st.query_params.get(PARAM)
    if sharing.dialog_if_open():  # one dialog at a time; this one comes back when that is closed
        return
    if generation_id:
        st.dialog(_("Clip"), width=WIDTH_PX, on_dismiss=close)(_dialog)(generation_id, listing)


def _dialog(generation_id: str, listing: ListFilter | None) -> None:
    with components.error_boundary():
        person = current_member.current_member()
        with db.read_session() as session:
            row = queries.get(session, person, generation_id)
            owned = whose.of(session, person.moved_to(row.workspace_id), [row], everywhere=len(person.roles) > 1)
            beside = queries.neighbours(session, person, listing, row.id) if listing else None
            person = person.moved_to(row.workspace_id)  # what can be done with it is done where it is
            told = queries.details(session, row)
            signed = credentials.of(session, person, row.id)
            project = projects.get(session, person, row.project_id)
            charged_in = projects.get(session, person, row.charged_project_id) if row.charged_project_id else None
            names = components.project_names(session, person, archived=False, wanted=None)
            tags, own_tags = review.tags_of(session, person, row.id), review.own_tags(session, person)
        if beside is not None:
            _beside(beside)
        if row.status is Status.COMPLETED:
            _player(row)
            _noticed(row)
        else:
            _state(person, row)
        whose.line(person, row, owned)
        components.plain_text(row.prompt)
        if row.negative_prompt:
            st.caption(_("Negative prompt"))
            components.plain_text(row.negative_prompt, small=True)
        copy_button.show(row.prompt, row.id, key=f"clip_copy_{row.id}")
        marks.show(person, row, tags=tags, own_tags=own_tags)
        _actions(person, row, names)
        notes.show(person, row)
        record.source_images(row)
        with st.expander(_("Settings and file"), expanded=True):
            record.settings(row, project.name, charged_in.name if charged_in else None, signed)
        with st.expander(_("Receipt")):
            record.receipt(row, told)
        with st.expander(_("Timeline")):
            record.timeline(told)
        if person.may(Action.OPERATE):
            with st.expander(_("Provider, for administrators")):
                record.provider(row)


def _beside(beside: queries.Neighbours) -> None:
    """To the clip before and after this one in the listing that it was opened from."""
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        _beside_button(_("Previous clip"), beside.before, icon=":material/chevron_left:", key="clip_previous")
        _beside_button(_("Next clip"), beside.after, icon=":material/chevron_right:", key="clip_next")


def _beside_button(label: str, generation_id: str | None, *, icon: str, key: str) -> None:
    if st.button(label, icon=icon, disabled=generation_id is None, key=key, type="tertiary") and generation_id:
        open_it(generation_id)


def _player(row: Generation) -> None:
    source, poster = components.media_link(row.output_key), components.media_link(row.thumbnail_key)
    facts = row.output_facts or {}
    ratio = f"{facts.get('width') or 16} / {facts.get('height') or 9}"
    shown = html.escape(row.prompt[:120], quote=True)
    st.html(
        f'<video controls playsinline preload="metadata" src="{html.escape(source or "")}" '
        f'poster="{html.escape(poster or "")}" aria-label="{shown}" style="display:block;width:100%;max-height:56vh;'
        f'aspect-ratio:{ratio};background:#0b1012;border-radius:10px"></video>'
    )


def _noticed(row: Generation) -> None:
    """How the delivered clip differs from the order, and what else was noticed about it, said plainly."""
    told = [translate_message(noticed.message) for noticed in delivery_findings.of(row)]
    if not told:
        return
    if conformance.from_facts(row.output_facts or {}):
        told.insert(0, _("The provider delivered something else than was ordered."))
    st.warning(" ".join(told))


def _actions(person: Member, row: Generation, projects: dict[str, str]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if row.status is Status.COMPLETED:
            name = queries.file_name(row)
            link = components.media_link(row.output_key, download_name=name)
            label = _("Download ({size})").format(size=wording.size(queries.file_bytes(row)))
            download_link(link or "", label, name)
        if person.may(Action.ORDER, row.workspace_id):
            _order_buttons(person, row)
        if row.status is Status.COMPLETED:
            sharing.button(person, [row], key=f"clip_share_{row.id}")
        marks.move_popover(person, row, projects)
        if row.status in ENDED_STATUSES and person.may(Action.DELETE, row.workspace_id):
            _delete_button(person, row)


def _order_buttons(person: Member, row: Generation) -> None:
    """The ways from this clip to a further one."""
    if st.button(_("Use these settings"), icon=":material/content_copy:", key=f"clip_reuse_{row.id}"):
        st.switch_page("generate.py", query_params={"from": row.id})
    if row.status is Status.COMPLETED and st.button(
        _("Extend from the last frame"), icon=":material/start:", key=f"clip_extend_{row.id}"
    ):
        st.switch_page("generate.py", query_params={"extend": row.id})
    if row.status in (Status.FAILED, Status.CANCELLED):
        _retry_button(person, row)


def download_link(link: str, label: str, name: str) -> None:
    """A plain link, so that the browser fetches the file itself, with a pause and resume of its own."""
    st.html(
        f'<a href="{html.escape(link)}" download="{html.escape(name)}" style="display:inline-flex;align-items:center;'
        "min-height:2.5rem;padding:0 .85rem;border-radius:8px;font-size:.875rem;font-weight:500;"
        f'text-decoration:none;color:#fff;background:#0b6b74">{html.escape(label)}</a>',
        width="content",
    )


def _state(person: Member, row: Generation) -> None:
    """How a clip stands that is not there; what is under way moves by itself and can be cancelled."""
    if row.status not in ENDED_STATUSES:
        with db.read_session() as session:
            standings = progress_text.board().of(session, [row])
        in_flight.draw(person, standings, key=f"clip_under_way_{row.id}", details=False)
        return
    components.status_badge(row.status)
    if row.error_message:
        st.error(translate_message(row.error or row.error_message))
    st.caption(_("The {credits} were returned.").format(credits=wording.priced(row.credits)))


def _retry_button(person: Member, row: Generation) -> None:
    try:
        price = pricing.priced(row.spec)
    except errors.AppError as problem:
        st.caption(translate_message(problem.message))
        return
    label = _("Try again for {credits}").format(credits=wording.priced(price.total_credits))
    shown_name = f"clip_retry_shown_{row.id}"
    shown_credits: int | None = st.session_state.get(shown_name)  # what the button said that may have been pressed
    st.session_state[shown_name] = price.total_credits
    if st.button(label, icon=":material/refresh:", type="primary", key=f"clip_retry_{row.id}"):
        settings = installation.current().settings
        with idempotency.request_key("retry", row.id) as key:
            components.save_and_rerun(
                lambda session: commands.retry(
                    session,
                    person,
                    row.id,
                    configured=installation.current().configured,
                    quota_bytes=settings.storage_quota_bytes,
                    idempotency_key=key,
                    shown_credits=shown_credits,
                ),
                done=_("Ordered again, as a new clip."),
                then=close,
            )


def _delete_button(person: Member, row: Generation) -> None:
    with st.popover(_("Delete"), icon=":material/delete:", key=f"clip_delete_popover_{row.id}"):
        st.markdown(_("The clip and its files are removed for good. Its charges stay on record."))
        if st.button(_("Delete for good"), type="primary", key=f"clip_delete_{row.id}"):
            components.save_and_rerun(
                lambda session: commands.delete(session, person, row.id), done=_("Deleted."), then=close
            )
