"""Every error a person or a script can meet, each with a stable code, an HTTP status and a way out.

AppError                        500  internal
├── InvalidRequest              422  invalid_request        fields: what is wrong with which field
├── Unauthorized                401  unauthorized
├── Forbidden                   403  forbidden
├── NotFound                    404  not_found              also: it is somebody else's
├── Conflict                    409  conflict
│   └── IdempotencyConflict     409  idempotency_conflict
├── InsufficientCredits         402  insufficient_credits
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

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from core.messages import N_, Message, Source, as_message, message, register


class Fault(StrEnum):
    """Who has to change something before the same thing can work."""

    USER = "user"
    """What was asked for."""
    PROVIDER = "provider"
    """The provider, all by itself: counts against its health."""
    ACCOUNT = "account"
    """Our key, our account or the address we have: shown until an order or a check of the key succeeds."""
    OPERATOR = "operator"
    """This installation."""
    NOBODY = "nobody"
    """It may go otherwise the next time: a full queue, one job that did not work out."""


class SubmitVerdict(StrEnum):
    """What a submit that ended with an error means for the generation and its hold."""

    REFUSED = "refused"
    """The provider does not have it, and would refuse it again: it fails, and the hold goes back."""
    LATER = "later"
    """The provider surely does not have it: it is sent again later, and the hold stays."""
    UNKNOWN = "unknown"
    """The provider may have it: never sent again by itself, and the hold stays until somebody knows."""


class AppError(Exception):
    """Base of the tree; a bare one is an internal failure.

    `message` tells a person what to do, by itself the sentence of the class; `detail` is the raw cause and stays with
    log and admins.
    """

    code: ClassVar[str] = "internal"
    http_status: ClassVar[int] = 500
    fault: ClassVar[Fault] = Fault.OPERATOR
    sentence: ClassVar[str] = N_("Something went wrong on our side. Try again; if it stays, tell an administrator.")

    def __init_subclass__(cls) -> None:
        """An error's own code names its sentence, too."""
        if "code" in vars(cls):
            register(cls.code, cls.sentence)

    def __init__(self, message: Message | Source | None = None, *, detail: str = "") -> None:
        self.message = as_message(message) if message else Message(self.code)
        super().__init__(self.message)
        self.detail = detail


register(AppError.code, AppError.sentence)


class InvalidRequest(AppError):
    """A request whose fields are not usable; `fields` maps field name to what to change."""

    code = "invalid_request"
    http_status = 422
    fault = Fault.USER
    sentence = N_("Some fields need a change.")

    def __init__(
        self, message: Message | Source | None = None, *, fields: Mapping[str, Message | Source] | None = None
    ) -> None:
        super().__init__(message)
        self.fields = {name: as_message(wrong) for name, wrong in (fields or {}).items()}


class Unauthorized(AppError):
    """No token, or one that is not valid."""

    code = "unauthorized"
    http_status = 401
    fault = Fault.USER
    sentence = N_("Send a valid token: Authorization: Bearer <token>.")


class Forbidden(AppError):
    """Known person, but not allowed to do this."""

    code = "forbidden"
    http_status = 403
    fault = Fault.USER
    sentence = N_("You may not do this. Ask an administrator.")


class NotFound(AppError):
    """It does not exist, or it is not yours: the two look the same on purpose."""

    code = "not_found"
    http_status = 404
    fault = Fault.USER
    sentence = N_("This does not exist, or it is not yours.")


class Conflict(AppError):
    """What is there now does not allow this."""

    code = "conflict"
    http_status = 409
    fault = Fault.USER
    sentence = N_("This is not possible in its present state. Load it again and look.")


class IdempotencyConflict(Conflict):
    """The same idempotency key came with another body."""

    code = "idempotency_conflict"
    sentence = N_("This Idempotency-Key was already used for another request. Use a new key for a new request.")


