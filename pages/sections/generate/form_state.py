"""The order being written on the Generate page: what the person wished for, kept over page and model changes.

A wish stays as it was made; what a model can take of it is for `core.catalog.adaptation` to say. So nothing is lost
by looking at a model that makes less.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import streamlit as st

from core import config, db, installation
from core.catalog import in_force, offered
from core.clock import utc_now
from core.db.tables import Generation, Upload
from core.generations import frames, queries
from core.messages import Message
from core.providers.contract import MediaKind
from core.providers.models import VideoModel
from core.spec import FIELDS, IMAGE_FIELDS, MAX_SEED, MEDIA_FIELDS, GenerationSpec, Reference
from core.workspaces.access import Member
from pages.ui import wording
from pages.ui.language import _

Option = TypeVar("Option", str, int)

FIELD_WIDTH_PX, GAP_PX, BUTTON_PX, LETTER_PX = 200, 15, 24, 8
"""The narrowest place of a field, and what options side by side take of it."""

IMAGES = tuple(field.removesuffix("_key") for field in IMAGE_FIELDS)
"""Wishes that are an uploaded image: its `key`, its `title` and `notes` on it. `references` are a list of such, each
with its `role`. Every other is a setting by its name."""

_WIDGETS = frozenset({"project", "negative_prompt", "generate_audio", "enhance_prompt", "variations", "seed"})
"""Fields whose widget holds their value itself."""


def name(field: str) -> str:
    """The key of a field in the session."""
    return f"generate_{field}"


_RESTORED = name("restored")


def value(field: str) -> Any:
    """What the person wished for in a field, in this session or in the draft it took up; None before they did."""
    key = name(field)
    return st.session_state[key] if key in st.session_state else st.session_state.get(_RESTORED, {}).get(field)


def restore(wished: Mapping[str, Any]) -> None:
    """Take up what was wished for before.

    A field that is a widget begins with it and is not set to it: a browser that connects anew may send what its person
    has written since, and that counts.
    """
    st.session_state[_RESTORED] = dict(wished)
    for field, wanted in wished.items():
        is_drawn = name(field) in st.session_state
        if (is_drawn or field not in _WIDGETS) and not st.session_state.get(name(field)):
            st.session_state[name(field)] = wanted


def beginning(field: str, otherwise: Any) -> Any:
    """What the widget of a field begins with; `otherwise` once the session has its value, which counts alone."""
    found = None if name(field) in st.session_state else value(field)
    return otherwise if found is None else found


def as_held(upload: Upload, title: str | None = None, notes: Sequence[Message] = ()) -> dict[str, Any]:
    """An upload as the form holds an image, called `title`, else by its own name."""
    words = f"{title or upload.file_name}, {upload.width} × {upload.height}"
    return {"key": upload.storage_key, "title": words, "notes": notes, "size": [upload.width, upload.height]}


def clear() -> None:
    """Wish for nothing: texts, images and settings are as in a new form; project and model stay."""
    for field in ("prompt", "negative_prompt"):
        st.session_state[name(field)] = ""
    for field in ("generate_audio", "enhance_prompt"):
        st.session_state[name(field)] = False
    for field in ("resolution", "duration_seconds", "aspect_ratio", "seed", "fps", "also", "extends", *IMAGES):
        st.session_state[name(field)] = None
    st.session_state[name("references")] = None
    st.session_state[name("variations")] = 1


def forget() -> None:
    """Begin a new form, without project and model either."""
    clear()
    for field in ("project", "model_id", "stands_in"):
        st.session_state[name(field)] = None
    st.session_state[_RESTORED] = {}


def spec(model: VideoModel) -> GenerationSpec:
    """What is wished for, whether this model can make it or not; its own defaults where nothing was wished."""
    wished = {setting: chosen for setting in FIELDS if (chosen := value(setting)) is not None}
    wished |= {f"{field}_key": held["key"] for field in IMAGES if (held := value(field))}
    wished["fps"] = wished.get("fps") or None
    wished["references"] = [Reference(MediaKind.IMAGE.value, held["role"], held["key"]) for held in references()]
    otherwise: dict[str, Any] = {
        "resolution": _default(model.resolutions, "720p"),
        "duration_seconds": model.default_seconds,
        "aspect_ratio": _default(model.aspect_ratios, "16:9"),
    }
    return GenerationSpec(**otherwise | wished | {"model_id": model.id})


def references() -> list[dict[str, Any]]:
    """The images that the clip shall refer to, in their order."""
    return value("references") or []


def _default(options: Sequence[str], preferred: str) -> str:
    return preferred if preferred in options else options[0]


def load_from_url(person: Member, settings: config.Settings) -> None:
    """Fill fields from the address, once: `?project=`, `?model=`, all of a clip `?from=`, or go on from it `?extend=`.

    Raises NotFound for somebody else's clip, and as `frames.as_upload`.
    """
    wanted = dict(st.query_params)
    for word, field in (("project", "project"), ("model", "model_id")):
        if word in wanted:
            st.session_state[name(field)] = wanted[word]
            del st.query_params[word]
    for word, take in (("from", _take_settings), ("extend", _extend_from)):
        if word in wanted:
            del st.query_params[word]
            take(person, wanted[word], settings)


def _take_settings(person: Member, generation_id: str, _settings: config.Settings) -> Generation:
    with db.read_session() as session:
        row = queries.get(session, person, generation_id)
    st.session_state[name("project")] = row.project_id
    wish(row.spec)
    for field in IMAGES:
        key, title = getattr(row.spec, f"{field}_key"), _("Image of the earlier clip")
        st.session_state[name(field)] = {"key": key, "title": title, "notes": ()} if key else None
    st.session_state[name("references")] = [
        {"key": each.key, "role": each.role, "title": _("Image of the earlier clip"), "notes": ()}
        for each in row.spec.references
    ]
    st.session_state[name("extends")] = None
    st.toast(_("The settings of that clip are filled in."), icon=":material/content_copy:")
    return row


def _extend_from(person: Member, generation_id: str, settings: config.Settings) -> None:
    storage = installation.current().storage
    frame = frames.as_upload(person, generation_id, storage=storage, quota_bytes=settings.storage_quota_bytes)
    row = _take_settings(person, generation_id, settings)
    title = _("Last picture of the earlier clip")
    st.session_state[name("start_image")] = as_held(frame, title)
    st.session_state[name("end_image")] = None
    st.session_state[name("extends")] = {"id": row.id, "key": frame.storage_key, "prompt": row.prompt}


def extended() -> dict[str, str] | None:
    """The clip that is gone on from: its `id` and `prompt`; None when its last picture is not the start any more."""
    found: dict[str, str] | None = value("extends")
    start = value("start_image")
    return found if found and start and start["key"] == found["key"] else None


def stop_extending() -> None:
    """Make a clip of its own again."""
    st.session_state[name("extends")] = st.session_state[name("start_image")] = None


def wish(wished: GenerationSpec) -> None:
    """Wish for a spec; its images are left aside, since how they are shown is not in it."""
    for setting, wanted in wished.values().items():
        if setting not in MEDIA_FIELDS:
            st.session_state[name(setting)] = wanted


def apply(kept: GenerationSpec) -> None:
    """Wish for what a preset keeps; a preset without a prompt leaves the one that is written."""
    wish(kept if kept.prompt else replace(kept, prompt=value("prompt") or ""))


def keep_valid(field: str, options: Sequence[Any], default: Any) -> int:
    """Keep what was chosen where it is still on offer, else the default where that is, else the first.

    Returns the `index` of its widget: where it begins before it was drawn in this session; of no account afterwards.
    """
    wished = value(field)
    chosen = next((one for one in (wished, default) if one in options), options[0])
    if name(field) not in st.session_state:
        return list(options).index(chosen)
    if wished != chosen:
        st.session_state[name(field)] = chosen
    return 0


def fallback_model(models: Sequence[VideoModel], suggested: str) -> str:
    """The model wished for where it is on offer, else `suggested`, with a note where it stands in for another.

    In the place of one that has ended comes its successor where that is on offer.
    """
    wished = value("model_id")
    ids = [model.id for model in models]
    if wished not in ids:
        entry, why = in_force.find(wished) if wished else None, None
        stands_in = suggested
        if entry is not None:
            known, now = in_force.current(), utc_now()
            why = offered.refusal(known, entry, now)
            after = offered.successor(known, entry, now)
            stands_in = after.id if after and after.id in ids else suggested
        st.session_state[name("model_id")] = stands_in
        st.session_state[name("stands_in")] = stands_in if wished else None
        st.session_state[name("stands_in_because")] = why
    return str(value("model_id"))


def stands_in_because() -> Message | None:
    """Why the model that was wished for cannot be ordered, where that is known."""
    found: Message | None = st.session_state.get(name("stands_in_because"))
    return found


def pick(label: str, field: str, options: Sequence[Option], chosen: Option, shown: Callable[[Any], str] = str) -> None:
    """One of a model's own list: side by side where they fit into one line, else in a list.

    The choice is kept apart from its widget, because the widget changes with the number of options.
    """
    widths_px = [BUTTON_PX + LETTER_PX * len(shown(option)) for option in options]
    few = sum(widths_px) + GAP_PX * (len(options) - 1) <= FIELD_WIDTH_PX
    key = f"{name(field)}_{'few' if few else 'many'}"
    how: dict[str, Any] = {"key": key, "format_func": shown, "on_change": _keep, "args": (field, key)}
    if key not in st.session_state:
        how["index"] = list(options).index(chosen)
    elif st.session_state[key] != chosen:
        st.session_state[key] = chosen
    if few:
        shows = st.radio(label, options, horizontal=True, width="content", **how)
    else:
        shows = st.selectbox(label, options, width=130, **how)
    if shows != chosen:  # a browser that connected anew shows something else, and that counts
        st.session_state[name(field)] = shows


def _keep(field: str, key: str) -> None:
    st.session_state[name(field)] = st.session_state[key]


def seed() -> None:
    """The number that the model's chance begins with."""
    st.number_input(
        _("Seed"),
        0,
        MAX_SEED,
        beginning("seed", None),
        step=1,
        key=name("seed"),
        placeholder=_("Left to chance"),
        help=_("The same number and the same order give about the same clip again."),
        persist_state="session",
    )


