"""What of an order had to change for a model, and why, in sentences."""

from collections.abc import Sequence

import streamlit as st

from core.catalog.rules import Adjustment
from core.providers.models import VideoModel
from pages.sections.generate import form_state
from pages.ui import wording
from pages.ui.language import _, plural, translate_message


def show(model: VideoModel, changes: Sequence[Adjustment]) -> None:
    """Say plainly what of the wish had to change for this model."""
    if form_state.value("stands_in") == model.id:
        said = _("The requested model is unavailable; using {model}.").format(model=model.name)
        because = form_state.stands_in_because()
        _say(f"{translate_message(because)} {said}" if because else said)
    show_changes(model, changes)


def show_changes(model: VideoModel, changes: Sequence[Adjustment]) -> None:
    """What a model makes of an order, where that is something else than was wished for."""
    for change in changes:
        _say(_sentence(model, change))


def show_other(model: VideoModel, changes: Sequence[Adjustment]) -> None:
    """The same of a further model, whose name stands before it."""
    if changes:
        _say(f"**{model.name}**: {' '.join(_sentence(model, change) for change in changes)}")


def _say(words: str) -> None:
    st.caption(f":material/info: {words}")


def _sentence(model: VideoModel, change: Adjustment) -> str:
    """What became of one setting; a rule of the model stands in its own words, what it never makes in ours."""
    if change.reason is not None:
        return f"{what_happened(change)} {translate_message(change.reason)}"
    words = {"model": model.name, "wanted": change.wanted, "given": change.given}
    if change.field == "duration_seconds":
        makes = wording.lengths(model)
        return _("{wanted} s became {given} s: {model} makes {makes} only.").format(**words, makes=makes)
    if change.field in ("resolution", "aspect_ratio"):
        offered = model.resolutions if change.field == "resolution" else model.aspect_ratios
        return _("{wanted} became {given}: {model} makes {makes} only.").format(**words, makes=", ".join(offered))
    if change.given is not None and change.field == "fps":
        return what_happened(change)
    if change.given is not None and change.field == "references":
        return _fewer_references(model, len(change.wanted), len(change.given))
    left_out = {
        "start_image_key": _("The start image is left out: {model} takes none."),
        "end_image_key": _("The end image is left out: {model} takes none, or none without a start image."),
        "negative_prompt": _("The negative prompt is left out: {model} takes none."),
        "generate_audio": _("Sound is left out: {model} makes none."),
        "enhance_prompt": _("Prompt enhancement is left out: {model} has none."),
        "seed": _("The seed is left out: {model} takes none."),
        "fps": _("The frames a second are left out: {model} decides them."),
        "references": _("The references are left out: {model} takes none."),
    }
    return left_out[change.field].format(**words)


def _fewer_references(model: VideoModel, wanted: int, given: int) -> str:
    if wanted == given:
        return _("Some references stand for something else: {model} knows other roles.").format(model=model.name)
    words = plural("{number} reference is left out", "{number} references are left out", wanted - given)
    said = words.format(number=wanted - given)
    return _("{said}: {model} takes {limit} at most.").format(said=said, model=model.name, limit=model.reference_images)


def what_happened(change: Adjustment) -> str:
    """What became of one setting, without why."""
    words = {"wanted": change.wanted, "given": change.given}
    if change.field == "duration_seconds":
        return _("{wanted} s became {given} s.").format(**words)
    if change.field in ("resolution", "aspect_ratio"):
        return _("{wanted} became {given}.").format(**words)
    if change.field == "fps" and change.given:
        chosen = _("It is made with {given} frames a second.")
        return (_("{wanted} frames a second became {given}.") if change.wanted else chosen).format(**words)
    if change.field == "references" and change.given:
        number = len(change.wanted) - len(change.given)
        return plural("{number} reference is left out.", "{number} references are left out.", number).format(
            number=number
        )
    if change.field == "generate_audio" and change.given:
        return _("Sound is switched on.")
    if change.field == "enhance_prompt" and change.given:
        return _("Prompt enhancement is switched on.")
    return {
        "start_image_key": _("The start image is left out."),
        "end_image_key": _("The end image is left out."),
        "negative_prompt": _("The negative prompt is left out."),
        "generate_audio": _("Sound is left out."),
        "enhance_prompt": _("Prompt enhancement is left out."),
        "seed": _("The seed is left out."),
        "fps": _("The frames a second are left out."),
        "references": _("The references are left out."),
    }[change.field]
