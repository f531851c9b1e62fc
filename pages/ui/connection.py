"""Which browser session this is, and whether it went on from one that a server before this one has held.

Such a browser shows what it showed before: its first run here may be a press of a button, and what its fields hold is
what its person sees.
"""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

_RUNS = "runs"


def count_run() -> None:
    """Note that a run begins; the shell does it."""
    st.session_state[_RUNS] = run() + 1


def run() -> int:
    """The number of the run that is under way, from 1 on; a fragment alone is part of the run before."""
    return int(st.session_state.get(_RUNS, 0))


def is_first_run() -> bool:
    """Whether nobody has been led anywhere yet: the page is the one that was opened."""
    return run() <= 1


def session() -> str:
    """The id of this session; empty outside of one."""
    context = get_script_run_ctx()
    return context.session_id if context else ""


def session_before() -> str | None:
    """The session that this browser had when it connected: Streamlit's client names it in its handshake."""
    words = (st.context.headers.get("Sec-WebSocket-Protocol") or "").split(",")
    return words[2].strip() or None if len(words) > 2 else None


def is_first_run_of_old_page() -> bool:
    """Whether the browser shows a page that this session has not drawn yet."""
    return session_before() is not None and run() <= 1
