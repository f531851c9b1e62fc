"""One's own settings: language, sign-in, being told, tokens, webhooks, shared links, and how the providers stand."""

import streamlit as st

from core import db
from core.identity import users
from core.version import VERSION
from core.workspaces.permissions import Action
from pages.sections.account import about_me, being_told, provider_cards, signed_in, tokens, webhooks
from pages.sections.sharing import links as share_links
from pages.ui import components, current_member, language
from pages.ui.language import _

BROWSER = "browser"

person = current_member.current_member()


def who() -> None:
    """Name, address and language."""
    st.text(" · ".join(dict.fromkeys(filter(None, (person.user.name, person.email)))))
    names = {BROWSER: _("As the browser"), **language.LANGUAGES}
    with components.field_grid(4):
        st.selectbox(
            _("Language"),
            list(names),
            index=list(names).index(person.user.language or BROWSER),
            format_func=names.__getitem__,
            key="account_language",
            on_change=choose_language,
        )


def choose_language() -> None:
    """Keep the choice; the run that follows is drawn in it."""
    chosen = st.session_state["account_language"]
    tag = None if chosen == BROWSER else chosen
    with db.write_session() as session:
        users.set_language(session, current_member.current_member().user, tag=tag)


with components.error_boundary():
    uses_webhooks = person.may(Action.USE_WEBHOOKS)
    names = [_("You"), _("Being told"), _("Tokens and webhooks") if uses_webhooks else _("Tokens"), _("Providers")]
    if person.may(Action.SHARE):
        names.append(_("Shared links"))
    own, telling, automation, providers, *shared = st.tabs(names, key="account_tabs", on_change="rerun")
    with own:
        if own.open:
            who()
            signed_in.show(person)
            about_me.show(person)
            st.caption(_("AI Video Generator {version}").format(version=VERSION))
    with telling:
        if telling.open:
            being_told.show(person)
    with automation:
        if automation.open:
            tokens.show(person)
            if uses_webhooks:
                webhooks.show(person)
    with providers:
        if providers.open:
            provider_cards.show(administrator=person.may(Action.OPERATE))
    for tab in shared:
        with tab:
            if tab.open:
                share_links.show(person)
