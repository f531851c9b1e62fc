"""A table before it is ordered: its faults, its rows to change where they stand, and what all of it costs."""

import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from core import db, installation
from core.catalog import in_force
from core.db.tables import Sheet
from core.generations.sheets import columns, kept, ordering, surroundings
from core.generations.sheets.checked import CellNote, CheckedLine, CheckedTable
from core.generations.sheets.tables import Table
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.sections.sheets import changing, defaults, total
from pages.ui import components, current_member, wording
from pages.ui.language import _, plural, translate_message

MAX_NAMED = 50
"""So many faults are listed; all stand in the table."""
MAX_PROJECTS_NAMED = 5
CHECKED_SECONDS = 10.0
SHOWN_WHOLE = 12
TABLE_PX = 520
"""A table of more lines scrolls by itself."""
_CHECKED = "sheet_checked"
_ROW, _TAKEN, _PRICE, _WRONG = "_row", "_taken", "_price", "_wrong"
_ONLY_FAULTY = "sheet_only_faulty"


def show(person: Member, sheet: Sheet) -> None:
    """The whole of it, for who may order; others see what it has."""
    may_order = person.may(Action.ORDER, sheet.workspace_id)
    checked = _checked(person, sheet)
    _head(sheet, checked)
    left, right = st.columns([7, 3], gap="large")
    with left:
        if may_order:
            defaults.show(person, sheet)
        _faults(checked)
        if may_order:
            _missing_projects(person, sheet, checked)
    with right:
        total.show(person, sheet, checked, may_order=may_order)
    _rows(sheet, checked, may_order=may_order)


def _checked(person: Member, sheet: Sheet) -> CheckedTable:
    """What the table comes to, looked through anew when it or the catalogue changed, or some seconds have passed."""
    known = in_force.current()
    key = (sheet.id, sheet.digest, id(known))
    before: tuple[Any, float, CheckedTable] | None = st.session_state.get(_CHECKED)
    if before is not None and before[0] == key and time.monotonic() - before[1] < CHECKED_SECONDS:
        return before[2]
    with db.read_session() as session:
        prepared = ordering.prepare(session, person, sheet.id, configured=installation.current().configured)
    st.session_state[_CHECKED] = (key, time.monotonic(), prepared.checked)
    return prepared.checked


def _head(sheet: Sheet, checked: CheckedTable) -> None:
    rows = plural("{number} row", "{number} rows", len(checked.lines)).format(
        number=wording.credits(len(checked.lines))
    )
    carried = columns.unknown(checked.table.heads)
    said = [rows, *(translate_message(note) for note in kept.notes_of(sheet))]
    if carried:
        names = ", ".join(map(components.escaped, carried))
        said.append(_("Carried into the result: {columns}.").format(columns=names))
    with st.container(gap="xsmall"):
        components.plain_text(sheet.name, strong=True, lines=1)
        st.caption(" · ".join(said))


def _faults(checked: CheckedTable) -> None:
    """Each fault with its row as the file numbers it, its column, what is wrong and what would be right."""
    faulty = checked.faulty
    if not faulty:
        return
    words = plural("{number} row needs a change", "{number} rows need a change", len(faulty))
    st.markdown(f"**:material/error: {words.format(number=wording.credits(len(faulty)))}**")
    named = [(line, fault) for line in faulty for fault in line.faults]
    components.table(
        [_("Row"), _("Column"), _("What is wrong"), _("What would be right")],
        [_fault_row(line, fault) for line, fault in named[:MAX_NAMED]],
        numbers=(0,),
        wide=(2, 3),
    )
    if len(named) > MAX_NAMED:
        more = len(named) - MAX_NAMED
        st.caption(plural("{number} more in the table.", "{number} more in the table.", more).format(number=more))


def _missing_projects(person: Member, sheet: Sheet, checked: CheckedTable) -> None:
    """Where rows name projects that there are none of: one press makes all of them."""
    at_work = person.moved_to(sheet.workspace_id)
    if not at_work.may(Action.EDIT) or not any(
        fault.message.code == "cell_no_project" for line in checked.faulty for fault in line.faults
    ):
        return
    with db.read_session() as session:
        names = surroundings.missing_projects(session, at_work, checked.table)
    if not names:
        return
    named = ", ".join(map(components.escaped, names[:MAX_PROJECTS_NAMED]))
    st.markdown(
        _("There is no project yet: {names}.").format(names=named + (", …" if len(names) > MAX_PROJECTS_NAMED else ""))
    )
    label = plural("Make this project", "Make these {number} projects", len(names))
    st.button(
        label.format(number=wording.credits(len(names))),
        icon=":material/create_new_folder:",
        key="sheet_make_projects",
        on_click=_make_projects,
        args=(sheet.id,),
    )


def _make_projects(sheet_id: str) -> None:
    """Make what is missing; the rows are checked anew."""
    person = current_member.current_member()
    components.act_in_callback(
        lambda session: ordering.make_projects(session, person, sheet_id), done=_("Made. The rows are checked anew.")
    )
    st.session_state.pop(_CHECKED, None)


