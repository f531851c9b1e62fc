"""Addresses of the sign-in app as a browser sees them, and the cookie of its session."""

from urllib.parse import quote, urlencode, urlsplit

from starlette.responses import Response
from starlette.types import Scope

from core.config import Settings

PATH = "/auth"
SIGN_IN_COOKIE = "avg_sign_in"
SIGN_IN_SECONDS = 600


def address(settings: Settings, base_path: str, path: str) -> str:
    """The address of a path of ours: below PUBLIC_URL, or where that is not set below Streamlit's own path."""
    return f"{settings.public_url or base_path}{path}"


def login(settings: Settings, base_path: str, *, issuer_key: str, next_path: str) -> str:
    """Where a sign-in with one provider begins that leads to this path."""
    query = urlencode({"issuer": issuer_key, "next": next_path}, quote_via=quote)
    return address(settings, base_path, f"{PATH}/login?{query}")


def cookie_path(settings: Settings, base_path: str) -> str:
    """The path of the cookie of a sign-in under way."""
    return f"{urlsplit(settings.public_url).path if settings.public_url else base_path}{PATH}"


def is_secure(settings: Settings, scope: Scope) -> bool:
    """Whether a browser may send its cookies over https only."""
    return settings.public_url.startswith("https:") or scope.get("scheme") in ("https", "wss")


def set_session(answer: Response, token: str, *, settings: Settings, scope: Scope) -> None:
    """Give a browser the cookie of its session."""
    answer.set_cookie(
        settings.session_cookie,
        token,
        max_age=settings.session_hours * 3600,
        path="/",
        secure=is_secure(settings, scope),
        httponly=True,
        samesite="lax",
    )


def clear_session(answer: Response, *, settings: Settings, scope: Scope) -> None:
    """Take the cookie away."""
    answer.delete_cookie(
        settings.session_cookie, path="/", secure=is_secure(settings, scope), httponly=True, samesite="lax"
    )
