"""How each provider stands, as cards; the same for everybody, with what to do about it for administrators."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import streamlit as st

from core import db, installation
from core.catalog import offered
from core.clock import utc_now
from core.insights import provider_status
from pages.ui import wording
from pages.ui.language import N_, _, translate_message

BADGES: Mapping[str, tuple[str, Literal["green", "orange", "gray"]]] = {
    "ok": (N_("Ready"), "green"),
    "trouble": (N_("Trouble"), "orange"),
    "not_configured": (N_("Not configured"), "gray"),
}

WEEK_SECONDS = 15  # how old the figures of the week may be


@st.cache_data(ttl=WEEK_SECONDS, show_spinner=False)
def _weeks(database_url: str) -> dict[str, provider_status.ProviderWeek]:
    """The same for everybody, so asked once for all; `database_url` tells one installation's figures from another's."""
    del database_url
    with db.read_session() as session:
        return dict(provider_status.weeks(session))


def show(*, administrator: bool) -> None:
    """Every provider: configured, its key, trouble, and its week."""
    st.header(_("Providers"), anchor=False)
    settings = installation.current().settings
    weeks = _weeks(settings.database_url)
    with db.read_session() as session:
        found = provider_status.statuses(session, settings, known_weeks=weeks)
    with st.grid(min_column_width=280):
        for status in found:
            with st.container(border=True, gap="xsmall", height="stretch", key=f"card_{status.provider.name}"):
                _card(status, administrator=administrator)


def _card(status: provider_status.ProviderStatus, *, administrator: bool) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{status.provider.display_name}**", width="content")
        label, colour = BADGES[status.state]
        st.badge(_(label), color=colour)
    now = utc_now()
    models = [model for model in offered.models(now) if model.provider == status.provider.name]
    counted = wording.count(len(models), "model", "models")
    st.caption(f"{counted}: {', '.join(model.name for model in models)}")
    if status.state == provider_status.NOT_CONFIGURED:
        name = status.provider.key_variable()
        if administrator:
            st.caption(_("Set {name} and start again.").format(name=name))
        else:
            st.caption(_("It has no key here. An administrator can add one."))
        return
    if administrator and status.account_fault is not None:
        st.caption(account_fault(status))
    elif status.trouble:
        st.caption(_timed(translate_message(status.trouble), status.trouble_at))
    if administrator and status.key_works is not None:
        key = _key_words(status)
        if key:
            st.caption(key)
    st.caption(_week(status.week))


def _week(week: provider_status.ProviderWeek) -> str:
    """In flight, success and time of the last seven days."""
    parts = [_("{clips} under way").format(clips=wording.count(week.in_flight, "clip", "clips"))]
    if week.success_rate is not None:
        parts.append(_("{share} succeeded this week").format(share=wording.share(week.success_rate)))
    if week.median_seconds is not None:
        parts.append(_("usually {time}").format(time=wording.span(week.median_seconds)))
    return " · ".join(parts)


def account_fault(status: provider_status.ProviderStatus) -> str:
    """What the provider said of our key or account, and when."""
    said = _("{provider} refused an order: {reason}").format(
        provider=status.provider.display_name, reason=translate_message(status.account_fault)
    )
    return _timed(said, status.trouble_at)


def account_remedy() -> str:
    """How an account fault goes away."""
    return _("It is shown until an order is accepted or a check of the key succeeds.")


def _key_words(status: provider_status.ProviderStatus) -> str:
    """What the last check of the key said, unless an order has said otherwise since: the newest counts."""
    checked_at = status.key_checked_at
    if status.key_works:
        is_older = status.account_fault is not None and _is_after(status.trouble_at, checked_at)
        return "" if is_older else _timed(_("The key works."), checked_at)
    return _timed(_("The key was refused when last tried."), checked_at)


def _is_after(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and (other is None or one > other)


def _timed(sentence: str, at: datetime | None) -> str:
    """A sentence with its age."""
    return sentence if at is None else f"{sentence} ({wording.age(at, utc_now())})"
