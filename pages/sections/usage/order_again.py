"""Ordering again what failed for the provider's fault, on the usage page: the price of all stands on the button."""

import streamlit as st

from core import db, installation
from core.generations import order_again
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.sections.usage import labels
from pages.sections.usage.choice import Choice
from pages.ui import components, idempotency, wording
from pages.ui.language import _, plural, translate_message


def show(person: Member, choice: Choice) -> None:
    """How many there are and the button, for who may order; nothing where there are none."""
    if choice.selection.everybody or not person.may(Action.ORDER):
        return
    here = installation.current()
    with db.read_session() as session:
        found = order_again.retryable(session, person, choice.selection, configured=here.configured)
    number = len(found.ids)
    if not number and not found.refused:
        return
    with st.container(border=True, key="card_usage_order_again"):
        if number:
            _offer(person, found)
        for reason, clips in found.refused.items():
            st.caption(
                _("{clips} cannot be ordered again: {reason}").format(
                    clips=labels.clips(clips), reason=translate_message(reason)
                )
            )


def _offer(person: Member, found: order_again.Retryable) -> None:
    number = len(found.ids)
    said = plural(
        "{number} clip failed for the provider's fault and was not ordered again.",
        "{number} clips failed for the provider's fault and were not ordered again.",
        number + found.more,
    ).format(number=wording.credits(number + found.more))
    more = ""
    if found.more:
        more = " " + _("The newest {number} go with one press.").format(number=wording.credits(number))
    st.markdown(f"{said}{more}")
    price = wording.priced(found.credits)
    label = _("Order {number} again for {credits}").format(number=labels.clips(number), credits=price)
    shown: tuple[tuple[str, ...], int] | None = st.session_state.get(_SHOWN)  # what the button said that was pressed
    st.session_state[_SHOWN] = (found.ids, found.credits)
    if st.button(label, icon=":material/refresh:", type="primary", key="usage_order_again"):
        ids, credits = shown or (found.ids, found.credits)
        with idempotency.request_key("order_again", ",".join(ids)) as key:
            components.save_and_rerun(
                lambda session: order_again.retry_all(
                    session,
                    person,
                    ids,
                    configured=installation.current().configured,
                    quota_bytes=installation.current().settings.storage_quota_bytes,
                    key=key,
                    shown_credits=credits,
                ),
                done=_("Ordered again, as new clips."),
            )


_SHOWN = "usage_order_again_shown"
