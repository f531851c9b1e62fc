"""What an empty cell of a table means: project, model and settings, chosen once above it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from core import db, installation
from core.catalog import in_force, offered
from core.clock import utc_now
from core.db.tables import Sheet
from core.generations.sheets import kept
from core.generations.sheets.checked import Defaults
from core.providers.models import VideoModel
from core.workspaces.access import Member
from pages.sections.sheets import changing
from pages.ui import components
from pages.ui.language import _


def show(person: Member, sheet: Sheet) -> None:
    """The fields; a change is kept with the table, and every row is checked anew."""
    now = kept.defaults_of(sheet)
    with db.read_session() as session:
        names = components.project_names(session, person, archived=False, wanted=now.project_id)
    configured = installation.current().configured
    models = {model.id: model for model in offered.models(utc_now()) if model.provider in configured}
    model = in_force.find_model(now.model_id) if now.model_id else None
    said = [names.get(now.project_id or ""), model.name if model else None]
    with st.expander(
        f"{_('For empty cells')}: {components.escaped(' · '.join(filter(None, said)) or '–')}", key="sheet_defaults"
    ):
        _fields(sheet, now, names, models, model)


def _fields(
    sheet: Sheet,
    now: Defaults,
    names: Mapping[str, str],
    models: Mapping[str, VideoModel],
    model: VideoModel | None,
) -> None:
    with components.field_grid(5, min_width_px=140):
        _choice(
            sheet, "project_id", _("Project"), list(names), now.project_id, shown=lambda known: names.get(known, known)
        )
        model_ids = list(dict.fromkeys([*models, *filter(None, [now.model_id])]))
        _choice(sheet, "model_id", _("Model"), model_ids, now.model_id, shown=_model_name)
        if model is not None:
            _choice(sheet, "resolution", _("Resolution"), model.resolutions, now.resolution)
            _choice(sheet, "duration_seconds", _("Length"), model.durations, now.duration_seconds, shown=_seconds)
            _choice(sheet, "aspect_ratio", _("Aspect ratio"), model.aspect_ratios, now.aspect_ratio)
    if model is not None:
        with st.container(horizontal=True, gap="medium"):
            if model.audio:
                _switch(sheet, "generate_audio", _("Sound"), now.generate_audio)
            if model.prompt_enhancement:
                _switch(sheet, "enhance_prompt", _("Enhance the prompt"), now.enhance_prompt)


def _model_name(model_id: str) -> str:
    model = in_force.find_model(model_id)
    return model.name if model else model_id


def _seconds(seconds: int) -> str:
    return _("{number} s").format(number=seconds)


def _choice(
    sheet: Sheet, field: str, label: str, options: Sequence[Any], chosen: Any, *, shown: Callable[[Any], str] = str
) -> None:
    """A list that may be left empty; what is chosen is in it, whatever the model makes."""
    known = list(options) if chosen is None or chosen in options else [chosen, *options]
    key = f"sheet_default_{field}_{sheet.id}"
    st.session_state[key] = chosen  # what was chosen here before is kept already
    st.selectbox(
        label,
        known,
        index=None,
        key=key,
        format_func=shown,
        placeholder=_("As in the rows") if field in ("project_id", "model_id") else _("As the model does"),
        on_change=_keep,
        args=(sheet.id, field, key),
    )


def _switch(sheet: Sheet, field: str, label: str, is_on: bool) -> None:
    key = f"sheet_default_{field}_{sheet.id}"
    st.session_state[key] = is_on
    st.toggle(label, key=key, on_change=_keep, args=(sheet.id, field, key))


def _keep(sheet_id: str, field: str, key: str) -> None:
    changing.revise(sheet_id, defaults=lambda before: _changed(before, {field: st.session_state[key]}))


def _changed(before: Defaults, values: Mapping[str, Any]) -> Defaults:
    """With another model the settings that only the old one had are left to it."""
    after = replace(before, **values)
    model = in_force.find_model(after.model_id) if after.model_id else None
    if "model_id" not in values or model is None:
        return after
    return replace(
        after,
        resolution=after.resolution if after.resolution in model.resolutions else None,
        duration_seconds=after.duration_seconds if after.duration_seconds in model.durations else None,
        aspect_ratio=after.aspect_ratio if after.aspect_ratio in model.aspect_ratios else None,
        generate_audio=after.generate_audio and model.audio,
        enhance_prompt=after.enhance_prompt and model.prompt_enhancement,
    )
