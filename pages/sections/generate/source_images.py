"""Start and end image of the order being written: a place to drop each, or what was dropped, to be taken out again."""

import html
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core import errors, installation
from core.catalog import adaptation
from core.files.image_sanitizer import MAX_UPLOAD_BYTES
from core.projects import uploads
from core.providers.models import VideoModel
from core.spec import GenerationSpec
from core.workspaces.access import Member
from pages.sections.generate import form_state
from pages.sections.generate.offer import Offer
from pages.ui import components
from pages.ui.language import _, translate_message


def show(person: Member, model: VideoModel, offer: Offer) -> None:
    """Start and end image, each only where the model takes one and its rules let it, or where it is there already."""
    offered = [
        (field, label)
        for field, label, takes, can in (
            ("start_image", _("Start image"), model.start_image, offer.can("start")),
            ("end_image", _("End image"), model.end_image, offer.can("end")),
        )
        if takes and (can or form_state.value(field))
    ]
    if offered:
        for column, (field, label) in zip(st.columns(2, gap="medium"), offered, strict=False):
            with column:
                _image(person, model, field, label)
    offer.say_why("start", "end")


def _image(person: Member, model: VideoModel, field: str, label: str) -> None:
    """One image: a place to drop it, or what was dropped with a way to take it out."""
    held: dict[str, Any] | None = form_state.value(field)
    if held is None:
        turn = st.session_state.get(f"{form_state.name(field)}_turn", 0)
        dropped = st.file_uploader(
            label,
            # Of any name: what a file is, is told from its bytes, and a refusal here would be Streamlit's own words.
            max_upload_size=MAX_UPLOAD_BYTES // 1024**2,
            key=f"{form_state.name(field)}_file_{turn}",
            help=_("JPEG, PNG or WebP. Places, names and other data in the file are removed."),
        )
        if problem := st.session_state.pop(f"{form_state.name(field)}_problem", None):
            components.error_box(problem)
        if dropped is not None:
            _store(person, model, field, dropped.name, dropped.getvalue())
            st.rerun()
        return
    st.markdown(label)
    draw(held, label, height_px=150)
    st.button(
        _("Remove"), key=f"{form_state.name(field)}_remove", icon=":material/close:", on_click=_remove, args=(field,)
    )


def draw(held: Mapping[str, Any], label: str, *, height_px: int) -> None:
    """An image that was dropped, its title and what was changed in it."""
    link = html.escape(components.media_link(held["key"]) or "")
    st.html(
        f'<img src="{link}" alt="{html.escape(label)}" style="display:block;max-width:100%;height:{height_px}px;'
        'object-fit:contain;border-radius:8px">'
    )
    components.plain_text(str(held["title"]), small=True, lines=1)
    for note in held["notes"]:
        st.caption(translate_message(note))


def _remove(field: str) -> None:
    st.session_state[form_state.name(field)] = None


def say_ratio(model: VideoModel, spec: GenerationSpec) -> None:
    """Below the ratio: that it follows the start image, or that it does not, with a way to let it."""
    held = form_state.value("start_image")
    if spec.start_image_key is None or not held or "size" not in held:
        return
    width, height = held["size"]
    nearest = adaptation.nearest_ratio(model.aspect_ratios, width, height)
    words = {"size": f"{width} × {height}", "ratio": spec.aspect_ratio, "model": model.name}
    if nearest in (None, spec.aspect_ratio):
        st.caption(":material/info: " + _("The aspect ratio follows the start image, {size}.").format(**words))
        return
    with st.container(horizontal=True, vertical_alignment="center", key="generate_ratio"):
        said = _("The start image is {size}: {model} may crop it to {ratio}, or follow the image.").format(**words)
        st.caption(f":material/info: {said}", width="content")
        st.button(
            _("Use {ratio}").format(ratio=nearest),
            key="generate_ratio_follow",
            type="tertiary",
            on_click=_follow,
            args=(nearest,),
        )


def _follow(ratio: str | None) -> None:
    st.session_state[form_state.name("aspect_ratio")] = ratio


def _store(person: Member, model: VideoModel, field: str, file_name: str, data: bytes) -> None:
    """Put an uploaded image into the order; a refusal is kept to be shown beside the field.

    The ratio follows a start image, which would be cropped or stretched otherwise.
    """
    st.session_state[f"{form_state.name(field)}_turn"] = st.session_state.get(f"{form_state.name(field)}_turn", 0) + 1
    try:
        held = take_in(person, file_name, data)
    except errors.AppError as problem:
        st.session_state[f"{form_state.name(field)}_problem"] = problem
        return
    st.session_state[form_state.name(field)] = held
    if field == "start_image" and (ratio := adaptation.nearest_ratio(model.aspect_ratios, *held["size"])):
        _follow(ratio)


def take_in(person: Member, file_name: str, data: bytes) -> dict[str, Any]:
    """Clean and keep an uploaded image, as the form holds it; raises as `uploads.store_image`.

    It has the name of just now: its bytes may be here already under another one.
    """
    upload, notes = uploads.store_image(
        person,
        identity=data,
        picture=lambda: data,
        file_name=file_name,
        storage=installation.current().storage,
        quota_bytes=installation.current().settings.storage_quota_bytes,
    )
    title = f"{file_name}, {upload.width} × {upload.height}"
    return {"key": upload.storage_key, "title": title, "notes": notes, "size": [upload.width, upload.height]}
