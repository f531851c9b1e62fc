"""What was found in a statement: counts and money by what lines are, the lines, their file, and what is accepted."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from urllib.parse import urlencode

import streamlit as st

from core import audit_log, db
from core.db.enums import LineOutcome
from core.db.tables import VendorStatement
from core.providers import registry
from core.statements import accepting, listing, result_file, uploads
from core.statements.accepting import REASON_CHARS
from core.statements.cells import MICRO
from core.statements.listing import PAGE_LINES, Found, Line, Summary
from core.statements.matching import TOLERANCE_PERCENT
from core.usage import spreadsheet
from core.usage.spreadsheet import SpreadsheetFormat
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.elements import sorted_table
from pages.elements.sorted_table import Cell, Column
from pages.sections.statements import address, words
from pages.sections.statements.bring import month_name
from pages.sections.usage import labels
from pages.ui import components, current_member, downloads, query_param, wording
from pages.ui.language import _, plural, translate_message

GONE, ALL = "gone", "all"
SAME = TOLERANCE_PERCENT / 100
TO_LOOK_AT = [outcome for outcome in LineOutcome if outcome is not LineOutcome.MATCHED]
OUTCOME_WIDTH_PX = 300


def show(person: Member, statement: VendorStatement) -> None:
    """One statement."""
    with db.read_session() as session:
        found = listing.summary(session, person, statement.id)
    _headline(found)
    _classes(found)
    shown = _choose(found)
    outcomes = TO_LOOK_AT if shown == "" else [] if shown in (ALL, GONE) else [LineOutcome(shown)]
    place = f"statements_pages_{statement.id}_{shown}"
    pages: list[str] = st.session_state.setdefault(place, [""])
    with db.read_session() as session:
        some = listing.lines(
            session,
            person,
            statement.id,
            outcomes=outcomes,
            gone=shown == GONE,
            after_id=pages[-1],
            limit=PAGE_LINES + 1,
        )
    lines = some[:PAGE_LINES]
    if explained := _explained(shown):
        st.caption(explained)
    if not lines and len(pages) > 1:  # they were accepted elsewhere meanwhile
        pages[:] = [""]
        st.rerun()
    if not lines:
        st.caption(_("Every line is a clip of ours at our price.") if shown == "" else _("There is no such line."))
    else:
        _table(person, lines)
        components.pager(pages, lines[-1].row.id if len(some) > PAGE_LINES else None, key="statements_page")
    downloads.table(partial(_file, statement, outcomes), name=_file_name(statement), key="statements_result")
    if person.may(Action.CHECK_STATEMENTS):
        _accepting(statement, lines)
        _undoing(statement, lines)
        _more(statement, found)


def _headline(found: Summary) -> None:
    statement = found.statement
    provider = registry.provider_class(statement.provider).display_name
    lines = plural("{number} line", "{number} lines", statement.line_count).format(
        number=wording.credits(statement.line_count)
    )
    st.markdown(
        _("{provider} asks {amount} for {month}, in {lines}.").format(
            provider=components.escaped(provider),
            amount=wording.rupiah(found.amount_idr),
            month=month_name(statement.month),
            lines=lines,
        )
    )
    left = found.open_lines
    if left:
        words_of_left = plural(
            "{number} difference waits for a word.", "{number} differences wait for a word.", left
        ).format(number=wording.credits(left))
    else:
        words_of_left = _("No difference waits for a word.")
    booked = _("Accepted so far: {amount}.").format(amount=wording.rupiah(found.booked_idr))
    st.markdown(f"{words_of_left} {booked}")
    st.caption(
        _("{file}, brought by {person} {moment}.").format(
            file=components.escaped(statement.file_name or _("A file")),
            person=components.escaped(statement.uploaded_by),
            moment=wording.moment(statement.uploaded_at),
        )
    )


def _classes(found: Summary) -> None:
    """A line a kind; those that there are none of are left out."""
    heads = [_("What they are"), _("Lines"), _("Theirs, Rp"), _("Ours, Rp"), _("Not accepted"), _("Difference, Rp")]
    rows = [(words.OUTCOMES[outcome], *_figures(one)) for outcome, one in found.found.items() if one.lines]
    if found.gone.lines:
        rows.append((_("No longer in the file"), *_figures(found.gone)))
    components.table(heads, rows, numbers=(1, 2, 3, 4, 5))
    st.caption(_("A price is the same within {share} of ours, or half a cent.").format(share=wording.share(SAME)))


def _figures(one: Found) -> tuple[str, ...]:
    return tuple(
        wording.credits(figure) for figure in (one.lines, one.amount_idr, one.cost_idr, one.open_lines, one.open_idr)
    )


def _choose(found: Summary) -> str:
    """Which lines; empty for those that somebody should look at."""
    names: dict[str, str] = {"": _("All that did not match"), ALL: _("All lines")} | {
        outcome.value: f"{words.OUTCOMES[outcome]} ({wording.credits(one.lines)})"
        for outcome, one in found.found.items()
        if one.lines
    }
    if found.gone.lines:
        names |= {GONE: _("No longer in the file")}
    chosen = st.selectbox(
        _("Lines"),
        list(names),
        format_func=lambda one: names.get(one, one),
        key=query_param.widget_key("usage", "outcome", query_param.one_of("outcome", list(names), "")),
        on_change=query_param.save,
        args=("usage", "outcome", ""),
        label_visibility="collapsed",
        width=OUTCOME_WIDTH_PX,
    )
    return chosen or ""


def _explained(shown: str) -> str:
    """What the chosen kind means."""
    if shown == GONE:
        return _("Accepted lines that the newest file has no more")
    return "" if shown in ("", ALL) else words.EXPLAINED[LineOutcome(shown)]


def _table(person: Member, lines: Sequence[Line]) -> None:
    columns = [
        Column(_("Row"), is_number=True),
        Column(_("What it is")),
        Column(_("Difference, Rp"), is_number=True),
        Column(_("Theirs, Rp"), is_number=True),
        Column(_("Ours, Rp"), is_number=True),
        Column(_("Clip")),
        Column(_("Note")),
        Column(_("Model")),
        Column(_("Time")),
        Column(_("Amount"), is_number=True),
        Column(_("Job ID")),
    ]
    sorted_table.show(
        columns, [_line(person, line) for line in lines], key="usage_statement", name=_("Lines of the statement")
    )


def _line(person: Member, line: Line) -> list[Cell | str]:
    row = line.row
    at = row.begins_at
    amount = None if row.amount_micro is None else Decimal(row.amount_micro) / MICRO
    figures = (row.difference_idr or None, row.amount_idr, row.cost_idr)
    return [
        Cell("" if row.number is None else str(row.number), row.number),
        words.OUTCOMES[row.outcome],
        *(Cell(labels.NONE if figure is None else wording.credits(figure), figure) for figure in figures),
        _clip(person, line),
        _note(line),
        row.model_name or labels.model(row.model_id),
        Cell("" if at is None else wording.minute(at), None if at is None else at.timestamp()),
        Cell("" if amount is None else wording.money(amount, row.currency), None if amount is None else float(amount)),
        row.job_id,
    ]


def _clip(person: Member, line: Line) -> Cell | str:
    """The clip, with its address for who is in its workspace."""
    if line.row.generation_id is None or line.clip_model is None:
        return ""
    if line.workspace_id not in person.roles:
        return line.clip_model
    query = urlencode({"workspace": line.workspace_id, "clip": line.row.generation_id})
    return Cell(line.clip_model, line.clip_model, f"./history?{query}")


def _note(line: Line) -> str:
    if line.problems:
        return " ".join(f"{head}: {translate_message(why)}" for head, why in line.problems)
    if line.is_accepted:
        return _("Accepted")
    if line.row.matched_by == "time":
        return _("Found by its time")
    return ""


def _named(lines: Sequence[Line]) -> dict[str, str]:
    """Line -> what it is called where it is chosen."""
    return {
        line.row.id: " · ".join(
            filter(
                None,
                (
                    _("Row {row}").format(row=line.row.number) if line.row.number else _("No line"),
                    words.OUTCOMES[line.row.outcome],
                    line.row.job_id or line.row.model_name or line.clip_model or "",
                    wording.rupiah(line.row.difference_idr),
                ),
            )
        )
        for line in lines
    }


def _accepting(statement: VendorStatement, lines: Sequence[Line]) -> None:
    """Take differences into costs."""
    names = _named([line for line in lines if line.can_be_accepted])
    if not names:
        return
    with st.container(border=True, key="statements_accept_card"):
        st.subheader(_("Accept differences"), anchor=False)
        st.markdown(
            _(
                "What you accept changes what clips have cost us, in the month of the clip or, once that is closed, "
                "in this one. No credits and no budgets move."
            )
        )
        chosen = _chosen(names, "statements_accept")
        reason = st.text_input(_("Why"), max_chars=REASON_CHARS, key="statements_accept_reason", autocomplete="off")
        if st.button(_("Accept"), type="primary", key="statements_accept_button", disabled=not chosen):
            components.save_and_rerun(
                lambda session: accepting.accept(
                    session,
                    current_member.current_member(),
                    statement.id,
                    line_ids=chosen,
                    reason=reason or "",
                ),
                done=_("The differences are in the costs."),
                then=lambda: _forget("statements_accept"),
            )


def _undoing(statement: VendorStatement, lines: Sequence[Line]) -> None:
    """Take accepted differences out again."""
    names = _named([line for line in lines if line.is_accepted])
    if not names:
        return
    with st.expander(_("Take accepted differences back"), key="statements_undo_card"):
        chosen = _chosen(names, "statements_undo")
        reason = st.text_input(_("Why"), max_chars=REASON_CHARS, key="statements_undo_reason", autocomplete="off")
        if st.button(_("Take back"), key="statements_undo_button", disabled=not chosen):
            components.save_and_rerun(
                lambda session: accepting.undo(
                    session,
                    current_member.current_member(),
                    statement.id,
                    line_ids=chosen,
                    reason=reason or "",
                ),
                done=_("The differences are out of the costs again."),
                then=lambda: _forget("statements_undo"),
            )


def _chosen(names: Mapping[str, str], key: str) -> list[str]:
    """The lines that were chosen, or all that are shown."""
    shown = plural("The {number} line that is shown", "All {number} lines that are shown", len(names)).format(
        number=wording.credits(len(names))
    )
    every = st.checkbox(shown, key=f"{key}_every")
    if every:
        return list(names)
    kept = [one for one in st.session_state.get(f"{key}_lines", []) if one in names]
    if kept != st.session_state.get(f"{key}_lines", []):
        st.session_state[f"{key}_lines"] = kept
    return st.multiselect(_("Lines"), list(names), format_func=lambda one: names.get(one, one), key=f"{key}_lines")


def _forget(key: str) -> None:
    for part in ("every", "lines", "reason"):
        st.session_state.pop(f"{key}_{part}", None)


def _more(statement: VendorStatement, found: Summary) -> None:
    """What else can be done with it."""
    with st.container(horizontal=True):
        if st.button(_("Compare again"), icon=":material/sync:", key="statements_again"):
            components.save_and_rerun(
                lambda session: uploads.compare_again(session, current_member.current_member(), statement.id),
                done=_("The statement was compared with the clips as they are now."),
            )
        if not found.accepted_lines and st.button(_("Discard"), icon=":material/delete:", key="statements_discard"):
            components.save_and_rerun(
                lambda session: uploads.discard(session, current_member.current_member(), statement.id),
                done=_("The statement is gone."),
                then=lambda: address.go_to(None),
            )


def _file_name(statement: VendorStatement) -> str:
    return f"statement-{statement.provider}-{statement.month}"


def _file(statement: VendorStatement, outcomes: Sequence[LineOutcome], form: SpreadsheetFormat) -> bytes:
    """What the API gives for the same."""
    person = current_member.current_member()
    lines = listing.every_line(person, statement.id, outcomes=outcomes)
    audit_log.record_export(person.user, what="statement", workspace_id=None, statement=statement.id, format=form)
    return b"".join(spreadsheet.write(result_file.rows(lines), form))
