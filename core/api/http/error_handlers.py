"""How the API says no: every error becomes one JSON shape, with a sentence for people and nothing of the inside."""

import logging
import math
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import audit_log, errors
from core.api.http.permissions import route_path
from core.db import availability

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = errors.DatabaseUnavailable.retry_after_seconds
_NAME_LIMIT_CHARS = 80

_HTTP = {
    400: ("invalid_body", "The body of the request could not be read."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not answer to this method."),
    413: (errors.TooLarge.code, "The body of the request is too large."),
}

_SENTENCES = {
    "missing": "This field is required.",
    "extra_forbidden": "There is no field of this name here.",
    "int_type": "Give a whole number.",
    "int_parsing": "Give a whole number.",
    "int_from_float": "Give a whole number.",
    "int_parsing_size": "This number is too large.",
    "bool_type": "Give true or false.",
    "bool_parsing": "Give true or false.",
    "string_type": "Give text.",
    "string_unicode": "This text has characters that are not valid Unicode.",
    "string_pattern_mismatch": "This is not a value that was handed out here.",
    "timezone_aware": "Give the time with its zone, such as 2026-11-21T09:30:00Z.",
    "date_from_datetime_inexact": "Give a day, such as 2026-11-21.",
    "date_from_datetime_parsing": "Give a day, such as 2026-11-21.",
    "date_parsing": "Give a day, such as 2026-11-21.",
    "datetime_from_date_parsing": "Give the time with its zone, such as 2026-11-21T09:30:00Z.",
    "datetime_parsing": "Give the time with its zone, such as 2026-11-21T09:30:00Z.",
    "model_attributes_type": "Send a JSON object, with Content-Type: application/json.",
    "model_type": "Send a JSON object, with Content-Type: application/json.",
}

_SENTENCES_WITH_LIMIT = {
    "greater_than_equal": "Use {ge} or more.",
    "less_than_equal": "Use {le} or less.",
    "string_too_long": "Use at most {max_length} characters.",
    "string_too_short": "This must not be empty.",
    "too_short": "Give {min_length} or more.",
    "too_long": "Give {max_length} or fewer.",
    "enum": "Use one of: {expected}.",
    "literal_error": "Use one of: {expected}.",
}


def error_response(
    status: int,
    code: str,
    message: str,
    *,
    fields: Mapping[str, str] | None = None,
    problems: Sequence[errors.FieldProblem] = (),
    limit: Mapping[str, str | int] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The one shape of every refusal."""
    error: dict[str, Any] = {"code": code, "message": message}
    if fields:
        error["fields"] = dict(fields)
    if problems:
        error["problems"] = [
            {"field": each.field, "rule": each.rule, "message": str(each.message), "allowed": list(each.allowed)}
            for each in problems
        ]
    if limit:
        error["limit"] = dict(limit)
    if request_id := audit_log.origin().request_id:
        error["requestId"] = request_id
    return JSONResponse({"success": False, "error": error}, status_code=status, headers=dict(headers or {}))


async def app_error(request: Request, error: Exception) -> JSONResponse:
    """Answer one of our own errors; `detail` goes to the log at most."""
    if not isinstance(error, errors.AppError):
        raise error
    if error.http_status == errors.AppError.http_status:
        return unexpected_error(error)
    if error.http_status > 500:
        log.warning("%s %s: %s (%s)", request.method, request.url.path, error.code, error.detail)
    headers = {}
    if isinstance(error, errors.Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    if error.http_status in (429, 503):
        seconds = getattr(error, "retry_after_seconds", RETRY_AFTER_SECONDS)
        headers["Retry-After"] = str(max(1, math.ceil(seconds)))
    fields = {name: str(wrong) for name, wrong in getattr(error, "fields", {}).items()}
    problems = getattr(error, "problems", ())
    return error_response(
        error.http_status,
        error.code,
        str(error),
        fields=fields,
        problems=problems,
        limit=_limit(error) if isinstance(error, errors.BudgetExceeded) else None,
        headers=headers,
    )


def _limit(error: errors.BudgetExceeded) -> Mapping[str, str | int]:
    """Which budget it was, for programs."""
    return {
        "scope": error.scope,
        "id": error.subject_id,
        "month": error.month,
        "limitCredits": error.limit_credits,
        "leftCredits": error.left_credits,
        "neededCredits": error.needed_credits,
    }


async def invalid(_request: Request, failure: Exception) -> JSONResponse:
    """Answer a body or query that is not of the form it should have, with a sentence for each field."""
    if not isinstance(failure, RequestValidationError):
        raise failure
    message: str = errors.InvalidRequest.sentence
    fields: dict[str, str] = {}
    for problem in failure.errors():
        if problem["type"] == "json_invalid":
            reason = str(problem["ctx"]["error"])  # a sentence where it is one of ours
            sentence = reason if reason.endswith(".") else "The body of the request is not valid JSON."
            return error_response(400, "invalid_json", sentence)
        place = problem["loc"][1:]
        if place:
            fields.setdefault(_printable(str(place[0])), _sentence(problem))
        elif problem["type"] == "missing":
            message = _SENTENCES["model_type"]
        else:
            message = _sentence(problem)
    return error_response(422, errors.InvalidRequest.code, message, fields=fields)


async def http_error(request: Request, error: Exception) -> JSONResponse:
    """Answer what the framework refuses: unknown address, wrong method, unreadable body."""
    if not isinstance(error, HTTPException):
        raise error
    if isinstance(error.__cause__, OSError):  # a large body is put on the disk while it comes in
        return await app_error(request, errors.StorageUnavailable(detail=repr(error.__cause__)))
    code, message = _HTTP.get(error.status_code, ("http_error", str(error.detail)))
    headers = dict(error.headers or {})
    if error.status_code == 405:  # the framework names the methods of the first route of this address only
        headers["Allow"] = ", ".join(request.app.state.table.methods(route_path(request.scope)))
    return error_response(error.status_code, code, message, headers=headers)


def too_large(limit_bytes: int) -> JSONResponse:
    """The refusal of a body over its limit."""
    message = f"The body of the request is larger than {limit_bytes / 1024**2:.0f} MB."
    return error_response(413, errors.TooLarge.code, message)


def unexpected_error(failure: Exception) -> JSONResponse:
    """The refusal of what should not happen: the caller gets a reference, the log the reference and the cause.

    A database that cannot be used is said to come back; it tells the log by itself, once for all requests.
    """
    if availability.is_away(failure):
        away = errors.DatabaseUnavailable()
        headers = {"Retry-After": str(away.retry_after_seconds)}
        return error_response(away.http_status, away.code, str(away), headers=headers)
    reference = secrets.token_hex(5)
    detail = failure.detail if isinstance(failure, errors.AppError) else ""
    log.error("Unexpected error, reference %s: %s", reference, detail or failure, exc_info=failure)
    return error_response(500, errors.AppError.code, f"{errors.AppError.sentence} Reference: {reference}.")


class CatchAllMiddleware:
    """Catches what nobody handled, while an answer can still be given."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer in its place when it breaks before its answer has begun."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as failure:
            if started:
                raise
            await unexpected_error(failure)(scope, receive, send)


def _sentence(problem: Mapping[str, Any]) -> str:
    """What to change, by the kind of a Pydantic error (docs.pydantic.dev, "Validation Errors")."""
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind in _SENTENCES_WITH_LIMIT:
        return _SENTENCES_WITH_LIMIT[kind].format(**context)
    return _SENTENCES.get(kind) or f"{problem['msg'].rstrip('.')}."


def _printable(name: str) -> str:
    """A field name that came from outside, made safe to send back."""
    return name[:_NAME_LIMIT_CHARS].encode("utf-8", "replace").decode()
