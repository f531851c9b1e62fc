"""What stands beside a clip in the viewer: what can be done with it, its order, notes, receipt and timeline."""

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import db, errors, installation
from core.billing import pricing
from core.db import ReadSession
from core.db.enums import ENDED_STATUSES, Stage, Status
from core.db.tables import Generation
from core.generations import commands, conformance, credentials, delivery_findings, queries, review
from core.generations.lineage import Lineage
from core.projects import projects
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.elements import copy_button, in_flight
from pages.sections import budgets_link, progress_text, whose
from pages.sections.approvals import deciding
from pages.sections.clip import deleting, differences, lineage, marks, notes, record
from pages.sections.generate import approval_line, budget_line
from pages.sections.sharing import dialog as sharing
from pages.sections.whose import Whose
from pages.ui import components, idempotency, wording
from pages.ui.language import _, translate_message

_TABS = "clip_tabs"


@dataclass(frozen=True, slots=True)
class Read:
    """What is drawn of a clip, whichever tab is open; `person` is at work where the clip is."""

    person: Member
    row: Generation
    owned: Whose
    projects: Mapping[str, str]
    tags: Sequence[str]
    own_tags: Sequence[str]
    origin: Lineage | None


def place() -> DeltaGenerator:
    """Where to draw it."""
    return st.container(key="clip_panel")


def read(session: ReadSession, person: Member, row: Generation) -> Read:
    """Ask for what is drawn."""
    owned = whose.of(session, person.moved_to(row.workspace_id), [row], everywhere=len(person.roles) > 1)
    person = person.moved_to(row.workspace_id)  # what can be done with it is done where it is
    return Read(
        person,
        row,
        owned,
        components.project_names(session, person, archived=False, wanted=None),
        review.tags_of(session, person, row.id),
        review.own_tags(session, person),
        lineage.of(session, person, row.id),
    )


def draw(
    read: Read, *, together: Sequence[Generation], on_close: Callable[[], None], on_open: Callable[[str], None]
) -> None:
    """Draw it; `together` are the clips that play side by side, of which this is one."""
    person, row = read.person, read.row
    if row.status is Status.COMPLETED:
        _noticed(row)
        if leaves := deleting.leaves(row):
            st.caption(f":material/auto_delete: {leaves}")
    else:
        _state(person, row)
    _actions(person, row, read.projects, on_close)
    labels = {
        "prompt": _("Prompt"),
        **({"differences": _("Compare")} if together else {}),
        "notes": _("Notes"),
        "settings": _("Settings"),
        "receipt": _("Receipt"),
        "timeline": _("Timeline"),
        **({"lineage": _("Origin")} if read.origin else {}),
        **({"provider": _("Provider")} if person.may(Action.OPERATE) else {}),
    }
    tabs = st.tabs(list(labels.values()), key=_TABS, on_change="rerun")
    for name, tab in zip(labels, tabs, strict=True):
        if tab.open:  # what nobody looks at is not asked for
            with tab:
                if name == "lineage" and read.origin:
                    lineage.show(read.origin, row.id, on_open=on_open)
                else:
                    _tab(name, read, together)


def _tab(name: str, read: Read, together: Sequence[Generation]) -> None:
    person, row = read.person, read.row
    match name:
        case "prompt":
            _prompt(read)
        case "differences":
            differences.show(together)
        case "notes":
            notes.show(person, row)
        case "settings":
            _settings(person, row)
        case "provider":
            record.provider(row)
        case _:
            with db.read_session() as session:
                told = queries.details(session, row)
            draw = record.receipt if name == "receipt" else record.timeline
            draw(row, told)


def _prompt(read: Read) -> None:
    person, row = read.person, read.row
    whose.line(person, row, read.owned)
    if row.prompt:
        components.plain_text(row.prompt)
    else:
        st.caption(_("The prompt was forgotten when its maker left or was erased."))
    if row.negative_prompt:
        st.caption(_("Negative prompt"))
        components.plain_text(row.negative_prompt, small=True)
    copy_button.show(row.prompt, row.id, key=f"clip_copy_{row.id}")
    marks.tags_field(person, row, tags=read.tags, own_tags=read.own_tags)
    record.source_images(row)


