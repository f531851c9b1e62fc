"""Puts the REST API together; app.py mounts it, and it runs alone as well."""

from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from core import errors
from core.api import (
    answers,
    auth,
    budgets,
    credits,
    estimates,
    generations,
    health,
    hooks,
    limits,
    media,
    models,
    projects,
    refusals,
    uploads,
    usage,
    what_if,
)

FOR_EVERYBODY: tuple[APIRouter, ...] = (health.router, media.signed, hooks.router)
"""Answer without a token: a probe has none, and a signed address is its own permission."""

FOR_PEOPLE: tuple[APIRouter, ...] = (
    projects.router,
    models.router,
    estimates.router,
    uploads.router,
    generations.router,
    media.router,
    credits.router,
    usage.router,
    budgets.router,
    what_if.router,
)

DESCRIPTION = """Make video from text and images with several AI providers, at a price that is known before.

Send `Authorization: Bearer <token>` with every call. Prices are whole credits. A refusal has the shape
`{"success": false, "error": {"code", "message", "fields"?}}`; `code` is stable, `message` is for people."""


_REFUSAL = {"model": answers.Refusal}
REFUSALS: dict[int | str, dict[str, Any]] = {"default": {**_REFUSAL, "description": "A refusal"}}
REFUSALS_TO_PEOPLE = REFUSALS | {
    401: {**_REFUSAL, "description": "No valid token"},
    422: {**_REFUSAL, "description": "Fields that need a change"},
}


def build() -> FastAPI:
    """The API as an ASGI application."""
    api = FastAPI(
        title="AI Video Generator",
        version="1",
        description=DESCRIPTION,
        docs_url=None,  # FastAPI's own pages load their scripts from other people's servers
        redoc_url=None,
        redirect_slashes=False,  # behind a proxy the redirect would name the wrong address
        middleware=[Middleware(refusals.Unexpected), Middleware(limits.BodyLimit)],
        exception_handlers={
            errors.AppError: refusals.app_error,
            RequestValidationError: refusals.invalid,
            HTTPException: refusals.http_error,
        },
    )
    for router in FOR_EVERYBODY:
        api.include_router(router, responses=REFUSALS)
    for router in FOR_PEOPLE:
        api.include_router(router, dependencies=[Depends(auth.person)], responses=REFUSALS_TO_PEOPLE)
    return api


api = build()
