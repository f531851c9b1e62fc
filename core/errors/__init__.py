"""Every error a person or a script can meet, each with a stable code, an HTTP status and a way out.

AppError                        500  internal
├── InvalidRequest              422  invalid_request        fields: what is wrong with which field
│   └── ModelNotOffered         422  model_not_offered
├── Unauthorized                401  unauthorized
├── Forbidden                   403  forbidden
│   └── SignInRefused           403  sign_in_refused        reason: why they may not come in
├── SignInFailed                400  sign_in_failed
├── SignInUnavailable           503  sign_in_unavailable    the identity provider is away
├── NotFound                    404  not_found              also: it is somebody else's
├── Conflict                    409  conflict
│   ├── IdempotencyConflict     409  idempotency_conflict
│   ├── PriceChanged            409  price_changed          it is another one than was shown
│   └── BooksDisagree           409  books_disagree         totals of an export differ from the ledger's
├── InsufficientCredits         402  insufficient_credits
├── TokenCapReached             402  token_cap_reached
├── BudgetExceeded              402  budget_exceeded        which budget, and what is left of it
├── TooLarge                    413  too_large
├── StorageFull                 413  storage_full
├── StorageUnavailable          503  storage_unavailable    retry_after_seconds
├── RateLimited                 429  rate_limited           retry_after_seconds
├── DatabaseUnavailable         503  database_unavailable   retry_after_seconds
├── PutAside                    500  put_aside
├── MediaRejected               422  media_rejected         reason: the rule a file broke
├── DownloadFailed              502  download_failed        retryable: trying again can help
│   ├── DownloadTooSlow         502  download_too_slow
│   └── OutputExpired           502  output_expired
└── ProviderError               502  provider_error
    ├── ProviderNotConfigured   503  provider_not_configured
    ├── ProviderRemoved         422  provider_removed
    ├── BadKey                  502  provider_bad_key
    ├── ProviderOutOfCredits    502  provider_out_of_credits
    ├── ProviderRateLimited     503  provider_busy          retry_after_seconds
    ├── InvalidInput            422  provider_invalid_input field, where the provider names one
    ├── ContentRefused          422  content_refused
    ├── ModelUnavailable        422  model_unavailable
    ├── ProviderUnavailable     503  provider_unavailable
    ├── GenerationFailed        502  generation_failed
    │   └── ExpiredAtProvider   502  expired_at_provider    it was made, and paid by us
    ├── ProviderMoved           502  provider_moved         its address is another one
    ├── UnreadableReply         502  provider_unreadable
    │   └── ReplyTooLarge       502  provider_reply_too_large
    └── SubmitUncertain         502  submit_uncertain       nobody knows whether the job exists

`error.message` is what people are told, `str(error)` the same in English. `detail` is raw text for the log and for
admins, never for users.
"""

from core.errors.base import (
    AppError,
    BooksDisagree,
    BudgetExceeded,
    Conflict,
    DatabaseUnavailable,
    Fault,
    FieldProblem,
    Forbidden,
    IdempotencyConflict,
    InsufficientCredits,
    InvalidRequest,
    MediaRejected,
    ModelNotOffered,
    NotFound,
    PriceChanged,
    PutAside,
    RateLimited,
    StorageFull,
    StorageUnavailable,
    SubmitVerdict,
    TokenCapReached,
    TooLarge,
    Unauthorized,
)
from core.errors.provider import (
    BadKey,
    ContentRefused,
    DownloadFailed,
    DownloadTooSlow,
    ExpiredAtProvider,
    GenerationFailed,
    InvalidInput,
    JobLost,
    ModelUnavailable,
    OutputExpired,
    ProviderError,
    ProviderMoved,
    ProviderNotConfigured,
    ProviderOutOfCredits,
    ProviderRateLimited,
    ProviderRemoved,
    ProviderUnavailable,
    ReplyTooLarge,
    ServerUnavailable,
    SubmitUncertain,
    UnreadableReply,
)
from core.errors.sign_in import SignInFailed, SignInRefused, SignInUnavailable

__all__ = [
    "AppError",
    "BadKey",
    "BooksDisagree",
    "BudgetExceeded",
    "Conflict",
    "ContentRefused",
    "DatabaseUnavailable",
    "DownloadFailed",
    "DownloadTooSlow",
    "ExpiredAtProvider",
    "Fault",
    "FieldProblem",
    "Forbidden",
    "GenerationFailed",
    "IdempotencyConflict",
    "InsufficientCredits",
    "InvalidInput",
    "InvalidRequest",
    "JobLost",
    "MediaRejected",
    "ModelNotOffered",
    "ModelUnavailable",
    "NotFound",
    "OutputExpired",
    "PriceChanged",
    "ProviderError",
    "ProviderMoved",
    "ProviderNotConfigured",
    "ProviderOutOfCredits",
    "ProviderRateLimited",
    "ProviderRemoved",
    "ProviderUnavailable",
    "PutAside",
    "RateLimited",
    "ReplyTooLarge",
    "ServerUnavailable",
    "SignInFailed",
    "SignInRefused",
    "SignInUnavailable",
    "StorageFull",
    "StorageUnavailable",
    "SubmitUncertain",
    "SubmitVerdict",
    "TokenCapReached",
    "TooLarge",
    "Unauthorized",
    "UnreadableReply",
]
