"""The errors of providers and of the files that they make."""

from collections.abc import Mapping
from typing import ClassVar

from core.errors.base import AppError, Fault, SubmitVerdict
from core.messages import N_, Message, Source, message, plain


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
        super().__init__(message or _refused(field), detail=detail)
        self.field = field


_LABELS: Mapping[str, Source] = {
    "prompt": N_("Prompt"),
    "negativePrompt": N_("Negative prompt"),
    "duration": N_("Length"),
    "resolution": N_("Resolution"),
    "aspectRatio": N_("Aspect ratio"),
    "startImagePath": N_("Start image"),
    "endImagePath": N_("End image"),
    "references": N_("References"),
    "generateAudio": N_("Sound"),
    "seed": N_("Seed"),
    "fps": N_("Frames a second"),
}
"""Field of an order -> what the form calls it."""


def _refused(field: str | None) -> Message | None:
    """A sentence that names the field as the form does; None where there is none to name."""
    label = _LABELS.get(field or "")
    return message("provider_refuses_field", field=plain(label)) if label else None


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


class ServerUnavailable(ProviderUnavailable):
    """One of a provider's own servers is away; that says nothing of the others, nor of the provider."""

    fault = Fault.NOBODY


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
