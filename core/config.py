"""Settings from the environment and a `.env` beside the app; the only module that reads them, and it reads them once.

A bad value stops the start with a sentence that names its variable and shows no secret.
"""

import logging
import os
import re
import secrets
import tempfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, ClassVar
from urllib.parse import unquote, urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from core.proxies import Proxies, proxy_address
from core.redaction import shown_address

log = logging.getLogger(__name__)

AUTH_MODES = ("local", "open")
LOCAL_PERSON = "demo@localhost"
ENV_FILE = Path(__file__).parents[1] / ".env"

API_PATH = "/api/apps/video-generator"
"""Where the REST API and everything beside it is mounted; published, so it is no setting."""


class BadSetting(SystemExit):
    """A setting cannot be used; ends the process with a sentence."""


def without_secrets(value: str) -> str:
    """An address as it may be shown; see `redaction.shown_address`."""
    return shown_address(value)


def _folder(path: Path) -> Path:
    path = path.absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise ValueError(f"cannot make the folder {path}: {failure.strerror}.") from None
    return path


def _database_url(url: str) -> str:
    if not re.match(r"[a-z0-9]+(\+[a-z0-9_]+)?://", url):
        raise ValueError(f"'{without_secrets(url)}' does not start with sqlite:// or postgresql://.")
    return url


def _url_of(*schemes: str) -> AfterValidator:
    def check(url: str) -> str:
        try:
            usable = urlsplit(url).scheme in schemes
        except ValueError:
            usable = False
        if not usable:
            raise ValueError(f"'{without_secrets(url)}' does not start with {' or '.join(s + '://' for s in schemes)}.")
        return url

    return AfterValidator(check)


def _storage_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise ValueError(f"'{without_secrets(url)}' is not an absolute path on this machine: file:///srv/media.")
    return url


def _auth_mode(mode: str) -> str:
    if mode not in AUTH_MODES:
        raise ValueError(f"'{mode}' is not one of {', '.join(AUTH_MODES)}.")
    return mode


