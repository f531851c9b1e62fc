"""The dialog that makes a link for people outside, and shows its address this once."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core import db, errors, installation
from core.db.enums import Status
from core.db.tables import Generation
from core.generations import share_links, share_visits
from core.identity import passwords
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.elements import copy_button
from pages.ui import components, current_member, links, wording
from pages.ui.language import N_, _, plural
from pages.ui.wording import TranslatedLabels

WIDTH_PX = 620
LIFETIMES: Mapping[int, str] = TranslatedLabels(
    {
        1: N_("1 hour"),
        24: N_("1 day"),
        7 * 24: N_("7 days"),
        30 * 24: N_("30 days"),
        90 * 24: N_("90 days"),
    }
)
"""Hours -> how long a link opens."""

PARAM = "share"
"""In the address while the dialog is open, so that it does not follow its person to another page."""

_IDS = "share_clips"
_MADE = "share_made"


def button(member: Member, rows: Sequence[Generation], *, key: str) -> None:
    """The button that opens the dialog for what is finished of these clips; drawn only for who may share all of it."""
    done = [row for row in rows if row.status is Status.COMPLETED]
    if not done or not all(member.may(Action.SHARE, row.workspace_id) for row in done):
        return
    if st.button(_("Share outside…"), icon=":material/link:", key=key):
        st.session_state[_IDS] = [row.id for row in done]
        st.session_state.pop(_MADE, None)
        st.query_params[PARAM] = str(len(done))
        st.rerun()


def close() -> None:
    """Forget what is shared, and the address with it."""
    st.query_params.pop(PARAM, None)
    st.session_state.pop(_IDS, None)
    st.session_state.pop(_MADE, None)


def dialog_if_open() -> bool:
    """Draw the dialog if clips are to be shared; whether it was."""
    clip_ids = st.session_state.get(_IDS) if PARAM in st.query_params else None
    if clip_ids:
        st.dialog(_("Share outside"), width=WIDTH_PX, on_dismiss=close)(_dialog)(clip_ids)
    return bool(clip_ids)


def _dialog(clip_ids: Sequence[str]) -> None:
    with components.error_boundary():
        if (made := st.session_state.get(_MADE)) is None:
            _form(current_member.current_member(), clip_ids)
        else:
            _address(*made)


def _form(member: Member, clip_ids: Sequence[str]) -> None:
    said = plural(
        "Whoever has the link watches this clip without signing in, until it expires or is revoked.",
        "Whoever has the link watches these {number} clips without signing in, until it expires or is revoked.",
        len(clip_ids),
    )
    st.markdown(said.format(number=len(clip_ids)))
    if installation.current().settings.auth_mode == "local":
        st.warning(
            _("This installation answers its own machine only, so nobody elsewhere can open the link. See AUTH_MODE."),
            icon=":material/cloud_off:",
        )
    with st.form("share_form", border=False):
        title = st.text_input(
            _("Title, shown to them"), key="share_title", max_chars=share_links.TITLE_LIMIT_CHARS, autocomplete="off"
        )
        hours = st.selectbox(
            _("How long it opens"),
            list(LIFETIMES),
            index=list(LIFETIMES).index(share_links.DEFAULT_HOURS),
            format_func=LIFETIMES.__getitem__,
            key="share_hours",
        )
        password = st.text_input(
            _("Password, if you like"),
            type="password",
            key="share_password",
            max_chars=passwords.LONGEST_CHARS,
            autocomplete="new-password",
            help=_("At least {number} characters. Tell them another way than by the link.").format(
                number=passwords.SHORTEST_CHARS
            ),
        )
        allow_download = st.checkbox(_("They may download"), key="share_download")
        show_prompt = st.checkbox(_("Show the prompts"), key="share_prompt")
        if st.form_submit_button(_("Make the link"), type="primary", icon=":material/link:"):
            _make(
                member,
                clip_ids,
                title=title or "",
                hours=hours,
                password=password or "",
                allow_download=allow_download,
                show_prompt=show_prompt,
            )


def _make(
    member: Member,
    clip_ids: Sequence[str],
    *,
    title: str,
    hours: int,
    password: str,
    allow_download: bool,
    show_prompt: bool,
) -> None:
    """Make it, and keep its address until the dialog is closed."""
    try:
        with components.outage_refuses():
            password_hash = passwords.hashed(password) if password else None
            with db.write_session() as session:
                made = share_links.make(
                    session,
                    member,
                    clip_ids,
                    title=title,
                    lifetime_hours=hours,
                    password_hash=password_hash,
                    allow_download=allow_download,
                    show_prompt=show_prompt,
                )
    except errors.AppError as problem:
        components.error_box(problem)
        return
    st.session_state[_MADE] = (made.token, wording.minute(made.link.expires_at))
    st.rerun()


def _address(token: str, until: str) -> None:
    """The address, while it can be read."""
    address = links.for_others(share_visits.path_of(token))
    st.markdown(_("**Your link.** Copy it now: it is not shown again."))
    st.code(address, language=None, wrap_lines=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        copy_button.text(_("Copy link"), address, key="share_copy")
        if st.button(_("Done"), key="share_done", type="primary"):
            close()
            st.rerun()
    st.caption(_("It opens until {moment}. Links can be revoked on the account page.").format(moment=until))