def negative_prompt(model: VideoModel, *, offered: bool) -> None:
    """What shall not be seen; asked only where the model takes it, and its rules let it."""
    if model.negative_prompt and offered:
        st.text_input(
            _("Negative prompt"),
            beginning("negative_prompt", ""),
            key=name("negative_prompt"),
            placeholder=_("What should not be seen, for example: text, blur"),
            persist_state="session",
        )
        written = str(value("negative_prompt") or "")
        if len(written) > model.prompt_limit_chars:
            show_length(written, model.prompt_limit_chars)


def show_length(text: str, limit_chars: int) -> None:
    """How long a text is, in red beyond what the model takes.

    A field with a limit of its own would refuse a longer paste as a whole, and without a word.
    """
    length = _("{count} of {limit} characters").format(
        count=wording.credits(len(text)), limit=wording.credits(limit_chars)
    )
    if len(text) > limit_chars:  # small print is too faint for red to be read in it
        st.markdown(f":red[:small[{length}]]", width="content")
    else:
        st.caption(length, width="content")


def switch(label: str, field: str, *, offered: bool, price: int, help_text: str, is_forced: bool = False) -> None:
    """An extra with its price; not drawn where it is not on offer, and on for good where a rule forces it."""
    text = f"{label} (+{wording.priced(price)})"
    if is_forced:
        st.toggle(text, value=True, key=f"{name(field)}_forced", help=help_text, disabled=True)
    elif offered:
        st.toggle(text, beginning(field, False), key=name(field), help=help_text, persist_state="session")
