"""Secrets that lie in files, as containers and service managers hand them over: `NAME_FILE` says where NAME's value is.

Only what holds a secret may be given so. A file is read once, with the other settings; no message shows what is in it.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from core import setting_values, storage_settings

SUFFIX = "_FILE"
LIMIT_BYTES = 64 * 1024
"""More than any key has; what is larger is not the file that was meant."""

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
SECRETS = (
    *("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SECRET_KEY_OLD", "SMTP_PASSWORD"),
    *_PROXIES,
    *storage_settings.SECRETS,
)
"""Settings that are a secret or hold a password, but for those whose names say whose they are."""

OF_PROVIDERS = ("_API_KEY", "_BASE_URL", "_WEBHOOK_SECRET")
"""How the names of a provider's secrets end."""

_OF_ISSUERS = re.compile(r"OIDC_(?:\d{1,3}_)?CLIENT_SECRET")


def filled(variables: Mapping[str, str], providers: Collection[str] | None) -> Mapping[str, str]:
    """The variables, and the values that lie in files under the names that they are meant for.

    ValueError with a sentence for a file that cannot be used, and for a value that is given in both ways.
    """
    values = dict(_values(variables, providers))
    return {**variables, **values} if values else variables


def is_known(name: str, providers: Collection[str] | None) -> bool:
    """Whether this variable says in which file one of our secrets lies; `providers` None takes those of every name."""
    secret = name.removesuffix(SUFFIX)
    if secret == name:
        return False
    return secret in SECRETS or _OF_ISSUERS.fullmatch(secret) is not None or _is_of_provider(secret, providers)


def _is_of_provider(secret: str, providers: Collection[str] | None) -> bool:
    begin = next((secret.removesuffix(end) for end in OF_PROVIDERS if secret.endswith(end)), "")
    return bool(begin) and (providers is None or begin.lower() in providers)


def _values(variables: Mapping[str, str], providers: Collection[str] | None) -> Iterator[tuple[str, str]]:
    for name, value in variables.items():
        if is_known(name, providers) and (path := setting_values.cut(value)):
            secret = name.removesuffix(SUFFIX)
            others = (secret, secret.lower()) if secret in _PROXIES else (secret,)
            if both := next((other for other in others if variables.get(other)), None):
                raise ValueError(f"{name}: {both} is set as well, and only one of them can count.")
            try:
                yield secret, _content(Path(path))
            except ValueError as wrong:
                raise ValueError(f"{name}: {wrong}") from None


def _content(path: Path) -> str:
    """What the file says, without the line end that editors put behind it."""
    try:
        with path.open("rb") as file:
            content = file.read(LIMIT_BYTES + 1)
    except OSError as failure:
        raise ValueError(f"the file {path} cannot be read: {failure.strerror}.") from None
    if len(content) > LIMIT_BYTES:
        raise ValueError(f"the file {path} has more than {LIMIT_BYTES:,} bytes, which no secret has.")
    try:
        text = content.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError(f"the file {path} is no text in UTF-8.") from None
    if not text.strip(setting_values.BLANK):
        raise ValueError(f"the file {path} is empty.")
    return text
