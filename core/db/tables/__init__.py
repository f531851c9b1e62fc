"""Tables and their constraints, by domain; no query and no rule that a constraint cannot hold.

What is told to people stands twice: as a `Message`, and beside it as its English text, which is all that rows have
from before there were messages, and what the REST API answers.
"""

from core.db.tables.analyst import AnalystPack
from core.db.tables.approvals import Approval
from core.db.tables.assets import AssetGroup, AssetGroupItem, GenerationUpload, Upload
from core.db.tables.budgets import Budget, BudgetMonth
from core.db.tables.bulk import BulkFile, BulkItem, BulkJob
from core.db.tables.catalogue import CatalogueChange, ModelList, ModelNote
from core.db.tables.flights import Flight, ProviderLine, in_line
from core.db.tables.generations import Generation, GenerationEvent, is_live, is_uncertain
from core.db.tables.ledger import Account, ClosedEntry, ClosedPeriod, LedgerEntry
from core.db.tables.notices import Notice, NoticeSend, WayToTell
from core.db.tables.operation import (
    AuditLogEntry,
    AuditRun,
    BackfillProgress,
    FullAudit,
    Heartbeat,
    InstallationIdentity,
    ProviderHealth,
    SchemaPromise,
    SigningCertificate,
    StorageSweep,
)
from core.db.tables.people import (
    ApiToken,
    BrowserSession,
    FailedAttempts,
    IdempotencyRecord,
    Identity,
    SignInLink,
    User,
)
from core.db.tables.personal import Erasure, PersonExport
from core.db.tables.projects import Draft, Preset, Project, SavedFilter
from core.db.tables.reports import ReportIssue, ReportSchedule
from core.db.tables.sharing import ClipNote, ShareLink, ShareLinkClip, ShareLinkVisit
from core.db.tables.sheets import Sheet, SheetClip
from core.db.tables.statements import CostAdjustment, StatementClip, StatementLine, VendorStatement
from core.db.tables.tags import GenerationTag
from core.db.tables.usage import CostDrift, ExchangeRate, UndeliveredDay, UsageDay, UsageView
from core.db.tables.webhooks import WebhookDelivery, WebhookEndpoint
from core.db.tables.workspaces import Invitation, Workspace, WorkspaceMember
from core.db.types import table_of

__all__ = [
    "Account",
    "AnalystPack",
    "ApiToken",
    "Approval",
    "AssetGroup",
    "AssetGroupItem",
    "AuditLogEntry",
    "AuditRun",
    "BackfillProgress",
    "BrowserSession",
    "Budget",
    "BudgetMonth",
    "BulkFile",
    "BulkItem",
    "BulkJob",
    "CatalogueChange",
    "ClipNote",
    "ClosedEntry",
    "ClosedPeriod",
    "CostAdjustment",
    "CostDrift",
    "Draft",
    "Erasure",
    "ExchangeRate",
    "FailedAttempts",
    "Flight",
    "FullAudit",
    "Generation",
    "GenerationEvent",
    "GenerationTag",
    "GenerationUpload",
    "Heartbeat",
    "IdempotencyRecord",
    "Identity",
    "InstallationIdentity",
    "Invitation",
    "LedgerEntry",
    "ModelList",
    "ModelNote",
    "Notice",
    "NoticeSend",
    "PersonExport",
    "Preset",
    "Project",
    "ProviderHealth",
    "ProviderLine",
    "ReportIssue",
    "ReportSchedule",
    "SavedFilter",
    "SchemaPromise",
    "ShareLink",
    "ShareLinkClip",
    "ShareLinkVisit",
    "Sheet",
    "SheetClip",
    "SignInLink",
    "SigningCertificate",
    "StatementClip",
    "StatementLine",
    "StorageSweep",
    "UndeliveredDay",
    "Upload",
    "UsageDay",
    "UsageView",
    "User",
    "VendorStatement",
    "WayToTell",
    "WebhookDelivery",
    "WebhookEndpoint",
    "Workspace",
    "WorkspaceMember",
    "in_line",
    "is_live",
    "is_uncertain",
    "table_of",
]