def _settings(person: Member, row: Generation) -> None:
    with db.read_session() as session:
        signed = credentials.of(session, person, row.id)
        project = projects.get(session, person, row.project_id)
        charged_in = projects.get(session, person, row.charged_project_id) if row.charged_project_id else None
    record.settings(row, project.name, charged_in.name if charged_in else None, signed)


def _noticed(row: Generation) -> None:
    """How the delivered clip differs from the order, and what else was noticed about it, said plainly."""
    told = [translate_message(noticed.message) for noticed in delivery_findings.of(row)]
    if not told:
        return
    if conformance.from_facts(row.output_facts or {}):
        told.insert(0, _("The provider delivered something else than was ordered."))
    st.warning(" ".join(told))


def _actions(person: Member, row: Generation, projects: Mapping[str, str], on_close: Callable[[], None]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if row.status is Status.COMPLETED:
            name = queries.file_name(row)
            link = components.media_link(row.output_key, download_name=name)
            label = _("Download ({size})").format(size=wording.size(queries.file_bytes(row)))
            download_link(link or "", label, name)
        if person.may(Action.ORDER, row.workspace_id):
            _order_buttons(person, row, on_close)
        if row.status is Status.COMPLETED:
            sharing.button(person, [row], key=f"clip_share_{row.id}")
        marks.move_popover(person, row, projects)
        if row.status in ENDED_STATUSES and person.may(Action.DELETE, row.workspace_id):
            _delete_button(person, row, on_close)


def _order_buttons(person: Member, row: Generation, on_close: Callable[[], None]) -> None:
    """The ways from this clip to a further one."""
    if st.button(_("Use these settings"), icon=":material/content_copy:", key=f"clip_reuse_{row.id}"):
        st.switch_page("generate.py", query_params={"from": row.id})
    if row.status is Status.COMPLETED and st.button(
        _("Extend from the last frame"), icon=":material/start:", key=f"clip_extend_{row.id}"
    ):
        st.switch_page("generate.py", query_params={"extend": row.id})
    if row.status in (Status.FAILED, Status.CANCELLED):
        _retry_button(person, row, on_close)


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
        if row.stage is Stage.AWAITING_APPROVAL:
            deciding.of_clip(person, row)
        return
    components.status_badge(row.status)
    if row.error_message:
        st.error(translate_message(row.error or row.error_message))
    st.caption(_("The {credits} were returned.").format(credits=wording.priced(row.credits)))


def _retry_button(person: Member, row: Generation, on_close: Callable[[], None]) -> None:
    try:
        price = pricing.priced(row.spec)
    except errors.AppError as problem:
        st.caption(translate_message(problem.message))
        return
    label = _("Try again for {credits}").format(credits=wording.priced(price.total_credits))
    shown_name = f"clip_retry_shown_{row.id}"
    shown_credits: int | None = st.session_state.get(shown_name)  # what the button said that may have been pressed
    st.session_state[shown_name] = price.total_credits
    stops = budget_line.stop_of_one(person, row, price.total_credits)
    if stops:
        st.caption(f":material/info: {stops}")
        budgets_link.show(person, row.workspace_id)
    approval_line.show_for_one(person, row, price.total_credits)
    if st.button(
        label, icon=":material/refresh:", type="primary", key=f"clip_retry_{row.id}", disabled=stops is not None
    ):
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
                then=on_close,
            )


def _delete_button(person: Member, row: Generation, on_close: Callable[[], None]) -> None:
    with st.popover(_("Delete"), icon=":material/delete:", key=f"clip_delete_popover_{row.id}"):
        st.markdown(deleting.of_one())
        if st.button(deleting.button(), type="primary", key=f"clip_delete_{row.id}"):
            components.save_and_rerun(
                lambda session: commands.delete(session, person, row.id), done=deleting.done(), then=on_close
            )
