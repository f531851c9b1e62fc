"""How routes are made: routers whose answers are written out in the thread that has made them."""

import inspect
from collections.abc import Callable, Coroutine, Mapping
from functools import wraps
from typing import Annotated, Any, get_args, get_origin

from fastapi import APIRouter, Depends
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import ValidationError
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import Response

from core.api.http import strict_json
from core.api.schemas import requests, responses

OBSERVED = "observed"
"""Where a scope has what is to be told of its request, for whoever measures it."""


def written(
    answer: responses.Response, *, status: int = 200, headers: Mapping[str, str] | None = None, only_set: bool = False
) -> Response:
    """An answer as JSON; with `only_set` without the fields that nobody gave a value."""
    body = answer.model_dump_json(by_alias=True, exclude_unset=only_set)
    return Response(body, status_code=status, headers=headers, media_type="application/json")


class Route(APIRoute):
    """A route that writes the answer of a plain `def` itself and reads its query model at once.

    FastAPI (0.165, `serialize_response`) would check the shape once more, for which it goes to a second thread, and
    then write it on the event loop. The shape was checked when it was made, and these hops cost more than all the rest.
    It would look at the types of all fields of a query model anew for every request. Clients call a route by the name
    of its function, in camelCase.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self._declared = (path, endpoint, options)
        if not inspect.iscoroutinefunction(endpoint):
            status, only_set = options.get("status_code") or 200, bool(options.get("response_model_exclude_unset"))
            endpoint = _writing(endpoint, status, only_set)
        super().__init__(path, endpoint, **options)
        self.operation_id = self.operation_id or to_camel(self.name)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, for a request whose JSON is read strictly."""
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            if (observed := request.scope.get(OBSERVED)) is not None:
                observed["route"] = self.path
            return await handle(strict_json.JsonRequest(request.scope, request.receive))

        return handle_strictly

    def documented(self) -> APIRoute:
        """The route as FastAPI understands what was declared, for the document; it serves nothing."""
        path, endpoint, options = self._declared
        route = APIRoute(path, endpoint, **options)
        route.operation_id = self.operation_id
        return route


def router(tag: str, **options: Any) -> APIRouter:
    """A router of such routes, which stand under `tag` in the document."""
    return APIRouter(tags=[tag], route_class=Route, **options)


def _writing(endpoint: Callable[..., Any], status: int, only_set: bool) -> Callable[..., Any]:
    @wraps(endpoint)
    def answered(*args: Any, **named: Any) -> Any:
        answer = endpoint(*args, **named)
        return written(answer, status=status, only_set=only_set) if isinstance(answer, responses.Response) else answer

    signature = inspect.signature(endpoint, eval_str=True)
    parameters = [_with_reader(parameter) for parameter in signature.parameters.values()]
    vars(answered)["__signature__"] = signature.replace(parameters=parameters)
    return answered


def _with_reader(parameter: inspect.Parameter) -> inspect.Parameter:
    """The parameter, read by `_reader` if it is a query model."""
    if get_origin(parameter.annotation) is not Annotated:
        return parameter
    model = get_args(parameter.annotation)[0]
    if not (isinstance(model, type) and issubclass(model, requests.Query)):
        return parameter
    return parameter.replace(annotation=Annotated[model, Depends(_reader(model))])


def _reader(model: type[requests.Query]) -> Callable[[Request], Coroutine[Any, Any, requests.Query]]:
    """Reads a query string into a model; RequestValidationError for what does not fit."""
    lists = {field.alias for field in model.model_fields.values() if get_origin(field.annotation) is list}

    async def read(request: Request) -> requests.Query:
        values: dict[str, Any] = {}
        for name, value in request.query_params.multi_items():
            if name in lists:
                values.setdefault(name, []).append(value)
            else:
                values[name] = value
        try:
            return model.model_validate(values)
        except ValidationError as wrong:
            found = wrong.errors(include_url=False)
            raise RequestValidationError([error | {"loc": ("query", *error["loc"])} for error in found]) from None

    return read
