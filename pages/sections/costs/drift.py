"""Says which prices of providers are old: where clips were reported to cost something else several times running."""

import streamlit as st

from core import db
from core.catalog import in_force
from core.insights import cost_drift
from pages.ui import wording
from pages.ui.language import _


def warn() -> None:
    """A line a model, for administrators and analysts; nothing where estimates are near."""
    with db.read_session() as session:
        found = cost_drift.old_prices(session)
    for row in found:
        entry = in_force.find(row.model_id)
        st.warning(
            _(
                "The provider's price of {model} in the catalogue is old: the newest {number} clips were reported to "
                "cost something else, the last one {share} of its estimate. Estimates are off until it is put right."
            ).format(
                model=entry.model.name if entry else row.model_id,
                number=wording.credits(row.off_in_a_row),
                share=wording.share(row.newest_percent / 100),
            ),
            icon=":material/price_change:",
        )
