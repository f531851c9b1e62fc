"""For administrators: clips nobody knows about, providers, the always-true checks, and credits for people."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Literal

import streamlit as st

from core import audit, config, db, generations, ledger, provider_status, usage, users
from core.models import Generation, Stage, utc_now
from core.providers import registry
from pages import components, visitor, wording

JOB_ID_LIMIT_CHARS = 200
PROVIDER_BADGES: Mapping[str, tuple[str, Literal["green", "orange", "gray"]]] = {
    "ok": ("Ready", "green"),
    "trouble": ("Trouble", "orange"),
    "not_configured": ("Not configured", "gray"),
}


def save(action: Callable[[Any], object], *, done: str) -> None:
    """Carry out a decision in one transaction, then draw the page again."""

    def transaction() -> None:
        with db.session() as session:
            action(session)

    if components.attempt(transaction, done=done):
        st.rerun()


def uncertain() -> None:
    """What may or may not exist at a provider, each with the two decisions."""
    with db.session(read_only=True) as session:
        rows = generations.uncertain(session)
    st.header("Unclear clips", anchor=False)
    if not rows:
        st.caption("None. Every clip that was sent has an answer from its provider.")
        return
    st.markdown(
        "The provider may or may not have these. Look into its own job list before you decide; "
        "nothing is sent a second time, and the credits stay reserved until then."
    )
    for row in rows:
        case(row)


def case(row: Generation) -> None:
    """One unclear clip: what is known, and the decision."""
    provider = registry.provider_class(row.provider)
    with st.container(border=True, gap="xsmall", key=f"admin_case_{row.id}"):
        components.plain(row.prompt, strong=True, lines=2)
        sent = wording.moment(row.submitted_at or row.updated_at)
        st.caption(
            f"{row.model_name} · {provider.display_name} · {wording.priced(row.credits)} reserved · "
            f"since {sent} · {wording.STAGE[row.stage].lower()}"
        )
        components.plain(f"Our reference: {row.id}", small=True)
        components.plain(f"Provider's job id: {row.provider_job_id or 'not known'}", small=True)
        if row.error_message:
            components.plain(row.error_message, small=True)
        if row.error_detail:
            components.plain(row.error_detail, small=True, lines=4)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            with st.popover("It was never made", key=f"admin_release_popover_{row.id}"):
                st.markdown(
                    f"The clip fails and {wording.priced(row.credits)} go back. If it arrives after all, it is lost."
                )
                if st.button("Give the credits back", key=f"admin_release_{row.id}", type="primary"):
                    save(
                        lambda session: generations.resolve_release(session, visitor.administrator(), row.id),
                        done="Released.",
                    )
            if row.stage is Stage.SUBMITTING:
                found(row)


def found(row: Generation) -> None:
    """The decision that the provider has it, under a job id."""
    with st.popover("Found at the provider", key=f"admin_found_popover_{row.id}"):
        job_id = st.text_input(
            "Job id at the provider", key=f"admin_job_{row.id}", max_chars=JOB_ID_LIMIT_CHARS, autocomplete="off"
        )
        st.caption("The wait goes on with this job, and the clip is charged when it is here.")
        if st.button("Go on with this job", key=f"admin_found_{row.id}", type="primary"):
            wanted = (job_id or "").strip()
            if not wanted:
                st.error("Write the job id that the provider shows.")
                return
            save(
                lambda session: generations.resolve_found(
                    session, visitor.administrator(), row.id, provider_job_id=wanted
                ),
                done="Found. The wait goes on.",
            )


def providers() -> None:
    """How each provider stands: configured, its key, trouble, and its week."""
    st.header("Providers", anchor=False)
    with db.session(read_only=True) as session:
        found = provider_status.statuses(session, config.settings())
    with st.grid(min_column_width=250):
        for status in found:
            with st.container(border=True, gap="xsmall", height="stretch"):
                with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
                    st.markdown(f"**{status.provider.display_name}**", width="content")
                    label, colour = PROVIDER_BADGES[status.state]
                    st.badge(label, color=colour)
                models = status.provider.models
                st.caption(f"{wording.count(len(models), 'model')}: {', '.join(model.name for model in models)}")
                if status.state == provider_status.NOT_CONFIGURED:
                    st.caption(f"Set {status.provider.name.upper()}_API_KEY and start again.")
                    continue
                if status.sentence:
                    st.caption(status.sentence)
                if status.key_works is not None:
                    st.caption("The key works." if status.key_works else "The key was refused when last tried.")
                st.caption(_week(status.week))


def _week(week: usage.ProviderWeek) -> str:
    """In flight, success and time of the last seven days."""
    parts = [f"{wording.count(week.in_flight, 'clip')} in flight"]
    if week.success_rate is not None:
        parts.append(f"{week.success_rate:.0%} succeeded this week")
    if week.median_seconds is not None:
        parts.append(f"usually {wording.span(week.median_seconds)}")
    return " · ".join(parts)


def checks() -> None:
    """The rules on money and clips, as they were last checked."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.header("What must always be true", anchor=False, width="content")
        if st.button("Check now", icon=":material/rule:", key="admin_check"):
            check_now()
    with db.session(read_only=True) as session:
        last = audit.last_run(session)
    if last is None:
        st.caption("Not checked yet. It takes a moment and changes nothing.")
        return
    verdict = "All rules hold" if not last.broken else f"{wording.count(last.broken, 'rule')} broken"
    st.caption(f"{verdict}. Checked {wording.age(last.at, utc_now())}, {wording.moment(last.at)}.")
    for rule in (last.results[place] for place in sorted(last.results, key=int)):
        offenders = rule["offenders"]
        with st.container(horizontal=True, vertical_alignment="center"):
            if offenders:
                st.badge("Broken", icon=":material/close:", color="red")
            else:
                st.badge("Holds", icon=":material/check:", color="green")
            looked = wording.credits(rule["checked"])
            st.markdown(f"{rule['rule'][:1].upper()}{rule['rule'][1:]} :gray[({looked} looked at)]", width="content")
        if offenders:
            components.plain(", ".join(offenders), small=True)


