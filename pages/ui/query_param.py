"""Ties a widget to a parameter of the address, so that a view can be reloaded, bookmarked and sent to somebody."""

from collections.abc import Collection

import streamlit as st


def one_of(param: str, options: Collection[str], default: str | None = None) -> str | None:
    """What the address says of a parameter if it is one of the options, else the default."""
    value = st.query_params.get(param)
    return value if value in options else default


def widget_key(page: str, param: str, value: str | None) -> str:
    """The key of the widget of a parameter, which is given the value that the address has."""
    key = f"{page}_{param}"
    if st.session_state.get(key) != value:
        st.session_state[key] = value
    return key


def save(page: str, param: str, default: str | None = None) -> None:
    """Write what was just chosen in a widget into the address; the default is left out of it. For `on_change`."""
    value = st.session_state[f"{page}_{param}"]
    if value and value != default:
        st.query_params[param] = value
    else:
        st.query_params.pop(param, None)
