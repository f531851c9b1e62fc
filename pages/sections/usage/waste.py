"""Failures and waste, on the usage page: what failed, was cancelled, rejected or never opened, by why and whose."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import partial

import streamlit as st

from core import audit_log, db, installation
from core.db.enums import RejectReason
from core.usage import waste, waste_file
from core.usage.reports import Group
from core.usage.spreadsheet import Separator, SpreadsheetFormat
from core.usage.waste import Outcome, Waste, WasteGroup, WasteRow
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.elements import sorted_table
from pages.elements.sorted_table import Cell, Column
from pages.sections.clip import marks
from pages.sections.history import filters
from pages.sections.usage import labels, order_again, reasons
from pages.sections.usage.choice import Choice
from pages.ui import components, current_member, downloads, query_param, wording
from pages.ui.language import N_, _
from pages.ui.wording import TranslatedLabels

GROUPS = TranslatedLabels(
    {
        WasteGroup.REASON: N_("By reason"),
        WasteGroup.MODEL: N_("By model"),
        WasteGroup.PROVIDER: N_("By provider"),
        WasteGroup.USER: N_("By person"),
        WasteGroup.WEEK: N_("By week"),
    }
)
FIRST: Mapping[WasteGroup, str] = {
    WasteGroup.REASON: N_("Reason"),
    WasteGroup.MODEL: N_("Model"),
    WasteGroup.PROVIDER: N_("Provider"),
    WasteGroup.USER: N_("Person"),
    WasteGroup.WEEK: N_("Week"),
}


def show(person: Member, choice: Choice) -> None:
    """The sums, the same by one thing, and what can be ordered again."""
    st.header(_("Failures and waste"), anchor=False)
    chosen, sees_costs = choice.selection, person.may(Action.SEE_ALL_USAGE)
    with db.read_session() as session:
        kept = installation.current().usage
        total = waste.add_up(kept.waste(session, person, chosen))
    if total == Waste():
        components.empty_state(
            _("Nothing was in vain"),
            _("No clip that ended in this period failed, was cancelled, rejected or never opened."),
            icon="check_circle",
        )
        return
    _sums(total, sees_costs=sees_costs)
    order_again.show(person, choice)
    group = WasteGroup(_group())
    with db.read_session() as session:
        rows = kept.waste(session, person, chosen, [group])
        unopened_before = waste.unopened_before(session).date()
    _table(rows, group, partial(_address, choice, unopened_before), sees_costs=sees_costs)
    downloads.figures(partial(_file, choice, group), name="usage-waste", key="usage_waste")
    st.caption(
        _(
            "Credits came back for what failed or was cancelled. Minutes lost run from the order to the failure. At "
            "risk is what providers may have taken for jobs that they had accepted and that gave no clip, by their "
            "prices."
        )
        if sees_costs
        else _("Credits came back for what failed or was cancelled. Minutes lost run from the order to the failure.")
    )
    st.caption(
        _(
            "A clip counts as never opened when nobody has played, downloaded or judged it {days} days after the day "
            "it was delivered. Clips from before this was noted are not counted."
        ).format(days=waste.UNOPENED_AFTER_DAYS)
    )


def _sums(total: Waste, *, sees_costs: bool) -> None:
    figures = [
        (
            _("Credits returned"),
            wording.credits(total.returned_credits),
            _("{failed} failed, {cancelled} cancelled").format(
                failed=wording.credits(total.failed), cancelled=wording.credits(total.cancelled)
            ),
        ),
        (_("Minutes lost"), _minutes(total.lost_seconds), _("waiting for clips that failed")),
        (
            _("Spent on rejected clips"),
            wording.credits(total.rejected_credits),
            labels.clips(total.rejected),
        ),
        (
            _("Spent on never opened clips"),
            wording.credits(total.unopened_credits),
            labels.clips(total.unopened),
        ),
    ]
    if sees_costs:
        figures.append(
            (
                _("Provider cost at risk"),
                wording.rupiah(total.at_risk_idr),
                _("and {cost} paid for nothing").format(cost=wording.rupiah(total.paid_idr)),
            )
        )
    with st.container(border=True, key="card_usage_waste"), st.grid(len(figures), min_column_width=150, gap="small"):
        for label, value, note in figures:
            components.bare_figure(label, value, None, note)


def _group() -> str:
    options = [group.value for group in GROUPS]
    default = WasteGroup.REASON.value
    return components.segmented(
        _("Added up"),
        options,
        names=lambda value: GROUPS[WasteGroup(value)],
        key=query_param.widget_key("usage", "waste", query_param.one_of("waste", options, default)),
        on_change=query_param.save,
        args=("usage", "waste", default),
        label_visibility="collapsed",
    )


Address = Callable[[WasteRow, Outcome], str | None]


def _table(rows: Sequence[WasteRow], group: WasteGroup, address: Address, *, sees_costs: bool) -> None:
    leads = _("Shows these clips")
    heads = [
        (_("Failed"), leads),
        (_("Cancelled"), leads),
        (_("Credits returned"), ""),
        (_("Minutes lost"), _("From the order of what failed to its end")),
        (_("Rejected"), leads),
        (_("Spent on rejected"), _("Credits")),
        (_("Never opened"), leads),
        (_("Spent on never opened"), _("Credits")),
    ]
    if sees_costs:
        heads += [(_("At risk, Rp"), ""), (_("Paid for nothing, Rp"), "")]
    columns = [Column(_(FIRST[group])), *(Column(head, is_number=True, explained=told) for head, told in heads)]
    sorted_table.show(
        columns,
        [_line(row, group, partial(address, row), sees_costs=sees_costs) for row in rows],
        key=f"usage_waste_{group.value}",
        name=_(GROUPS[group]),
    )


def _line(
    row: WasteRow, group: WasteGroup, address: Callable[[Outcome], str | None], *, sees_costs: bool
) -> list[Cell | str]:
    found = row.figures
    name = _name(row, group)
    line: list[Cell | str] = [
        Cell(name, row.keys["week"]) if group is WasteGroup.WEEK else name,
        _count(found.failed, address, Outcome.FAILED),
        _count(found.cancelled, address, Outcome.CANCELLED),
        Cell(wording.credits(found.returned_credits), found.returned_credits),
        Cell(_minutes(found.lost_seconds), found.lost_seconds),
        _count(found.rejected, address, Outcome.REJECTED),
        Cell(wording.credits(found.rejected_credits), found.rejected_credits),
        _count(found.unopened, address, Outcome.UNOPENED),
        Cell(wording.credits(found.unopened_credits), found.unopened_credits),
    ]
    if sees_costs:
        line += [Cell(wording.credits(idr), idr) for idr in (found.at_risk_idr, found.paid_idr)]
    return line


def _count(clips: int, address: Callable[[Outcome], str | None], outcome: Outcome) -> Cell:
    return Cell(wording.credits(clips), clips, address(outcome) if clips else None)


def _name(row: WasteRow, group: WasteGroup) -> str:
    """What the rows of a group are told apart by."""
    keys = row.keys
    match group:
        case WasteGroup.REASON:
            return _reason(Outcome(keys["outcome"]), keys["reason"])
        case WasteGroup.MODEL:
            return labels.model(keys["model_id"])
        case WasteGroup.PROVIDER:
            return labels.provider(keys["provider"])
        case WasteGroup.USER:
            return keys["user_name"]
    return labels.step(date.fromisoformat(keys["week"]), Group.WEEK)


def _reason(outcome: Outcome, reason: str) -> str:
    if outcome is Outcome.CANCELLED:
        return _("Cancelled")
    if outcome is Outcome.UNOPENED:
        return _("Never opened")
    if outcome is Outcome.FAILED:
        return reasons.failure(reason)
    why = marks.REASONS[RejectReason(reason)] if reason else _("no reason given")
    return _("Rejected: {why}").format(why=why)


def _address(choice: Choice, unopened_before: date, row: WasteRow, outcome: Outcome) -> str | None:
    """Where the library shows the clips of a figure; nowhere for other workspaces', and for those without a reason."""
    chosen, keys = choice.selection, row.keys
    if chosen.everybody:
        return None
    since, until = chosen.since, chosen.until
    if "week" in keys:
        monday = date.fromisoformat(keys["week"])
        since, until = max(since, monday), min(until, monday + timedelta(days=6))
    reason = keys.get("reason")
    if outcome is Outcome.UNOPENED:
        until = min(until, unopened_before - timedelta(days=1))
        reason = None
    if since > until or (reason == "" and outcome is not Outcome.CANCELLED):
        return None  # the library cannot be asked for those of which nobody said why
    wanted = {
        "days": filters.span(since, until),
        "project": chosen.project_id,
        "model": keys.get("model_id", chosen.model_id),
        "provider": keys.get("provider") if "model_id" not in keys else None,
        "whose": keys.get("user_id", chosen.user_id),
        "status": outcome.value if outcome in (Outcome.FAILED, Outcome.CANCELLED) else None,
        "opened": "no" if outcome is Outcome.UNOPENED else None,
        "verdict": "rejected" if outcome is Outcome.REJECTED else None,
        "reason": reason if outcome is Outcome.REJECTED else None,
        "because": reason if outcome is Outcome.FAILED else None,
    }
    return filters.address(**wanted)


def _minutes(seconds: int) -> str:
    return wording.decimal(seconds / 60, 0 if seconds >= 600 else 1)


def _file(choice: Choice, group: WasteGroup, form: SpreadsheetFormat, separator: Separator = Separator.COMMA) -> bytes:
    """What the API gives for the same."""
    person = current_member.current_member()
    workspace_id = None if choice.selection.everybody else person.workspace_id
    with db.read_session() as session:
        rows = waste.rows(session, person, choice.selection, [group])
    audit_log.record_export(person.user, what="waste", workspace_id=workspace_id, format=form)
    sees_costs = person.may(Action.SEE_ALL_USAGE)
    return b"".join(waste_file.waste(rows, [group], form, separator, sees_costs=sees_costs))
