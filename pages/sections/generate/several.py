"""How many clips one press orders: variations of the same, and the same with further models."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import streamlit as st

from core.catalog import in_force, offered, rules
from core.clock import utc_now
from core.generations import batches
from core.providers.models import VideoModel
from core.spec import MAX_SEED, GenerationSpec
from pages.sections.generate import adjustments, form_state
from pages.ui.language import _

VARIATIONS = (1, 2, 3, 4)
OTHER_MODELS = batches.MAX_BATCH // len(VARIATIONS) - 1

_OFFERED = form_state.name("also_offered")


def variations() -> int:
    """How many of each are wished for."""
    wished = form_state.value("variations")
    return wished if wished in VARIATIONS else 1


def possible(spec: GenerationSpec, configured: Collection[str]) -> Mapping[str, rules.Adapted]:
    """Other models that can make about the same: id -> what they would make."""
    return {
        model.id: adapted
        for model in offered.models(utc_now())
        if model.id != spec.model_id and model.provider in configured and (adapted := _adapted(model, spec))
    }


def choose_models(can: Mapping[str, rules.Adapted]) -> None:
    """The list of further models; nothing where no other can make it."""
    chosen = [model_id for model_id in form_state.value("also") or () if model_id in can]
    if st.session_state.get(_OFFERED) != chosen:
        st.session_state[_OFFERED] = chosen
    if can:
        st.multiselect(
            _("Also with"),
            sorted(can, key=lambda known: bool(can[known].changes)),
            key=_OFFERED,
            max_selections=OTHER_MODELS,
            format_func=lambda known: _also_name(known, can[known]),
            placeholder=_("Other models"),
            on_change=_keep_also,
        )


def specs(spec: GenerationSpec, can: Mapping[str, rules.Adapted]) -> list[GenerationSpec]:
    """All clips of the press, the first model's first."""
    also = [can[model_id].spec for model_id in form_state.value("also") or () if model_id in can]
    return [_variation(one, place) for one in (spec, *also) for place in range(variations())]


def say_changes(spec: GenerationSpec, can: Mapping[str, rules.Adapted]) -> None:
    """What further models make of the order, which are left out, and what becomes of a seed."""
    chosen: Sequence[str] = form_state.value("also") or ()
    for model_id in chosen:
        if model_id in can:
            adjustments.show_other(in_force.model(model_id), can[model_id].changes)
    left_out = [model_id for model_id in chosen if model_id not in can and model_id != spec.model_id]
    if names := ", ".join(entry.model.name for model_id in left_out if (entry := in_force.find(model_id))):
        words = _("Left out, because they cannot make these settings: {models}.").format(models=names)
        st.caption(f":material/info: {words}")
    if spec.seed is not None and variations() > 1:
        said = _("Each variation has a seed of its own, from {first} on.").format(first=spec.seed)
        st.caption(f":material/info: {said}")


def _adapted(model: VideoModel, spec: GenerationSpec) -> rules.Adapted | None:
    """The same for another model; None where it cannot make it, or could not go on from the clip."""
    adapted = rules.adapt(spec.trimmed(), model)
    if form_state.extended() and adapted.spec.start_image_key is None:
        return None
    return None if rules.check(model, adapted.spec, prompt_required=False) else adapted


def _also_name(model_id: str, adapted: rules.Adapted) -> str:
    name = in_force.model(model_id).name
    return _("{model} (with changes)").format(model=name) if adapted.changes else name


def _variation(spec: GenerationSpec, place: int) -> GenerationSpec:
    """One of several of the same: with a seed, the next one, since the same would give the same clip again."""
    return spec if spec.seed is None else replace(spec, seed=(spec.seed + place) % (MAX_SEED + 1))


def _keep_also() -> None:
    st.session_state[form_state.name("also")] = st.session_state[_OFFERED]
