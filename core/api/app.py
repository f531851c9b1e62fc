"""Puts the REST API together; app.py mounts it, and it runs alone as well."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount

from core import errors, installation
from core.api.http import auth, body_limit, conditional, error_handlers, origin
from core.api.http.permissions import Audience, RouteTable
from core.api.openapi import docs_page, document, sent_events
from core.api.routers import (
    approvals,
    asset_groups,
    assets,
    attention,
    audit_log,
    batches,
    budget_limits,
    budgets,
    bulk_jobs,
    catalogue,
    charge_back,
    clip_names,
    closed_periods,
    credentials,
    credits,
    estimates,
    event_hub,
    events,
    exports,
    frames,
    generations,
    grants,
    health,
    invitations,
    lineage,
    margins,
    media,
    members,
    metrics,
    model_comparison,
    models,
    notes,
    notices,
    people,
    person_exports,
    presets,
    projects,
    provider_callbacks,
    repricing,
    saved_filters,
    share_links,
    sheets,
    statements,
    tokens,
    trash,
    uncertain,
    uploads,
    usage,
    usage_explorer,
    usage_reports,
    usage_views,
    waste,
    ways,
    webhooks,
    workspaces,
)

ROUTERS: tuple[tuple[Audience, APIRouter], ...] = (
    # First, because they are asked most and routes are tried one by one.
    (Audience.ANY_TOKEN, events.router),  # before the generations, whose ids it would be taken for
    (Audience.ANY_TOKEN, lineage.router),  # same
    (Audience.ANY_TOKEN, generations.router),
    # Without a token: a probe has none, a signed address says what it needs, and the document is no secret.
    (Audience.PUBLIC, health.router),
    (Audience.PUBLIC, media.signed),
    (Audience.PUBLIC, provider_callbacks.router),
    (Audience.VISITORS, document.router),
    (Audience.VISITORS, docs_page.router),
    (Audience.ANY_TOKEN, projects.router),
    (Audience.ANY_TOKEN, models.router),
    (Audience.ANY_TOKEN, estimates.router),
    (Audience.ANY_TOKEN, uploads.router),
    (Audience.ANY_TOKEN, assets.router),
    (Audience.ANY_TOKEN, asset_groups.router),
    (Audience.ANY_TOKEN, batches.router),
    (Audience.ANY_TOKEN, sheets.router),
    (Audience.ANY_TOKEN, trash.router),
    (Audience.ANY_TOKEN, frames.router),
    (Audience.ANY_TOKEN, credentials.router),
    (Audience.ANY_TOKEN, presets.router),
    (Audience.ANY_TOKEN, saved_filters.router),
    (Audience.ANY_TOKEN, bulk_jobs.router),
    (Audience.ANY_TOKEN, clip_names.router),
    (Audience.ANY_TOKEN, media.router),
    (Audience.ANY_TOKEN, notes.router),
    (Audience.ANY_TOKEN, notices.router),
    (Audience.ANY_TOKEN, attention.router),
    (Audience.ANY_TOKEN, share_links.router),
    (Audience.ANY_TOKEN, credits.router),
    (Audience.ANY_TOKEN, usage.router),
    (Audience.ANY_TOKEN, usage_explorer.router),
    (Audience.ANY_TOKEN, usage_views.router),
    (Audience.ANY_TOKEN, usage_reports.router),
    (Audience.ANY_TOKEN, budgets.router),
    (Audience.ANY_TOKEN, budget_limits.router),
    (Audience.ADMIN_TOKEN, budget_limits.setting),
    (Audience.ANY_TOKEN, approvals.router),
    (Audience.ADMIN_TOKEN, approvals.deciding),
    (Audience.ANY_TOKEN, repricing.router),
    (Audience.ANY_TOKEN, model_comparison.router),
    (Audience.ANY_TOKEN, exports.router),
    (Audience.ANY_TOKEN, waste.router),
    (Audience.ANY_TOKEN, waste.retrying),
    (Audience.ANY_TOKEN, metrics.router),
    (Audience.ADMIN_TOKEN, tokens.router),
    (Audience.ADMIN_TOKEN, webhooks.router),
    (Audience.ADMIN_TOKEN, ways.router),
    (Audience.ANY_TOKEN, workspaces.router),
    (Audience.ADMIN_TOKEN, workspaces.managing),
    (Audience.ADMIN_TOKEN, members.router),
    (Audience.ADMIN_TOKEN, invitations.router),
    (Audience.ADMIN_TOKEN, people.router),
    (Audience.ADMIN_TOKEN, person_exports.router),
    (Audience.ADMIN_TOKEN, grants.router),
    (Audience.ADMIN_TOKEN, closed_periods.router),
    (Audience.ADMIN_TOKEN, charge_back.router),
    (Audience.ADMIN_TOKEN, statements.router),
    (Audience.ADMIN_TOKEN, catalogue.router),
    (Audience.ADMIN_TOKEN, uncertain.router),
    (Audience.ADMIN_TOKEN, margins.router),
    (Audience.ADMIN_TOKEN, audit_log.router),
)
"""Who may ask what; see `permissions.required_scope` for the scope a token needs."""


@asynccontextmanager
async def _lifespan(api: FastAPI) -> AsyncIterator[None]:
    """What app.py does for the API that it mounts, for one that runs alone."""
    with installation.opened(role="web"), api.state.hub.ending_with_process():
        yield


def build() -> FastAPI:
    """The API as an ASGI application."""
    table = RouteTable(ROUTERS)
    api = FastAPI(
        # Not `include_router`: FastAPI (0.165) would look through each router twice for every request.
        routes=[route for _audience, router in ROUTERS for route in router.routes],
        openapi_url=None,  # `document` serves it, with what holds for all routes
        lifespan=_lifespan,
        webhooks=sent_events.router,
        redirect_slashes=False,  # behind a proxy the redirect would name the wrong address
        middleware=[
            Middleware(origin.OriginMiddleware),
            Middleware(error_handlers.CatchAllMiddleware),
            Middleware(body_limit.BodyLimitMiddleware),
            Middleware(conditional.ConditionalGetMiddleware, table=table),
            Middleware(auth.AuthMiddleware, table=table),
        ],
        exception_handlers={
            errors.AppError: error_handlers.app_error,
            RequestValidationError: error_handlers.invalid,
            HTTPException: error_handlers.http_error,
        },
    )
    api.state.table = table
    api.state.documents = {}
    api.state.hub = event_hub.EventHub()
    return api


def mounted(path: str) -> Mount:
    """The API at a path of a larger app, also for addresses with a line break in them, which a Mount leaves out."""
    mount = Mount(path, app=api)
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return mount


api = build()
