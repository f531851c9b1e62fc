"""The order being written on the Generate page: its fields, kept over page changes and filled from elsewhere."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import streamlit as st

from core import config, db, errors, generations, uploads
from core import storage as storages
from core.images import MAX_UPLOAD_BYTES
from core.models import User
from core.video import VideoModel
from pages import components, wording

Option = TypeVar("Option", str, int)

FEW = 6
"""Up to so many options are shown side by side."""

_FIELDS = {
    "project": "project_id",
    "model": "model_id",
    "prompt": "prompt",
    "negative": "negative_prompt",
    "resolution": "resolution",
    "seconds": "duration_seconds",
    "ratio": "aspect_ratio",
    "audio": "generate_audio",
    "enhance": "enhance_prompt",
}
"""Field of the form -> field of a generation."""


def name(field: str) -> str:
    """The key of a field in the session."""
    return f"generate_{field}"


def take_over(person: User) -> None:
    """Fill fields from the address, once: `?project=` and `?model=`, or all of them from a clip with `?from=`."""
    wanted = dict(st.query_params)
    for field in ("project", "model"):
        if field in wanted:
            st.session_state[name(field)] = wanted[field]
            del st.query_params[field]
    if "from" not in wanted:
        return
    del st.query_params["from"]
    with db.session(read_only=True) as session:
        row = generations.get(session, person, wanted["from"])
    for field, column in _FIELDS.items():
        st.session_state[name(field)] = getattr(row, column)
    for field, key in (("start", row.start_image_key), ("end", row.end_image_key)):
        st.session_state[name(field)] = {"key": key, "title": "Image of the earlier clip", "notes": ()} if key else None
    st.toast("The settings of that clip are filled in.", icon=":material/content_copy:")


def keep_fitting(field: str, options: Sequence[Any], default: Any) -> None:
    """Keep what was chosen where it is still on offer, else the default where that is, else the first."""
    if st.session_state.get(name(field)) not in options:
        st.session_state[name(field)] = default if default in options else options[0]


def pick(
    label: str, field: str, options: Sequence[Option], default: Option, shown: Callable[[Any], str] = str
) -> Option:
    """One of a model's own list: side by side when they are few, else in a list.

    The choice is kept apart from its widget, because the widget changes with the number of options.
    """
    keep_fitting(field, options, default)
    chosen: Option = st.session_state[name(field)]
    few = len(options) <= FEW
    key = f"{name(field)}_{'few' if few else 'many'}"
    if st.session_state.get(key) != chosen:
        st.session_state[key] = chosen
    if few:
        st.radio(
            label,
            options,
            key=key,
            format_func=shown,
            horizontal=True,
            width="content",
            on_change=_keep,
            args=(field, key),
        )
    else:
        st.selectbox(label, options, key=key, format_func=shown, on_change=_keep, args=(field, key), width=130)
    return chosen


def _keep(field: str, key: str) -> None:
    st.session_state[name(field)] = st.session_state[key]


def negative_prompt(model: VideoModel) -> str:
    """What shall not be seen; asked only where the model takes it."""
    if not model.negative_prompt:
        return ""
    text = st.text_input(
        "Negative prompt",
        key=name("negative"),
        placeholder="What should not be seen, for example: text, blur",
        max_chars=model.prompt_limit_chars,
        persist_state="session",
    )
    return text or ""


def switch(label: str, field: str, *, offered: bool, price: int) -> bool:
    """An extra with a flat price; not drawn, and off, where the model does not offer it."""
    if not offered:
        return False
    return st.toggle(f"{label} (+{wording.priced(price)})", key=name(field), persist_state="session")


def images(person: User, model: VideoModel, settings: config.Settings) -> tuple[str | None, str | None]:
    """Storage keys of the start and end image, each only where the model takes one."""
    offered = [
        (field, label)
        for field, label, takes in (
            ("start", "Start image", model.start_image),
            ("end", "End image", model.end_image),
        )
        if takes
    ]
    keys: dict[str, str | None] = {"start": None, "end": None}
    if offered:
        for column, (field, label) in zip(st.columns(2, gap="medium"), offered, strict=False):
            with column:
                keys[field] = _image(person, field, label, settings)
    return keys["start"], keys["end"]


def _image(person: User, field: str, label: str, settings: config.Settings) -> str | None:
    """One image: a place to drop it, or what was dropped with a way to take it out."""
    held: dict[str, Any] | None = st.session_state.get(name(field))
    if held is None:
        turn = st.session_state.get(f"{name(field)}_turn", 0)
        dropped = st.file_uploader(
            label,
            type=["jpg", "jpeg", "png", "webp"],
            max_upload_size=MAX_UPLOAD_BYTES // 1024**2,
            key=f"{name(field)}_file_{turn}",
            help="JPEG, PNG or WebP. Places, names and other data in the file are removed.",
        )
        if problem := st.session_state.pop(f"{name(field)}_problem", None):
            st.error(problem, icon=":material/error:")
        if dropped is not None:
            _take_in(person, field, dropped.name, dropped.getvalue(), settings)
            st.rerun()
        return None
    st.markdown(label)
    link = components.media_link(held["key"])
    st.html(
        f'<img src="{link}" alt="{label}" style="display:block;max-width:100%;height:150px;'
        'object-fit:contain;border-radius:8px">'
    )
    components.plain(str(held["title"]), small=True, lines=1)
    for note in held["notes"]:
        st.caption(note)
    if st.button("Remove", key=f"{name(field)}_remove", icon=":material/close:"):
        st.session_state[name(field)] = None
        st.rerun()
    return str(held["key"])


def _take_in(person: User, field: str, file_name: str, data: bytes, settings: config.Settings) -> None:
    """Clean and keep an uploaded image; a refusal is kept to be shown beside the field."""
    st.session_state[f"{name(field)}_turn"] = st.session_state.get(f"{name(field)}_turn", 0) + 1
    try:
        with db.session(read_only=True) as session:
            known = uploads.find(session, person, data)
        notes: tuple[str, ...] = ()
        if known is None:
            storage = storages.open_storage(settings.storage_url)
            key, image = uploads.prepare(storage, data)
            notes = image.notes
            with db.session() as session:
                known = uploads.record(
                    session,
                    person,
                    data=data,
                    file_name=file_name,
                    storage_key=key,
                    image=image,
                    quota_bytes=settings.storage_quota_bytes,
                )
    except errors.AppError as problem:
        st.session_state[f"{name(field)}_problem"] = str(problem)
        return
    title = f"{known.file_name}, {known.width} × {known.height}"
    st.session_state[name(field)] = {"key": known.storage_key, "title": title, "notes": notes}
