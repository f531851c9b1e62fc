"""All that is kept of oneself as ZIP files: asked for here, made by a worker, fetched here."""

import streamlit as st

from core import db
from core.db.enums import BulkState
from core.db.tables import PersonExport
from core.personal_data import exports
from core.workspaces.access import Member
from pages.sections.clip.panel import download_link
from pages.ui import components, current_member, wording
from pages.ui.language import _, plural, translate_message

EVERY_SECONDS = 3.0


def show(person: Member) -> None:
    """The button, and the newest pack as far as it is."""
    st.header(_("What is kept of you"), anchor=False)
    st.caption(
        _(
            "Everything as a ZIP: your clips and assets as files, and what is written down of you as lines of JSON. "
            "Who runs this installation can erase all of it."
        )
    )
    found = _newest(person)
    is_live = found is not None and found.state in exports.LIVE
    st.button(_("Pack everything"), icon=":material/folder_zip:", key="account_pack", disabled=is_live, on_click=_start)
    st.fragment(_draw, run_every=EVERY_SECONDS if is_live else None)(is_live)


def _newest(person: Member) -> PersonExport | None:
    with db.read_session() as session:
        return next(iter(exports.list_visible(session, person)), None)


def _start() -> None:
    components.act_in_callback(
        lambda session: exports.start(session, current_member.current_member()),
        done=_("It is being packed. Go on working meanwhile."),
    )


def _draw(is_live: bool) -> None:
    with components.error_boundary():
        found = _newest(current_member.current_member())
        if found is None:
            return
        if is_live and found.state not in exports.LIVE:
            st.rerun()  # the button above can be pressed again, and nothing has to be looked at any more
        if found.state in exports.LIVE:
            number = len(found.files)
            done = plural("{number} file is done.", "{number} files are done.", number)
            begun = _("Being packed; this page shows when it is there.")
            st.caption(f"{begun} {done.format(number=wording.credits(number))}" if number else begun)
        if found.state is BulkState.FAILED and found.error is not None:
            st.caption(translate_message(found.error))
        for file in exports.files_of(found):
            label = _("Download ZIP ({size})").format(size=wording.size(file.size_bytes))
            download_link(components.media_link(file.key, download_name=file.name) or "", label, file.name)
        if found.expires_at is not None and found.state is BulkState.DONE:
            st.caption(_("Kept until {day}").format(day=wording.day(found.expires_at)))
