"""Why clips failed, in a few words each: for tables and filters, where a whole sentence has no room."""

from pages.ui.language import N_, _
from pages.ui.wording import TranslatedLabels

FAILURES = TranslatedLabels(
    {
        "generation_failed": N_("The provider could not make it"),
        "content_refused": N_("Refused for its content"),
        "provider_invalid_input": N_("Settings not accepted by the provider"),
        "provider_busy": N_("Provider too busy"),
        "provider_unavailable": N_("Provider not reachable"),
        "provider_out_of_credits": N_("Provider account empty"),
        "provider_bad_key": N_("Provider key refused"),
        "provider_not_configured": N_("Provider not set up"),
        "model_unavailable": N_("Model not available"),
        "expired_at_provider": N_("Expired at the provider"),
        "output_expired": N_("Link to the file expired"),
        "download_failed": N_("File could not be fetched"),
        "download_too_slow": N_("File came too slowly"),
        "media_rejected": N_("File was not a usable video"),
        "submit_uncertain": N_("Unclear whether it was made"),
    }
)


def failure(code: str) -> str:
    """The words of an error's code; of one that has none the code itself, as a sentence."""
    if code in FAILURES:
        return FAILURES[code]
    return code.replace("_", " ").capitalize() if code else _("Not known")
