"""Settings from the environment; the only module that reads it, and it reads it once.

A bad value stops the start with a sentence that names the variable.
"""

import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

AUTH_MODES = ("local", "open")
LOCAL_PERSON = "demo@localhost"


class BadSetting(SystemExit):
    """A variable in the environment cannot be used; ends the process with a sentence."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set, with its defaults filled in."""

    data_dir: Path
    database_url: str
    redis_url: str | None
    storage_url: str
    auth_mode: str
    secret_key: bytes = field(repr=False)
    signup_credits: int
    poll_seconds: float
    storage_quota_bytes: int
    api_requests_per_minute: int
    public_url: str
    download_allow_hosts: frozenset[str]
    webhook_allow_hosts: frozenset[str]
    provider_keys: Mapping[str, str] = field(repr=False)
    provider_base_urls: Mapping[str, str]
    provider_max_in_flight: Mapping[str, int]
    provider_model_ids: Mapping[str, Mapping[str, str]]

    @property
    def is_demo(self) -> bool:
        """True when the app brings its own Redis and worker."""
        return self.redis_url is None

    @property
    def incoming_dir(self) -> Path:
        """Where files lie that are being fetched or worked on; what is left over there is swept away."""
        return self.data_dir / "incoming"

    def download_allow(self, provider: str) -> frozenset[str]:
        """The `host:port`s a provider's files may come from though private or unencrypted: its own, and the listed."""
        own = self.provider_base_urls.get(provider)
        return self.download_allow_hosts | ({host_port(own)} if own else frozenset())


def host_port(url: str) -> str:
    """`host:port` of a URL, the scheme's own port filled in."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The process's settings."""
    return load(os.environ)


def load(environ: Mapping[str, str]) -> Settings:
    """Read and check settings; raises BadSetting. Makes `DATA_DIR` and, on first start, the secret key in it."""
    data_dir = Path(environ.get("DATA_DIR") or "data").absolute()
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise BadSetting(f"DATA_DIR: cannot make the folder {data_dir}: {failure.strerror}.") from failure
    redis_url = environ.get("REDIS_URL") or None
    auth_mode = environ.get("AUTH_MODE") or "local"
    if auth_mode not in AUTH_MODES:
        raise BadSetting(f"AUTH_MODE: '{auth_mode}' is not one of {', '.join(AUTH_MODES)}.")
    return Settings(
        data_dir=data_dir,
        database_url=environ.get("DATABASE_URL") or f"sqlite:///{data_dir / 'studio.db'}",
        redis_url=_url("REDIS_URL", redis_url, ("redis", "rediss", "unix")) if redis_url else None,
        storage_url=_url("STORAGE_URL", environ.get("STORAGE_URL") or (data_dir / "media").as_uri(), ("file",)),
        auth_mode=auth_mode,
        secret_key=_secret_key(environ.get("SECRET_KEY"), data_dir),
        signup_credits=_integer(environ, "SIGNUP_CREDITS", 100_000 if redis_url is None else 0),
        poll_seconds=_number(environ, "POLL_SECONDS", 5.0),
        storage_quota_bytes=_integer(environ, "STORAGE_QUOTA_BYTES", 50 * 1024**3),
        api_requests_per_minute=_integer(environ, "API_REQUESTS_PER_MINUTE", 600),
        public_url=_url("PUBLIC_URL", environ["PUBLIC_URL"], ("http", "https")) if environ.get("PUBLIC_URL") else "",
        download_allow_hosts=_hosts(environ, "DOWNLOAD_ALLOW_HOSTS"),
        webhook_allow_hosts=_hosts(environ, "WEBHOOK_ALLOW_HOSTS"),
        provider_keys=_by_provider(environ, "_API_KEY"),
        provider_base_urls={
            name: _url(f"{name.upper()}_BASE_URL", url, ("http", "https"))
            for name, url in _by_provider(environ, "_BASE_URL").items()
        },
        provider_max_in_flight={
            name: _integer(environ, f"{name.upper()}_MAX_IN_FLIGHT", 0)
            for name in _by_provider(environ, "_MAX_IN_FLIGHT")
        },
        provider_model_ids={
            name: _pairs(f"{name.upper()}_MODEL_IDS", pairs)
            for name, pairs in _by_provider(environ, "_MODEL_IDS").items()
        },
    )


def _by_provider(environ: Mapping[str, str], suffix: str) -> dict[str, str]:
    """`{provider name: value}` of every non-empty `NAME<suffix>` variable."""
    return {name.removesuffix(suffix).lower(): v for name, v in environ.items() if name.endswith(suffix) and v}


def _url(name: str, value: str, schemes: tuple[str, ...]) -> str:
    if urlsplit(value).scheme not in schemes:
        raise BadSetting(f"{name}: '{value}' does not start with {' or '.join(s + '://' for s in schemes)}.")
    return value


def _integer(environ: Mapping[str, str], name: str, default: int) -> int:
    value = environ.get(name)
    if not value:
        return default
    if not value.isascii() or not value.isdigit():
        raise BadSetting(f"{name}: '{value}' is not a whole number of 0 or more.")
    return int(value)


def _number(environ: Mapping[str, str], name: str, default: float) -> float:
    try:
        number = float(environ.get(name) or default)
    except ValueError:
        raise BadSetting(f"{name}: '{environ[name]}' is not a number.") from None
    if not 0 < number < 3600:
        raise BadSetting(f"{name}: {number} is not between 0 and 3600 seconds.")
    return number


def _pairs(name: str, value: str) -> dict[str, str]:
    """`ours=theirs,...`: what a vendor now calls a model."""
    found = dict(item.strip().partition("=")[::2] for item in value.split(",") if item.strip())
    if not all(ours and theirs for ours, theirs in found.items()):
        raise BadSetting(f"{name}: '{value}' is not a list of model=vendor's-name, separated by commas.")
    return found


def _hosts(environ: Mapping[str, str], name: str) -> frozenset[str]:
    hosts = frozenset(item.strip() for item in environ.get(name, "").split(",") if item.strip())
    for host in hosts:
        if not host.rpartition(":")[2].isdigit():
            raise BadSetting(f"{name}: '{host}' is not host:port.")
    return hosts


def _secret_key(value: str | None, data_dir: Path) -> bytes:
    """The given key, or the one kept in the data folder, made on first start (once, also under a race)."""
    if value:
        return value.encode()
    path = data_dir / "secret.key"
    if not path.exists():
        handle, draft = tempfile.mkstemp(prefix="secret.", dir=data_dir)  # readable by its owner only
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(32))
        with suppress(FileExistsError):  # another process was first: its key counts
            os.link(draft, path)
        Path(draft).unlink()
    key = path.read_text().strip()
    if not key:
        raise BadSetting(f"SECRET_KEY: {path} is empty. Delete it, or set SECRET_KEY.")
    return key.encode()
