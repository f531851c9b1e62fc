"""Images that the order refers to, each with what it stands for: a place to drop them, and those that were dropped."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core import errors
from core.files.image_sanitizer import MAX_UPLOAD_BYTES
from core.messages import message
from core.providers.models import VideoModel
from core.workspaces.access import Member
from pages.sections.generate import form_state, source_images
from pages.sections.generate.offer import Offer
from pages.ui import components, wording
from pages.ui.language import _

CARD_WIDTH_PX = 170
_NAME = form_state.name("references")
_PROBLEM = f"{_NAME}_problem"
_TURN = f"{_NAME}_turn"
"""Changes with every image that comes or goes, so that no widget keeps what belonged to another one."""


def show(person: Member, offer: Offer) -> None:
    """Draw them, only where the model takes references; no more than its rules let."""
    model = offer.model
    if not model.reference_images:
        return
    held = form_state.references()
    most = offer.most("images")
    if len(held) < most:
        _place_to_drop(person, model, most)
    elif held:
        st.markdown(_("References"))
    if problem := st.session_state.pop(_PROBLEM, None):
        components.error_box(problem)
    if held:
        with st.container(horizontal=True, gap="small", key="generate_references_held"):
            for place, reference in enumerate(held):
                with st.container(width=CARD_WIDTH_PX, border=True, gap="small"):
                    _card(place, reference, model.reference_roles)
    offer.say_why("images")


def _card(place: int, reference: dict[str, Any], roles: Sequence[str]) -> None:
    label = _("Reference {number}").format(number=place + 1)
    source_images.draw(reference, label, height_px=90)
    turn = st.session_state.get(_TURN, 0)
    if roles:
        key = f"generate_reference_{place}_{turn}_role"
        st.selectbox(
            _("Stands for"),
            roles,
            index=roles.index(reference["role"]) if reference["role"] in roles else 0,
            format_func=wording.reference_role,
            key=key,
            on_change=_choose_role,
            args=(place, key),
        )
    st.button(
        _("Remove"),
        key=f"generate_reference_{place}_{turn}_remove",
        icon=":material/close:",
        on_click=_remove,
        args=(place,),
    )


def _place_to_drop(person: Member, model: VideoModel, most: int) -> None:
    dropped = st.file_uploader(
        _("References, {most} at most").format(most=most),
        accept_multiple_files=True,
        max_upload_size=MAX_UPLOAD_BYTES // 1024**2,
        key=f"generate_references_file_{st.session_state.get(_TURN, 0)}",
        help=_("Images of what shall be seen, or how. JPEG, PNG or WebP; places and names in the file are removed."),
    )
    if dropped:
        _take_in(person, [(file.name, file.getvalue()) for file in dropped], model, most)
        st.rerun()


def _take_in(person: Member, files: Sequence[tuple[str, bytes]], model: VideoModel, most: int) -> None:
    """Put uploaded images into the order, as many as there may be; a refusal is kept to be shown below them."""
    held = list(form_state.references())
    for name, data in files:
        if len(held) >= most:
            st.session_state[_PROBLEM] = errors.InvalidRequest(
                message("too_many_references", name=model.name, limit=most)
            )
            break
        try:
            held.append({**source_images.take_in(person, name, data), "role": next(iter(model.reference_roles), "")})
        except errors.AppError as problem:
            st.session_state[_PROBLEM] = problem
    _hold(held)


def _choose_role(place: int, key: str) -> None:
    held = [dict(reference) for reference in form_state.references()]
    held[place]["role"] = st.session_state[key]
    st.session_state[_NAME] = held


def _remove(place: int) -> None:
    _hold([reference for number, reference in enumerate(form_state.references()) if number != place])


def _hold(held: Sequence[dict[str, Any]]) -> None:
    st.session_state[_NAME] = list(held)
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
