"""Settings from the environment and a `.env` beside the app; the only module that reads them, and it reads them once.

A bad value stops the start with a sentence that names its variable and shows no secret; what a value must be stands in
`core.setting_values`.
"""

import logging
import os
import secrets
from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar
from urllib.parse import quote, unquote, urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from core import setting_files, setting_names, setting_values, sign_in_settings, storage_settings
from core.proxies import Proxies, proxy_address
from core.sign_in_settings import IssuerSettings, RoleRule
from core.startup import StartError

log = logging.getLogger(__name__)

LOCAL_PERSON = "demo@localhost"
ENV_FILE = Path(__file__).parents[1] / ".env"

API_PATH = "/api/apps/video-generator"
"""Where the REST API and everything beside it is mounted; published, so it is no setting."""


class BadSetting(StartError):
    """A setting cannot be used; ends the process with a sentence."""


def _redis_url(url: str) -> str:
    return setting_values.address(url, "redis", "rediss", "unix")


WebUrl = Annotated[str, AfterValidator(setting_values.web_address)]
BaseUrl = Annotated[str, AfterValidator(setting_values.base_url)]
ProxyAddress = Annotated[str, AfterValidator(proxy_address)]
Days = Annotated[int, BeforeValidator(setting_values.days)]
WholeNumber = Annotated[int, BeforeValidator(setting_values.count)]
Hosts = Annotated[frozenset[str], BeforeValidator(setting_values.hosts)]
HeaderName = Annotated[str, AfterValidator(sign_in_settings.header_name)]
ModelIds = Annotated[Mapping[str, str], BeforeValidator(setting_values.pairs)]


