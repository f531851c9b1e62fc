"""Names of variables that were probably meant to be settings of ours, and are slips."""

import difflib
from collections.abc import Collection, Iterable

_NEARLY = 0.8
"""How much alike two names must be to be taken for a slip, of 1; measured, `REPLICAT` is 0.94 and `VITE` 0.46."""


def nearly_of(name: str, suffixes: Iterable[str], providers: Collection[str]) -> str | None:
    """The variable of a provider that was probably meant; None when it is none of ours at all."""
    suffix = next((suffix for suffix in suffixes if name.endswith(suffix)), None)
    if suffix is None:
        return None
    stem = name.removesuffix(suffix).replace("_", "").lower()
    for provider in providers:
        begins = min(len(stem), len(provider)) > 2 and (stem.startswith(provider) or provider.startswith(stem))
        if begins or difflib.SequenceMatcher(None, stem, provider).ratio() >= _NEARLY:
            return f"{provider.upper()}{suffix}"
    return None


PREFIXES = (
    *(
        "AUTO_MIGR",
        "DATABASE_",
        "REDIS_",
        "STORAGE_",
        "AUTH_MODE",
        "SIGNUP_",
        "POLL_",
        "DOWNLOAD_ALLOW",
        "WEBHOOK_ALLOW",
    ),
    *("OIDC_", "PROXY_USER", "PROXY_GROUP", "PROXY_JW", "TRUSTED_PROX", "ROLE_MAP", "DEFAULT_ROLE", "ALLOWED_EMAIL"),
    *("ADMIN_EMAIL", "SESSION_HOUR", "SESSION_IDLE", "AUDIT_LOG_", "VENDORS_", "CREDENTIALS_", "DELIVERY_CH", "SHEET_"),
    *("ANALYST_", "ARCHIVE_", "SMTP_", "INBOX_", "LOW_BALANCE", "MEDIA_LINK", "LOG_FORM", "METRICS_", "TRASH_"),
    *("AUTO_MIGR", "REJECTED_C", "UNDECIDED_C", "EVENT_DAY", "DEPARTED_", "WEBHOOK_DELIVER"),
)
"""How names begin that are ours alone: another one that begins so is a slip."""
