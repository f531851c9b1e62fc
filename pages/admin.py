"""For administrators: what waits for them, providers, people and their credits, the queue, and the standing checks."""

from collections.abc import Mapping

import streamlit as st

from core import db, installation
from core.catalog_changes import live_lists
from core.clock import utc_now
from core.db.enums import Stage
from core.db.tables import Generation
from core.files.content_credentials import Unsigned
from core.generations import unresolved
from core.insights import attention, provider_status
from core.providers import registry
from pages.sections.account import provider_cards
from pages.sections.admin import books, people, queue, standing, trust
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


def unsigned() -> None:
    """Clips that were delivered without content credentials, or soon will be: why, and what helps."""
    with db.read_session() as session:
        waiting = attention.waiting(session)
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


def unclear() -> None:
    """What may or may not exist at a provider, each with the two decisions."""
    with db.read_session() as session:
        cases = unresolved.list_cases(session, current_member.administrator())
    st.header(_("Clips that need review"), anchor=False)
    if not cases:
        st.caption(_("None. Every clip that was sent has an answer from its provider."))
        return
    st.markdown(
        _(
            "The provider may or may not have these. Look into its own job list before you decide; "
            "nothing is sent a second time, and the credits stay reserved until then."
        )
    )
    for one in cases:
        case(one)


def case(one: unresolved.Case) -> None:
    """One unclear clip: whose it is, what is known, and the decision."""
    row = one.row
    provider = registry.provider_class(row.provider)
    is_a_member = row.workspace_id in current_member.administrator().roles
    with st.container(border=True, gap="xsmall", key=f"card_admin_case_{row.id}"):
        # Who runs the installation is nobody in a workspace they are not in: they see no prompt and no clip of it.
        components.plain_text(row.prompt if is_a_member else row.model_name, strong=True, lines=2)
        sent_at = row.submitted_at or row.updated_at
        components.plain_text(
            _("{person}, in the project {project} of {workspace}").format(
                person=one.person, project=one.project, workspace=one.workspace
            ),
            small=True,
        )
        st.caption(
            " · ".join(
                (
                    row.model_name,
                    provider.display_name,
                    _("{held} reserved").format(held=wording.priced(row.credits)),
                    _("since {moment}").format(moment=wording.moment(sent_at)),
                    wording.age(sent_at, utc_now()),
                    wording.STAGE[row.stage].lower(),
                )
            )
        )
        components.plain_text(_("Our reference: {id}").format(id=row.id), small=True)
        job = row.provider_job_id or _("not known")
        components.plain_text(_("Provider's job ID: {job}").format(job=job), small=True)
        if row.error_message:
            components.plain_text(translate_message(row.error or row.error_message), small=True)
        if row.error_detail:
            components.plain_text(row.error_detail, small=True, lines=4)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            with st.popover(_("Release credits"), key=f"admin_release_popover_{row.id}"):
                st.markdown(
                    _("The clip fails and {credits} are returned. If it arrives after all, it is lost.").format(
                        credits=wording.priced(row.credits)
                    )
                )
                if st.button(_("Return the credits"), key=f"admin_release_{row.id}", type="primary"):
                    components.save_and_rerun(
                        lambda session: unresolved.release_hold(session, current_member.administrator(), row.id),
                        done=_("The credits were returned."),
                    )
            if row.stage is Stage.SUBMITTING:
                found(row)
            if is_a_member:
                st.page_link(
                    "history.py", label=_("Show clip"), icon=":material/play_circle:", query_params={"clip": row.id}
                )


def found(row: Generation) -> None:
    """The decision that the provider has it, under a job id."""
    with st.popover(_("Found at the provider"), key=f"admin_found_popover_{row.id}"):
        job_id = st.text_input(
            _("Job ID at the provider"),
            key=f"admin_job_{row.id}",
            autocomplete="off",
        )
        st.caption(_("The wait goes on with this job, and the clip is charged when it is here."))
        if st.button(_("Go on with this job"), key=f"admin_found_{row.id}", type="primary"):
            wanted = (job_id or "").strip()
            if not wanted:
                st.error(_("Write the job ID that the provider shows."))
                return
            components.save_and_rerun(
                lambda session: unresolved.resolve_with_job(
                    session, current_member.administrator(), row.id, provider_job_id=wanted
                ),
                done=_("Found. The wait goes on."),
            )


def needs_somebody() -> None:
    """What waits for a person."""
    standing.show()
    refused_accounts()
    unsigned()
    drift.warn()
    notes_on_models()
    unclear()


def providers() -> None:
    """How the providers stand, and what a dollar is."""
    provider_cards.show(administrator=True)
    dollar.form()


with components.error_boundary():
    current_member.administrator()
    drawn = (needs_somebody, providers, people.show, queue.show, books.show, trust.show)
    names = [_("Attention"), _("Providers"), _("People"), _("Queue"), _("Books"), _("Trust")]
    for tab, draw in zip(st.tabs(names, key="admin_tabs", on_change="rerun"), drawn, strict=True):
        with tab:
            if tab.open:
                draw()
