"""Removes the sample company beside the pages of its person, so that no press meanwhile breaks it off.

Draws only what is asked first and that it is under way; what goes is the service's to say.
"""

import threading

import streamlit as st

from core import errors, installation
from core.sample import presence, remove
from core.workspaces.access import Member
from pages.ui import components, current_member
from pages.ui.language import _

_KEY = "sample_removing"
_LOOK_SECONDS = 1.0


class _Removing(threading.Thread):
    """One press, and what came in its way."""

    def __init__(self, actor: Member) -> None:
        super().__init__(name="sample", daemon=True)
        self._opened = installation.current()
        self._actor = actor
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            with components.outage_refuses():
                remove.remove(self._opened, self._actor)
        except Exception as failure:  # the page that follows says a refusal and raises the others
            self.failure = failure


def is_under_way() -> bool:
    """Whether it is being removed by this session, or made or removed by anybody on this machine."""
    removing = _of_session()
    return (removing is not None and removing.is_alive()) or presence.is_busy(installation.current().settings)


def button(*, disabled: bool) -> None:
    """The button, which asks first and says what goes."""
    # While it is under way another one is drawn: what was open of the first would lie over how far that is.
    key = "sample_remove_popover" if disabled else "sample_remove_popover_asks"
    with st.popover(_("Remove the sample company"), icon=":material/delete_sweep:", key=key, disabled=disabled):
        st.markdown(
            _(
                "Its twelve people, their three teams, all clips, projects and figures of these, and what you did "
                "there as one of them are gone for good. Work of your own stays."
            )
        )
        st.button(_("Remove for good"), type="primary", key="sample_remove", disabled=disabled, on_click=_begin)


def finish() -> None:
    """When it is done: be oneself again and draw anew; or say why it stays. Raises what failed, unless a refusal."""
    removing = _of_session()
    if removing is None or removing.is_alive():
        return
    del st.session_state[_KEY]
    if isinstance(removing.failure, errors.AppError):
        components.error_box(removing.failure)
        return
    if removing.failure is not None:
        raise removing.failure
    components.flash(_("The sample company is gone."))
    current_member.look_as(None)
    st.rerun()


@st.fragment(run_every=_LOOK_SECONDS)
def follow() -> None:
    """While it is under way: say so, and look now and then whether it is done."""
    if is_under_way():
        own, others = _("Removing the sample company…"), _("The sample company is just being made or removed.")
        said = others if _of_session() is None else own
        st.caption(f":material/hourglass_top: {said}")
    else:
        st.rerun()


def _begin() -> None:
    with components.error_boundary():
        removing = _of_session()
        if removing is None or not removing.is_alive():
            removing = _Removing(current_member.own_administrator())
            st.session_state[_KEY] = removing
            removing.start()


def _of_session() -> _Removing | None:
    found: _Removing | None = st.session_state.get(_KEY)
    return found
