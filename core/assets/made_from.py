"""Notes which files a clip was ordered with, so that one finds the clips of a file."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from core.db import ReadSession, WriteSession
from core.db.tables import Generation, GenerationUpload
from core.spec import GenerationSpec, Reference


def keys(spec: GenerationSpec) -> tuple[str, ...]:
    """The files of an order, each once."""
    found = (spec.start_image_key, spec.end_image_key, *(each.key for each in spec.references))
    return tuple(dict.fromkeys(key for key in found if key))


def note(session: WriteSession, row: Generation, *, names: Mapping[str, str] | None = None) -> None:
    """Write down the files of a new generation, and by which name each of them was meant."""
    called = names or {}
    session.add_all(
        GenerationUpload(storage_key=key, generation_id=row.id, name=called.get(key, "")) for key in keys(row.spec)
    )


def names_of(session: ReadSession, rows: Sequence[Generation]) -> Mapping[str, Mapping[str, Sequence[Reference]]]:
    """Generation id -> name that stood in its prompt -> what came by it, in their order there; of those with names."""
    query = select(GenerationUpload).where(
        GenerationUpload.generation_id.in_([row.id for row in rows if row.references]), GenerationUpload.name != ""
    )
    name_of = {(each.generation_id, each.storage_key): each.name for each in session.scalars(query)}
    found: dict[str, dict[str, list[Reference]]] = {}
    for row in rows:
        for reference in row.references:
            if name := name_of.get((row.id, reference.key)):
                found.setdefault(row.id, {}).setdefault(name, []).append(reference)
    return found
