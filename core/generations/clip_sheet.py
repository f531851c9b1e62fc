"""What a spreadsheet beside fetched clips says of each: what it was ordered with, what it cost, whose it is."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import BindParameter, bindparam, select

from core.catalog.price_list import IDR_PER_CREDIT
from core.db import ReadSession
from core.db.tables import Generation, GenerationTag, Project, User
from core.generations import clip_names
from core.generations.list_filter import ReviewStatus
from core.usage.spreadsheet import Line, csv_chunks
from core.workspaces import profiles

FILE_NAME = "clips.csv"

COLUMNS = (
    *("file_name", "made_at", "prompt", "negative_prompt", "model", "model_id", "provider"),
    *("resolution", "seconds", "aspect_ratio", "sound", "prompt_enhancement", "seed", "fps"),
    *("price_credits", "price_idr", "project", "person", "take", "verdict", "reason", "favourite", "tags"),
    *("sha256", "size_bytes", "ordered_at", "generation_id"),
)

_AT_ONCE = 500
"""So many ids a statement: databases limit their parameters."""


@dataclass(frozen=True, slots=True)
class DescribedClip:
    """A clip with what stands in other tables; `take` is its place among those of one press, 1 for one alone."""

    row: Generation
    project: str = ""
    person: str = ""
    tags: Sequence[str] = field(default=())
    take: int = 1

    @property
    def made_at(self) -> datetime:
        """When it was finished, or ordered where it is not."""
        return self.row.ended_at or self.row.created_at

    def name_values(self, number: int) -> Mapping[str, str]:
        """Field of a name's template -> what it is of this clip, the `number`th of its archive."""
        row = self.row
        return {
            "date": f"{self.made_at:%Y-%m-%d}",
            "time": f"{self.made_at:%H%M}",
            "project": self.project,
            "model": row.model_name,
            "provider": row.provider,
            "person": self.person,
            "take": str(self.take),
            "words": clip_names.first_words(row.prompt),
            "resolution": row.resolution,
            "ratio": row.aspect_ratio.replace(":", "x"),
            "seconds": f"{row.duration_seconds}s",
            "seed": "" if row.seed is None else str(row.seed),
            "verdict": "" if row.kept is None else ReviewStatus.of(row.kept).value,
            "number": f"{number:04}",
            "id": row.id[-6:],
        }

    def line(self, file_name: str) -> Line:
        """Its line, in the order of `COLUMNS`."""
        row, facts = self.row, self.row.output_facts or {}
        return (
            *(file_name, f"{self.made_at:%Y-%m-%dT%H:%M:%SZ}", row.prompt, row.negative_prompt),
            *(row.model_name, row.model_id, row.provider),
            *(row.resolution, row.duration_seconds, row.aspect_ratio, _yes(row.generate_audio)),
            *(_yes(row.enhance_prompt), row.seed, row.fps),
            *(row.credits, row.credits * IDR_PER_CREDIT, self.project, self.person, self.take),
            *(ReviewStatus.of(row.kept).value, row.reject_reason.value if row.reject_reason else ""),
            *(_yes(row.favourite), ", ".join(self.tags), str(facts.get("sha256", "")), facts.get("size_bytes")),
            *(f"{row.created_at:%Y-%m-%dT%H:%M:%SZ}", row.id),
        )


def describe(session: ReadSession, rows: Sequence[Generation]) -> list[DescribedClip]:
    """These clips, which the caller may see, with project, person, tags and take; in their order."""
    found = []
    for place in range(0, len(rows), _AT_ONCE):
        some = rows[place : place + _AT_ONCE]
        ids = {"ids": [row.id for row in some]}
        names = {row.id: (row.project, row.person) for row in session.execute(_NAMES, ids)}
        tags = defaultdict(list)
        for row in session.execute(_TAGS, ids):
            tags[row.generation_id].append(row.tag)
        takes = _takes(session, some)
        found += [DescribedClip(row, *names[row.id], tags[row.id], takes.get(row.id, 1)) for row in some]
    return found


def chunks(named: Iterable[tuple[str, DescribedClip]]) -> Iterator[bytes]:
    """The file of these clips, each with its file's name, as CSV in which no text is a formula."""
    return csv_chunks([COLUMNS, *(clip.line(name) for name, clip in named)])


def _takes(session: ReadSession, rows: Sequence[Generation]) -> Mapping[str, int]:
    batches = {row.batch_id for row in rows if row.batch_id is not None}
    if not batches:
        return {}
    together = defaultdict(list)
    for row in session.execute(_BATCHES, {"ids": list(batches)}):
        together[row.batch_id].append(row.id)
    return {id_: place for ids in together.values() for place, id_ in enumerate(ids, start=1)}


def _yes(value: bool) -> str:
    return "yes" if value else "no"


_IDS: BindParameter[str] = bindparam("ids", expanding=True)
_NAMES = (
    select(Generation.id, Project.name.label("project"), profiles.person_name(User).label("person"))
    .join(Project, Project.id == Generation.project_id)
    .join(User, User.id == Generation.user_id)
    .where(Generation.id.in_(_IDS))
)
_TAGS = (
    select(GenerationTag.generation_id, GenerationTag.tag)
    .where(GenerationTag.generation_id.in_(_IDS))
    .order_by(GenerationTag.tag)
)
_BATCHES = select(Generation.batch_id, Generation.id).where(Generation.batch_id.in_(_IDS)).order_by(Generation.id)
