"""The tokens section of the account page: make one (its secret is shown this once), see their use, revoke them."""

from collections.abc import Mapping
from datetime import timedelta

import streamlit as st

from core import config, db, errors, installation
from core.clock import utc_now
from core.db.enums import Scope
from core.db.tables import ApiToken
from core.identity import api_tokens
from core.workspaces import choices
from core.workspaces.access import Member
from pages.sections.team import own
from pages.ui import components, links, wording
from pages.ui.language import N_, _

SCOPES: Mapping[Scope, str] = {
    Scope.READ: N_("Read: look at projects, clips and figures"),
    Scope.GENERATE: N_("Generate: also order, change and delete"),
    Scope.ADMIN: N_("Manage: also tokens and webhooks"),
}
SCOPE_NAMES: Mapping[Scope, str] = {Scope.READ: N_("Read"), Scope.GENERATE: N_("Generate"), Scope.ADMIN: N_("Manage")}
DAYS: Mapping[int | None, str] = {
    30: N_("30 days"),
    90: N_("90 days"),
    365: N_("One year"),
    None: N_("Until it is revoked"),
}
DOCS_PATH = f"{config.API_PATH}/docs"
_FORM = "account_token_form"
_SECRET = "account_token_secret"  # noqa: S105 -- where the session keeps it, not a secret


def show(person: Member) -> None:
    """Draw the section for this person."""
    st.header(_("API tokens"), anchor=False)
    st.markdown(
        _(
            "A script signs in with a token. What the API can do, with examples to copy: [API documentation]({link})."
        ).format(link=links.from_page(DOCS_PATH))
    )
    _secret()
    with db.read_session() as session:
        known = api_tokens.list_for_user(session, person.user)
        names = {choice.id: own.label(choice) for choice in choices.list_choices(session, person)}
    if not known:
        st.caption(_("You have no tokens."))
    for token in known:
        _row(person, token, names)
    _form(person, names)


def _secret() -> None:
    """The token just made, until it was put away."""
    secret = st.session_state.get(_SECRET)
    if secret is None:
        return
    with st.container(border=True, key="card_account_token_made"):
        st.markdown(_("**Your new token.** Copy it now: it is not shown again."))
        st.code(secret, language=None)
        if st.button(_("I have copied it"), key="account_token_copied", type="primary"):
            del st.session_state[_SECRET]
            st.rerun()


def _row(person: Member, token: ApiToken, names: Mapping[str, str]) -> None:
    """One token and the button that ends it."""
    with st.container(border=True, gap="xsmall", key=f"card_account_token_{token.id}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            components.plain_text(token.name, strong=True)
            st.badge(_(SCOPE_NAMES[token.scope]), color="gray")
            if token.expires_at is not None and token.expires_at <= db.clock().now():
                st.badge(_("Expired"), color="orange")
            with st.popover(_("Revoke"), key=f"account_token_popover_{token.id}"):
                st.markdown(_("Scripts that use this token stop working at once."))
                if st.button(_("Revoke this token"), key=f"account_token_revoke_{token.id}", type="primary"):
                    _revoke(person, token.id)
        components.plain_text(" · ".join([f"{token.prefix}…", *_facts(token, names)]), small=True)


def _facts(token: ApiToken, names: Mapping[str, str]) -> list[str]:
    """Where it works and what it may still order, when it was made and last used, and how long it is valid."""
    used = token.last_used_at
    end = token.expires_at
    reach = []
    if token.workspace_id is not None:
        reach.append(_("in {workspace}").format(workspace=names.get(token.workspace_id, token.workspace_id)))
    if token.cap_credits is not None:
        spent, cap = wording.credits(token.spent_credits), wording.priced(token.cap_credits)
        reach.append(_("{spent} of {cap} ordered").format(spent=spent, cap=cap))
    return [
        *reach,
        _("made {day}").format(day=wording.day(token.created_at)),
        _("last used {age}").format(age=wording.age(used, utc_now())) if used else _("never used"),
        _("valid until {day}").format(day=wording.day(end)) if end else _("valid until it is revoked"),
    ]


def _form(person: Member, names: Mapping[str, str]) -> None:
    """What a new token needs."""
    number = st.session_state.setdefault(_FORM, 0)
    with st.form(f"account_token_new_{number}", border=True):
        st.markdown(_("**New token**"))
        with st.grid(3, min_column_width=200, vertical_alignment="bottom"):
            name = st.text_input(
                _("What it is for"),
                key=f"account_token_name_{number}",
                autocomplete="off",
            )
            scope = st.selectbox(
                _("What it may do"),
                list(SCOPES),
                index=1,
                format_func=lambda scope: _(SCOPES[scope]),
                key=f"account_token_scope_{number}",
            )
            days = st.selectbox(
                _("How long it is valid"),
                list(DAYS),
                index=1,
                format_func=lambda days: _(DAYS[days]),
                key=f"account_token_days_{number}",
            )
            workspace_id = None
            if len(names) > 1:
                workspace_id = st.selectbox(
                    _("Where it works"),
                    [None, *names],
                    format_func=lambda each: _("In all my workspaces") if each is None else names[each],
                    key=f"account_token_workspace_{number}",
                )
            cap = st.number_input(
                _("At most so many credits"),
                min_value=1,
                max_value=api_tokens.CAP_LIMIT_CREDITS,
                value=None,
                step=100,
                placeholder=_("No cap"),
                key=f"account_token_cap_{number}",
                help=_("Orders beyond it are refused. What is given back counts as not ordered."),
            )
        if st.form_submit_button(_("Make a token"), type="primary"):
            _make(person, name or "", scope, days, workspace_id=workspace_id, cap_credits=cap)


def _make(
    person: Member,
    name: str,
    scope: Scope,
    days: int | None,
    *,
    workspace_id: str | None,
    cap_credits: int | None,
) -> None:
    """Make it and keep its secret for the next drawing of the page."""

    end = None if days is None else db.clock().now() + timedelta(days=days)
    try:
        with db.write_session() as session:
            secret = api_tokens.create(
                session,
                person.user,
                name=name,
                scope=scope,
                expires_at=end,
                workspace_id=workspace_id,
                cap_credits=cap_credits,
            )
    except errors.AppError as problem:
        components.error_box(problem)
        return
    st.session_state[_SECRET] = secret
    st.session_state[_FORM] += 1  # the next form is an empty one
    st.rerun()


def _revoke(person: Member, token_id: str) -> None:
    """End it; the same press again finds nothing to end."""

    def forget() -> None:
        st.session_state.pop(_SECRET, None)

    components.save_and_rerun(
        lambda session: api_tokens.revoke(session, person.user, token_id, cache=installation.current().callers),
        done=_("The token is revoked."),
        then=forget,
    )
