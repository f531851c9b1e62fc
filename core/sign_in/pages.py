"""What the pages of signing in say: to whom is not signed in, to whom may not come in, and when something is away."""

import logging
from collections.abc import Mapping

from core import errors
from core.installation import Installation
from core.messages import N_, message
from core.sign_in import places
from core.sign_in.page import AWAY_HINT, Form, Link, Page

log = logging.getLogger(__name__)

_AT_FRONT = N_("Nobody has said who you are. Open this address through your company's own entrance.")


def choose(here: Installation, base_path: str, *, next_path: str, was_signed_in: bool = False) -> Page:
    """The sign-in page: one button a provider, leading back to where somebody wanted to go."""
    issuers = here.issuers.all
    notices = [message("signed_out")] if was_signed_in else []
    if here.settings.auth_mode == "proxy":
        return Page(N_("Sign in"), [_AT_FRONT], notices)
    away = [message("sign_in_away", name=issuer.settings.name) for issuer in issuers if issuer.is_away]
    buttons = [
        Link(
            message("sign_in_with", name=issuer.settings.name),
            places.login(here.settings, base_path, issuer_key=issuer.settings.key, next_path=next_path),
        )
        for issuer in issuers
    ]
    sentence = N_("Sign in to go on; you come back to this page.")
    return Page(N_("Sign in"), [sentence], [*notices, *away], buttons, AWAY_HINT if away else None)


def signed_out(here: Installation, base_path: str) -> Page:
    """Where somebody lands who has signed out."""
    home = places.address(here.settings, base_path, "/")
    again = [Link(N_("Sign in again"), home)]
    sentences = [N_("That holds for all tabs of this browser.")]
    if here.settings.auth_mode == "proxy":
        sentences.append(N_("Your company's own entrance lets you in again until you sign out there, too."))
    return Page(message("signed_out"), sentences, buttons=again)


def one_time_link(email: str, token: str) -> Page:
    """The page of a one-time link."""
    sentence = N_("This link lets you in once, without your identity provider.")
    return Page(N_("One-time link"), [sentence], buttons=[Form(message("sign_in_as", email=email), {"token": token})])


def refused(error: errors.AppError, here: Installation, base_path: str) -> Page:
    """Why somebody did not come in, and what they can do."""
    again = [Link(N_("Try again"), places.address(here.settings, base_path, "/"))]
    hint = AWAY_HINT if isinstance(error, errors.SignInUnavailable) else None
    heading = N_("Not just now") if error.http_status >= 500 else N_("You are not signed in")
    return Page(heading, [error.message], buttons=again, hint=hint)


def retry_after(error: errors.AppError) -> Mapping[str, str]:
    """When to try again, for programs."""
    seconds = getattr(error, "retry_after_seconds", None)
    return {"Retry-After": str(max(1, round(seconds)))} if seconds else {}


def log_trouble(error: errors.AppError) -> None:
    """Tell the log why signing in is not possible."""
    log.warning("Signing in: %s (%s)", error.code, error.detail)
