"""For administrators: what waits for them, providers, people and their credits, the queue, and the standing checks."""

from collections.abc import Mapping

import streamlit as st

from core import db, installation
from core.catalog_changes import live_lists
from core.clock import utc_now
from core.files.content_credentials import Unsigned
from core.insights import provider_status
from core.insights.attention import Attention
from core.workspaces.access import Charge
from pages.sections import progress_text
from pages.sections.account import provider_cards
from pages.sections.admin import books, kept, people, standing, trust
from pages.sections.attention import cases, looked_at, queue
from pages.sections.costs import dollar, drift
from pages.ui import components, current_member, wording
from pages.ui.language import N_, _, plural, translate_message


def refused_accounts() -> None:
    """Providers that do not accept our key or account: nobody but an administrator can mend that."""
    with db.read_session() as session:
        found = [
            status
            for status in provider_status.statuses(session, installation.current().settings, known_weeks={})
            if status.account_fault is not None
        ]
    for status in found:
        st.warning(f"{provider_cards.account_fault(status)} {provider_cards.account_remedy()}", icon=":material/key:")


def unsigned(waiting: Attention) -> None:
    """Clips that were delivered without content credentials, or soon will be: why, and what helps."""
    if waiting.certificate_ends_at is not None:
        ends = _("The certificate that clips are signed with ends {when}. Clips are not signed from then on.").format(
            when=wording.moment(waiting.certificate_ends_at)
        )
        st.warning(f"{ends} {_(_KEY_FILES)}", icon=":material/gpp_maybe:")
    found = waiting.unsigned
    if found is None:
        return
    told = plural(
        "{number} clip was delivered without content credentials in the last 7 days.",
        "{number} clips were delivered without content credentials in the last 7 days.",
        found.count,
    ).format(number=wording.credits(found.count))
    last = _("The last one {age}: {reason}").format(
        age=wording.age(found.last_at, utc_now()), reason=translate_message(found.last_reason.message)
    )
    remedy = _(REMEDIES.get(found.last_reason, N_("The log of the workers says more.")))
    st.warning(f"{told} {last} {remedy}", icon=":material/gpp_maybe:")


_KEY_FILES = N_(
    "Look at CREDENTIALS_CERTIFICATE_FILE and CREDENTIALS_KEY_FILE on every machine with workers; "
    "the next clip is signed as soon as both can be used."
)
REMEDIES: Mapping[Unsigned, str] = {
    Unsigned.KEY_UNREADABLE: _KEY_FILES,
    Unsigned.KEY_MISMATCH: _KEY_FILES,
    Unsigned.CERTIFICATE_UNREADABLE: _KEY_FILES,
    Unsigned.CERTIFICATE_EXPIRED: _KEY_FILES,
    Unsigned.CERTIFICATE_NOT_YET_VALID: _KEY_FILES,
    Unsigned.NO_ROOM: N_("Make room on the disk of DATA_DIR."),
}


def notes_on_models() -> None:
    """That vendors' lists of models have told something, and where it stands."""
    with db.read_session() as session:
        number = live_lists.count_open(session)
    if number:
        words = plural(
            "Vendors' lists of models have told {number} thing that nobody has looked at.",
            "Vendors' lists of models have told {number} things that nobody has looked at.",
            number,
        )
        st.warning(words.format(number=number), icon=":material/category:")
        st.page_link("models.py", label=_("Models"), icon=":material/category:")


def needs_somebody() -> None:
    """What waits for a person."""
    person = current_member.administrator()
    charge = Charge.of_operator(person)
    found = looked_at.waiting(charge)
    standing.show(person, found)
    refused_accounts()
    unsigned(found)
    drift.warn()
    notes_on_models()
    cases.show(person, charge)


def providers() -> None:
    """How the providers stand, and what a dollar is."""
    provider_cards.show(administrator=True)
    dollar.form()


def line() -> None:
    """Whether the line moves, and what is under way for everybody."""
    person = current_member.administrator()
    st.markdown(progress_text.outage() or _("Workers answer, and the queue is there."))
    queue.show(person, Charge.of_operator(person))


def promises() -> None:
    """What always holds, and how long things are kept."""
    trust.show()
    kept.show()


with components.error_boundary():
    current_member.administrator()
    drawn = (needs_somebody, providers, people.show, line, books.show, promises)
    names = [_("Attention"), _("Providers"), _("People"), _("Queue"), _("Books"), _("Trust")]
    for tab, draw in zip(st.tabs(names, key="admin_tabs", on_change="rerun"), drawn, strict=True):
        with tab:
            if tab.open:
                draw()