def _whole_number(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise ValueError(f"'{value}' is not a whole number of 0 or more.")
    return int(value)


def _pause(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        raise ValueError(f"'{value}' is not a number.") from None
    if not 0 < seconds < 3600:
        raise ValueError(f"{seconds} is not between 0 and 3600 seconds.")
    return seconds


def _hosts(value: str) -> frozenset[str]:
    hosts = frozenset(item.strip() for item in value.split(",") if item.strip())
    for host in hosts:
        if not host.rpartition(":")[2].isdigit():
            raise ValueError(f"'{without_secrets(host)}' is not host:port.")
    return hosts


def _web_url(url: str) -> str:
    """An address that paths are added to: no query, and no slash at its end."""
    parts = urlsplit(url)
    if parts.hostname is None or parts.query or parts.fragment:
        raise ValueError(f"'{without_secrets(url)}' is not scheme://host, with a path at most.")
    return url.rstrip("/")


def _names(value: str) -> tuple[str, ...]:
    return tuple(item.lower() for item in re.split(r"[,\s]+", value) if item)


def _host_names(value: str) -> tuple[str, ...]:
    """Names of this installation, without scheme and port."""
    found = _names(value)
    for name in found:
        if not re.fullmatch(r"\*|(\*\.)?[a-z0-9._-]+", name):
            raise ValueError(f"'{name}' is not a host name.")
    return found


def _origins(value: str) -> tuple[str, ...]:
    """Origins as Content-Security-Policy writes them: `https://host[:port]`."""
    found = _names(value)
    for origin in found:
        if not re.fullmatch(r"https?://(\*\.)?[a-z0-9.-]+(:\d+)?", origin):
            raise ValueError(f"'{origin}' is not https://host.")
    return found


def _pairs(value: str) -> Mapping[str, str]:
    """`ours=theirs,...`: what a vendor calls a model."""
    found = dict(item.strip().partition("=")[::2] for item in value.split(",") if item.strip())
    if not all(ours and theirs for ours, theirs in found.items()):
        raise ValueError(f"'{value}' is not a list of model=vendor's-name, separated by commas.")
    return found


WebUrl = Annotated[str, _url_of("http", "https")]
WholeNumber = Annotated[int, BeforeValidator(_whole_number)]
ProxyAddress = Annotated[str, AfterValidator(proxy_address)]
Hosts = Annotated[frozenset[str], BeforeValidator(_hosts)]


class Settings(BaseSettings):
    """Everything that can be set, with its defaults filled in; `data_dir` and the key in it are made on first start."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", validate_default=False)

    data_dir: Annotated[Path, AfterValidator(_folder)] = Field(Path("data"), validate_default=True)
    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        default_factory=lambda found: f"sqlite:///{found['data_dir'] / 'studio.db'}", repr=False
    )
    redis_url: Annotated[str, _url_of("redis", "rediss", "unix")] | None = Field(None, repr=False)
    storage_url: Annotated[str, _url_of("file"), AfterValidator(_storage_url)] = Field(
        default_factory=lambda found: (found["data_dir"] / "media").as_uri()
    )
    auth_mode: Annotated[str, AfterValidator(_auth_mode)] = "local"
    secret_key: bytes = Field(default_factory=lambda found: _kept_secret_key(found["data_dir"]), repr=False)
    signup_credits: WholeNumber = Field(default_factory=lambda found: 100_000 if found["redis_url"] is None else 0)
    poll_seconds: Annotated[float, BeforeValidator(_pause)] = 5.0
    storage_quota_bytes: WholeNumber = 50 * 1024**3
    api_requests_per_minute: WholeNumber = 600
    public_url: Annotated[WebUrl, AfterValidator(_web_url)] = ""
    allowed_hosts: Annotated[tuple[str, ...], BeforeValidator(_host_names)] = ()
    frame_ancestors: Annotated[tuple[str, ...], BeforeValidator(_origins)] = ()
    connections_per_address: WholeNumber = 256
    download_allow_hosts: Hosts = frozenset()
    webhook_allow_hosts: Hosts = frozenset()
    http_proxy: ProxyAddress = Field("", repr=False)
    https_proxy: ProxyAddress = Field("", repr=False)
    all_proxy: ProxyAddress = Field("", repr=False)
    no_proxy: str = ""
    provider_keys: Mapping[str, str] = Field({}, repr=False)
    provider_base_urls: Mapping[str, WebUrl] = Field({}, repr=False)
    provider_max_in_flight: Mapping[str, WholeNumber] = {}
    provider_model_ids: Mapping[str, Annotated[Mapping[str, str], BeforeValidator(_pairs)]] = {}

    def __init__(self, variables: Mapping[str, str], providers: Collection[str] | None) -> None:
        """The settings of `load`; raises Pydantic's ValidationError for a bad value."""
        super().__init__(given=(variables, providers))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: Any,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables are handed in, so that what is read, and from where, is decided in one place."""
        del env_settings, dotenv_settings, file_secret_settings
        return (_Variables(settings_cls, *init_settings.init_kwargs["given"]),)

    @property
    def is_demo(self) -> bool:
        """True when the app brings its own Redis and worker."""
        return self.redis_url is None

    @property
    def incoming_dir(self) -> Path:
        """Where files lie that are being fetched or worked on; what is left over there is swept away."""
        return self.data_dir / "incoming"

    @property
    def proxies(self) -> Proxies:
        """By which proxies everything leaves that leaves this machine."""
        return Proxies(self.http_proxy, self.https_proxy, self.all_proxy, self.no_proxy)

    @property
    def secrets(self) -> frozenset[str]:
        """Every value of these settings that must not be seen in a log: keys, and passwords of addresses."""
        proxies = (self.http_proxy, self.https_proxy, self.all_proxy)
        addresses = (self.database_url, self.redis_url or "", *self.provider_base_urls.values(), *proxies)
        passwords = {password_of(address) for address in addresses}
        return frozenset({*self.provider_keys.values(), self.secret_key.decode("utf-8", "replace"), *passwords} - {""})

    def download_allow(self, provider: str, base_url: str | None = None) -> frozenset[str]:
        """The `host:port`s a provider's files may come from though private or unencrypted: its own, and the listed.

        `base_url` is where a job was submitted to; the operator or the adapter chose it and may have changed it since.
        """
        own = (self.provider_base_urls.get(provider), base_url)
        return self.download_allow_hosts | {host_port(address) for address in own if address}


class _Variables(PydanticBaseSettingsSource):
    """The variables that are ours; an empty one counts as not set."""

    PER_PROVIDER: ClassVar[Mapping[str, str]] = {
        "provider_keys": "_API_KEY",
        "provider_base_urls": "_BASE_URL",
        "provider_max_in_flight": "_MAX_IN_FLIGHT",
        "provider_model_ids": "_MODEL_IDS",
    }

    IN_SMALL_LETTERS: ClassVar[frozenset[str]] = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy"})
    """Names that other programs read in small letters, too, and first."""

    def __init__(
        self, settings_cls: type[BaseSettings], variables: Mapping[str, str], providers: Collection[str] | None
    ) -> None:
        super().__init__(settings_cls)
        self._variables = variables
        self._providers = providers

    def __call__(self) -> dict[str, Any]:
        """Field -> what was given for it."""
        fields = self.settings_cls.model_fields
        found = {name: self.get_field_value(field, name)[0] for name, field in fields.items()}
        return {name: value for name, value in found.items() if value}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """What was given for one field: its variable's value, or for the maps `{provider: value}`."""
        suffix = self.PER_PROVIDER.get(field_name)
        value = self._variables.get(field_name.upper()) if suffix is None else self._by_provider(suffix)
        if field_name in self.IN_SMALL_LETTERS:
            value = self._variables.get(field_name) or value
        return value, field_name, False

    def _by_provider(self, suffix: str) -> dict[str, str]:
        given = ((name, value) for name, value in self._variables.items() if name.endswith(suffix) and value)
        found = {name.removesuffix(suffix).lower(): value for name, value in given}
        return found if self._providers is None else {n: v for n, v in found.items() if n in self._providers}


def host_port(url: str) -> str:
    """`host:port` of a URL, the scheme's own port filled in."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def password_of(url: str) -> str:
    """The password in a URL as it is meant; empty without one."""
    try:
        return unquote(urlsplit(url).password or "")
    except ValueError:
        return ""


def read(providers: Collection[str], *, env_file: Path = ENV_FILE) -> Settings:
    """The settings of this process: the environment, and under it the file beside the app. Raises BadSetting."""
    beside = {name: value for name, value in dotenv_values(env_file).items() if value is not None}
    variables = beside | os.environ
    if unknown := unknown_names(variables, providers):
        log.warning("Not a setting of this application, and not read: %s. See the README.", ", ".join(unknown))
    return load(variables, providers=providers)


def load(variables: Mapping[str, str], *, providers: Collection[str] | None = None) -> Settings:
    """Check settings; raises BadSetting. Makes `DATA_DIR` and, on first start, the secret key in it.

    `NAME_API_KEY` and the like are taken of these `providers` only; None takes those of every name.
    """
    try:
        return Settings(variables, providers)
    except ValidationError as refused:
        raise BadSetting(_sentence(refused)) from None


def unknown_names(variables: Collection[str], providers: Collection[str]) -> list[str]:
    """Names that begin like settings of ours and are none: most likely a slip."""
    suffixes = _Variables.PER_PROVIDER.values()
    known = {name.upper() for name in Settings.model_fields}
    known |= {f"{provider.upper()}{suffix}" for provider in providers for suffix in suffixes}
    begins = (*(f"{provider.upper()}_" for provider in providers), *_PREFIXES)
    return sorted(name for name in variables if name.startswith(begins) and name not in known)


_PREFIXES = ("DATABASE_", "REDIS_", "STORAGE_", "AUTH_MODE", "SIGNUP_", "POLL_", "DOWNLOAD_ALLOW", "WEBHOOK_ALLOW")


def _sentence(refused: ValidationError) -> str:
    """What is wrong with the first bad variable, by name; never with what Pydantic says, which quotes values."""
    first = next(error for error in refused.errors(include_url=False, include_input=False))
    field, *below = (str(part) for part in first["loc"])
    suffix = _Variables.PER_PROVIDER.get(field)
    name = field.upper() if suffix is None else f"{below[0].upper()}{suffix}"
    return f"{name}: {first.get('ctx', {}).get('error', 'it cannot be used.')}"


def _kept_secret_key(data_dir: Path) -> bytes:
    """The key kept in the data folder, made on first start (once, also under a race)."""
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
