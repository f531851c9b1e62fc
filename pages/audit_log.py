"""For administrators: every administrative act, newest first, with filters that stand in the address, and as a file."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

import streamlit as st

from core import audit_log, db, ids, installation
from core.audit import log_entries, log_export
from core.audit.log_entries import LogQuery, Place
from core.usage.spreadsheet import SpreadsheetFormat
from core.workspaces.permissions import Action
from pages.sections.audit_log import table
from pages.ui import components, current_member, downloads, query_param, wording
from pages.ui.language import N_, _, plural
from pages.ui.wording import TranslatedLabels

PAGE = "audit_log"
PAGE_SIZE = 50
FILE_LIMIT_ENTRIES = 100_000
TEXT_LIMIT_CHARS = 200

KINDS = TranslatedLabels(
    {
        "sign_in": N_("Sign-in"),
        "identity": N_("Identities"),
        "person": N_("People"),
        "workspace": N_("Workspaces"),
        "member": N_("Members"),
        "invitation": N_("Invitations"),
        "credits": N_("Credits"),
        "period": N_("Closed months"),
        "statement": N_("Vendors' statements"),
        "exchange_rate": N_("The dollar"),
        "budget": N_("Budgets"),
        "approval": N_("Approvals"),
        "token": N_("API tokens"),
        "webhook": N_("Webhooks"),
        "project": N_("Projects"),
        "clip": N_("Clips"),
        "asset": N_("Assets"),
        "asset_group": N_("Named groups of assets"),
        "uncertain": N_("Clips that need review"),
        "preset": N_("Presets"),
        "model": N_("Models"),
        "model_note": N_("Notes on models"),
        "share_link": N_("Links for people outside"),
        "export": N_("Exports"),
        "sample": N_("Sample company"),
        "audit_log": N_("The log itself"),
    }
)
BASIC = ("text", "kind", "from", "to")
FURTHER = ("of", "who", "target")
# `of` is the workspace that entries are of; `workspace` in the address is where the person is at work.


def asked(param: str) -> str:
    """A text that the address asks for."""
    return st.query_params.get(param, "")[:TEXT_LIMIT_CHARS].strip()


def asked_day(param: str) -> date | None:
    """A day (UTC) that the address asks for; None without one."""
    try:
        return date.fromisoformat(st.query_params.get(param, ""))
    except ValueError:
        return None


def clear_filters() -> None:
    """Show everything again."""
    for param in (*BASIC, *FURTHER):
        st.query_params.pop(param, None)


def save_day(param: str) -> None:
    """Write a day that was just chosen into the address."""
    chosen = st.session_state[f"{PAGE}_{param}"]
    if chosen is None:
        st.query_params.pop(param, None)
    else:
        st.query_params[param] = chosen.isoformat()


def text_field(param: str, label: str, placeholder: str) -> None:
    """Draw one text of a filter."""
    st.text_input(
        label,
        key=query_param.widget_key(PAGE, param, asked(param)),
        type="search",
        placeholder=placeholder,
        max_chars=TEXT_LIMIT_CHARS,
        on_change=query_param.save,
        args=(PAGE, param),
    )


def choice(param: str, label: str, everything: str, options: Mapping[str, str]) -> None:
    """Draw one list of a filter."""
    st.selectbox(
        label,
        list(options),
        index=None,
        key=query_param.widget_key(PAGE, param, query_param.one_of(param, options)),
        format_func=options.__getitem__,
        placeholder=everything,
        on_change=query_param.save,
        args=(PAGE, param),
    )


def day_field(param: str, label: str) -> None:
    """Draw one day of a filter."""
    key = query_param.widget_key(PAGE, param, asked_day(param))
    st.date_input(label, value=None, key=key, format="YYYY-MM-DD", on_change=save_day, args=(param,))


def filters() -> LogQuery:
    """Draw the filters; what the address says."""
    with db.read_session() as session:
        workspaces = log_entries.workspace_names(session, current_member.require(Action.READ_AUDIT_LOG))
    of = asked("of")
    if ids.is_id(of):
        workspaces.setdefault(of, of)
    with components.field_grid(5):
        text_field("text", _("Who or on what"), _("Search"))
        choice("kind", _("Kind of act"), _("Every act"), KINDS)
        day_field("from", _("From"))
        day_field("to", _("To"))
        is_set = any(param in st.query_params for param in (*BASIC, *FURTHER))
        st.button(_("Clear filters"), key=f"{PAGE}_clear", disabled=not is_set, on_click=clear_filters)
    st.session_state.setdefault(f"{PAGE}_more", any(param in st.query_params for param in FURTHER))
    with st.expander(_("More filters"), key=f"{PAGE}_more", on_change="rerun") as more:
        if more.open:
            with components.field_grid(3):
                choice("of", _("Workspace"), _("All workspaces"), workspaces)
                text_field("who", _("Who, exactly"), _("E-mail address or ID"))
                text_field("target", _("ID of what"), _("As the details show it"))
    return LogQuery(
        actor=asked("who"),
        noun=query_param.one_of("kind", KINDS) or "",
        workspace_id=query_param.one_of("of", workspaces) or "",
        target_id=asked("target"),
        text=asked("text"),
        since=_midnight(asked_day("from")),
        until=_midnight(asked_day("to"), days_later=1),
    )


def _midnight(day: date | None, *, days_later: int = 0) -> datetime | None:
    """The beginning of a day (UTC), or of a day after it; None for no day, and beyond the end of the calendar."""
    if day is None or day.toordinal() + days_later > date.max.toordinal():
        return None
    return datetime.combine(day + timedelta(days=days_later), time(), UTC)


def places(chosen: LogQuery) -> list[Place | None]:
    """Behind what each page up to the present one begins; begins anew when the filters change."""
    if st.session_state.get(f"{PAGE}_filter") != chosen:
        st.session_state[f"{PAGE}_filter"] = chosen
        st.session_state[f"{PAGE}_places"] = [None]
    found: list[Place | None] = st.session_state[f"{PAGE}_places"]
    return found


def entries(chosen: LogQuery) -> None:
    """One page of entries, and the way to the others."""
    pages = places(chosen)
    with db.read_session() as session:
        member = current_member.require(Action.READ_AUDIT_LOG)
        found = log_entries.page(session, member, chosen, behind=pages[-1], limit=PAGE_SIZE + 1)
    lines = found[:PAGE_SIZE]
    if not lines:
        nothing(chosen)
        return
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(kept_for())
        downloads.table(lambda form: as_file(chosen, form), name="audit-log", key=PAGE)
    table.show(lines)
    pager(pages, lines[-1].place if len(found) > PAGE_SIZE else None)


def pager(pages: list[Place | None], after: Place | None) -> None:
    """To newer entries and to older ones; drawn only where there is more than one page."""
    if len(pages) == 1 and after is None:
        return
    with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
        st.button(
            _("Newer"),
            icon=":material/chevron_left:",
            disabled=len(pages) == 1,
            on_click=newer,
            args=(pages,),
            key=f"{PAGE}_newer",
        )
        st.markdown(_("Page {number}").format(number=len(pages)), width="content")
        st.button(
            _("Older"),
            icon=":material/chevron_right:",
            icon_position="right",
            disabled=after is None,
            on_click=pages.append,
            args=(after,),
            key=f"{PAGE}_older",
        )


def newer(pages: list[Place | None]) -> None:
    """Back to the page before."""
    pages.pop()


def kept_for() -> str:
    """How long entries stay."""
    days = installation.current().settings.audit_log_days
    if not days:
        return _("Entries are never changed, and kept for ever.")
    said = plural(
        "Entries are never changed, and kept for {number} day.",
        "Entries are never changed, and kept for {number} days.",
        days,
    )
    return said.format(number=wording.credits(days))


def as_file(chosen: LogQuery, form: SpreadsheetFormat) -> bytes:
    """The newest entries that fit, up to a limit; made when somebody asks for it, which is written down, too."""
    member = current_member.require(Action.READ_AUDIT_LOG)
    audit_log.record_export(member.user, what="audit_log", format=form)
    return b"".join(log_export.spreadsheet(member, chosen, form, limit=FILE_LIMIT_ENTRIES))


def nothing(chosen: LogQuery) -> None:
    """Why the table is empty, and the way out."""
    if chosen == LogQuery():
        text = _("Sign-ins, roles, credits, tokens, deletions and exports are written down here as they happen.")
        components.empty_state(_("Nothing was administered yet"), text, icon="policy")
        return
    components.empty_state(_("Nothing matches"), _("No act fits these filters."), icon="filter_alt_off")
    with st.container(horizontal_alignment="center"):
        st.button(_("Show all acts"), key=f"{PAGE}_show_all", on_click=clear_filters)


with components.error_boundary():
    current_member.require(Action.READ_AUDIT_LOG)
    entries(filters())
