"""The root of the errors, and those of a request, of people and of this installation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with a field, and the values it could have instead while all others stay.

    `rule` is the id of the rule of its model that it breaks, `domain` for what the model never makes, `text` for words.
    """

    field: str
    message: Message
    rule: str
    allowed: tuple[str | int, ...] = ()


class InvalidRequest(AppError):
    """A request whose fields are not usable; `fields` maps field name to what to change.

    `problems` say the same for programs, where there is more to say.
    """

    code = "invalid_request"
    http_status = 422
    fault = Fault.USER
    sentence = N_("Some fields need a change.")

    def __init__(
        self,
        message: Message | Source | None = None,
        *,
        fields: Mapping[str, Message | Source] | None = None,
        problems: Sequence[FieldProblem] = (),
    ) -> None:
        super().__init__(message)
        self.fields = {name: as_message(wrong) for name, wrong in (fields or {}).items()}
        self.problems = tuple(problems)


class ModelNotOffered(InvalidRequest):
    """The model has ended or is hidden; the sentence names its successor. It can still be priced."""

    code = "model_not_offered"
    sentence = N_("This model is not offered. Choose another one.")


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


class BooksDisagree(Conflict):
    """Totals of an export differ from the ledger's, so nothing is handed out; the sentence names which."""

    code = "books_disagree"
    fault = Fault.OPERATOR
    sentence = N_("Totals differ from the ledger, so this is not handed out. Tell an administrator.")


class PriceChanged(Conflict):
    """The price is another one by now than the person was shown; nothing was ordered."""

    code = "price_changed"
    sentence = N_("The price has changed meanwhile, so nothing was ordered. Look at it and order again.")


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


class TokenCapReached(AppError):
    """The order would take an API token over its cap."""

    code = "token_cap_reached"
    http_status = 402
    fault = Fault.USER
    sentence = N_("This API token has reached its cap. Make another token, or order without one.")


class BudgetExceeded(AppError):
    """A monthly budget that stops would be exceeded by the order; the rest says for programs which one and by what.

    `scope` is `workspace`, `project` or `member`, `subject_id` the id of that one, `month` such as `2026-11`.
    """

    code = "budget_exceeded"
    http_status = 402
    fault = Fault.USER
    sentence = N_("A monthly budget does not allow this. A manager of the workspace can change it.")

    def __init__(
        self,
        message: Message | Source | None = None,
        *,
        scope: str,
        subject_id: str,
        month: str,
        needed_credits: int,
        left_credits: int,
        limit_credits: int,
    ) -> None:
        super().__init__(message)
        self.scope = scope
        self.subject_id = subject_id
        self.month = month
        self.needed_credits = needed_credits
        self.left_credits = left_credits
        self.limit_credits = limit_credits


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
