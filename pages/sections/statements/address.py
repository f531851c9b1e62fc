"""Which statement and which of its lines are shown, in the address of the page."""

import streamlit as st

STATEMENT = "statement"


def go_to(statement_id: str | None) -> None:
    """Show another statement from the next drawing on."""
    st.session_state.pop("usage_outcome", None)
    st.query_params.pop("outcome", None)
    if statement_id is None:
        st.query_params.pop(STATEMENT, None)
    else:
        st.query_params[STATEMENT] = statement_id


def of_page() -> str | None:
    """The statement that the address names."""
    return st.query_params.get(STATEMENT)
