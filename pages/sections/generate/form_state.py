"""The order being written on the Generate page: what the person wished for, kept over page and model changes.

A wish stays as it was made; what a model can take of it is for `core.catalog.adaptation` to say. So nothing is lost
by looking at a model that makes less.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

import streamlit as st

from core import config, db
from core.catalog import adaptation
from core.db.tables import Generation, User
from core.files import storage as storages
from core.generations import commands, last_frame, queries
from core.generations.submit import Order
from core.projects import presets
from core.providers.contract import VideoModel
from pages.ui import wording
from pages.ui.language import _

Option = TypeVar("Option", str, int)

MAX_SEGMENTS = 6
"""Up to so many options are shown side by side."""

_FIELDS = {
    "model": "model_id",
    "prompt": "prompt",
    "negative": "negative_prompt",
    "resolution": "resolution",
    "seconds": "duration_seconds",
    "ratio": "aspect_ratio",
    "audio": "generate_audio",
    "enhance": "enhance_prompt",
}
"""Field of the form -> field of an order and of a preset."""


def name(field: str) -> str:
    """The key of a field in the session."""
    return f"generate_{field}"


def value(field: str) -> Any:
    """What the person wished for in a field; None before they did."""
    return st.session_state.get(name(field))


def order(project_id: str, model: VideoModel) -> Order:
    """What is wished for, whether this model can make it or not; its own defaults where nothing was wished."""
    start, end = value("start"), value("end")
    return Order(
        project_id=project_id,
        model_id=model.id,
        prompt=value("prompt") or "",
        resolution=value("resolution") or _default(model.resolutions, "720p"),
        duration_seconds=value("seconds") or model.default_seconds,
        aspect_ratio=value("ratio") or _default(model.aspect_ratios, "16:9"),
        negative_prompt=value("negative") or "",
        start_image_key=start["key"] if start else None,
        end_image_key=end["key"] if end else None,
        generate_audio=bool(value("audio")),
        enhance_prompt=bool(value("enhance")),
    )


def _default(options: Sequence[str], preferred: str) -> str:
    return preferred if preferred in options else options[0]


def load_from_url(person: User, settings: config.Settings) -> None:
    """Fill fields from the address, once: `?project=`, `?model=`, all of a clip `?from=`, or go on from it `?extend=`.

    Raises NotFound for somebody else's clip, and as `extension.last_frame`.
    """
    wanted = dict(st.query_params)
    for field in ("project", "model"):
        if field in wanted:
            st.session_state[name(field)] = wanted[field]
            del st.query_params[field]
    for word, take in (("from", _take_settings), ("extend", _extend_from)):
        if word in wanted:
            del st.query_params[word]
            take(person, wanted[word], settings)


def _take_settings(person: User, generation_id: str, _settings: config.Settings) -> Generation:
    with db.read_session() as session:
        row = queries.get(session, person, generation_id)
    st.session_state[name("project")] = row.project_id
    _set_values(asdict(commands.retry_order(row)))
    for field, key in (("start", row.start_image_key), ("end", row.end_image_key)):
        title = _("Image of the earlier clip")
        st.session_state[name(field)] = {"key": key, "title": title, "notes": ()} if key else None
    st.session_state[name("extends")] = None
    st.toast(_("The settings of that clip are filled in."), icon=":material/content_copy:")
    return row


def _extend_from(person: User, generation_id: str, settings: config.Settings) -> None:
    storage = storages.open_storage(settings.storage_url)
    frame = last_frame.as_upload(person, generation_id, storage=storage, quota_bytes=settings.storage_quota_bytes)
    row = _take_settings(person, generation_id, settings)
    title = _("Last picture of the earlier clip")
    st.session_state[name("start")] = {"key": frame.storage_key, "title": title, "notes": ()}
    st.session_state[name("end")] = None
    st.session_state[name("extends")] = {"id": row.id, "key": frame.storage_key, "prompt": row.prompt}


def extended() -> dict[str, str] | None:
    """The clip that is gone on from: its `id` and `prompt`; None when its last picture is not the start any more."""
    found: dict[str, str] | None = value("extends")
    start = value("start")
    return found if found and start and start["key"] == found["key"] else None


def stop_extending() -> None:
    """Make a clip of its own again."""
    st.session_state[name("extends")] = st.session_state[name("start")] = None


def apply(settings: presets.Settings) -> None:
    """Wish for what a preset keeps; a preset without a prompt leaves the one that is written."""
    values = asdict(settings)
    if not settings.prompt:
        del values["prompt"]
    _set_values(values)


def _set_values(values: dict[str, Any]) -> None:
    for field, column in _FIELDS.items():
        if column in values:
            st.session_state[name(field)] = values[column]


def keep_valid(field: str, options: Sequence[Any], default: Any) -> None:
    """Keep what was chosen where it is still on offer, else the default where that is, else the first."""
    if st.session_state.get(name(field)) not in options:
        st.session_state[name(field)] = default if default in options else options[0]


def fallback_model(model_ids: Sequence[str]) -> str:
    """The id of the model that was wished for where it is on offer, else of the first, and a note that it stands in."""
    wished = value("model")
    if wished not in model_ids:
        st.session_state[name("model")] = model_ids[0]
        st.session_state[name("stands_in")] = model_ids[0] if wished else None
    return str(value("model"))


def show_adjustments(model: VideoModel, found: Sequence[adaptation.Adjustment]) -> None:
    """Say plainly what of the wish had to change for this model."""
    if value("stands_in") == model.id:
        said = _("The requested model is unavailable; using {model}.").format(model=model.name)
        st.caption(f":material/info: {said}")
    for change in found:
        st.caption(f":material/info: {_sentence(model, change)}")


def _sentence(model: VideoModel, change: adaptation.Adjustment) -> str:
    words = {"model": model.name, "wanted": change.wanted, "given": change.given}
    if change.field == "duration_seconds":
        makes = wording.lengths(model)
        return _("{wanted} s became {given} s: {model} makes {makes} only.").format(**words, makes=makes)
    if change.field in ("resolution", "aspect_ratio"):
        offered = model.resolutions if change.field == "resolution" else model.aspect_ratios
        return _("{wanted} became {given}: {model} makes {makes} only.").format(**words, makes=", ".join(offered))
    left_out = {
        "start_image_key": _("The start image is left out: {model} takes none."),
        "end_image_key": _("The end image is left out: {model} takes none, or none without a start image."),
        "negative_prompt": _("The negative prompt is left out: {model} takes none."),
        "generate_audio": _("Sound is left out: {model} makes none."),
        "enhance_prompt": _("Prompt enhancement is left out: {model} has none."),
    }
    return left_out[change.field].format(**words)


def pick(label: str, field: str, options: Sequence[Option], chosen: Option, shown: Callable[[Any], str] = str) -> None:
    """One of a model's own list: side by side when they are few, else in a list.

    The choice is kept apart from its widget, because the widget changes with the number of options.
    """
    few = len(options) <= MAX_SEGMENTS
    key = f"{name(field)}_{'few' if few else 'many'}"
    if st.session_state.get(key) != chosen:
        st.session_state[key] = chosen
    how: dict[str, Any] = {"key": key, "format_func": shown, "on_change": _keep, "args": (field, key)}
    if few:
        st.radio(label, options, horizontal=True, width="content", **how)
    else:
        st.selectbox(label, options, width=130, **how)


def _keep(field: str, key: str) -> None:
    st.session_state[name(field)] = st.session_state[key]


def negative_prompt(model: VideoModel) -> None:
    """What shall not be seen; asked only where the model takes it."""
    if model.negative_prompt:
        st.text_input(
            _("Negative prompt"),
            key=name("negative"),
            placeholder=_("What should not be seen, for example: text, blur"),
            max_chars=model.prompt_limit_chars,
            persist_state="session",
        )


def switch(label: str, field: str, *, offered: bool, price: int, help_text: str) -> None:
    """An extra with a flat price; not drawn where the model does not offer it."""
    if offered:
        text = f"{label} (+{wording.priced(price)})"
        st.toggle(text, key=name(field), help=help_text, persist_state="session")
