"""What a table costs in all, what is left after it, and the one button that orders all of it."""

from collections import Counter

import streamlit as st

from core import db, errors, installation
from core.billing import ledger
from core.catalog import in_force
from core.db.tables import Sheet
from core.generations.sheets import ordering
from core.generations.sheets.checked import CheckedTable
from core.generations.sheets.ordering import Prepared
from core.workspaces import quota
from core.workspaces.access import Member
from pages.sections import budgets_link
from pages.sections.generate import approval_line, budget_line
from pages.ui import components, wording
from pages.ui.language import _, plural, translate_message

_SHOWN = "sheet_shown_total"
"""Digest and total that the button said, by which it was pressed."""


def show(person: Member, sheet: Sheet, checked: CheckedTable, *, may_order: bool) -> None:
    """The card; the button is there for who may order."""
    with db.read_session() as session:
        available = ledger.balance(session, sheet.workspace_id).available_credits
        used_bytes = quota.used_bytes(session, sheet.workspace_id)
    settings = installation.current().settings
    with st.container(border=True, key="sheet_total"):
        components.breakdown(_by_model(checked), checked.total_credits)
        left = available - checked.total_credits
        words = (
            _("You have {credits} credits; {left} left after these.") if left >= 0 else _("You have {credits} credits.")
        )
        st.caption(words.format(credits=wording.credits(available), left=wording.credits(max(0, left))))
        if not may_order:
            return
        blocked = _blocked(checked, left, is_full=used_bytes >= settings.storage_quota_bytes)
        stops = None if blocked else budget_line.stop_of_many(person, _by_project(checked))
        blocked = blocked or stops
        approval_line.show(person, _by_project(checked))
        shown = st.session_state.get(_SHOWN)
        st.session_state[_SHOWN] = (sheet.id, sheet.digest, checked.total_credits)
        if st.button(_label(checked), type="primary", width="stretch", disabled=blocked is not None, key="sheet_order"):
            _order(person, checked, shown or st.session_state[_SHOWN])
        if blocked:
            st.caption(f":material/info: {blocked}")
        if stops:
            budgets_link.show(person, sheet.workspace_id)


def _by_model(checked: CheckedTable) -> list[tuple[str, int]]:
    """A line for each model: how many clips, and what they cost together."""
    clips: Counter[str] = Counter()
    credits: Counter[str] = Counter()
    for line in checked.lines:
        for order in line.orders:
            clips[order.spec.model_id] += 1
            credits[order.spec.model_id] += line.credits // len(line.orders)
    return [
        (f"{in_force.model(model_id).name} × {wording.credits(number)}", credits[model_id])
        for model_id, number in clips.most_common()
    ]


def _by_project(checked: CheckedTable) -> Counter[str]:
    """What is ordered in each project."""
    credits: Counter[str] = Counter()
    for line in checked.lines:
        for order in line.orders:
            credits[order.project_id] += line.credits // len(line.orders)
    return credits


def _label(checked: CheckedTable) -> str:
    words = plural("Order {number} clip for {price}", "Order {number} clips for {price}", checked.clip_count)
    return words.format(number=wording.credits(checked.clip_count), price=wording.priced(checked.total_credits))


def _blocked(checked: CheckedTable, left: int, *, is_full: bool) -> str | None:
    """Why nothing can be ordered now, as a sentence."""
    if number := len(checked.faulty):
        words = plural(
            "{number} row needs a change, or to be left out.", "{number} rows need a change, or to be left out.", number
        )
        return words.format(number=wording.credits(number))
    refused = checked.refusal(max_clips=installation.current().settings.sheet_rows)
    if refused is not None:
        return translate_message(next(iter(refused.fields.values())))
    if left < 0:
        short = _("This needs {price} more than you have.").format(price=wording.priced(-left))
        return f"{short} {translate_message(errors.InsufficientCredits.sentence)}"
    return translate_message(errors.StorageFull.sentence) if is_full else None


def _order(person: Member, checked: CheckedTable, shown: tuple[str, str, int]) -> None:
    """Order what the button said, once; the page then follows it."""
    sheet_id, digest, total_credits = shown
    opened = installation.current()
    try:
        with components.outage_refuses(), db.write_session() as session:
            sheet = ordering.order(
                session,
                person,
                Prepared(sheet_id, digest, checked),
                configured=opened.configured,
                quota_bytes=opened.settings.storage_quota_bytes,
                max_clips=opened.settings.sheet_rows,
                shown_credits=total_credits,
            )
    except errors.AppError as problem:
        components.error_box(problem)
        return
    st.session_state.pop("sheet_checked", None)
    words = _("Ordered. {price} are reserved until the clips are here.")
    components.flash(words.format(price=wording.priced(sheet.total_credits)))
    st.rerun()
