"""The credits of a workspace: what can be spent, what is reserved, and every movement with what it was for."""

import html
from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from functools import partial

import streamlit as st

from core import audit_log, db, installation
from core.billing import ledger, months
from core.billing.ledger import EFFECTS
from core.clock import utc_now
from core.db.tables import LedgerEntry
from core.usage import budgets, charge_back, charge_back_pdf, closing, export, statement
from core.usage.charge_back import ChargedTo
from core.usage.spreadsheet import Separator, SpreadsheetFormat
from core.usage.statement import ClipLine
from core.workspaces import quota
from core.workspaces.permissions import Action
from pages.sections.usage import labels
from pages.ui import catalogues, components, current_member, downloads, language, time_zone, wording
from pages.ui.language import _

PAGE_SIZE = 20
FILE_LIMIT_ROWS = 100_000
_WIDTHS = {  # names may be long and without a space: they are broken, so that what is behind them stays in sight
    0: "min-width:7rem",
    5: "min-width:9rem",
    6: "min-width:7rem;max-width:14rem;overflow-wrap:anywhere",
    7: "min-width:6rem",
    8: "min-width:9rem;overflow-wrap:anywhere",
    9: "min-width:5rem;max-width:12rem;overflow-wrap:anywhere",
}

person = current_member.current_member()


def figures(balance: ledger.Balance, used_bytes: int, budget: int | None) -> None:
    """What can be spent, what is reserved, what is kept, and the budget."""
    quota_bytes = installation.current().settings.storage_quota_bytes
    with st.grid(4, min_column_width=150):
        available = balance.available_credits
        components.figure(_("Available"), wording.credits(available), None, wording.worth(available))
        components.figure(_("Reserved"), wording.credits(balance.held_credits), None, _("for clips under way"))
        quota = _("of {size}").format(size=size(quota_bytes))
        components.figure(_("Storage used"), size(used_bytes), None, quota)
        set_to = "–" if budget is None else wording.credits(budget)
        note = _("none set") if budget is None else wording.worth(budget)
        components.figure(_("Monthly budget"), set_to, None, note)


def size(size_bytes: int) -> str:
    """A size that may be nothing at all or very large."""
    if size_bytes >= 1_000_000_000:
        return f"{wording.decimal(size_bytes / 1_000_000_000)} GB"
    return wording.size(size_bytes) if size_bytes else "0 kB"


def movements() -> None:
    """The movements of a month or of all, newest first, a page at a time, and as files."""
    st.header(_("Movements"), anchor=False)
    month = chosen_month()
    pages: list[int | None] = st.session_state.setdefault("account_pages", [None])
    if month is not None:
        of_month(month)
    if person.may(Action.SEE_ALL_USAGE):  # above the movements, whose height comes last
        charges_of_all(month)
    with db.read_session() as session:
        rows = ledger.entries(session, person.workspace_id, before_id=pages[-1], limit=PAGE_SIZE + 1, month=month)
        clips = statement.clip_lines(session, person, (row.generation_id for row in rows))
        others = statement.other_sides(session, rows)
    with st.container(horizontal=True, vertical_alignment="bottom"):  # above the table, whose height comes last
        separator = downloads.separator(key="account_separator")
        name = "credits" if month is None else f"credits-{month}"
        downloads.table(partial(as_file, month, separator), name=name, key="account")
    if rows:
        table(rows[:PAGE_SIZE], clips, others)
        pager(pages, rows[PAGE_SIZE - 1].id if len(rows) > PAGE_SIZE else None)
    else:
        st.caption(_("Nothing has moved yet.") if month is None else _("Nothing moved in this month."))


def chosen_month() -> str | None:
    """Which month is looked at; None for all of them."""
    with db.read_session() as session:
        known = statement.known_months(session, person, now=utc_now())
        closed = closing.closed_months(session)
    if not known:
        return None

    def name(month: str) -> str:
        if not month:
            return _("All months")
        said = labels.month(months.bounds(month)[0].date())
        return _("{month}, closed").format(month=said) if month in closed else said

    with st.container(width=260):
        chosen = st.selectbox(
            _("Period"), ["", *known], format_func=name, key="account_month", on_change=from_the_newest
        )
    return chosen or None


def from_the_newest() -> None:
    """Another period begins with its first page."""
    st.session_state.pop("account_pages", None)


def of_month(month: str) -> None:
    """The balance before and after a month, and what came and was charged in it."""
    with db.read_session() as session:
        found = statement.period(session, person, month)
    with st.grid(4, min_column_width=150):
        for label, balance in ((_("Balance before"), found.opening), (_("Balance after"), found.closing)):
            note = _("{credits} reserved").format(credits=wording.credits(balance.held_credits))
            components.figure(label, wording.credits(balance.available_credits), None, note)
        for label, amount in ((_("Received"), found.credited), (_("Charged"), found.charged)):
            components.figure(label, wording.credits(amount), None, wording.worth(amount))


