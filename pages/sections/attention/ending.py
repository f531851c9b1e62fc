"""Models that end or have ended while they are used, each in a sentence with what helps."""

import streamlit as st

from core.catalog import in_force
from core.clock import utc_now
from core.insights.attention import Attention
from pages.ui import wording
from pages.ui.language import _


def show(found: Attention) -> None:
    """Nothing while none ends."""
    now = utc_now()
    for end in found.ending:
        model = in_force.find_model(end.model_id)
        said = (
            _("{model} has ended on {day}, and clips were made with it in the last 30 days.")
            if end.at <= now
            else _("{model} ends on {day}, and clips were made with it in the last 30 days.")
        )
        helps = _("Who uses it is told: presets and scripts that name it need another model.")
        told = said.format(model=model.name if model else end.model_id, day=wording.day(end.at))
        st.warning(f"{told} {helps}", icon=":material/event_busy:")
