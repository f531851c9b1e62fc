"""What became of each line of a table, beside what was brought, as a table again; and a template to begin with."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.db.enums import Status
from core.db.tables import Sheet
from core.generations.sheets import kept
from core.generations.sheets.columns import HEADS, RESULT_HEADS, Column
from core.generations.sheets.progress import SheetClipRow
from core.messages import Message, plain
from core.usage.spreadsheet import Line


@dataclass(frozen=True, slots=True)
class Words:
    """How a door words and links what the result says; `status` is a status, or `left out`, `not ordered`, `gone`."""

    status: Callable[[str], str]
    error: Callable[[Message], str]
    clip_link: Callable[[str], str]
    file_link: Callable[[str], str]


def lines(sheet: Sheet, clips: Sequence[SheetClipRow], words: Words) -> Iterator[Line]:
    """Heads, then a line a clip with the columns that were brought; the file's own order."""
    yield [*sheet.heads, *RESULT_HEADS]
    of_place: dict[int, list[SheetClipRow]] = {}
    for clip in clips:
        of_place.setdefault(clip.place, []).append(clip)
    for place, line in enumerate(kept.table_of(sheet).lines):
        for clip in of_place.get(place, ()):
            yield [*line.cells, *_told(clip, words)]
        if place not in of_place:
            yield [*line.cells, words.status("left out" if line.is_left_out else "not ordered"), None, "", "", ""]


def _told(clip: SheetClipRow, words: Words) -> Line:
    if not clip.is_here:
        return [words.status("gone"), None, "", "", ""]
    charged = clip.credits if clip.status is Status.COMPLETED else 0
    return [
        words.status(clip.status.value),
        charged,
        words.clip_link(clip.id),
        words.file_link(clip.id) if clip.status is Status.COMPLETED else "",
        words.error(error_of(clip)) if clip.status in (Status.FAILED, Status.UNCERTAIN) else "",
    ]


def error_of(clip: SheetClipRow) -> Message:
    """Why a clip has failed or is unclear."""
    return clip.error or plain(clip.error_message or "")


def template(*, model_id: str, project: str) -> Iterator[Line]:
    """A table with every known column and two lines to write over."""
    yield list(HEADS.values())
    first: Mapping[Column, str] = {
        Column.PROMPT: "A rower crosses a lake at dawn",
        Column.MODEL: model_id,
        Column.PROJECT: project,
        Column.VARIATIONS: "1",
    }
    second: Mapping[Column, str] = {Column.PROMPT: "Rain on a tin roof, close", Column.TAGS: "rain, roof"}
    for example in (first, second):
        yield [example.get(column, "") for column in Column]
