"""What is said of where files lie: the address, a store's own variables, and how browsers get the files.

Nothing here asks a store anything. The names of a store's own variables are those that its other tools know.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from core.redaction import shown_address

STORES = ("s3", "gs", "az")
MEDIA_LINKS = ("proxy", "direct")

SECRETS = (
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_SAS_KEY",
)
"""Those of a store's own variables that nobody may see."""

VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_CA_BUNDLE",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "AZURE_STORAGE_ACCOUNT_NAME",
    "AZURE_STORAGE_ENDPOINT",
    *SECRETS,
)
"""What is read of a store's own variables; by which role a machine may use a store, its client finds out by itself."""

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*/?")


@dataclass(frozen=True, slots=True)
class StoreAccess:
    """How an object store is reached: its own variables as they were given, and where browsers reach it, if said."""

    variables: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    public_url: str = ""

    def get(self, *names: str) -> str:
        """The first of these variables that was given; empty without one."""
        given = dict(self.variables)
        return next((given[name] for name in names if given.get(name)), "")


AS_THE_MACHINE_SAYS = StoreAccess()
"""Nothing was given: keys and place are those of the machine's own role."""


class Chosen(Protocol):
    """The settings that these rules look at."""

    @property
    def storage_url(self) -> str: ...  # noqa: D102 -- the setting of that name
    @property
    def storage_public_url(self) -> str: ...  # noqa: D102 -- same
    @property
    def store_variables(self) -> Mapping[str, str]: ...  # noqa: D102 -- what was given of VARIABLES
    @property
    def media_links(self) -> str: ...  # noqa: D102 -- the setting of that name


def storage_url(url: str) -> str:
    """A folder of this machine as `file:///absolute/path`, or a bucket as `s3://bucket/prefix`."""
    shown = shown_address(url)
    try:
        parts = urlsplit(url)
        is_known = parts.scheme in ("file", *STORES) and parts.port != 0
    except ValueError:
        is_known = False
    if not is_known:
        starts = "file:///, s3://, gs:// or az://"
        raise ValueError(f"'{shown}' is no address that starts with {starts}.")
    if parts.query or parts.fragment:
        raise ValueError(f"'{shown}' has a ? or # in it. Write them as %3F and %23.")
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
            raise ValueError(f"'{shown}' is not an absolute path on this machine: file:///srv/media.")
    elif not _BUCKET.fullmatch(parts.netloc) or not _PREFIX.fullmatch(parts.path):
        raise ValueError(f"'{shown}' does not name a bucket, and a prefix if you like: {parts.scheme}://bucket/prefix.")
    return url


def folder_of(url: str) -> Path | None:
    """The folder that an address names; None where it names a bucket."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def bucket_of(url: str) -> tuple[str, str]:
    """Bucket and prefix of an address that names one; the prefix has no slash at its ends."""
    parts = urlsplit(url)
    return parts.netloc, parts.path.strip("/")


def media_links(value: str) -> str:
    """Who sends the bytes of a file to a browser."""
    if value not in MEDIA_LINKS:
        raise ValueError(f"'{value[:40]}' is neither proxy nor direct.")
    return value


def access(settings: Chosen) -> StoreAccess:
    """How the store of these settings is reached."""
    return StoreAccess(tuple(sorted(settings.store_variables.items())), settings.storage_public_url)


def given(variables: Mapping[str, str]) -> dict[str, str]:
    """What was given of the stores' own variables."""
    return {name: value for name in VARIABLES if (value := variables.get(name, "").strip())}


def secrets(settings: Chosen) -> set[str]:
    """What must not be seen in a log."""
    return {settings.store_variables[name] for name in SECRETS if name in settings.store_variables}


def contradiction(settings: Chosen) -> str | None:
    """What is set of all this that cannot be together, in a sentence."""
    is_folder = folder_of(settings.storage_url) is not None
    if is_folder and settings.media_links == "direct":
        return "MEDIA_LINKS=direct needs a store that browsers can reach: STORAGE_URL is a folder."
    given_keys = {name for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") if name in settings.store_variables}
    if settings.storage_url.startswith("s3:") and len(given_keys) == 1:
        return "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set together, or neither is."
    return None
