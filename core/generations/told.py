"""What lines of the log are to have while somebody works on a generation, and what they must not; it writes none."""

from contextlib import AbstractContextManager
from typing import Any

from core import logs
from core.db.tables import Generation
from core.spec import GenerationSpec


def about(row: Generation) -> AbstractContextManager[None]:
    """Let the lines of a block say which generation they are about, and with which request it was ordered."""
    return logs.bound(**_of(row))


def from_now_on_about(row: Generation) -> None:
    """The same for what follows in a task or thread that works on nothing else."""
    logs.bind(**_of(row))


def keep_out(spec: GenerationSpec) -> None:
    """Let no line of what follows in this request hold what somebody has written."""
    logs.bind(private=(spec.prompt, spec.negative_prompt))


def _of(row: Generation) -> dict[str, Any]:
    return {
        "private": (row.prompt, row.negative_prompt, row.provider_video_url),
        "generation_id": row.id,
        "provider": row.provider,
        "request_id": row.request_id,
    }
