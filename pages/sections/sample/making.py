"""Makes the sample company beside the pages of its person, so that no rerun, as at the end of a clip, breaks it off."""

import threading

import streamlit as st

from core import db, errors, installation
from core.sample import make, presence
from core.workspaces.access import Member
from pages.ui import components, current_member
from pages.ui.language import _

_KEY = "sample_making"
_LOOK_SECONDS = 0.2


class _Making(threading.Thread):
    """One press: how far it is, and what came in its way. A process may end meanwhile; what is left is then seen."""

    def __init__(self, person: Member) -> None:
        super().__init__(name="sample", daemon=True)
        self._opened = installation.current()
        self._person = person
        self.share = 0.0
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            with components.outage_refuses():
                make.make(self._opened, self._person, report=self._report)
        except Exception as failure:  # the page that follows says a refusal and raises the others
            self.failure = failure

    def _report(self, share: float) -> None:
        self.share = share


def begin(person: Member) -> None:
    """Begin to make it; every page of this session then follows."""
    making = _Making(person)
    st.session_state[_KEY] = making
    making.start()
    st.rerun()


def follow() -> None:
    """While it is being made: show how far it is and wait; then look as the first of its people.

    Raises what failed, unless it is a refusal. Whatever breaks this off, the next run goes on.
    """
    making: _Making | None = st.session_state.get(_KEY)
    if making is None or isinstance(making.failure, errors.AppError):
        return  # a refusal is said where the button is
    said = _("Making the sample company; this takes some seconds.")
    bar = st.progress(making.share, said)
    while making.is_alive():
        making.join(_LOOK_SECONDS)
        bar.progress(making.share, said)
    bar.empty()
    if isinstance(making.failure, errors.AppError):
        return
    if making.failure is not None:
        del st.session_state[_KEY]
        raise making.failure
    with db.read_session() as session:
        first = presence.people(session)[0]
    current_member.look_as(first.email)
    components.flash(_("The sample company is here. You look as {name}.").format(name=first.name))
    del st.session_state[_KEY]
    st.switch_page("projects.py", query_params={current_member.LOOK_AS: first.email})


def show_refusal() -> None:
    """Why the last press made nothing, until the next one."""
    making: _Making | None = st.session_state.get(_KEY)
    if making is not None and isinstance(making.failure, errors.AppError):
        components.error_box(making.failure)
