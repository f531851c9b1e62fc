"""What the product promises, each promise as it was last checked."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import streamlit as st

from core import db
from core.audit import runs, slices
from core.clock import utc_now
from pages.ui import components, current_member, wording
from pages.ui.language import _, plural, translate_message


def show() -> None:
    """What the product promises, each promise as it was last checked."""
    st.header(_("What must always be true"), anchor=False)
    if st.button(_("Check now"), icon=":material/rule:", key="admin_check"):
        _check_now()
    with db.read_session() as session:
        last = runs.last_run(session)
    if last is None or "rules" not in last.results:
        st.caption(_("Not checked yet. It takes a moment and changes nothing."))
        return
    number = len(last.results["rules"])
    clips = max(last.results["full_counts"].values(), default=0)
    now, full_at = utc_now(), datetime.fromisoformat(last.results["full_at"])
    if last.broken:
        verdict = plural("{number} rule is broken.", "{number} rules are broken.", last.broken).format(
            number=wording.credits(last.broken)
        )
        st.error(verdict, icon=":material/gpp_bad:")
    elif not clips:
        st.markdown(_("Nothing is there to be checked yet."))
    else:
        held = _("{number} of {number} rules hold, {count} entries checked {age}.").format(
            number=wording.credits(number), count=wording.credits(clips), age=wording.age(full_at, now)
        )
        st.markdown(f":material/verified_user: {held}")
    st.caption(
        _("What is new since was checked {recent}.").format(recent=wording.age(last.at, now)),
        help=_("By itself every few minutes, and everything once a day. Anybody can check: python -m core.audit"),
    )
    with st.expander(_("Every rule"), expanded=bool(last.broken), key="admin_rules"):
        for rule in last.results["rules"]:
            _promise(rule, last.results["full_counts"].get(rule["rule"], 0))


def _promise(rule: Mapping[str, Any], full_count: int) -> None:
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


def _check_now() -> None:
    """Check every rule on everything and keep the result."""
    current_member.administrator()
    with st.spinner(_("Checking")):
        found = slices.everything(db.default())
        with db.write_session() as session:
            runs.record(session, found)
