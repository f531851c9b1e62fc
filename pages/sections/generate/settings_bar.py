"""The settings of the order as chips, as far as the rules of its model let them; the rarer ones as fields."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from core.billing import pricing
from core.catalog import rules
from core.providers.models import VideoModel
from core.spec import GenerationSpec
from pages.elements import order_settings
from pages.elements.order_settings import Choice
from pages.sections.generate import form_state, several
from pages.sections.generate.offer import Offer
from pages.ui import wording
from pages.ui.language import _

KEY = "generate_settings"


def show(model: VideoModel, spec: GenerationSpec, offer: Offer) -> None:
    """Draw the chips: ratio, resolution, length, sound and variations."""
    choices = [
        _of_texts("aspect_ratio", _("Aspect ratio"), "frames", offer.values("ratio", spec.aspect_ratio), spec),
        _of_texts("resolution", _("Resolution"), "menu", offer.values("resolution", spec.resolution), spec),
        Choice(
            "duration_seconds",
            _("Length"),
            "menu",
            [(s, _("{number} s").format(number=s)) for s in offer.values("seconds", spec.duration_seconds)],
            spec.duration_seconds,
        ),
        *_sound(model, spec, offer),
        Choice("variations", _("Variations"), "steps", [(n, str(n)) for n in several.VARIATIONS], several.variations()),
    ]
    order_settings.show(choices, key=KEY, on_change=_keep)


def _of_texts(field: str, label: str, kind: str, values: Sequence[str], spec: GenerationSpec) -> Choice:
    """A choice of values that say themselves."""
    return Choice(field, label, kind, [(value, value) for value in values], getattr(spec, field))


def _sound(model: VideoModel, spec: GenerationSpec, offer: Offer) -> list[Choice]:
    """The switch for sound, with its price; fixed where the model always makes some, or a rule asks for it."""
    if model.always_audio or offer.must("sound"):
        return [Choice("generate_audio", _("Sound"), "switch", [(True, "")], chosen=True)]
    if not offer.can("sound"):
        return []
    price = _("+{credits}").format(credits=wording.credits(extra_credits(spec, "generate_audio")))
    return [Choice("generate_audio", _("Sound"), "switch", [(False, ""), (True, "")], spec.generate_audio, price)]


def _keep(field: str, value: Any) -> None:
    st.session_state[form_state.name(field)] = value


def extra_credits(spec: GenerationSpec, field: str) -> int:
    """By how much a switch raises the price of this very clip."""
    states: list[dict[str, Any]] = [{field: True}, {field: False}]
    on, off = (pricing.priced(replace(spec, **state)).total_credits for state in states)
    return on - off


def rarely_needed(model: VideoModel, spec: GenerationSpec, offer: Offer, can: Mapping[str, rules.Adapted]) -> None:
    """Further models, what shall not be seen, chance, frames and the provider's rewriting."""
    several.choose_models(can)
    form_state.negative_prompt(model, offered=offer.can("negative"))
    if model.frame_rates:
        rates = offer.values("fps", spec.fps or 0)
        form_state.pick(_("Frames a second"), "fps", rates, spec.fps or 0, lambda rate: str(rate or _("Any")))
    if offer.can("seed"):
        form_state.seed()
    form_state.switch(
        _("Enhance the prompt"),
        "enhance_prompt",
        offered=offer.can("enhance"),
        price=extra_credits(spec, "enhance_prompt"),
        help_text=_("The provider's own AI rewrites the prompt before the clip is made. You do not see its text."),
        is_forced=offer.must("enhance"),
    )
    if model.always_audio:
        st.caption(":material/volume_up: " + _("{model} makes every clip with sound.").format(model=model.name))
