"""What one process works with: settings, database, storage, Redis, providers and caches, built once and handed on.

A composition root (app.py, worker.py, the command line, a test) opens one. Services are handed what they need of it;
`current` is for what a framework calls without arguments: page scripts, jobs of the queue, requests.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError

from core import db, errors, process_settings, redaction, setting_values, storage_settings
from core.catalog import in_force
from core.catalog.catalogue import Catalogue
from core.catalog_changes import current as current_catalogue
from core.catalog_changes.current import CatalogueCache
from core.config import BadSetting, Settings
from core.db import Database
from core.db.engine import PATIENCE_SECONDS
from core.db.opening import open_database
from core.files import private
from core.files.signing_certificate import UnusableKey
from core.files.storage import Storage, UnusableStorage, open_storage
from core.files.store_clock import StoreClock
from core.generations import signing_keys
from core.generations.call_keys import CallKeys
from core.generations.openings import Openings
from core.generations.progress import ProgressBoard
from core.identity import provider_http
from core.identity.issuers import Issuers
from core.identity.signed_tokens import PublishedKeys
from core.insights import workers
from core.insights.attention import AttentionCounter
from core.insights.health import Recently
from core.notices import causes
from core.notifications import outbox, webhooks
from core.providers import connection as provider_connection
from core.redis import connection as redis_connection
from core.redis.rate_limits import RateLimiter
from core.retry import OnceAWhile
from core.usage.cache import UsageCache
from core.workspaces import departures
from core.workspaces.callers import CallerCache

log = logging.getLogger(__name__)

DIRECT_SECONDS = 2 * 3600
"""How long a direct link lasts at least: a browser goes back to it for each part of a clip that plays."""


CLOSING_SECONDS = 2.0


@dataclass(frozen=True, eq=False)
class Installation:
    """Everything of a process that is not of one request; nothing in it is remembered beyond it.

    `redis_url` is where Redis is: as configured, or the one that the app has brought along; None without one.
    """

    settings: Settings
    database: Database
    storage: Storage
    redis_url: str | None
    callers: CallerCache
    catalogue_cache: CatalogueCache = field(default_factory=CatalogueCache)
    usage: UsageCache = field(default_factory=UsageCache)
    board: ProgressBoard = field(default_factory=ProgressBoard)
    attention: AttentionCounter = field(default_factory=AttentionCounter)
    told: OnceAWhile = field(default_factory=OnceAWhile)
    """What the log has lately been told of housekeeping."""

    @property
    def catalogue(self) -> Catalogue:
        """All models as they are offered here, as of a second ago at most; raises as the database does."""
        return self.catalogue_cache.read(self.database)

    @cached_property
    def configured(self) -> frozenset[str]:
        """Names of the providers that can be used here."""
        return provider_connection.configured(self.settings)

    @cached_property
    def openings(self) -> Openings:
        """Notes which clips were opened."""
        return Openings(self.database)

    @cached_property
    def store_clock(self) -> StoreClock:
        """Whether the store of files takes what this machine signs by its clock."""
        return StoreClock(self.storage, self.database.clock.machine_is_ahead)

    @cached_property
    def redis(self) -> redis_connection.Connection:
        """Connections to Redis; only to be asked for where there is one."""
        return redis_connection.connect(self.redis_url or "")

    @cached_property
    def watch(self) -> workers.Watch:
        """Who works here, looked at now and then by all of this process."""
        return workers.Watch(None if self.redis_url is None else lambda: self.redis)

    @cached_property
    def recent_health(self) -> Recently[Any]:
        """How it was a moment ago, for probes."""
        return Recently()

    @cached_property
    def issuers(self) -> Issuers:
        """The identity providers that people sign in with."""
        return Issuers(self.settings.issuers, self.settings.proxies, self.database.clock.now)

    @cached_property
    def front_keys(self) -> PublishedKeys | None:
        """The keys by which a front signs who is asking; None where it does not sign."""
        url, proxies = self.settings.proxy_jwks_url, self.settings.proxies
        return PublishedKeys(lambda: provider_http.get_json(url, proxies=proxies)) if url else None

    @cached_property
    def call_keys(self) -> CallKeys:
        """The keys that vendors sign their calls with."""
        return CallKeys(self.settings)

    @cached_property
    def request_limiter(self) -> RateLimiter:
        """Counts the requests of API tokens."""
        return RateLimiter(self.redis_url, self.settings.api_requests_per_minute)

    def direct_link(self, key: str, *, now: datetime, download_name: str | None = None) -> str | None:
        """A link by which a browser gets a stored file from the store itself; only for who may see it.

        Whoever has it may read that one file until it ends. None where the app sends files itself, or has to send this
        one.
        """
        if self.settings.media_links != "direct":
            return None
        try:
            return self.storage.direct_link(key, now=now, lifetime_seconds=DIRECT_SECONDS, download_name=download_name)
        except errors.StorageUnavailable as away:  # where the machine's role has the keys, they are asked for
            log.warning("A direct link cannot be signed now, and the app sends the file: %s", away.detail)
            return None

    @property
    def media_place(self) -> str | None:
        """Where such links lead, as pages have to allow it; None without them."""
        return self.storage.browsers_place if self.settings.media_links == "direct" else None

    def close(self) -> None:
        """Give up every connection; what is about to be noted is noted before, unless that takes too long."""
        self.openings.written(CLOSING_SECONDS)
        self.database.dispose()
        if self.redis_url is not None:
            self.redis.close()


def build(
    settings: Settings, *, patience_seconds: float = PATIENCE_SECONDS, waits: bool = False, role: str = "command"
) -> Installation:
    """An installation whose schema is up to date and whose files are private; see `open_database` for the figures.

    Raises BadSetting, whose sentence names the setting of what cannot be used. From then on the process logs none of
    the secrets in these settings and in the file of vendors.
    """
    redaction.guard_logs(provider_connection.secrets(settings))
    if settings.redis_url is not None and (wrong := redis_connection.address_error(settings.redis_url)):
        raise BadSetting(f"REDIS_URL: {wrong}")
    storage = _open_storage(settings)
    callers, cache = CallerCache(), CatalogueCache()
    info: dict[str, object] = {
        outbox.PUBLIC_PATH: urlsplit(settings.public_url).path,
        departures.CALLERS: callers,
        current_catalogue.CACHE: cache,
        causes.LOW_BALANCE: settings.low_balance_credits,
        causes.STORAGE_QUOTA: settings.storage_quota_bytes,
    }
    database = open_database(settings, patience_seconds=patience_seconds, waits=waits, info=info, role=role)
    private.narrow(settings.data_dir, database.file, storage.folder)
    _look_at_keys(database, settings)
    _look_at_signing_key(database, settings)
    installation = Installation(settings, database, storage, settings.redis_url, callers, cache)
    for model_id in installation.catalogue.unpriced():
        log.warning("The model '%s' has no price in its record, so it is not offered.", model_id)
    return installation


def _open_storage(settings: Settings) -> Storage:
    """A folder that can be written into, or a bucket that takes our keys; one that is away now holds up no start."""
    try:
        storage = open_storage(settings.storage_url, storage_settings.access(settings))
        if storage.folder is not None:
            setting_values.folder(storage.folder)
        storage.check()
    except (ValueError, UnusableStorage) as wrong:
        raise BadSetting(f"STORAGE_URL: {wrong}") from None
    except errors.StorageUnavailable as away:
        log.warning("The store of files does not answer; what needs it waits: %s", away.detail)
    return storage


def _look_at_keys(database: Database, settings: Settings) -> None:
    """Say when receivers of webhooks have secrets of a key that is gone, so that no change of it is silent."""
    keys = settings.secrets_in_force
    with database.read_session() as session:
        is_incomplete = webhooks.without_key(session)
    if is_incomplete:
        with database.write_session() as session:
            webhooks.note_key(session, keys=keys)
    with database.read_session() as session:
        lost = webhooks.count_lost_secrets(session, keys=keys)
    if lost:
        log.warning(
            "SECRET_KEY is another than the one that the secrets of %d webhooks were made with; their receivers refuse "
            "what they are sent. Set SECRET_KEY_OLD to the key before until they have new secrets.",
            lost,
        )


def _look_at_signing_key(database: Database, settings: Settings) -> None:
    """Make the key that clips are signed with at the first start; one that cannot be used holds up nothing."""
    try:
        signing_keys.for_signing(database, settings)
    except UnusableKey as broken:
        log.warning(
            "Clips are delivered without content credentials until CREDENTIALS_CERTIFICATE_FILE and "
            "CREDENTIALS_KEY_FILE can be used: %s",
            broken.detail,
        )
    except SQLAlchemyError:  # it is made with the first clip
        log.warning("the key that clips are signed with could not be looked at now", exc_info=True)


@contextmanager
def opened(
    settings: Settings | None = None,
    *,
    patience_seconds: float = PATIENCE_SECONDS,
    waits: bool = False,
    role: str = "command",
) -> Iterator[Installation]:
    """Build one, from the process's own settings unless some are given; current while the block runs, then closed.

    The rest is as for `open_database`.
    """
    settings = settings or process_settings.read()
    installation = build(settings, patience_seconds=patience_seconds, waits=waits, role=role)
    try:
        with using(installation):
            yield installation
    finally:
        installation.close()


@contextmanager
def using(installation: Installation) -> Iterator[None]:
    """Make it the current one while the block runs; for composition roots only."""
    before = list(_current)
    _current[:] = [installation]
    try:
        with db.using(installation.database), in_force.using(lambda: installation.catalogue):
            yield
    finally:
        _current[:] = before


def current() -> Installation:
    """The one that the composition root has opened."""
    return _current[0]


_current: list[Installation] = []
