"""Errors of signing in: refused with a reason, gone wrong on the way, or the identity provider is away."""

from core.errors.base import AppError, Fault, Forbidden
from core.messages import N_, message


class SignInRefused(Forbidden):
    """Known who it is, and they may not come in; `reason` is the stable name of why."""

    code = "sign_in_refused"
    sentence = N_("You may not sign in here. Ask an administrator.")

    def __init__(self, reason: str) -> None:
        super().__init__(message(f"sign_in_{reason}"))
        self.reason = reason


class SignInFailed(AppError):
    """A sign-in that went wrong on its way: begun elsewhere, too late, or with an answer that does not hold."""

    code = "sign_in_failed"
    http_status = 400
    fault = Fault.USER
    sentence = N_("This sign-in did not work, or took too long. Try again.")


class SignInUnavailable(AppError):
    """The identity provider does not answer, or not as it should; people who are signed in stay so."""

    code = "sign_in_unavailable"
    http_status = 503
    sentence = N_("The identity provider cannot be reached just now. Try again in a minute.")
    retry_after_seconds = 10
