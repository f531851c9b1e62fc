"""Spans of statements, below the request that runs them; only in a process that makes spans, and without any value."""

from typing import Any

from sqlalchemy import Engine, event

from core import tracing

_OPEN = "open_spans"


def watch(engine: Engine) -> None:
    """Give each statement of this engine a span from now on, where one is open already."""

    @event.listens_for(engine, "before_cursor_execute")
    def begin(connection: Any, _cursor: object, statement: str, *_rest: object) -> None:
        if not tracing.has_span():
            return
        opened = tracing.span(
            statement.split(None, 1)[0].upper(), db__system=engine.dialect.name, db__statement=statement
        )
        opened.__enter__()
        connection.info.setdefault(_OPEN, []).append(opened)

    @event.listens_for(engine, "after_cursor_execute")
    def end(connection: Any, *_rest: object) -> None:
        if opened := connection.info.get(_OPEN):
            opened.pop().__exit__(None, None, None)

    @event.listens_for(engine, "handle_error")
    def broke(context: Any) -> None:
        if context.connection is not None and (opened := context.connection.info.get(_OPEN)):
            opened.pop().__exit__(None, None, None)
