"""Cuts the start image to a ratio, in a dialog that shows what stays; the whole image stays among the earlier ones."""

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from core import db, errors, installation
from core.projects import crops, uploads
from core.workspaces.access import Member
from pages.sections.generate import form_state
from pages.ui import components
from pages.ui.language import _

_RATIO = form_state.name("crop")
PREVIEW_PX = 360


def open_for(ratio: str) -> None:
    """Open the dialog for a ratio; for callbacks."""
    st.session_state[_RATIO] = ratio


def close() -> None:
    """Forget that it is open."""
    st.session_state.pop(_RATIO, None)


def dialog_if_open(person: Member, *, on_cut: Callable[[str, Sequence[Mapping[str, Any]]], None]) -> None:
    """Draw the dialog while it is open; what is cut is told as an image of the form."""
    ratio, held = st.session_state.get(_RATIO), form_state.value("start_image")
    if ratio and held:
        title = _("Crop to {ratio}").format(ratio=ratio)
        st.dialog(title, on_dismiss=close)(_dialog)(person, ratio, held, on_cut)


def _dialog(
    person: Member, ratio: str, held: Mapping[str, Any], on_cut: Callable[[str, Sequence[Mapping[str, Any]]], None]
) -> None:
    with components.error_boundary():
        with db.read_session() as session:
            whole = uploads.by_key(session, person, held["key"])
        middle = crops.box(whole.width, whole.height, ratio, 0.5)
        place = 0.5
        if (middle.width, middle.height) != (whole.width, whole.height):
            place = st.slider(_("Which part to keep, in percent"), 0, 100, 50, key="generate_crop_place") / 100
        kept = crops.box(whole.width, whole.height, ratio, place)
        _preview(held, whole.width, whole.height, kept)
        st.caption(
            _("{width} × {height} stay. The whole image is kept, too.").format(width=kept.width, height=kept.height)
        )
        if st.button(_("Crop"), type="primary", key="generate_crop_do", icon=":material/crop:"):
            here = installation.current()
            try:
                cut = crops.crop(
                    person,
                    whole.storage_key,
                    ratio=ratio,
                    place=place,
                    storage=here.storage,
                    quota_bytes=here.settings.storage_quota_bytes,
                )
            except errors.AppError as problem:
                components.error_box(problem)
                return
            title = _("{name}, cut to {ratio}").format(name=whole.file_name, ratio=ratio)
            on_cut("start_image", [form_state.as_held(cut, title)])
            st.session_state[form_state.name("aspect_ratio")] = ratio
            close()
            st.rerun()


def _preview(held: Mapping[str, Any], width: int, height: int, kept: crops.Box) -> None:
    """The whole image, darkened where it is cut away."""
    link = html.escape(components.media_link(held["key"]) or "")
    left, top = 100 * kept.left / width, 100 * kept.top / height
    across, down = 100 * kept.width / width, 100 * kept.height / height
    shown_px = min(PREVIEW_PX, round(PREVIEW_PX * width / height))
    st.html(
        f'<div style="position:relative;overflow:hidden;width:{shown_px}px;max-width:100%;margin:auto;'
        f'aspect-ratio:{width}/{height}"><img src="{link}" alt="{html.escape(_("What of the image stays"))}" '
        'style="display:block;width:100%;height:100%">'
        f'<div style="position:absolute;left:{left:.2f}%;top:{top:.2f}%;width:{across:.2f}%;height:{down:.2f}%;'
        'box-sizing:border-box;border:2px solid #fff;box-shadow:0 0 0 2000px rgb(0 0 0 / 60%)"></div></div>'
    )