class Settings(BaseSettings):
    """Everything that can be set, with its defaults filled in; `data_dir` and the key in it are made on first start."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", validate_default=False)

    data_dir: Annotated[Path, AfterValidator(setting_values.folder)] = Field(Path("data"), validate_default=True)
    database_url: Annotated[str, AfterValidator(setting_values.database_url)] = Field(
        default_factory=lambda found: sqlite_url(found["data_dir"] / "studio.db"), repr=False
    )
    database_pool: Annotated[int, BeforeValidator(setting_values.at_least_one)] | None = None
    database_pool_overflow: WholeNumber | None = None
    database_prepared_statements: Annotated[bool, BeforeValidator(setting_values.switch)] | None = None
    database_statement_seconds: WholeNumber | None = None
    database_idle_seconds: WholeNumber | None = None
    auto_migrate: Annotated[bool, BeforeValidator(setting_values.switch)] = Field(
        default_factory=lambda found: found["database_url"].startswith("sqlite")
    )
    redis_url: Annotated[str, AfterValidator(_redis_url)] | None = Field(None, repr=False)
    storage_url: Annotated[str, AfterValidator(storage_settings.storage_url)] = Field(
        default_factory=lambda found: (found["data_dir"] / "media").as_uri()
    )
    store_variables: Mapping[str, str] = Field({}, repr=False)
    storage_public_url: Annotated[WebUrl, AfterValidator(setting_values.prefix)] = ""
    media_links: Annotated[str, AfterValidator(storage_settings.media_links)] = "proxy"
    auth_mode: Annotated[str, AfterValidator(setting_values.auth_mode)] = "local"
    issuers: tuple[IssuerSettings, ...] = ()
    role_map: Annotated[tuple[RoleRule, ...], BeforeValidator(sign_in_settings.role_map)] = ()
    default_role: Annotated[str, AfterValidator(sign_in_settings.default_role)] = "user"
    allowed_email_domains: Annotated[frozenset[str], BeforeValidator(sign_in_settings.email_domains)] = frozenset()
    admin_emails: Annotated[frozenset[str], BeforeValidator(sign_in_settings.emails)] = frozenset()
    session_hours: Annotated[int, BeforeValidator(setting_values.at_least_one)] = 12
    session_idle_minutes: Annotated[int, BeforeValidator(setting_values.at_least_one)] = 480
    trusted_proxies: Annotated[tuple[str, ...], BeforeValidator(sign_in_settings.networks)] = ()
    proxy_user_header: HeaderName = ""
    proxy_groups_header: HeaderName = ""
    proxy_jwt_header: HeaderName = ""
    proxy_jwks_url: WebUrl = ""
    proxy_jwt_audience: str = ""
    proxy_jwt_issuer: str = ""
    vendors_file: Annotated[Path, AfterValidator(setting_values.readable_file)] | None = None
    secret_key: bytes = Field(default_factory=lambda found: _kept_secret_key(found["data_dir"]), repr=False)
    secret_key_old: bytes | None = Field(None, repr=False)
    credentials_certificate_file: Path | None = None
    credentials_key_file: Path | None = None
    signup_credits: Annotated[int, BeforeValidator(setting_values.credits_amount)] = Field(
        default_factory=lambda found: 100_000 if found["redis_url"] is None else 0
    )
    poll_seconds: Annotated[float, BeforeValidator(setting_values.pause)] = 5.0
    delivery_checks: Annotated[bool, BeforeValidator(setting_values.switch)] = True
    storage_quota_bytes: WholeNumber = 50 * 1024**3
    archive_max_bytes: WholeNumber = 20 * 1024**3
    analyst_pack_nightly: Annotated[str, AfterValidator(setting_values.nightly_pack)] = "off"
    archive_days: Annotated[int, BeforeValidator(setting_values.at_least_one)] = 7
    api_requests_per_minute: WholeNumber = 600
    sheet_rows: Annotated[int, BeforeValidator(setting_values.at_least_one)] = 2_000
    public_url: Annotated[WebUrl, AfterValidator(setting_values.prefix)] = ""
    allowed_hosts: Annotated[tuple[str, ...], BeforeValidator(setting_values.host_names)] = ()
    frame_ancestors: Annotated[tuple[str, ...], BeforeValidator(setting_values.origins)] = ()
    connections_per_address: WholeNumber = 256
    log_format: Annotated[str, AfterValidator(setting_values.log_format)] = "text"
    metrics_port: Annotated[int | None, BeforeValidator(setting_values.port)] = None
    metrics_host: Annotated[str, BeforeValidator(setting_values.host_name)] = "127.0.0.1"
    otel_exporter_otlp_endpoint: Annotated[WebUrl, AfterValidator(setting_values.prefix)] = ""
    trash_days: Days = 0
    rejected_clip_days: Days = 0
    undecided_clip_days: Days = 0
    event_days: Days = 0
    departed_prompt_days: Days = 0
    webhook_delivery_days: Annotated[int, BeforeValidator(setting_values.at_least_one)] = 30
    audit_log_days: Annotated[int, BeforeValidator(setting_values.log_days)] = 400
    download_allow_hosts: Hosts = frozenset()
    webhook_allow_hosts: Hosts = frozenset()
    smtp_host: Annotated[str, BeforeValidator(setting_values.host_name)] = ""
    smtp_port: Annotated[int, BeforeValidator(setting_values.port)] = 587
    smtp_security: Annotated[str, AfterValidator(setting_values.smtp_security)] = "starttls"
    smtp_user: str = ""
    smtp_password: str = Field("", repr=False)
    smtp_from: Annotated[str, AfterValidator(setting_values.sender)] = ""
    inbox_days: Annotated[int, BeforeValidator(setting_values.at_least_one)] = 90
    low_balance_credits: WholeNumber = 5_000
    http_proxy: ProxyAddress = Field("", repr=False)
    https_proxy: ProxyAddress = Field("", repr=False)
    all_proxy: ProxyAddress = Field("", repr=False)
    no_proxy: str = ""
    provider_keys: Mapping[str, str] = Field({}, repr=False)
    mended_keys: frozenset[str] = frozenset()
    provider_base_urls: Mapping[str, BaseUrl] = Field({}, repr=False)
    provider_webhook_secrets: Mapping[str, str] = Field({}, repr=False)
    provider_max_in_flight: Mapping[str, WholeNumber] = {}
    provider_model_ids: Mapping[str, ModelIds] = {}

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
    def secrets_in_force(self) -> tuple[bytes, ...]:
        """What signatures are checked with: the key, by which they are made, and until it is dropped the one before."""
        return (self.secret_key,) if self.secret_key_old is None else (self.secret_key, self.secret_key_old)

    @property
    def has_sign_in(self) -> bool:
        """True when everybody has to say who they are."""
        return self.auth_mode in sign_in_settings.MODES

    @property
    def session_cookie(self) -> str:
        """The name of the cookie of a signed-in browser.

        Over https a browser takes the prefix only from this very host and for all of it (RFC 6265bis, 4.1.3.2).
        """
        return "__Host-avg" if self.public_url.startswith("https:") else "avg"

    @property
    def session_idle(self) -> timedelta:
        """How long a session of a browser may be without use."""
        return timedelta(minutes=self.session_idle_minutes)

    @property
    def is_demo(self) -> bool:
        """True when the app brings its own Redis and worker."""
        return self.redis_url is None

    @property
    def can_mail(self) -> bool:
        """True when messages can be sent by mail."""
        return bool(self.smtp_host)

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
        signing = (key.decode("utf-8", "replace") for key in self.secrets_in_force)
        clients = (issuer.client_secret for issuer in self.issuers)
        return frozenset(
            {
                *self.provider_keys.values(),
                *self.provider_webhook_secrets.values(),
                *signing,
                *passwords,
                *clients,
                *storage_settings.secrets(self),
                self.smtp_password,
            }
            - {""}
        )

    def download_allow(self, provider: str, base_url: str | None = None) -> frozenset[str]:
        """The `host:port`s a provider's files may come from though private or unencrypted: its own, and the listed.

        `base_url` is where a job was submitted to; the operator or the adapter chose it and may have changed it since.
        """
        own = (self.provider_base_urls.get(provider), base_url)
        return self.download_allow_hosts | {host_port(address) for address in own if address}


_AS_GIVEN = ("SECRET_KEY", "SECRET_KEY_OLD")


class _Variables(PydanticBaseSettingsSource):
    """The variables that are ours; an empty one counts as not set."""

    PER_PROVIDER: ClassVar[Mapping[str, str]] = {
        "provider_keys": "_API_KEY",
        "provider_base_urls": "_BASE_URL",
        "provider_webhook_secrets": "_WEBHOOK_SECRET",
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
        if field_name == "mended_keys":
            return self._mended(), field_name, False
        if field_name == "store_variables":
            return storage_settings.given(self._variables), field_name, False
        if field_name == "issuers":
            return sign_in_settings.issuers(self._variables), field_name, False
        suffix = self.PER_PROVIDER.get(field_name)
        value = self._value(field_name.upper()) if suffix is None else self._by_provider(suffix)
        if field_name in self.IN_SMALL_LETTERS:
            value = self._value(field_name) or value
        return value, field_name, False

    def _by_provider(self, suffix: str) -> dict[str, str]:
        named = {name.removesuffix(suffix).lower(): name for name in self._variables if name.endswith(suffix)}
        ours = {each: name for each, name in named.items() if self._providers is None or each in self._providers}
        return {each: value for each, name in ours.items() if (value := self._value(name))}

    def _mended(self) -> frozenset[str]:
        """Providers whose key is not used as it was given, but without what nobody sees at its ends."""
        keys = self._by_provider(self.PER_PROVIDER["provider_keys"])
        suffix = self.PER_PROVIDER["provider_keys"]
        return frozenset(name for name, key in keys.items() if self._variables.get(f"{name.upper()}{suffix}") != key)

    def _value(self, name: str) -> str | None:
        """What was given, without what nobody sees at its ends; a secret key counts as it is, since it may be any."""
        value = self._variables.get(name)
        if value is None or name in _AS_GIVEN or (cut := setting_values.cut(value)) == value:
            return value
        log.warning("%s: spaces, line ends or quotation marks around it were cut off.", name)
        return cut


def host_port(url: str) -> str:
    """`host:port` of a URL, the scheme's own port filled in."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def sqlite_url(path: Path) -> str:
    """The address of a SQLite file, whatever signs are in its name."""
    return f"sqlite:///{quote(str(path))}"


