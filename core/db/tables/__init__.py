"""Tables and their constraints, by domain; no query and no rule that a constraint cannot hold.

What is told to people stands twice: as a `Message`, and beside it as its English text, which is all that rows have
from before there were messages, and what the REST API answers.
"""

from core.db.tables.generations import Generation, GenerationEvent, GenerationTag, is_live, is_uncertain
from core.db.tables.ledger import Account, LedgerEntry
from core.db.tables.operation import AuditRun, Heartbeat, InstallationIdentity, ProviderHealth
from core.db.tables.people import ApiToken, IdempotencyRecord, User
from core.db.tables.projects import Draft, Preset, Project, Upload
from core.db.tables.usage import UsageDay
from core.db.tables.webhooks import WebhookDelivery, WebhookEndpoint
from core.db.types import table_of

__all__ = [
    "Account",
    "ApiToken",
    "AuditRun",
    "Draft",
    "Generation",
    "GenerationEvent",
    "GenerationTag",
    "Heartbeat",
    "IdempotencyRecord",
    "InstallationIdentity",
    "LedgerEntry",
    "Preset",
    "Project",
    "ProviderHealth",
    "Upload",
    "UsageDay",
    "User",
    "WebhookDelivery",
    "WebhookEndpoint",
    "is_live",
    "is_uncertain",
    "table_of",
]
