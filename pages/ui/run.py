"""One run of a page, with an id as a request of the API has one: what it sets off is found again by it.

A press is a run: what it calls back comes first and the page is drawn then, both under one id. A fragment that runs
alone has an id of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from core import logs, tracing
from core.ids import new_id

_id: ContextVar[str | None] = ContextVar("_id", default=None)


@contextmanager
def begun() -> Iterator[None]:
    """Around the drawing of a page; the shell does it."""
    try:
        with tracing.span("page", video__request_id=request_id()):
            yield
    finally:
        _id.set(None)  # the thread may run on with the next press


def request_id() -> str:
    """The id of the run that is under way here, which begins with whoever asks first."""
    found = _id.get()
    if found is None:
        found = new_id()
        _id.set(found)
        logs.begin(request_id=found)
    return found
