"""What a route says of its answers beside their shape, for its `responses`: refusals, files, waiting times, links."""

from typing import Any

from core import errors

Json = dict[str, Any]
Answers = dict[int | str, Json]
"""Status -> response object of OpenAPI 3.1, as FastAPI's `responses` takes it."""

RETRY_AFTER: Json = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}
NOT_MODIFIED: Json = {"description": "Nothing has changed since the ETag that was sent as If-None-Match."}

_FILE = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}

_INVALID_JSON = ("invalid_json", "The body of the request is not valid JSON.")

_DATABASE_AWAY = ("database_unavailable", "The database is busy or away. Wait, then try again.")

_REFUSALS: dict[int, tuple[str, tuple[type[errors.AppError], ...]]] = {
    400: ("The body cannot be read.", ()),
    401: ("No valid token was sent.", (errors.Unauthorized,)),
    402: (
        "The balance does not cover the price, a monthly budget stops it, or the token has reached its cap.",
        (errors.InsufficientCredits, errors.BudgetExceeded, errors.TokenCapReached),
    ),
    403: ("Known caller, but not allowed to do this.", (errors.Forbidden,)),
    404: ("It does not exist, or it is not yours.", (errors.NotFound,)),
    409: (
        "What is there now does not allow this.",
        (
            errors.Conflict,
            errors.IdempotencyConflict,
            errors.PriceChanged,
            errors.BooksDisagree,
            errors.ProviderNotConfigured,
        ),
    ),
    413: ("Too large a body, or the storage is full.", (errors.TooLarge, errors.StorageFull)),
    422: ("Fields that need a change.", (errors.InvalidRequest, errors.MediaRejected)),
    429: ("Too many requests with this token; see Retry-After.", (errors.RateLimited,)),
    500: ("Something went wrong on our side; the message has a reference for the log.", (errors.AppError,)),
    503: ("Something this needs is away or busy; see Retry-After.", (errors.StorageUnavailable,)),
}


def refuses(*statuses: int) -> Answers:
    """The refusals of a route that do not follow from its method, body and token (see `document`), with examples."""
    return {status: _refusal(status) for status in statuses}


def sends_file(media_type: str, *, in_parts: bool = False) -> Answers:
    """A 200 that is a file; `in_parts` for one that answers to Range and conditions as well."""
    whole: Answers = {200: {"content": {media_type: _FILE}}}
    if not in_parts:
        return whole
    return whole | {
        206: {"description": "The part that was asked for with Range.", "content": {"*/*": _FILE}},
        304: NOT_MODIFIED,
        416: {"description": "The part that was asked for lies outside the file."},
    }


def sends_sheet(*others: str) -> Answers:
    """A 200 that is a file for spreadsheets, CSV or XLSX, or of another of these media types."""
    xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    binary = {"schema": {"type": "string", "format": "binary"}}
    kinds = {"text/csv": {"schema": {"type": "string"}}, xlsx: binary} | dict.fromkeys(others, binary)
    return {200: {"content": kinds}}


def leads_to(*operation_ids: str, id_at: str) -> Json:
    """Links to operations that take as `id` what the answer has at a place, such as `project/id`."""
    return {name: {"operationId": name, "parameters": {"id": _in_body(id_at)}} for name in operation_ids}


def fills(operation_id: str, **fields: str) -> Json:
    """A link to an operation whose body takes fields of the answer: name of the field -> where its value is."""
    body = {name: _in_body(place) for name, place in fields.items()}
    return {operation_id: {"operationId": operation_id, "requestBody": body}}


def next_page(operation_id: str) -> Json:
    """A link to the same operation with the cursor that the answer gives."""
    return {"nextPage": {"operationId": operation_id, "parameters": {"cursor": _in_body("nextCursor")}}}


def _in_body(place: str) -> str:
    return f"$response.body#/{place}"


def _refusal(status: int) -> Json:
    description, classes = _REFUSALS[status]
    kinds = [(kind.code, kind.sentence) for kind in classes]
    kinds = kinds or [_DATABASE_AWAY if status == 503 else _INVALID_JSON]
    examples = {
        code: {"value": {"success": False, "error": {"code": code, "message": message}}} for code, message in kinds
    }
    content = {"schema": {"$ref": "#/components/schemas/Refusal"}, "examples": examples}
    response: Json = {"description": description, "content": {"application/json": content}}
    if status in (429, 503):
        response["headers"] = RETRY_AFTER
    return response
