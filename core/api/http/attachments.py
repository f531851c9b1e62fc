"""Answers that a browser keeps as a file: streamed, under a name."""

from collections.abc import Iterable

from starlette.responses import StreamingResponse

from core.files.disposition import content_disposition


def attachment(pieces: Iterable[bytes], *, name: str, media_type: str) -> StreamingResponse:
    """The pieces of a file, sent as they are made."""
    headers = {"Content-Disposition": content_disposition(name)}
    return StreamingResponse(pieces, media_type=media_type, headers=headers)
