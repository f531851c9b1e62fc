"""What lines of the log are to have while somebody works on a generation, and what they must not; it writes none."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.exc import SQLAlchemyError

from core import db, logs, tracing
from core.db.tables import Generation
from core.spec import GenerationSpec

COLUMNS = (
    Generation.id,
    Generation.provider,
    Generation.request_id,
    Generation.traceparent,
    Generation.prompt,
    Generation.negative_prompt,
    Generation.provider_video_url,
)
"""What has to be known of a generation for that."""


def about(row: Generation | Row[*tuple[Any, ...]]) -> AbstractContextManager[None]:
    """Let the lines of a block say which generation they are about, and with which request it was ordered.

    `row` is one of the table, or has `COLUMNS`.
    """
    return logs.bound(**_of(row))


def from_now_on_about(row: Generation) -> None:
    """The same for what follows in a task or thread that works on nothing else."""
    logs.bind(**_of(row))


@contextmanager
def about_id(generation_id: str) -> Iterator[None]:
    """The same for who has only its id: its row is read for it, so not around what is done hundreds of times a second.

    Without the database the lines have the id alone.
    """
    known: dict[str, Any] = {"generation_id": generation_id}
    try:
        with db.read_connection() as reading:
            row = reading.execute(select(*COLUMNS).where(Generation.id == generation_id)).one_or_none()
    except SQLAlchemyError:
        row = None
    if row is not None:
        known = _of(row)
    with logs.bound(**known):
        yield


def keep_out(spec: GenerationSpec) -> None:
    """Let no line of what follows in this request hold what somebody has written."""
    logs.bind(private=(spec.prompt, spec.negative_prompt))


def _of(row: Any) -> dict[str, Any]:
    return {
        "private": (row.prompt, row.negative_prompt, row.provider_video_url),
        "generation_id": row.id,
        "provider": row.provider,
        "request_id": row.request_id,
        "trace_id": tracing.trace_id_of(row.traceparent),
    }
