"""How routes are made: routers whose answers are written out in the thread that has made them."""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from core.api.schemas import responses


def written(
    answer: responses.Response, *, status: int = 200, headers: Mapping[str, str] | None = None, only_set: bool = False
) -> Response:
    """An answer as JSON; with `only_set` without the fields that nobody gave a value."""
    body = answer.model_dump_json(by_alias=True, exclude_unset=only_set)
    return Response(body, status_code=status, headers=headers, media_type="application/json")


class Route(APIRoute):
    """A route that writes the answer of a plain `def` itself.

    FastAPI (0.165, `serialize_response`) would check the shape once more, for which it goes to a second thread, and
    then write it on the event loop. The shape was checked when it was made, and these hops cost more than all the rest.
    Clients call it by the name of its function, in camelCase.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if not inspect.iscoroutinefunction(endpoint):
            status, only_set = options.get("status_code") or 200, bool(options.get("response_model_exclude_unset"))
            endpoint = _writing(endpoint, status, only_set)
        super().__init__(path, endpoint, **options)
        self.operation_id = self.operation_id or to_camel(self.name)


def router(tag: str, **options: Any) -> APIRouter:
    """A router of such routes, which stand under `tag` in the document."""
    return APIRouter(tags=[tag], route_class=Route, **options)


def _writing(endpoint: Callable[..., Any], status: int, only_set: bool) -> Callable[..., Any]:
    @wraps(endpoint)
    def answered(*args: Any, **named: Any) -> Any:
        answer = endpoint(*args, **named)
        return written(answer, status=status, only_set=only_set) if isinstance(answer, responses.Response) else answer

    return answered
