"""The choice of a model as one element: cards that say what each costs from, can make and takes."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from core import pricing
from core.providers import registry
from core.video import VideoModel
from pages import wording

_HERE = Path(__file__)
_element = st.components.v2.component(
    "model_picker",
    html="<fieldset><legend>Model</legend></fieldset>",
    css=_HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=_HERE.with_suffix(".js").read_text(encoding="utf-8"),
)


def show(models: Sequence[VideoModel], *, chosen: str, configured: Collection[str], key: str) -> str | None:
    """Draw the cards; the id of the model that was just picked, else None."""
    cards = [_card(model, usable=model.provider in configured) for model in models]
    picked: str | None = _element(key=key, data={"models": cards, "chosen": chosen}, on_pick_change=_nothing).pick
    return picked


def _card(model: VideoModel, *, usable: bool) -> dict[str, Any]:
    makes = f"{wording.lengths(model)} · {', '.join(model.resolutions)}"
    facts = " · ".join((makes, *wording.features(model)))
    provider = registry.provider_class(model.provider).display_name
    return {
        "id": model.id,
        "usable": usable,
        "name": model.name,
        "provider": provider if usable else f"{provider}, not configured",
        "price": f"from {wording.priced(pricing.price(model.id).base_credits)}",
        "facts": facts,
    }


def _nothing() -> None:
    """A trigger needs a callback to be offered as a result."""
