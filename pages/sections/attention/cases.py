"""Clips of which nobody knows whether they were made: each with its evidence, and the decisions for who may decide."""

import streamlit as st

from core import db
from core.clock import utc_now
from core.db.enums import Stage
from core.db.tables import Generation
from core.generations import unresolved
from core.providers import registry
from core.workspaces.access import Charge, Member
from core.workspaces.permissions import Action
from pages.ui import components, current_member, wording
from pages.ui.language import _, translate_message


def show(person: Member, charge: Charge) -> None:
    """What may or may not exist at a provider, each with the two decisions."""
    with db.read_session() as session:
        cases = unresolved.cases_of(session, charge)
    may_decide = person.may(Action.RESOLVE_UNCERTAIN)
    if not cases and not may_decide:
        return
    st.header(_("Clips that need review"), anchor=False)
    if not cases:
        st.caption(_("None. Every clip that was sent has an answer from its provider."))
        return
    if may_decide:
        st.markdown(
            _(
                "The provider may or may not have these. Look into its own job list before you decide; "
                "nothing is sent a second time, and the credits stay reserved until then."
            )
        )
    else:
        st.markdown(
            _(
                "The provider may or may not have these. Administrators were told and decide; "
                "nothing is sent a second time, and the credits stay reserved until then."
            )
        )
    for one in cases:
        _case(one, person, may_decide=may_decide)


def _case(one: unresolved.Case, person: Member, *, may_decide: bool) -> None:
    """One unclear clip: whose it is, what is known, and the decision."""
    row = one.row
    provider = registry.provider_class(row.provider)
    is_a_member = row.workspace_id in person.roles
    with st.container(border=True, gap="xsmall", key=f"card_admin_case_{row.id}"):
        # Who runs the installation is nobody in a workspace they are not in: they see no prompt and no clip of it.
        components.plain_text(row.prompt if is_a_member else row.model_name, strong=True, lines=2)
        sent_at = row.submitted_at or row.updated_at
        components.plain_text(whose(one.person, one.project, one.workspace), small=True)
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
        with st.container(horizontal=True, vertical_alignment="center"):
            if may_decide:
                _decisions(row)
            if is_a_member:
                show_clip(row.id)


def whose(person: str, project: str, workspace: str) -> str:
    """Whose a clip is, and where."""
    return _("{person}, in the project {project} of {workspace}").format(
        person=person, project=project, workspace=workspace
    )


def show_clip(generation_id: str) -> None:
    """The way to a clip, for who is in its workspace."""
    st.page_link(
        "history.py", label=_("Show clip"), icon=":material/play_circle:", query_params={"clip": generation_id}
    )


def _decisions(row: Generation) -> None:
    with st.popover(_("Release credits"), key=f"admin_release_popover_{row.id}"):
        st.markdown(
            _("The clip fails and {credits} are returned. If it arrives after all, it is lost.").format(
                credits=wording.priced(row.credits)
            )
        )
        if st.button(_("Return the credits"), key=f"admin_release_{row.id}", type="primary"):
            components.save_and_rerun(
                lambda session: unresolved.release_hold(session, current_member.current_member(), row.id),
                done=_("The credits were returned."),
            )
    if row.stage is Stage.SUBMITTING:
        _found(row)


def _found(row: Generation) -> None:
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
                    session, current_member.current_member(), row.id, provider_job_id=wanted
                ),
                done=_("Found. The wait goes on."),
            )