def _fault_row(line: CheckedLine, fault: CellNote) -> tuple[str, str, str, str]:
    return str(line.line.number), fault.head, translate_message(fault.message), _right(fault)


def _right(fault: CellNote) -> str:
    """Values that would be right; an empty one in words."""
    figures = [value for value in fault.allowed if isinstance(value, int)]
    first, last = (figures[0], figures[-1]) if figures else (0, 0)
    if len(figures) > 3 and figures == list(range(first, last + 1)):
        return _("{first} to {last}").format(first=first, last=last)
    words = [str(value) or _("nothing") for value in fault.allowed]
    return ", ".join(words[:8]) + (", …" if len(words) > 8 else "")


def _rows(sheet: Sheet, checked: CheckedTable, *, may_order: bool) -> None:
    """The rows, to be changed where they stand; on wish only those with faults."""
    faulty = [line.place for line in checked.faulty]
    only_faulty = False
    if faulty:
        with st.container(horizontal=True, vertical_alignment="center"):
            only_faulty = st.toggle(_("Only the rows that need a change"), value=True, key=_ONLY_FAULTY)
            if may_order:
                st.button(
                    _("Leave these rows out"),
                    icon=":material/playlist_remove:",
                    key="sheet_leave_out",
                    on_click=_leave_out,
                    args=(sheet.id, faulty),
                )
    shown = [line for line in checked.lines if not only_faulty or line.faults]
    key = _table_key(sheet.id, shown)
    st.session_state["sheet_shown_places"] = (key, [line.place for line in shown])
    st.data_editor(
        _frame(checked, shown),
        key=key,
        hide_index=True,
        width="stretch",
        height="content" if len(shown) <= SHOWN_WHOLE else TABLE_PX,
        column_config=_columns(checked.table.heads, has_faults=bool(faulty)),
        disabled=[_ROW, _PRICE, _WRONG] if may_order else True,
        on_change=_keep_edits,
        args=(sheet.id, key),
        placeholder="",
        alt=_("The rows of the table"),
    )
    st.caption(_("Click twice on a cell to change it. A row that is not ticked is not ordered."))


def _table_key(sheet_id: str, shown: Sequence[CheckedLine]) -> str:
    """Another one for other rows, since the browser keeps changes by their place."""
    places = ",".join(str(line.place) for line in shown)
    return f"sheet_table_{sheet_id}_{zlib.crc32(places.encode())}"


def _frame(checked: CheckedTable, shown: Sequence[CheckedLine]) -> pd.DataFrame:
    found: dict[str, list[Any]] = {
        _ROW: [line.line.number for line in shown],
        _TAKEN: [not line.line.is_left_out for line in shown],
    }
    found |= {f"c{place}": [line.line.cells[place] for line in shown] for place in range(len(checked.table.heads))}
    found[_PRICE] = [line.credits if line.orders else None for line in shown]
    found[_WRONG] = [_said(line) for line in shown]
    return pd.DataFrame(found)


def _said(line: CheckedLine) -> str:
    """Faults first, else what was taken for what."""
    notes = line.faults or line.remarks
    return " ".join(f"{note.head}: {translate_message(note.message)}" for note in notes)


def _columns(heads: Sequence[str], *, has_faults: bool) -> dict[str, Any]:
    config = st.column_config
    known: dict[str, Any] = {
        _ROW: config.NumberColumn(_("Row"), width=60, pinned=True),
        _TAKEN: config.CheckboxColumn(_("Included"), width=90, pinned=True),
        _PRICE: config.NumberColumn(_("Credits"), width=80, format="localized"),
        _WRONG: config.TextColumn(_("What is wrong") if has_faults else _("Noted"), width="large"),
    }
    return known | {f"c{place}": config.TextColumn(head) for place, head in enumerate(heads)}


def _keep_edits(sheet_id: str, key: str) -> None:
    """Write down what was changed in the browser."""
    edits = st.session_state[key].get("edited_rows", {})
    shown_key, places = st.session_state.get("sheet_shown_places", ("", []))
    if shown_key == key and edits:
        changing.revise(sheet_id, table=lambda before: edited(before, places, edits))


def edited(before: Table, places: Sequence[int], edits: Mapping[int, Mapping[str, Any]]) -> Table:
    """The table with what was changed in the browser: place among `places` -> column -> what it holds."""
    lines = list(before.lines)
    for nth, changes in edits.items():
        place = places[int(nth)]
        line = lines[place]
        cells = list(line.cells)
        for column, value in changes.items():
            if column == _TAKEN:
                line = replace(line, is_left_out=not value)
            elif column.startswith("c"):
                cells[int(column[1:])] = str(value or "").strip()
        lines[place] = replace(line, cells=tuple(cells))
    return replace(before, lines=tuple(lines))


def _leave_out(sheet_id: str, places: Sequence[int]) -> None:
    out = set(places)

    def without(before: Table) -> Table:
        lines = (replace(line, is_left_out=True) if nth in out else line for nth, line in enumerate(before.lines))
        return replace(before, lines=tuple(lines))

    changing.revise(sheet_id, table=without)