class InsufficientCredits(AppError):
    """The available balance does not cover the price."""

    code = "insufficient_credits"
    http_status = 402
    fault = Fault.USER
    sentence = N_("Not enough credits. Choose a cheaper setting or ask an administrator for more.")

    def __init__(self, *, needed_credits: int, available_credits: int) -> None:
        super().__init__(message("credits_short", needed_credits=needed_credits, available_credits=available_credits))
        self.needed_credits = needed_credits
        self.available_credits = available_credits


class TooLarge(AppError):
    """A body or file over its limit."""

    code = "too_large"
    http_status = 413
    fault = Fault.USER
    sentence = N_("This is too large.")


class StorageFull(AppError):
    """The person's storage quota is used up."""

    code = "storage_full"
    http_status = 413
    fault = Fault.USER
    sentence = N_("Your storage is full. Delete clips you no longer need, then try again.")


class StorageUnavailable(AppError):
    """Where files lie is full, read-only or away; nothing half written is left, and trying again later can help."""

    code = "storage_unavailable"
    http_status = 503
    fault = Fault.OPERATOR
    sentence = N_("Files cannot be kept or read just now. Try again later; if it stays, tell an administrator.")
    retryable = True
    retry_after_seconds = 60


class RateLimited(AppError):
    """Too many requests of ours; try again after `retry_after_seconds`."""

    code = "rate_limited"
    http_status = 429
    fault = Fault.USER
    sentence = N_("Too many requests. Wait a moment and try again.")

    def __init__(self, message: Message | Source | None = None, *, retry_after_seconds: float = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class DatabaseUnavailable(AppError):
    """The database is busy, full, read-only or away for the moment; nothing was changed."""

    code = "database_unavailable"
    http_status = 503
    sentence = N_("The database cannot be used at the moment. Nothing was changed; wait half a minute and try again.")
    retry_after_seconds = 30


class PutAside(AppError):
    """A generation that could not be looked at, fetched or written down, several times in a row."""

    code = "put_aside"
    sentence = N_(
        "This could not be finished after several tries. The credits stay reserved; an administrator can see why."
    )


class MediaRejected(AppError):
    """A file that is not the image or video it should be; `reason` is the stable name of the broken rule."""

    code = "media_rejected"
    http_status = 422
    fault = Fault.USER
    sentence = N_("This file cannot be used.")

    def __init__(self, message: Message | Source | None = None, *, reason: str, detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.reason = reason


class DownloadFailed(AppError):
    """A provider's file could not be fetched; `retryable` says whether trying again can help."""

    code = "download_failed"
    http_status = 502
    fault = Fault.PROVIDER
    sentence = N_("The finished clip could not be fetched from the provider yet.")

    def __init__(self, message: Message | Source | None = None, *, retryable: bool = True, detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.retryable = retryable


class DownloadTooSlow(DownloadFailed):
    """The file comes so slowly that it holds up others; what there is of it is kept, and it goes on later."""

    code = "download_too_slow"
    sentence = N_("The finished clip comes very slowly from the provider. It is fetched on by itself.")


class OutputExpired(DownloadFailed):
    """The link to the file is no longer valid; a fresh one must be asked for."""

    code = "output_expired"
    sentence = N_("The provider no longer has the finished clip.")

    def __init__(self, message: Message | Source | None = None, *, detail: str = "") -> None:
        super().__init__(message, retryable=False, detail=detail)


class ProviderError(AppError):
    """Base of everything that goes wrong with a provider."""

    code = "provider_error"
    http_status = 502
    fault = Fault.NOBODY
    submit_verdict: ClassVar[SubmitVerdict] = SubmitVerdict.REFUSED
    sentence = N_("The provider could not do this. Try again later or choose another model.")


class ProviderNotConfigured(ProviderError):
    """No key for this provider."""

    code = "provider_not_configured"
    http_status = 409
    fault = Fault.OPERATOR
    sentence = N_("This provider is not configured here. Choose another model or ask an administrator to add its key.")


class ProviderRemoved(ProviderError):
    """No provider of this name is part of this installation any more."""

    code = "provider_removed"
    http_status = 422
    fault = Fault.OPERATOR
    sentence = N_("This provider is not part of this installation any more. Choose a model of another one.")


class BadKey(ProviderError):
    """The provider does not accept our key."""

    code = "provider_bad_key"
    fault = Fault.ACCOUNT
    sentence = N_("The provider does not accept our key. An administrator has to renew it; nothing was charged.")


class ProviderOutOfCredits(ProviderError):
    """Our account at the provider is empty."""

    code = "provider_out_of_credits"
    fault = Fault.ACCOUNT
    sentence = N_("Our account at the provider is empty. An administrator has to top it up; nothing was charged.")


class ProviderRateLimited(ProviderError):
    """The provider said, before accepting anything, to come back after `retry_after_seconds`."""

    code = "provider_busy"
    http_status = 503
    submit_verdict = SubmitVerdict.LATER
    sentence = N_("The provider is busy. It is tried again by itself.")

    def __init__(
        self, message: Message | Source | None = None, *, retry_after_seconds: float = 30, detail: str = ""
    ) -> None:
        super().__init__(message, detail=detail)
        self.retry_after_seconds = retry_after_seconds


class InvalidInput(ProviderError):
    """The provider refuses the input; `field` is ours, where it named one."""

    code = "provider_invalid_input"
    http_status = 422
    fault = Fault.USER
    sentence = N_("The provider does not accept these settings. Change them and try again; nothing was charged.")

    def __init__(self, message: Message | Source | None = None, *, field: str | None = None, detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.field = field


class ContentRefused(ProviderError):
    """Refused by the provider's content policy."""

    code = "content_refused"
    http_status = 422
    fault = Fault.USER
    sentence = N_(
        "The provider refused this by its content policy. Change the prompt or the image; nothing was charged."
    )


class ModelUnavailable(ProviderError):
    """The provider no longer has, or never had, this model."""

    code = "model_unavailable"
    http_status = 422
    fault = Fault.OPERATOR
    sentence = N_("The provider no longer offers this model. Choose another one; nothing was charged.")


class ProviderUnavailable(ProviderError):
    """Temporarily not reachable or failing by itself; on a submit only when surely nothing was accepted."""

    code = "provider_unavailable"
    http_status = 503
    fault = Fault.PROVIDER
    submit_verdict = SubmitVerdict.LATER
    sentence = N_("The provider is not reachable at the moment. It is tried again by itself.")


class GenerationFailed(ProviderError):
    """The provider accepted the job and then reported that it failed."""

    code = "generation_failed"
    sentence = N_("The provider could not make this clip. Nothing was charged; try again or change the prompt.")


class JobLost(GenerationFailed):
    """The provider does not know the job any more; whether it was made nobody can tell."""


class ExpiredAtProvider(GenerationFailed):
    """The provider finished the job and has thrown the clip away; it has been paid all the same."""

    code = "expired_at_provider"
    sentence = N_("The provider finished this clip, but no longer had it when it was fetched. Nothing was charged.")


class UnreadableReply(ProviderError):
    """A reply in no shape we know."""

    code = "provider_unreadable"
    fault = Fault.PROVIDER
    submit_verdict = SubmitVerdict.UNKNOWN
    sentence = N_("The provider answered in a way we cannot read. An administrator can see the details.")


class ReplyTooLarge(UnreadableReply):
    """A reply without end, or one that unpacks to more than any answer needs; it was given up."""

    code = "provider_reply_too_large"
    sentence = N_("The provider's answer was too large to be read. An administrator can see the details.")


class ProviderMoved(ProviderError):
    """The provider answers at another address; nothing was accepted at the one we have."""

    code = "provider_moved"
    fault = Fault.ACCOUNT
    sentence = N_("The provider has moved to another address. An administrator has to set it; nothing was charged.")


class SubmitUncertain(ProviderError):
    """The submit left this machine and no verdict came back; it must never be sent again by itself."""

    code = "submit_uncertain"
    fault = Fault.PROVIDER
    submit_verdict = SubmitVerdict.UNKNOWN
    sentence = N_(
        "We do not know whether the provider accepted this job. The credits stay reserved until it is settled; "
        "nothing is sent a second time."
    )
