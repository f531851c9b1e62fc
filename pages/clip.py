"""One clip in a dialog: player, what it was ordered with, its receipt and timeline, and what can be done with it.

The open clip is named in the address (`?clip=`), so that a link to it works and a rerun keeps it open.
"""

import html
from collections.abc import Callable
from typing import Any

import streamlit as st

from core import access, config, db, errors, generations, history, projects
from core.models import ENDED_STATUSES, Generation, Role, Stage, Status, User
from core.providers import registry
from pages import components, gallery, intent, visitor, wording

PARAM = "clip"
WIDTH_PX = 900


def open_it(generation_id: str) -> None:
    """Open the dialog of a clip: the whole page runs again and draws it."""
    st.query_params[PARAM] = generation_id
    st.rerun()


def close() -> None:
    """Forget which clip is open."""
    st.query_params.pop(PARAM, None)


def dialog_if_open() -> None:
    """Draw the dialog when the address names a clip; the last thing a page does."""
    generation_id = st.query_params.get(PARAM)
    if generation_id:
        st.dialog("Clip", width=WIDTH_PX, on_dismiss=close)(_dialog)(generation_id)


def _dialog(generation_id: str) -> None:
    with components.calm():
        person = visitor.person()
        with db.session(read_only=True) as session:
            row = generations.get(session, person, generation_id)
            told = history.story(session, row)
            project = projects.get(session, person, row.project_id)
        if row.status is Status.COMPLETED:
            _player(row)
            _gaps(row)
        else:
            _state(row)
        _actions(person, row)
        components.plain(row.prompt)
        if row.negative_prompt:
            st.caption("Negative prompt")
            components.plain(row.negative_prompt, small=True)
        _source_images(row)
        with st.expander("Settings and file", expanded=True):
            _settings(row, project.name)
        with st.expander("Receipt"):
            _receipt(row, told)
        with st.expander("Timeline"):
            components.table(["When", "What", "Who"], [(wording.moment(e.at), e.what, e.actor) for e in told.events])
        if person.role is Role.ADMIN:
            with st.expander("Provider, for administrators"):
                _provider(row)


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


def _gaps(row: Generation) -> None:
    """How the delivered clip differs from the order, said plainly."""
    if gaps := (row.output_facts or {}).get("gaps"):
        st.warning("The provider delivered something else than was ordered. " + " ".join(gaps))


def _state(row: Generation) -> None:
    """How a clip stands that is not there; moves by itself while it is under way."""
    st.fragment(_moving_state, run_every=components.tick_seconds([row]))(row.id, row.status)


def _moving_state(generation_id: str, status: Status) -> None:
    with components.calm():
        with db.session(read_only=True) as session:
            row = generations.get(session, visitor.person(), generation_id)
        if row.status is not status:
            st.rerun()
        components.status_badge(row.status)
        if row.status is Status.PROCESSING:
            st.progress(row.progress, text=f"{wording.STAGE[row.stage]}, {gallery.percentage(row)}")
        elif row.status is Status.PENDING:
            st.progress(0.0, text=wording.STAGE[row.stage])
        elif row.error_message:
            show = st.warning if row.status is Status.UNCERTAIN else st.error
            show(row.error_message)
        if row.status in (Status.FAILED, Status.CANCELLED):
            st.caption(f"The {wording.priced(row.credits)} were given back.")


def _actions(person: User, row: Generation) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if row.status is Status.COMPLETED:
            name = generations.file_name(row)
            link = components.media_link(row.output_key, download_name=name)
            _download_link(link or "", name, row.stored_bytes)
        if st.button("Use these settings", icon=":material/content_copy:", key=f"clip_reuse_{row.id}"):
            st.switch_page("generate.py", query_params={"from": row.id})
        if row.status in (Status.FAILED, Status.CANCELLED):
            _retry_button(person, row)
        if row.status in ENDED_STATUSES:
            _delete_button(person, row)
        else:
            cancel_button(person, row, key=f"clip_cancel_{row.id}")


def _download_link(link: str, name: str, size_bytes: int) -> None:
    """A plain link, so that the browser fetches the file itself, with a pause and resume of its own."""
    st.html(
        f'<a href="{html.escape(link)}" download="{html.escape(name)}" style="display:inline-flex;align-items:center;'
        "min-height:2.5rem;padding:0 .85rem;border-radius:8px;font-size:.875rem;font-weight:500;"
        f'text-decoration:none;color:#fff;background:#0b6b74">Download ({wording.size(size_bytes)})</a>',
        width="content",
    )


def cancel_button(person: User, row: Generation, *, key: str) -> None:
    """Cancel with what it costs, where it can be cancelled; else a word on why it cannot."""
    if row.status is Status.UNCERTAIN or row.cancel_requested_at is not None:
        return
    provider = registry.provider_class(row.provider)
    if row.status is Status.PENDING:
        cost = f"Nothing was sent yet: the {wording.priced(row.credits)} come back at once."
    elif row.stage in (Stage.READY, Stage.DOWNLOADING):
        return
    elif provider.can_cancel:
        cost = (
            f"{provider.display_name} is asked to stop. If it does, the {wording.priced(row.credits)} come back; "
            "if the clip is done first, it is kept and charged."
        )
    else:
        st.caption("Cannot be cancelled", help=provider.cancel_note, width="content")
        return
    with st.popover("Cancel", type="tertiary", key=f"{key}_popover"):
        st.markdown(cost)
        if st.button("Cancel this clip", key=key, type="primary"):
            _do(lambda session: generations.cancel(session, person, row.id), done="Cancelling.")


