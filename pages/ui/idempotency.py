"""Idempotency keys for buttons that spend: one intent, one key, however often the button is pressed in a hurry."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

REPEAT_SECONDS = 3.0
"""The same order pressed again within this time is a double click, not a second wish."""


@contextmanager
def request_key(slot: str, digest: str) -> Iterator[str]:
    """The key to submit with while the block runs; `slot` names the button, `digest` the order.

    The time counts from the end of the last press, because a second click waits while the first one is served.
    """
    name = f"intent_{slot}"
    last_digest, last_key, ended_at = st.session_state.get(name, ("", "", float("-inf")))
    repeated = last_digest == digest and time.monotonic() - ended_at < REPEAT_SECONDS
    current = last_key if repeated else f"page-{uuid.uuid4()}"
    st.session_state[name] = (digest, current, time.monotonic())
    try:
        yield current
    finally:
        st.session_state[name] = (digest, current, time.monotonic())