def table(rows: Sequence[LedgerEntry], clips: Mapping[str, ClipLine], others: Mapping[int, str]) -> None:
    """Movements with what each did to the balance and for what; those of a clip lead to it.

    `others` names the workspace at the other end of a transfer, by the entry's id.
    """
    edge = "padding:6px 8px;vertical-align:top;border-bottom:1px solid rgb(128 140 140 / 22%);"
    heads = [_("When"), _("What"), _("Available"), _("Reserved"), _("Balance"), _("Why")]
    heads += [_("Project"), _("Model"), _("Prompt"), _("Person"), _("Clip")]
    edges = [edge + ("text-align:right;" if place in (2, 3, 4) else "text-align:left;") for place in range(len(heads))]
    edges = [f"{style}{_WIDTHS.get(place, 'white-space:nowrap')};" for place, style in enumerate(edges)]
    head = "".join(
        f'<th scope="col" style="{style}font-weight:500">{html.escape(name)}</th>'
        for name, style in zip(heads, edges, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="{style}">{cell}</td>' for cell, style in zip(cells(row, clips, others), edges, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    st.html(
        f'<div tabindex="0" role="region" aria-label="{html.escape(_("Movements"))}" style="overflow-x:auto">'
        '<table style="width:100%;border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def cells(row: LedgerEntry, clips: Mapping[str, ClipLine], others: Mapping[int, str]) -> list[str]:
    """A movement as HTML, a cell a column."""
    available, held = (sign * row.amount_credits for sign in EFFECTS[row.kind])
    why = language.translate_message(row.message or row.reason)
    if other := others.get(row.id):
        where = _("from {workspace}") if available > 0 else _("to {workspace}")
        why = f"{why} ({where.format(workspace=other)})"
    texts = [
        wording.moment(row.created_at, UTC),
        wording.ENTRY[row.kind],
        signed(available),
        signed(held),
        wording.credits(row.available_after),
        why,
    ]
    link = ""
    if row.generation_id:
        address = html.escape(f"history?clip={row.generation_id}{current_member.in_address()}")
        label = html.escape(_("Show clip"))
        link = f'<a href="{address}" target="_self" style="color:inherit">{label}</a>'
    clip = clips.get(row.generation_id or "")
    texts += (
        [clip.project, clip.model, clip.prompt, clip.person]
        if clip
        else ["", "", "", row.actor if "@" in row.actor else ""]
    )
    return [*(html.escape(text) for text in texts), link]


def signed(amount: int) -> str:
    """`+50`, `−50`; nothing for no change."""
    if not amount:
        return ""
    return f"{'+' if amount > 0 else '−'}{wording.credits(abs(amount))}"


def pager(pages: list[int | None], next_id: int | None) -> None:
    """Newer and Older; drawn only where there is more than one page."""
    if len(pages) == 1 and next_id is None:
        return
    with st.container(horizontal=True, horizontal_alignment="center"):
        st.button(_("Newer"), disabled=len(pages) == 1, on_click=newer, args=(pages,), key="account_newer")
        st.button(_("Older"), disabled=next_id is None, on_click=pages.append, args=(next_id,), key="account_older")


def newer(pages: list[int | None]) -> None:
    """Back to the page before."""
    pages.pop()


def charges_of_all(month: str | None) -> None:
    """What every workspace, project or cost centre is charged for a month, as files for finance."""
    if month is None:
        st.caption(_("Charge-back, what all workspaces were charged in a month, as a file: choose the month here."))
        return
    st.subheader(_("Charge-back"), anchor=False)
    st.caption(_("What all workspaces were charged in this month. Once it is closed, nothing of it changes any more."))
    names = {
        ChargedTo.WORKSPACE: _("Workspace"),
        ChargedTo.PROJECT: _("Project"),
        ChargedTo.COST_CENTRE: _("Cost centre"),
    }
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width=200):
            to = st.selectbox(
                _("A line for each"), list(names), format_func=names.__getitem__, key="account_charged_to"
            )
        separator = downloads.separator(key="account_charges_separator")
        name = f"charge-back-{month}-by-{to.replace('_', '-')}"
        downloads.table(partial(charges_as_file, month, to, separator), name=name, key="account_charges")
        as_pdf = partial(charges_as_pdf, month, to, language.current(), time_zone.own())
        downloads.pdf(as_pdf, name=name, key="account_charges")


def charges_as_file(month: str, to: ChargedTo, separator: Separator, form: SpreadsheetFormat) -> bytes:
    """The charge-back sheet; made when somebody asks for it."""
    found = current_member.require(Action.SEE_ALL_USAGE)
    pieces = charge_back.sheet(found, month, to, form, separator)
    audit_log.record_export(found.user, what="charge_back", format=form, month=month, by=to)
    return b"".join(pieces)


def charges_as_pdf(month: str, to: ChargedTo, tag: str, zone: tzinfo) -> bytes:
    """The same for people, in the language and time zone of whoever has asked."""
    found = current_member.require(Action.SEE_ALL_USAGE)
    first, _end = months.bounds(month)
    with language.using_language(tag):
        reader = charge_back_pdf.Reader(
            catalogues.writer(tag), labels.month(first.date()), wording.minute(utc_now(), zone)
        )
    pieces = charge_back_pdf.sheet(found, month, to, reader)
    audit_log.record_export(found.user, what="charge_back", format="pdf", month=month, by=to)
    return b"".join(pieces)


def as_file(month: str | None, separator: Separator, form: SpreadsheetFormat) -> bytes:
    """The newest movements of a period, up to a limit, oldest first; made when somebody asks for it."""
    found = current_member.current_member()
    details = {} if month is None else {"month": month}
    audit_log.record_export(found.user, what="credits", workspace_id=found.workspace_id, format=form, **details)
    return b"".join(export.statement(statement.of_period(found, month, newest=FILE_LIMIT_ROWS), form, separator))


with components.error_boundary():
    with db.read_session() as session:
        balance = ledger.balance(session, person.workspace_id)
        used_bytes = quota.used_bytes(session, person.workspace_id)
        budget = budgets.of_workspace(session, person)
    figures(balance, used_bytes, budget)
    movements()