def _retry_button(person: User, row: Generation) -> None:
    order = generations.retry_order(row)
    try:
        price = generations.quote(order)
    except errors.AppError as problem:
        st.caption(str(problem))
        return
    label = f"Try again for {wording.priced(price.total_credits)}"
    if st.button(label, icon=":material/refresh:", type="primary", key=f"clip_retry_{row.id}"):
        settings = config.settings()
        with intent.key("retry", row.id) as key:
            _do(
                lambda session: generations.retry(
                    session,
                    person,
                    row.id,
                    configured=access.configured(settings),
                    quota_bytes=settings.storage_quota_bytes,
                    idempotency_key=key,
                ),
                done="Ordered again, as a new clip.",
                then=close,
            )


def _delete_button(person: User, row: Generation) -> None:
    with st.popover("Delete", icon=":material/delete:", key=f"clip_delete_popover_{row.id}"):
        st.markdown("The clip and its files are removed for good. Its charges stay on record.")
        if st.button("Delete for good", type="primary", key=f"clip_delete_{row.id}"):
            _do(lambda session: generations.delete(session, person, row.id), done="Deleted.", then=close)


def _do(action: Callable[[Any], object], *, done: str, then: Callable[[], None] | None = None) -> None:
    """Carry out what a button asked for in one transaction; afterwards the whole page is drawn again."""

    def transaction() -> None:
        with db.session() as session:
            action(session)

    if components.attempt(transaction, done=done):
        if then is not None:
            then()
        st.rerun()


def _source_images(row: Generation) -> None:
    shown = [(row.start_image_key, "Start image"), (row.end_image_key, "End image")]
    pictures = [
        f'<figure style="margin:0"><img src="{html.escape(components.media_link(key) or "")}" alt="{label}" '
        f'style="height:96px;border-radius:8px"><figcaption style="font-size:.8rem">{label}</figcaption></figure>'
        for key, label in shown
        if key
    ]
    if pictures:
        st.html(f'<div style="display:flex;gap:12px;flex-wrap:wrap">{"".join(pictures)}</div>')


def _settings(row: Generation, project_name: str) -> None:
    facts = row.output_facts or {}
    rows = [
        ("Project", project_name),
        ("Model", row.model_name),
        ("Resolution", f"{row.resolution}, {row.aspect_ratio}"),
        ("Length", f"{row.duration_seconds} s"),
        ("Sound", "on" if row.generate_audio else "off"),
        ("Prompt enhancement", "on" if row.enhance_prompt else "off"),
        ("Ordered", wording.moment(row.created_at)),
    ]
    if facts:
        sound = facts.get("audio_codec") or "no sound"
        rate = f"{facts.get('frame_rate', 0):g} frames a second"
        measured = f"{facts.get('width')} × {facts.get('height')}, {facts.get('duration_seconds', 0):.1f} s, {rate}"
        rows.append(
            ("File, as measured", f"{measured}, {facts.get('video_codec')}, {sound}, {wording.size(row.stored_bytes)}")
        )
        if digest := facts.get("sha256"):
            rows.append(("SHA-256", str(digest)))
    rows.append(("Id", row.id))
    components.table(["Setting", "Value"], rows)


def _receipt(row: Generation, told: history.Story) -> None:
    lines = [(wording.line(x["kind"], x["percent"]), x["credits"]) for x in row.quote["lines"]]
    components.breakdown(lines, row.quote["total"])
    st.caption(f"Fixed when it was ordered, by the price list {row.quote['version']}.")
    components.table(
        ["When", "Booked", "Credits", "Available after", "Reserved after", "Why"],
        [
            (
                wording.moment(entry.created_at),
                wording.ENTRY[entry.kind],
                wording.credits(entry.amount_credits),
                wording.credits(entry.available_after),
                wording.credits(entry.held_after),
                entry.reason,
            )
            for entry in told.entries
        ],
        numbers=(2, 3, 4),
    )


def _provider(row: Generation) -> None:
    """What only administrators see."""
    cost = "not known yet"
    if row.provider_cost is not None:
        about = " (estimate)" if row.provider_cost_is_estimate else " (as reported)"
        cost = f"{row.provider_cost:,.2f} {row.provider_cost_currency}{about}"
    components.table(
        ["Fact", "Value"],
        [
            ("Provider", registry.provider_class(row.provider).display_name),
            ("Job id", row.provider_job_id or "none"),
            ("Address", row.provider_base_url or "the vendor's own"),
            ("Cost", cost),
            ("Attempts", f"{row.attempt} to submit, {row.collect_attempt} to fetch"),
            ("Error", f"{row.error_code}: {row.error_detail or row.error_message}" if row.error_code else "none"),
        ],
    )
    if row.provider_response:
        st.json(row.provider_response, expanded=False)
