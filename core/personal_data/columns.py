"""Every column that can hold a text, and what becomes of it when a person is erased.

A column that stands in none of these is one that somebody has added without thinking of this: a test finds it.
"""

from collections.abc import Mapping, Sequence

from core.db.tables import (
    AnalystPack,
    ApiToken,
    AssetGroup,
    BrowserSession,
    Budget,
    BulkJob,
    ClipNote,
    Draft,
    GenerationTag,
    IdempotencyRecord,
    Notice,
    PersonExport,
    Preset,
    ReportSchedule,
    SavedFilter,
    ShareLink,
    Sheet,
    SignInLink,
    UsageView,
    WayToTell,
    WebhookEndpoint,
    WorkspaceMember,
)
from core.db.types import Base

OF_PERSON: Sequence[tuple[type[Base], str]] = (
    (BulkJob, "user_id"),
    (AnalystPack, "user_id"),
    (PersonExport, "user_id"),
    (ReportSchedule, "user_id"),
    (UsageView, "user_id"),
    (SavedFilter, "user_id"),
    (Preset, "user_id"),
    (Draft, "user_id"),
    (Sheet, "user_id"),
    (ShareLink, "user_id"),
    (ClipNote, "user_id"),
    (WebhookEndpoint, "user_id"),
    (Notice, "user_id"),
    (WayToTell, "user_id"),
    (ApiToken, "user_id"),
    (BrowserSession, "user_id"),
    (SignInLink, "user_id"),
    (IdempotencyRecord, "user_id"),
    (Budget, "subject_id"),
    (WorkspaceMember, "user_id"),
)
"""Tables whose rows of the person go, wherever they are, and the column that says whose they are."""

OF_WORKSPACE: Sequence[type[Base]] = (
    BulkJob,
    UsageView,
    SavedFilter,
    Preset,
    Draft,
    Sheet,
    ShareLink,
    WebhookEndpoint,
    GenerationTag,
    AssetGroup,
    Budget,
)
"""Tables whose rows of the personal workspace go, whoever has made them."""

WITH_THEM: Mapping[str, str] = {
    "asset_group_items": "asset_groups",
    "bulk_files": "bulk_jobs",
    "bulk_items": "bulk_jobs",
    "notice_sends": "ways_to_tell",
    "report_issues": "report_schedules",
    "share_link_clips": "share_links",
    "share_link_visits": "share_links",
    "sheet_clips": "sheets",
    "webhook_deliveries": "webhook_endpoints",
}
"""Tables whose rows go with those that they belong to; deliveries of the person's clips go, too."""

SCANNED: Mapping[str, Sequence[str]] = {
    "approvals": ("note",),
    "audit_log": ("actor", "target", "before", "after", "search_key"),
    "catalogue_changes": ("author",),
    "cost_adjustments": ("actor", "reason"),
    "erasures": ("asked_by", "error"),
    "generation_events": ("actor", "what", "message"),
    "generations": ("timeline",),
    "ledger_entries": ("actor", "reason", "message"),
    "notices": ("title", "body"),
    "vendor_statements": ("uploaded_by", "file_name"),
    "workspaces": ("name", "name_key"),
}
"""Tables that tell of people by their address or name: wherever it stands, it is replaced. All have one key."""

SEALED: Mapping[str, Sequence[str]] = {"closed_periods": ("closed_by",)}
"""The same in closed months, which are sealed anew with it."""

BY_HAND: Mapping[str, Sequence[str]] = {
    "failed_attempts": ("key",),
    "generations": (
        *("prompt", "prompt_words", "negative_prompt", "provider_response", "provider_video_url"),
        *("error_message", "error_detail", "error", "idempotency_key", "request_hash", "recipe_hash"),
        "request_id",  # as a caller has written it
    ),
    "generation_uploads": ("name",),
    "identities": ("issuer", "subject", "email"),
    "invitations": ("email", "token_hash"),
    "projects": ("name", "name_key", "description"),
    "uploads": ("name", "name_key", "file_name"),
    "users": ("email", "name", "search_key", "language", "clip_names"),
}
"""What is emptied or removed by a statement of its own, in the personal workspace or wherever it is the person's."""

WITHOUT_WORDS: Mapping[str, Sequence[str]] = {
    "accounts": (),
    "asset_groups": ("name", "name_key", "description"),  # a team's own words; those of their own workspace go
    "audit_log": ("address", "noun", "action", "target_id", "request_id"),  # addresses of their acts are emptied
    "audit_runs": ("results",),  # rules, figures, ids
    "backfills": ("name", "last_id"),
    "budget_months": ("month",),
    "catalogue_changes": ("model_id", "value"),  # what is said of models
    "closed_entries": ("month",),
    "closed_periods": ("month", "totals", "previous_hash", "entries_hash", "hash"),
    "cost_adjustments": ("provider", "model_id", "day"),
    "cost_drifts": ("model_id",),
    "erasures": ("place", "counts"),
    "full_audits": ("seen", "after_key", "found"),  # rules, figures, ids
    "generation_tags": ("tag", "ended_on", "provider", "model_id", "outcome", "reason"),  # a team's own words
    "generation_uploads": ("storage_key",),
    "generations": (
        *("provider", "model_id", "model_name", "start_image_key", "end_image_key", "resolution", "aspect_ratio"),
        *("references", "budget_month", "quote", "provider_job_id", "provider_base_url", "provider_cost_currency"),
        *("error_code", "output_key", "thumbnail_key", "preview_key", "output_facts", "credentials"),
        *("unsigned_reason", "findings", "traceparent"),
    ),
    "flights": ("provider", "model_id", "resolution", "provider_job_id", "provider_base_url"),  # gone at a clip's end
    "heartbeats": ("part",),
    "installation": ("place",),
    "ledger_entries": ("key",),
    "model_lists": ("provider", "models", "failure"),
    "model_notes": ("provider", "vendor_id", "name", "model_id"),
    "notices": ("group_key",),
    "projects": ("cost_centre",),  # what finance books by
    "provider_lines": ("provider",),
    "provider_health": ("provider", "error_code", "error_detail"),
    "schema_promises": ("revision", "oldest_head"),
    "signing_certificates": ("fingerprint", "certificates_pem", "sealed_key"),
    "statement_clips": ("model_id", "job_id"),
    "statement_lines": (
        *("digest", "matched_by", "job_id", "model_name", "model_id", "currency", "problems", "cells"),
    ),  # what a vendor has billed
    "storage_sweeps": ("after_key",),
    "undelivered_days": ("day", "provider", "model_id", "outcome", "reason"),
    "uploads": ("kind", "storage_key", "poster_key", "original_sha256"),
    "usage_days": ("day", "provider", "model_id"),
    "vendor_statements": ("provider", "month", "sha256", "heads", "settings"),
    "workspaces": ("time_zone",),
}
"""Columns in which nobody's words stand: keys, codes, figures, and what belongs to a team or to the books."""


def known(table: str) -> set[str] | None:
    """The columns of a table that something is said of; None where all its rows go."""
    if table in {model.__tablename__ for model, _column in OF_PERSON} - SCANNED.keys() or table in WITH_THEM:
        return None
    return {name for said in (SCANNED, SEALED, BY_HAND, WITHOUT_WORDS) for name in said.get(table, ())}
