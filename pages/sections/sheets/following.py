"""A table that was ordered: how far its clips are, each with a link, its result as a file, and stopping what waits."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from core import config, db
from core.db.enums import Status
from core.db.tables import Sheet
from core.generations.sheets import kept, progress, result
from core.generations.sheets.progress import SheetClipRow, Standing
from core.usage import spreadsheet
from core.usage.spreadsheet import SpreadsheetFormat
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.ui import components, current_member, downloads, links, wording
from pages.ui.language import N_, _, plural, translate_message
from pages.ui.wording import TranslatedLabels

SHOWN_WHOLE = 14
TABLE_PX = 560
"""A table of more lines scrolls by itself."""

_OTHER = TranslatedLabels(
    {"left out": N_("Left out"), "not ordered": N_("Not ordered"), "gone": N_("Deleted or elsewhere")}
)


def show(person: Member, sheet: Sheet) -> None:
    """The counts first, then every row."""
    with db.read_connection() as reader:
        standing = progress.standing(reader, sheet)
        clips = progress.clips(reader, sheet)
    components.plain_text(sheet.name, strong=True, lines=1)
    assert sheet.ordered_at is not None, "only what was ordered is followed"  # noqa: S101 -- for the type checker
    st.caption(
        _("Ordered {when}: {clips} for {price}").format(
            when=wording.minute(sheet.ordered_at),
            clips=plural("{number} clip", "{number} clips", sheet.clip_count).format(
                number=wording.credits(sheet.clip_count)
            ),
            price=wording.priced(sheet.total_credits),
        )
    )
    _counts(sheet, standing)
    with st.container(horizontal=True, vertical_alignment="center"):
        stem = sheet.name.rpartition(".")[0] or sheet.name
        downloads.table(partial(_file, sheet.id, _links(sheet)), name=f"{stem}-result", key="sheet_result")
        _cancel(person, sheet, standing)
    _rows(sheet, clips)


def _counts(sheet: Sheet, standing: Standing) -> None:
    done, all_clips = standing.ended_count, max(1, sheet.clip_count)
    words = _("{done} of {all} clips have ended")
    st.progress(done / all_clips, words.format(done=wording.credits(done), all=wording.credits(sheet.clip_count)))
    said = [
        f"{wording.STATUS[status]}: {wording.credits(number)}"
        for status in Status
        if (number := standing.counts.get(status, 0))
    ]
    if standing.moved_count:
        said.append(_("Elsewhere: {number}").format(number=wording.credits(standing.moved_count)))
    said.append(_("Charged: {price}").format(price=wording.priced(standing.charged_credits)))
    if standing.held_credits:
        said.append(_("Reserved: {price}").format(price=wording.priced(standing.held_credits)))
    st.caption(" · ".join(said))


def _cancel(person: Member, sheet: Sheet, standing: Standing) -> None:
    waiting = standing.counts.get(Status.PENDING, 0)
    if not waiting or not person.may(Action.ORDER, sheet.workspace_id):
        return
    words = plural("Cancel {number} clip that waits", "Cancel {number} clips that wait", waiting)
    if st.button(words.format(number=wording.credits(waiting)), icon=":material/cancel:", key="sheet_cancel"):
        cancelled = components.try_action(
            lambda: progress.cancel_pending(person, sheet.id), done=_("Cancelled. Their credits were returned.")
        )
        if cancelled:
            st.rerun()


def _rows(sheet: Sheet, clips: Sequence[SheetClipRow]) -> None:
    """A line a clip, as in the result; its link opens the clip."""
    page, _files = _links(sheet)
    words = result.Words(
        status=lambda word: _OTHER[word] if word in _OTHER else wording.STATUS[Status(word)],
        error=translate_message,
        clip_link=lambda clip: f"{page}{clip}",
        file_link=lambda _clip: "",
    )
    heads, *lines = result.lines(sheet, clips, words)
    width = len(sheet.heads)
    numbers = _numbers(sheet, clips)
    columns: dict[str, list[object]] = {"_row": list(numbers)}
    columns |= {f"c{place}": [line[place] for line in lines] for place in range(width)}
    names = ("_status", "_credits", "_clip", "_file", "_error")
    columns |= {
        name: [None if line[width + nth] == "" else line[width + nth] for line in lines]
        for nth, name in enumerate(names)
    }
    config = st.column_config
    shown = {
        "_row": config.NumberColumn(_("Row"), width=60, pinned=True),
        "_status": config.TextColumn(_("Status")),
        "_credits": config.NumberColumn(_("Charged"), width=90, format="localized"),
        "_clip": config.LinkColumn(_("Clip"), display_text=_("Open clip"), width=110),
        "_file": None,
        "_error": config.TextColumn(_("What went wrong"), width="large"),
    }
    first = ["_row", "_status", "_clip", "_credits", "_error"]
    st.dataframe(
        pd.DataFrame(columns),
        hide_index=True,
        width="stretch",
        height="content" if len(lines) <= SHOWN_WHOLE else TABLE_PX,
        placeholder="",
        column_order=[*first[:3], *(f"c{place}" for place in range(width)), *first[3:]],
        column_config=shown | {f"c{place}": config.TextColumn(str(head)) for place, head in enumerate(heads[:width])},
        key="sheet_rows",
        alt=_("The rows of the table and their clips"),
    )


def _numbers(sheet: Sheet, clips: Sequence[SheetClipRow]) -> list[int]:
    """The row of the file that each line of the result is about."""
    takes: dict[int, int] = {}
    for clip in clips:
        takes[clip.place] = takes.get(clip.place, 0) + 1
    lines = kept.table_of(sheet).lines
    return [line.number for place, line in enumerate(lines) for _take in range(max(1, takes.get(place, 0)))]


def _links(sheet: Sheet) -> tuple[str, str]:
    """What the addresses of a clip and of its file begin with."""
    page = links.for_others(f"/history?workspace={sheet.workspace_id}{current_member.in_address()}&clip=")
    return page, links.for_others(f"{config.API_PATH}/download/")


def _file(sheet_id: str, begins: tuple[str, str], form: SpreadsheetFormat) -> bytes:
    """The result as it is by then, worded as the API words it; whoever has the button is asked for anew."""
    page, files = begins
    words = result.Words(str, str, lambda clip: f"{page}{clip}", lambda clip: f"{files}{clip}")
    person = current_member.current_member()
    with db.read_session() as session:
        sheet = kept.get(session, person, sheet_id)
        clips = progress.clips(session, sheet)
    return b"".join(spreadsheet.write(result.lines(sheet, clips, words), form))
