"""For administrators: clips nobody knows about, the always-true checks, providers, people and their credits."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import streamlit as st

from core import audit_log, db, installation
from core.audit import runs
from core.audit_log import Act
from core.billing import ledger
from core.catalog_changes import live_lists
from core.clock import utc_now
from core.db.enums import EntryKind, Stage
from core.db.tables import Generation
from core.files.content_credentials import Unsigned
from core.generations import unresolved
from core.identity import users
from core.insights import attention, provider_status
from core.providers import registry
from pages.sections.account import provider_cards
from pages.sections.costs import dollar, drift
from pages.sections.sample import offer
from pages.ui import components, current_member, wording
from pages.ui.language import N_, _, plural, translate_message

PEOPLE_SHOWN = 25
BOOKINGS: Mapping[EntryKind, str] = {EntryKind.GRANT: N_("Grant"), EntryKind.ADJUST: N_("Correction")}


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
    with st.container(border=True, gap="xsmall", key=f"admin_case_{row.id}"):
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


def checks() -> None:
    """What the product promises, each promise as it was last checked."""
    st.header(_("What must always be true"), anchor=False)
    if st.button(_("Check now"), icon=":material/rule:", key="admin_check"):
        check_now()
    with db.read_session() as session:
        last = runs.last_run(session)
    if last is None or "rules" not in last.results:
        st.caption(_("Not checked yet. It takes a moment and changes nothing."))
        return
    number = len(last.results["rules"])
    if last.broken:
        verdict = plural("{number} rule is broken.", "{number} rules are broken.", last.broken).format(
            number=wording.credits(last.broken)
        )
    else:
        verdict = _("All {number} rules hold.").format(number=number)
    full_at = datetime.fromisoformat(last.results["full_at"])
    now = utc_now()
    st.caption(
        f"{verdict} "
        + _("Everything was checked {full}; what is new since, {recent}.").format(
            full=wording.age(full_at, now), recent=wording.age(last.at, now)
        ),
        help=_("By itself every few minutes, and everything once a day. Anybody can check: python -m core.audit"),
    )
    with st.container(border=True, gap="small"):
        for rule in last.results["rules"]:
            promise(rule, last.results["full_counts"].get(rule["rule"], 0))


def promise(rule: Mapping[str, Any], full_count: int) -> None:
    """One rule: what it promises, what is compared for it, how much was looked at, and who breaks it."""
    with st.container(horizontal=True, vertical_alignment="top", wrap=False):
        if rule["offenders"]:
            st.badge(_("Broken"), icon=":material/close:", color="red")
        else:
            st.badge(_("Holds"), icon=":material/check:", color="green")
        with st.container(gap=None):
            st.markdown(translate_message(runs.kept_message(rule, "promise")))
            looked = _("{full} checked in the last full pass, {recent} in the latest").format(
                full=wording.credits(full_count), recent=wording.credits(rule["checked"])
            )
            st.caption(f"{translate_message(runs.kept_message(rule, 'rule'))} · {looked}")
            if rule["offenders"]:
                components.plain_text(", ".join(rule["offenders"]), small=True)


def check_now() -> None:
    """Check every rule on everything and keep the result."""
    current_member.administrator()
    with st.spinner(_("Checking")):
        with db.read_session() as session:
            found = runs.run_incremental(session, full=True)
        with db.write_session() as session:
            runs.record(session, found)


def people() -> None:
    """Everybody with their balance, found by address or name, a page at a time."""
    st.header(_("People"), anchor=False)
    search = st.text_input(
        _("Search people"),
        key="admin_people_search",
        type="search",
        placeholder=_("Name or e-mail address"),
        live=True,
        max_chars=120,
        label_visibility="collapsed",
        width=320,
    )
    if st.session_state.get("admin_people_found") != search:
        st.session_state["admin_people_found"], st.session_state["admin_people_pages"] = search, [""]
    pages: list[str] = st.session_state["admin_people_pages"]
    with db.read_session() as session:
        found = users.list_all(
            session,
            current_member.administrator().user,
            search=search or "",
            after_email=pages[-1],
            limit=PEOPLE_SHOWN + 1,
        )
    if not found:
        st.caption(_("Nobody matches."))
        return
    components.table(
        [_("E-mail address"), _("Name"), _("Role"), _("Granted"), _("Available"), _("Reserved"), _("Charged")],
        [
            [
                row.email,
                row.name,
                wording.ROLE[row.role],
                wording.credits(row.granted_credits),
                wording.credits(row.available_credits),
                wording.credits(row.held_credits),
                wording.credits(row.granted_credits - row.available_credits - row.held_credits),
            ]
            for row in found[:PEOPLE_SHOWN]
        ],
        numbers=(3, 4, 5, 6),
    )
    if len(pages) > 1 or len(found) > PEOPLE_SHOWN:
        with st.container(horizontal=True, horizontal_alignment="center"):
            st.button(_("Back"), disabled=len(pages) == 1, on_click=back, args=(pages,), key="admin_people_back")
            after = found[PEOPLE_SHOWN - 1].email if len(found) > PEOPLE_SHOWN else ""
            st.button(_("Next"), disabled=not after, on_click=pages.append, args=(after,), key="admin_people_next")


def back(pages: list[str]) -> None:
    """To the page of people before."""
    pages.pop()


def grants() -> None:
    """Book credits to a person or correct their balance, once a press."""
    st.header(_("Grant or correct credits"), anchor=False)
    key = st.session_state.setdefault("admin_grant_key", str(uuid.uuid4()))
    with st.form("admin_grant", border=True):
        kind = st.radio(
            _("Kind"),
            list(BOOKINGS),
            format_func=lambda kind: _(BOOKINGS[kind]),
            horizontal=True,
            key=f"admin_grant_kind_{key}",
        )
        with st.grid(3, min_column_width=200, vertical_alignment="bottom"):
            email = st.text_input(_("E-mail address"), key=f"admin_grant_email_{key}", max_chars=254)
            credits = st.number_input(
                _("Credits"),
                min_value=-ledger.BOOKING_LIMIT_CREDITS,
                max_value=ledger.BOOKING_LIMIT_CREDITS,
                value=1000,
                step=100,
                key=f"admin_grant_credits_{key}",
                help=_("A correction may be below 0: it takes credits away."),
            )
            reason = st.text_input(_("Reason"), key=f"admin_grant_reason_{key}")
        if st.form_submit_button(_("Apply"), type="primary"):
            if not (reason or "").strip():
                st.error(_("Give a reason; it is kept in the ledger."))
                return
            book(kind or EntryKind.GRANT, email or "", int(credits or 0), (reason or "").strip(), key)


def book(kind: EntryKind, email: str, amount: int, reason: str, key: str) -> None:
    """Book it; the key makes a second press of the same form change nothing."""
    booking = ledger.adjust if kind is EntryKind.ADJUST else ledger.grant

    def transaction() -> None:
        admin = current_member.administrator()
        with db.write_session() as session:
            receiver = users.get(session, email)
            if booking(session, receiver.id, credits=amount, key=f"grant:{key}", actor=admin.email, reason=reason):
                audit_log.record(
                    session,
                    admin.user,
                    Act.CREDITS_ADJUSTED if kind is EntryKind.ADJUST else Act.CREDITS_GRANTED,
                    target=receiver.email,
                    target_id=receiver.id,
                    workspace_id=receiver.id,
                    after={"credits": amount, "reason": reason},
                )

    done = _("{credits} booked to {email}.").format(credits=wording.priced(amount), email=email)
    if components.try_action(transaction, done=done):
        del st.session_state["admin_grant_key"]
        st.rerun()


with components.error_boundary():
    current_member.administrator()
    refused_accounts()
    unsigned()
    drift.warn()
    notes_on_models()
    unclear()
    checks()
    provider_cards.show(administrator=True)
    dollar.form()
    people()
    grants()
    offer.panel(current_member.own_administrator())