def password_of(url: str) -> str:
    """The password in a URL as it is meant; empty without one."""
    try:
        return unquote(urlsplit(url).password or "")
    except ValueError:
        return ""


def given_variables(env_file: Path = ENV_FILE) -> Mapping[str, str]:
    """What was given to this process: the environment, and under it the file beside the app. Raises BadSetting."""
    try:
        beside = {
            name: value for name, value in dotenv_values(env_file, encoding="utf-8-sig").items() if value is not None
        }
    except (OSError, ValueError) as failure:
        reason = failure.strerror if isinstance(failure, OSError) else "it is no text in UTF-8"
        raise BadSetting(f"The file {env_file} cannot be read: {reason}.") from None
    return beside | os.environ


def read(providers: Collection[str], *, given: Mapping[str, str] | None = None, env_file: Path = ENV_FILE) -> Settings:
    """The settings of this process, from what was given to it. Raises BadSetting."""
    variables = given_variables(env_file) if given is None else given
    if unknown := unknown_names(variables, providers):
        log.warning("Not a setting of this application, and not read: %s. See the README.", ", ".join(unknown))
    return load(variables, providers=providers)


def load(variables: Mapping[str, str], *, providers: Collection[str] | None = None) -> Settings:
    """Check settings; raises BadSetting. Makes `DATA_DIR` and, on first start, the secret key in it.

    `NAME_API_KEY` and the like are taken of these `providers` only; None takes those of every name. A secret may lie in
    a file that `NAME_FILE` names.
    """
    try:
        settings = Settings(setting_files.filled(variables, providers), providers)
    except ValidationError as refused:
        raise BadSetting(_sentence(refused)) from None
    except ValueError as refused:  # of identity providers and files, which name their variables themselves
        raise BadSetting(str(refused)) from None
    for contradiction in (sign_in_settings.contradiction, storage_settings.contradiction, _contradiction):
        if wrong := contradiction(settings):
            raise BadSetting(wrong)
    return settings


