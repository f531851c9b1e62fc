"""The file that somebody drops on the page: examined once, apart from this process, and kept nowhere."""

import tempfile
from pathlib import Path

import streamlit as st

from core import errors
from core.files.credentials_report import Report
from core.generations import credentials
from pages.sections.verify import report
from pages.ui import components
from pages.ui.language import _

MAX_MEGABYTES = 200
"""Several times what the largest clip takes; it lies in the memory of the server as long as it is looked at."""
_EXAMINED = "verify_examined"


def show() -> None:
    """Take a file, and say what is found in it."""
    st.markdown(
        _(
            "Drop a clip here to see where it comes from: what made it and when, who signed that, and whether it was "
            "changed since. The file is examined and not kept."
        )
    )
    dropped = st.file_uploader(
        _("File to verify"),
        # Of any name: what a file is, is told from its bytes, and a refusal here would be Streamlit's own words.
        max_upload_size=MAX_MEGABYTES,
        key="verify_file",
        label_visibility="collapsed",
    )
    if dropped is None:
        st.session_state.pop(_EXAMINED, None)
        return
    file_id, found = st.session_state.get(_EXAMINED, ("", None))
    if file_id != dropped.file_id:
        with st.spinner(_("Reading the file")):
            found = _examined(dropped.getbuffer())
        st.session_state[_EXAMINED] = dropped.file_id, found
    if isinstance(found, errors.AppError):
        components.error_box(found)
    else:
        report.show(found)


def _examined(data: memoryview) -> Report | errors.AppError | None:
    """The report, None for a file without credentials, or why it cannot be read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "dropped")
        path.write_bytes(data)
        try:
            return credentials.examine(path)
        except errors.AppError as problem:
            return problem