def check_now() -> None:
    """Run every rule and keep the results."""
    visitor.administrator()
    with st.spinner("Checking"):
        with db.session(read_only=True) as session:
            results = audit.run(session)
        with db.session() as session:
            audit.record(session, results)


def grants() -> None:
    """Book credits to a person, once a press."""
    st.header("Grant credits", anchor=False)
    key = st.session_state.setdefault("admin_grant_key", str(uuid.uuid4()))
    with st.form("admin_grant", border=True):
        with st.grid(3, min_column_width=200, vertical_alignment="bottom"):
            email = st.text_input("E-mail address", key=f"admin_grant_email_{key}", max_chars=254)
            credits = st.number_input("Credits", min_value=1, value=1000, step=100, key=f"admin_grant_credits_{key}")
            reason = st.text_input("Reason", key=f"admin_grant_reason_{key}", max_chars=500)
        if st.form_submit_button("Grant", type="primary"):
            if not (reason or "").strip():
                st.error("Say why; it stands on the ledger.")
                return
            grant(email or "", int(credits or 0), (reason or "").strip(), key)


def grant(email: str, amount: int, reason: str, key: str) -> None:
    """Book it; the key makes a second press of the same form change nothing."""

    def transaction() -> None:
        admin = visitor.administrator()
        with db.session() as session:
            receiver = users.get(session, email)
            ledger.grant(session, receiver.id, credits=amount, key=f"grant:{key}", actor=admin.email, reason=reason)

    if components.attempt(transaction, done=f"{wording.priced(amount)} granted to {email}."):
        del st.session_state["admin_grant_key"]
        st.rerun()


with components.calm():
    visitor.administrator()
    uncertain()
    checks()
    providers()
    grants()