def _contradiction(settings: Settings) -> str | None:
    """What is set that cannot be together; a key that is given need not be there yet, since no start waits for it."""
    if (settings.credentials_certificate_file is None) is not (settings.credentials_key_file is None):
        return "CREDENTIALS_CERTIFICATE_FILE and CREDENTIALS_KEY_FILE are set together, or neither is."
    if settings.smtp_host and not settings.smtp_from:
        return "SMTP_FROM: it is the address that mail comes from, and is needed with SMTP_HOST."
    if (settings.rejected_clip_days or settings.undecided_clip_days) and not settings.trash_days:
        return "TRASH_DAYS: clips that go by themselves go to the trash first, so it is needed, 1 at least."
    return None


def unknown_names(variables: Collection[str], providers: Collection[str]) -> list[str]:
    """Names that look like settings of ours and are none, most likely a slip; with what was probably meant.

    They begin like ours, or end like those of providers behind a word that is nearly a provider's name.
    """
    suffixes = tuple(_Variables.PER_PROVIDER.values())
    known = {name.upper() for name in Settings.model_fields}
    known |= {f"{provider.upper()}{suffix}" for provider in providers for suffix in suffixes}
    known |= {name for name in variables if sign_in_settings.is_issuer_name(name)}
    known |= {name for name in variables if setting_files.is_known(name, providers)}
    begins = (*(f"{provider.upper()}_" for provider in providers), *setting_names.PREFIXES)
    found = []
    for name in sorted(set(variables) - known):
        meant = setting_names.nearly_of(name, suffixes, providers)
        if meant:
            found.append(f"{name} (is it {meant}?)")
        elif name.startswith(begins):
            found.append(name)
    return found


def _sentence(refused: ValidationError) -> str:
    """What is wrong with the first bad variable, by name; never with what Pydantic says, which quotes values."""
    first = next(error for error in refused.errors(include_url=False, include_input=False))
    field, *below = (str(part) for part in first["loc"])
    suffix = _Variables.PER_PROVIDER.get(field)
    name = field.upper() if suffix is None else f"{below[0].upper()}{suffix}"
    return f"{name}: {first.get('ctx', {}).get('error', 'it cannot be used.')}"


def _kept_secret_key(data_dir: Path) -> bytes:
    try:
        return setting_values.kept_secret_key(data_dir, secrets.token_urlsafe(32))
    except ValueError as wrong:
        raise BadSetting(f"SECRET_KEY: {wrong}") from None
