"""Ties a widget to a parameter of the address, so that a view can be reloaded, bookmarked and sent to somebody."""

from collections.abc import Collection
from datetime import date

import streamlit as st

from pages.ui import connection

_DRAWN = "drawn_widgets_of_parameters"
"""In which run each was drawn last."""


def one_of(param: str, options: Collection[str], default: str | None = None) -> str | None:
    """What the address says of a parameter if it is one of the options, else the default."""
    value = st.query_params.get(param)
    return value if value in options else default


def widget_key(page: str, param: str, value: str | date | None) -> str:
    """The key of the widget of a parameter, which is given the value that the address has.

    A widget that the run before did not draw is told it in any case: where that run ended early (by `st.stop`, or as
    somebody pressed on), its old value is still kept here, while the browser would begin with the first option.
    """
    key = f"{page}_{param}"
    drawn = st.session_state.setdefault(_DRAWN, {})
    if drawn.get(key, 0) < connection.run() - 1 or st.session_state.get(key) != value:
        st.session_state[key] = value
    drawn[key] = connection.run()
    return key


def save(page: str, param: str, default: str | None = None) -> None:
    """Write what was just chosen in a widget into the address; the default is left out of it. For `on_change`."""
    value = st.session_state[f"{page}_{param}"]
    if value and value != default:
        st.query_params[param] = value
    else:
        st.query_params.pop(param, None)
